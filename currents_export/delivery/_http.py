"""One request, one answer; and the secrets kept where no log can see them."""

from __future__ import annotations

import base64
import time
from contextlib import closing
from urllib.parse import unquote, unquote_to_bytes, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from .._masking import MASK, mask_url
from .._version import __version__
from ..current import Current
from ..errors import CurrentError
from ._answers import Answer, retry_after

__all__ = ["Endpoint"]

_HEADERS = {
    "Content-Type": "application/json",
    # The version of the request, which is always 1; not that of the Currents schema.
    "Braze-Currents-Version": "1",
    "User-Agent": f"currents-export/{__version__}",
    "Accept-Encoding": "identity",
}
#: An answer is its status. Of the body no more is read than a message needs, so that a receiver
#: that never ends its body holds nobody up.
_MAX_TEXT = 4096


class Endpoint:
    """Where a Current's requests go.

    Requests go to httpx's transport without a `Client` around it. What a client adds is what a
    Current must not do: it follows redirects, keeps cookies, and logs every URL with the write
    key in it.

    Args:
        current: the Current.
        timeout: seconds for each of connecting, writing and waiting for an answer.
        transport: sends the requests in place of httpx's own transport.

    Raises:
        CurrentError: httpx cannot use the Current's URL.
    """

    def __init__(
        self, current: Current, *, timeout: float, transport: httpx.BaseTransport | None
    ) -> None:
        self._transport = transport or _default_transport(current.url)
        self._extensions = {"timeout": httpx.Timeout(timeout).as_dict()}
        self.use(current)

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
        self._target = url.copy_with(userinfo=b"", fragment=None), headers, _secrets_of(current)

    def post(self, body: bytes) -> Answer:
        """Send a body once. Whatever goes wrong is an answer, never an exception."""
        url, headers, hidden = self._target
        try:
            request = httpx.Request(
                "POST", url, headers=headers, content=body, extensions=self._extensions
            )
            with closing(self._transport.handle_request(request)) as response:
                text = _beginning(response)
                return Answer(
                    status=response.status_code,
                    text=_scrub(text, hidden),
                    retry_after=retry_after(response.headers, now=time.time()),
                )
        except Exception as error:  # noqa: BLE001 - a transport that was passed in may raise any
            what = str(error) or type(error).__name__
            return Answer(status=None, text=_scrub(what, hidden))

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()


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
    values = [pair.partition("=")[2] or pair for pair in parts.query.split("&")]
    hidden = {current.bearer_token, parts.username, parts.password, parts.query, *values}
    if mask_url(current.url) != current.url:
        hidden.add(current.url)
    hidden |= {unquote(each) for each in hidden if each}
    return sorted((each for each in hidden if each), key=len, reverse=True)


def _beginning(response: httpx.Response) -> str:
    """The first bytes of the body, as text; what fails after the status is not a failure."""
    text = b""
    try:
        for chunk in response.iter_bytes():
            text += chunk
            if len(text) > _MAX_TEXT:
                break
    except (httpx.HTTPError, httpx.StreamError):
        pass
    return " ".join(text[:200].decode(errors="replace").split())
