"""`Access`: who may see the page and the counts.

Without a token, these are the browsers and programs of this machine. The address of the client does
not suffice for that: a website can let its own name resolve to 127.0.0.1, and then read what a
browser on this machine can read. So the name in the Host header must be one of this machine's own.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets

from starlette.requests import Request

from ..errors import OptionError
from ._body import RefusedError
from ._credentials import is_among

__all__ = ["Access", "is_loopback"]

#: The fewest characters of a token: 96 random bits in Base64.
_SHORTEST = 16
_NOT_LOCAL = (
    "only this machine may see this, as http://127.0.0.1:PORT or http://localhost:PORT; elsewhere, "
    "it needs a page token"
)
_UNAUTHORIZED = "the page token is missing or wrong"


def is_loopback(host: str) -> bool:
    """Return whether a host name or an address is one of this machine's loopback interface."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class Access:
    """Decide who may see the page and the counts.

    Args:
        token: the token that a client must have; None for clients on this machine only.
        to_page: whether there is a page.

    Raises:
        OptionError: the token has fewer than 16 characters, or others than visible ASCII ones.
    """

    def __init__(self, token: str | None = None, *, to_page: bool = False) -> None:
        if token is not None and not (len(token) >= _SHORTEST and _is_visible_ascii(token)):
            raise OptionError(
                f"a page token must have at least {_SHORTEST} characters, only visible ASCII ones; "
                "openssl rand -hex 16 makes one"
            )
        self.to_page = to_page
        self._token = token
        # The cookie is not the token itself, and is not valid after a restart.
        key = secrets.token_bytes(16)
        self._cookie = hmac.new(key, (token or "").encode(), hashlib.sha256).hexdigest()

    @property
    def needs_token(self) -> bool:
        """Whether a client must have a token."""
        return self._token is not None

    def has_token(self, request: Request) -> bool:
        """Return whether a client has the token, in a header or by its cookie."""
        if self._token is None:
            return False
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and is_among(given.strip(), [self._token]):
            return True
        return is_among(request.cookies.get(_cookie_name(request), ""), [self._cookie])

    def login(self, request: Request, token: str) -> str | None:
        """Return the `Set-Cookie` header for a client with this token; None if it is wrong."""
        if self._token is None or not is_among(token.strip(), [self._token]):
            return None
        secure = "; Secure" if request.scope.get("scheme") == "https" else ""
        attributes = f"Path=/; HttpOnly; SameSite=Strict{secure}"
        return f"{_cookie_name(request)}={self._cookie}; {attributes}"

    def refusal(self, request: Request) -> RefusedError | None:
        """Return why a client may not see the page; None if it may."""
        if self._token is not None:
            return None if self.has_token(request) else RefusedError(401, _UNAUTHORIZED)
        return None if is_local(request) else RefusedError(403, _NOT_LOCAL)


def is_local(request: Request) -> bool:
    """Return whether a request comes from this machine, and names it in its Host header."""
    client = request.scope.get("client")
    if client and not is_loopback(client[0]):
        return False
    hosts = request.headers.getlist("host")
    return len(hosts) == 1 and is_loopback(_without_port(hosts[0]))


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() and port.isascii() else host


def _cookie_name(request: Request) -> str:
    # Cookies do not differ by port, but there may be several receivers on one machine.
    server = request.scope.get("server") or ("", None)
    return f"currents_page_{server[1] or 0}"


def _is_visible_ascii(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text
