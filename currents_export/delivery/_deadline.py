"""Network streams with a deadline.

httpcore limits each operation on a socket: each read, each write. A server that sends one byte
within each limit could hold a request forever. Here, what httpcore passes on as a timeout is a
deadline, a time of `time.monotonic`, and each operation gets what is left until then.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpcore

__all__ = ["DeadlineBackend"]

_T = TypeVar("_T")
#: The largest TLS record (RFC 8446), with room for its head.
_RECORD = 17 * 1024


class DeadlineBackend(httpcore.NetworkBackend):
    """Connects to servers; `timeout`, here and in the streams, is a deadline."""

    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()
        self._opened = threading.local()

    @contextmanager
    def closing_on_failure(self) -> Iterator[None]:
        """Close the connection that this thread opens in the context, if the context fails.

        httpcore itself leaves it open when a SOCKS proxy refuses to connect.
        """
        self._opened.stream = None
        try:
            yield
        except BaseException:
            if self._opened.stream is not None:
                self._opened.stream.close()
            raise
        finally:
            self._opened.stream = None

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of the host that accepts a connection.

        How long it takes to look up the host's name is up to the system's resolver.
        """
        addresses = _addresses(host, port)
        for left in range(len(addresses), 0, -1):
            # An equal share for each address, so that one that does not respond leaves time for
            # the others.
            limit = _left(timeout, httpcore.ConnectTimeout)
            share = None if limit is None else limit / left
            try:
                stream = self._backend.connect_tcp(
                    addresses[-left], port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if left == 1:
                    raise
            else:
                self._opened.stream = opened = _Stream(stream, timeout)
                return opened
        raise httpcore.ConnectError(f"{host} has no address")


class _Stream(httpcore.NetworkStream):
    """A socket, with or without TLS.

    httpcore passes no timeout to some operations, such as the greeting of a SOCKS proxy. The
    deadline of the operation before applies to those.
    """

    def __init__(self, stream: httpcore.NetworkStream, until: float | None) -> None:
        self._stream = stream
        self._socket: socket.socket = stream.get_extra_info("socket")
        self._until = until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        while rest:
            limit = self._left(timeout, httpcore.WriteTimeout)
            try:
                self._socket.settimeout(limit)
                rest = rest[self._socket.send(rest) :]
            except TimeoutError as error:
                raise httpcore.WriteTimeout(error) from error
            except OSError as error:
                raise httpcore.WriteError(error) from error

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        if isinstance(self._socket, ssl.SSLSocket):
            return _NestedTls(self, ssl_context, server_hostname, timeout)
        limit = self._left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, limit), self._until)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def _left(self, timeout: float | None, error: type[httpcore.TimeoutException]) -> float | None:
        if timeout is not None:
            self._until = timeout
        return _left(self._until, error)


class _NestedTls(httpcore.NetworkStream):
    """TLS within the TLS of a proxy, which the `ssl` module offers no socket for."""

    def __init__(
        self,
        outer: _Stream,
        context: ssl.SSLContext,
        server_hostname: str | None,
        timeout: float | None,
    ) -> None:
        self._outer = outer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_hostname=server_hostname
        )
        try:
            self._perform(self._tls.do_handshake, timeout)
        except ssl.SSLError as error:
            outer.close()
            raise httpcore.ConnectError(error) from error
        except BaseException:
            outer.close()
            raise

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return self._perform(lambda: self._tls.read(max_bytes), timeout)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""
        except ssl.SSLError as error:
            raise httpcore.ReadError(error) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        try:
            while rest:
                piece = rest
                rest = rest[self._perform(lambda: self._tls.write(piece), timeout) :]  # noqa: B023
        except ssl.SSLError as error:
            raise httpcore.WriteError(error) from error

    def close(self) -> None:
        self._outer.close()

    def get_extra_info(self, info: str) -> Any:
        return self._tls if info == "ssl_object" else self._outer.get_extra_info(info)

    def _perform(self, operation: Callable[[], _T], timeout: float | None) -> _T:
        while True:
            result: _T | None = None
            try:
                result = operation()
                done = True
            except ssl.SSLWantReadError:
                done = False
            self._outer.write(self._outgoing.read(), timeout)
            if done:
                return result  # type: ignore[return-value]
            if data := self._outer.read(_RECORD, timeout):
                self._incoming.write(data)
            else:
                self._incoming.write_eof()


def _left(until: float | None, error: type[httpcore.TimeoutException]) -> float | None:
    """Return the seconds that are left; a socket with a timeout of 0 would not block at all."""
    if until is None:
        return None
    left = until - time.monotonic()
    if left <= 0:
        raise error("timed out")
    return left


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(error) from error
    if len(found) == 1:
        return [host]
    # An IPv6 address may have a scope, the last part.
    return [
        f"{address[0]}%{address[3]}" if len(address) == 4 and address[3] else str(address[0])
        for *_, address in found
    ]
