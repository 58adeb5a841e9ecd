"""One request, one response; and the secrets kept where no log can see them."""

from __future__ import annotations

import base64
import logging
import time
from contextlib import closing
from urllib.parse import unquote, unquote_to_bytes, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from .._redaction import MASK, mask_url
from .._version import __version__
from ..current import Current
from ..errors import CurrentError
from ._responses import Response, retry_after

__all__ = ["Endpoint"]

_HEADERS = {
    "Content-Type": "application/json",
    # The version of the request, which is always 1; not that of the Currents schema.
    "Braze-Currents-Version": "1",
    "User-Agent": f"currents-export/{__version__}",
    "Accept-Encoding": "identity",
}
#: A response is its status. Of the body no more is read than a message needs, and for no longer
#: than these seconds, so that a receiver that never ends its body holds nobody up.
_MAX_TEXT = 4096
_MAX_MESSAGE = 200
_BODY_PATIENCE = 1.0
#: A value this short in a query is hardly a secret, and stands in many a text by chance.
_SHORT = 6
#: The loggers of httpcore, which write down headers: a redirect's, too, with the URL in it.
_LOGGERS = tuple(f"httpcore.{name}" for name in ("connection", "http11", "http2", "proxy", "socks"))


class Endpoint:
    """Where a Current's requests go.

    Requests go to httpx's transport without a `Client` around it. What a client adds is what a
    Current must not do: it follows redirects, keeps cookies, and logs every URL with the write
    key in it.

    Args:
        current: the Current.
        timeout: seconds for each of connecting, writing and waiting for a response.
        transport: sends the requests in place of httpx's own transport.

    Raises:
        CurrentError: httpx cannot use the Current's URL.
    """

    def __init__(
        self, current: Current, *, timeout: float, transport: httpx.BaseTransport | None
    ) -> None:
        self._owns_transport = transport is None
        self._transport = _default_transport(current.url) if transport is None else transport
        self._timeout = timeout
        self._limits = httpx.Timeout(timeout).as_dict()
        self._discretion = _Discretion()
        self.use(current)
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self._discretion)

    def use(self, current: Current) -> None:
        """Send to this Current's URL, with its secrets, from now on."""
        try:
            url = httpx.URL(current.url)
        except httpx.InvalidURL:
            field = "key" if current.key else "endpoint"
            problem = "it is not a URL that can be requested"
            raise CurrentError([(field, problem)]) from None
        headers = httpx.Headers(_HEADERS)
        if current.bearer_token is not None:
            headers["Authorization"] = f"Bearer {current.bearer_token}"
        elif url.userinfo:
            pair = base64.b64encode(unquote_to_bytes(url.userinfo)).decode()
            headers["Authorization"] = f"Basic {pair}"
        # In one assignment, since another thread may be about to post.
        hidden = _secrets_of(current)
        self._target = url.copy_with(userinfo=b"", fragment=None), headers, hidden
        self._discretion.hidden = hidden

    def post(self, body: bytes) -> Response:
        """Send a body once. Whatever goes wrong is a response, never an exception."""
        url, headers, hidden = self._target
        limits = self._limits.copy()
        try:
            request = httpx.Request(
                "POST", url, headers=headers, content=body, extensions={"timeout": limits}
            )
            with closing(self._transport.handle_request(request)) as response:
                # httpcore looks at the limits anew for the body.
                limits["read"] = min(self._timeout, _BODY_PATIENCE)
                text = _scrub(_beginning(response), hidden)
                return Response(
                    status=response.status_code,
                    text=" ".join(text.split())[:_MAX_MESSAGE],
                    retry_after=retry_after(response.headers, now=time.time()),
                )
        except Exception as error:  # noqa: BLE001 - a transport that was passed in may raise any
            what = str(error) or type(error).__name__
            return Response(status=None, text=_scrub(what, hidden))

    def close(self) -> None:
        """Close the connections; a transport that was passed in is its owner's to close."""
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self._discretion)
        if self._owns_transport:
            self._transport.close()


class _Discretion(logging.Filter):
    """Lets no record of a logger pass with a secret in it."""

    hidden: list[str]

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        scrubbed = _scrub(text, self.hidden)
        if scrubbed != text:
            record.msg, record.args = scrubbed, None
        return True


def _scrub(text: str, hidden: list[str]) -> str:
    for secret in hidden:
        text = text.replace(secret, MASK)
    return text


def _default_transport(url: str) -> httpx.BaseTransport:
    parts = urlsplit(url)
    # The proxy variables are heeded by httpx's clients, not by its transports.
    proxy = None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
    return httpx.HTTPTransport(proxy=proxy)


def _secrets_of(current: Current) -> list[str]:
    """The texts that must not be shown, the longest first."""
    parts = urlsplit(current.url)
    hidden = {current.bearer_token, parts.username, parts.password, parts.query}
    for pair in parts.query.split("&"):
        name, _, value = pair.partition("=")
        secret = value or name
        if len(secret) >= _SHORT or name.lower() == "writekey":
            hidden.add(secret)
    if mask_url(current.url) != current.url:
        hidden.add(current.url)
    hidden |= {unquote(each) for each in hidden if each}
    return sorted((each for each in hidden if each), key=len, reverse=True)


def _beginning(response: httpx.Response) -> str:
    """The first bytes of the body, as text; what fails after the status is not a failure."""
    text = b""
    until = time.monotonic() + _BODY_PATIENCE
    try:
        for chunk in response.iter_bytes():
            text += chunk
            if len(text) > _MAX_TEXT or time.monotonic() > until:
                break
    except (httpx.HTTPError, httpx.StreamError):
        pass
    return text[:_MAX_TEXT].decode(errors="replace")
