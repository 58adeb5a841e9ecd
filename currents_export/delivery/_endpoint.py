"""One request, one response; and the secrets kept where no log can see them."""

from __future__ import annotations

import codecs
import logging
import ssl
import time
import zlib
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import httpx

from .._redaction import MASK, mask_url, printable, redact
from .._version import __version__
from ..current import Current
from ..errors import CurrentError
from ._proxies import proxy_for, proxy_secrets, read_proxy
from ._reply import AppFailure, GivenTransport, Reply, Target, Transport, ends_program
from ._responses import Response, retry_after
from ._transport import DeadlineTransport
from .tls import default_context

__all__ = ["Endpoint"]

_HEADERS = {
    "Content-Type": "application/json",
    # The version of the request, which is always 1; not that of the Currents schema.
    "Braze-Currents-Version": "1",
    "User-Agent": f"currents-export/{__version__}",
    "Accept-Encoding": "identity",
}
#: What a message is made from, and how long it can get.
_MAX_TEXT = 1024
_MAX_MESSAGE = 200
#: The loggers of httpcore, which writes headers if an httpx transport was passed in: also those of
#: a redirect, with the URL in it.
_LOGGERS = tuple(f"httpcore.{name}" for name in ("connection", "http11", "http2", "proxy", "socks"))


class _Route(NamedTuple):
    """What a transport is made for.

    Attributes:
        proxy: the URL of the proxy; None for a direct connection.
        tls: whether certificates are needed.
    """

    proxy: str | None
    tls: bool


class _Way(NamedTuple):
    """How requests go out, and what must not be shown of it."""

    transport: Transport
    target: Target
    secrets: tuple[str, ...]


class Endpoint:
    """Where a Current's requests go.

    Args:
        current: the Current.
        timeout: seconds for a whole request: connecting, writing, and the response up to its
            headers. The body gets what is left, but no more than a second.
        max_retry_after: the longest wait, in seconds, that a `Retry-After` header can ask for.
        transport: a transport to use instead of the default one.
        ssl_context: the TLS settings; None for those of httpx.

    Attributes:
        failure: an exception in an application in this process, which is to be raised.

    Raises:
        CurrentError: httpx cannot use the Current's URL.
        CurrentsExportError: the proxy or the certificates that environment variables name cannot
            be used.
    """

    def __init__(
        self,
        current: Current,
        *,
        timeout: float,
        max_retry_after: float,
        transport: httpx.BaseTransport | None,
        ssl_context: ssl.SSLContext | None,
    ) -> None:
        self._given_transport = None if transport is None else GivenTransport(transport)
        self._ssl_context = ssl_context
        self._own_transports: dict[_Route, tuple[Transport, set[str]]] = {}
        self._timeout = timeout
        self._max_retry_after = max_retry_after
        self.failure: Exception | None = None
        self._filter = _RedactingFilter()
        self.use(current)
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(self._filter)

    def use(self, current: Current) -> None:
        """Send to this Current's URL, with its secrets, from now on."""
        destination = current.destination
        try:
            url = httpx.URL(destination.url)
        except httpx.InvalidURL:
            problem = "it is not a URL that can be requested"
            raise CurrentError([(destination.url_field, problem)]) from None
        headers = httpx.Headers(_HEADERS)
        if destination.authorization is not None:
            headers["Authorization"] = destination.authorization
        secrets = destination.secrets
        transport: Transport | None = self._given_transport
        if transport is None:
            transport, others = self._transport_to(destination.url)
            secrets += tuple(others)
        # In one assignment, since another thread may be about to post.
        target = Target(url.copy_with(userinfo=b"", fragment=None), headers)
        self._way = _Way(transport, target, secrets)
        self._filter.secrets = secrets

    def _transport_to(self, url: str) -> tuple[Transport, set[str]]:
        """Return a transport that reaches the URL, and the secrets of its proxy."""
        proxy = proxy_for(url)
        secure_proxy = (proxy or "").lower().startswith("https:")
        route = _Route(proxy, urlsplit(url).scheme == "https" or secure_proxy)
        if route not in self._own_transports:
            self._own_transports[route] = _make_transport(route, self._ssl_context)
        return self._own_transports[route]

    def post(self, body: bytes) -> Response:
        """Send a body once. Whatever goes wrong is a response, never an exception.

        Only an exception that ends the program, such as KeyboardInterrupt, goes through, and only
        in the main thread. In another thread, it can only come from a transport that was passed in.
        """
        transport, target, secrets = self._way
        try:
            reply = transport.post(target, body, self._timeout)
            return Response(
                status=reply.status,
                text=_message(reply, target.url, secrets),
                retry_after=retry_after(reply.headers, now=time.time(), most=self._max_retry_after),
            )
        except httpx.TimeoutException:
            return Response(status=None, text=f"timed out after {self._timeout:g} s")
        except BaseException as error:
            if ends_program(error):
                raise
            if isinstance(error, AppFailure):
                error = self.failure = error.error
            return Response(status=None, text=printable(redact(_what(error), secrets)))

    def close(self) -> None:
        """Close the connections, but not a transport that was passed in."""
        for name in _LOGGERS:
            logging.getLogger(name).removeFilter(self._filter)
        for transport, _ in self._own_transports.values():
            transport.close()


