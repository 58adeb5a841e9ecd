"""The default transport of a sender, with one deadline for each request."""

from __future__ import annotations

import ssl
import time
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import httpx

from ._http import Connection
from ._opening import forwards, open_stream, proxy_headers

__all__ = ["DeadlineTransport"]

#: Seconds for which an idle connection is kept.
_KEEP_ALIVE = 5.0


class _Idle(NamedTuple):
    """A connection that waits for the next request.

    Attributes:
        origin: scheme, host and port that it leads to.
        connection: the connection.
        until: when it is too old.
    """

    origin: tuple[str, bytes, int | None]
    connection: Connection
    until: float


class DeadlineTransport(httpx.BaseTransport):
    """Send HTTP/1.1 requests, with one deadline for each.

    httpx's own transport limits connecting, each write and each read. This one adds them up: the
    `read` timeout of a request, in seconds, is the limit for all of it, from looking up the host to
    the headers of the response. Changed after that, it is the limit for the body.

    httpx's own transport also takes a second response to a request for that to the next. This one
    closes a connection on which more arrives than was asked for.

    Any thread can use it. A connection has one user at a time.

    Args:
        context: the TLS settings.
        proxy: the proxy; None for direct connections.
    """

    def __init__(self, context: ssl.SSLContext, proxy: httpx.Proxy | None = None) -> None:
        self._context = context
        self._proxy = proxy
        # The operations of a deque are atomic. The connection that was used last is used next,
        # because it is the least likely to be closed.
        self._idle: deque[_Idle] = deque()
        self._closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return the response once its headers are there.

        Raises:
            httpx.TimeoutException: there were no headers by the deadline.
            httpx.NetworkError: the connection failed.
            httpx.ProxyError: the proxy refused.
            httpx.ProtocolError: the server does not speak HTTP.
        """
        limits = request.extensions["timeout"]
        until = time.monotonic() + limits["read"]
        url, headers, target = request.url, request.headers.raw, request.url.raw_path
        if self._proxy is not None and forwards(url, self._proxy):
            target = b"%b://%b%b" % (url.raw_scheme, url.netloc, target)
            headers = [*proxy_headers(self._proxy), *headers]
        connection = self._connection_to(url, until)
        try:
            response = connection.request(request.method.encode(), target, headers, request.content)
        except BaseException:
            connection.stream.close()
            raise
        return httpx.Response(
            response.status_code,
            headers=response.headers.raw_items(),
            stream=_Body(self, url, connection, limits),
        )

    def _connection_to(self, url: httpx.URL, until: float) -> Connection:
        """Return an idle connection, or a new one."""
        origin = _origin(url)
        while self._idle:
            try:
                idle = self._idle.pop()
            except IndexError:
                break
            stream = idle.connection.stream
            if idle.origin == origin and time.monotonic() < idle.until and stream.is_quiet():
                stream.until = until
                return idle.connection
            stream.close()
        return Connection(open_stream(url, self._proxy, self._context, until))

    def keep(self, url: httpx.URL, connection: Connection) -> None:
        """Keep a connection for the next request to a URL, if that can use it."""
        if self._closed or not connection.next_cycle():
            connection.stream.close()
            return
        self._idle.append(_Idle(_origin(url), connection, time.monotonic() + _KEEP_ALIVE))
        if self._closed:
            self.close()

    def close(self) -> None:
        """Close the connections, those in use when their response is closed."""
        self._closed = True
        while self._idle:
            try:
                idle = self._idle.pop()
            except IndexError:
                return
            idle.connection.stream.close()


class _Body(httpx.SyncByteStream):
    """The body of a response; the limits may have changed since the headers."""

    def __init__(
        self,
        transport: DeadlineTransport,
        url: httpx.URL,
        connection: Connection,
        limits: dict[str, float],
    ) -> None:
        self._transport = transport
        self._url = url
        self._connection: Connection | None = connection
        self._limits = limits

    def __iter__(self) -> Iterator[bytes]:
        if self._connection is not None:
            stream = self._connection.stream
            stream.until = min(stream.until, time.monotonic() + self._limits["read"])
            yield from self._connection.body()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._transport.keep(self._url, connection)


def _origin(url: httpx.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port
