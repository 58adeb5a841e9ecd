"""The transport of a sender, with one deadline for each request."""

from __future__ import annotations

import ssl
import time
from collections import deque
from typing import NamedTuple

import httpx

from ._http import Connection, Head
from ._opening import forwards, open_stream, proxy_headers
from ._reply import BODY_PATIENCE, Reply, Target

__all__ = ["DeadlineTransport"]

#: Seconds for which an idle connection is kept.
_KEEP_ALIVE = 5.0


class _Idle(NamedTuple):
    """A connection that waits for the next request.

    Attributes:
        target: where its requests went to.
        connection: the connection.
        until: when it is too old.
    """

    target: Target
    connection: Connection
    until: float


class DeadlineTransport:
    """Send HTTP/1.1 requests, with one deadline for each.

    httpx's own transport limits connecting, each write and each read. This one adds them up: the
    timeout is the limit for all of it, from looking up the host to the end of the response.

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
        self._head: tuple[Target, Head] | None = None
        # The operations of a deque are atomic. The connection that was used last is used next,
        # because it is the least likely to be closed.
        self._idle: deque[_Idle] = deque()
        self._closed = False

    def post(self, target: Target, body: bytes, timeout: float) -> Reply:
        """Send a body once, and return the response; see `Transport`.

        Raises:
            httpx.TimeoutException: there was no response by the deadline.
            httpx.NetworkError: the connection failed.
            httpx.ProxyError: the proxy refused.
            httpx.ProtocolError: the server does not speak HTTP.
        """
        until = time.monotonic() + timeout
        head = self._head_for(target)
        connection = self._connection_to(target, until)
        try:
            reply = connection.post(head, body, BODY_PATIENCE)
        finally:
            if connection.reusable and not self._closed:
                self._idle.append(_Idle(target, connection, time.monotonic() + _KEEP_ALIVE))
            else:
                connection.stream.close()
        if self._closed:
            self.close()
        return reply

    def _head_for(self, target: Target) -> Head:
        known = self._head
        if known is not None and known[0] is target:
            return known[1]
        url, headers, path = target.url, target.headers.raw, target.url.raw_path
        if self._proxy is not None and forwards(url, self._proxy):
            path = b"%b://%b%b" % (url.raw_scheme, url.netloc, path)
            headers = [*proxy_headers(self._proxy), *headers]
        head = Head(b"POST", path, [(b"Host", url.netloc), *headers])
        self._head = target, head
        return head

    def _connection_to(self, target: Target, until: float) -> Connection:
        """Return an idle connection, or a new one."""
        while self._idle:
            try:
                idle = self._idle.pop()
            except IndexError:
                break
            stream = idle.connection.stream
            # A change of the target is rare: connections are not kept for it.
            if idle.target is target and time.monotonic() < idle.until and stream.is_quiet():
                stream.until = until
                return idle.connection
            stream.close()
        return Connection(open_stream(target.url, self._proxy, self._context, until))

    def close(self) -> None:
        """Close the connections, those in use after their request."""
        self._closed = True
        while self._idle:
            try:
                idle = self._idle.pop()
            except IndexError:
                return
            idle.connection.stream.close()