class _RedactingFilter(logging.Filter):
    """Replaces the secrets in the records of a logger."""

    secrets: tuple[str, ...]

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        redacted = redact(text, self.secrets)
        if redacted != text:
            record.msg, record.args = redacted, None
        return True


def _make_transport(route: _Route, context: ssl.SSLContext | None) -> tuple[Transport, set[str]]:
    # Without TLS, certificates that cannot be read do not matter.
    context = context or default_context(verify=route.tls)
    if route.proxy is None:
        return DeadlineTransport(context), set()
    proxy = read_proxy(route.proxy)
    if proxy.url.scheme == "https":
        proxy.ssl_context = context
    return DeadlineTransport(context, proxy), proxy_secrets(proxy)


def _what(error: BaseException) -> str:
    name = type(error).__name__
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an exception of foreign code
        return name
    if isinstance(error, httpx.HTTPError):
        return text or name
    return f"{name}: {text}" if text else name


def _message(reply: Reply, url: httpx.URL, secrets: tuple[str, ...]) -> str:
    """Return what a response says, fit for a terminal and without secrets."""
    cut = reply.cut
    if 300 <= reply.status < 400:
        text = "redirects are not followed"
        if location := reply.headers.get("location"):
            text += f"; Location: {_shown_location(str(url), location)}"
        cut = False
    else:
        text, cut_more = _decode(reply.body, reply.headers.get("content-encoding", ""))
        cut = cut or cut_more
    return printable(redact(text, secrets, cut=cut))[:_MAX_MESSAGE]


def _shown_location(url: str, location: str) -> str:
    try:
        return mask_url(urljoin(url, location)) or MASK
    except ValueError:
        return MASK


def _decode(data: bytes, encoding: str) -> tuple[str, bool]:
    """Return the beginning of a body as text, and whether it is cut.

    A body that is encoded in another way than with gzip or deflate is not shown.
    """
    encoding = encoding.strip().lower()
    cut = False
    if encoding in ("gzip", "x-gzip", "deflate"):
        try:
            # The format, with a head of gzip or of zlib, is recognized.
            decoder = zlib.decompressobj(wbits=47)
            data = decoder.decompress(data, _MAX_TEXT + 1)
        except zlib.error:
            return "", False
        cut = not decoder.eof
    elif encoding not in ("", "identity"):
        return "", False
    cut = cut or len(data) > _MAX_TEXT
    # Without the last character, if it is cut.
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(data[:_MAX_TEXT])
    return text, cut
