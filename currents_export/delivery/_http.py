"""One request, one answer; and the secrets kept where no log can see them."""

from __future__ import annotations

import base64
import time
from contextlib import closing
from urllib.parse import unquote, unquote_to_bytes, urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from .. import __version__
from .._masking import MASK, mask_url
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

    httpx writes the URL of every request to its log. So the client is given a URL without the
    secrets, and the transport, below the log, puts them in.

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
        self._secrets = _SecretTransport(transport or _default_transport(current.url))
        self._client = httpx.Client(transport=self._secrets, timeout=timeout)
        self._extensions = {"timeout": self._client.timeout.as_dict()}
        self.use(current)

    def use(self, current: Current) -> None:
        """Send to this Current's URL, with its secrets, from now on."""
        try:
            url = httpx.URL(current.url)
        except httpx.InvalidURL:
            field = "key" if current.key else "endpoint"
            problem = "it is not a URL that can be requested"
            raise CurrentError([(field, problem)]) from None
        self._shown = url.copy_with(userinfo=b"", query=None, fragment=None)
        self._hidden = _secrets_of(current)
        self._secrets.use(url, current.bearer_token)

    def post(self, body: bytes) -> Answer:
        """Send a body once. Whatever goes wrong is an answer, never an exception."""
        try:
            request = httpx.Request(
                "POST", self._shown, headers=_HEADERS, content=body, extensions=self._extensions
            )
            with closing(self._client.send(request, stream=True)) as response:
                text = _beginning(response)
                return Answer(
                    status=response.status_code,
                    text=self._scrub(text),
                    retry_after=retry_after(response.headers, now=time.time()),
                )
        except Exception as error:  # noqa: BLE001 - a transport that was passed in may raise any
            what = str(error) or type(error).__name__
            return Answer(status=None, text=self._scrub(what))

    def _scrub(self, text: str) -> str:
        for secret in self._hidden:
            text = text.replace(secret, MASK)
        return text

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


class _SecretTransport(httpx.BaseTransport):
    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self._url = httpx.URL()
        self._headers: list[tuple[bytes, bytes]] = []

    def use(self, url: httpx.URL, bearer_token: str | None) -> None:
        credentials = None
        if bearer_token is not None:
            credentials = f"Bearer {bearer_token}".encode()
        elif url.userinfo:
            credentials = b"Basic " + base64.b64encode(unquote_to_bytes(url.userinfo))
        self._headers = [(b"Authorization", credentials)] if credentials else []
        self._url = url.copy_with(userinfo=b"")

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._inner.handle_request(
            httpx.Request(
                request.method,
                self._url,
                headers=[*request.headers.raw, *self._headers],
                stream=request.stream,
                extensions=request.extensions,
            )
        )

    def close(self) -> None:
        self._inner.close()


def _default_transport(url: str) -> httpx.BaseTransport:
    parts = urlsplit(url)
    # httpx heeds the proxy variables only as long as it is given no transport.
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
