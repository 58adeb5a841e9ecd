"""Network streams with a deadline.

Python's sockets limit each operation: each read, each write. A server that sends one byte within
each limit could hold a request forever. Here, a stream has a deadline, a time of
`time.monotonic`, and each operation gets what is left until then.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import httpx

__all__ = ["Stream", "connect", "start_tls"]

_T = TypeVar("_T")
#: The largest TLS record (RFC 8446), with room for its head.
_RECORD = 17 * 1024


class Stream(Protocol):
    """A connection to a server.

    Attributes:
        until: the deadline of all operations.
    """

    until: float

    def read(self, most: int) -> bytes:
        """Return up to `most` bytes, and none only at the end."""

    def write(self, data: bytes) -> None:
        """Write all of the data."""

    def is_quiet(self) -> bool:
        """Return whether the server has neither sent more bytes nor closed the connection.

        If it has, the stream cannot be used any more, since this takes a byte from it.
        """

    def close(self) -> None:
        """Close the connection."""


def connect(host: str, port: int, until: float) -> _SocketStream:
    """Connect to the first address of the host that accepts a connection.

    Raises:
        httpx.ConnectError: none of them does.
        httpx.ConnectTimeout: none of them did by the deadline.
    """
    addresses = _addresses(host, port, until)
    for left in range(len(addresses), 0, -1):
        # An equal share for each address, so that one that does not respond leaves time for the
        # others.
        share = _left(until, httpx.ConnectTimeout) / left
        try:
            connection = socket.create_connection((addresses[-left], port), share)
        except TimeoutError as error:
            if left == 1:
                raise httpx.ConnectTimeout(str(error)) from error
        except OSError as error:
            if left == 1:
                raise httpx.ConnectError(str(error)) from error
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return _SocketStream(connection, until)
    raise httpx.ConnectError(f"{host} has no address")


def start_tls(stream: Stream, context: ssl.SSLContext, host: str) -> Stream:
    """Return a stream that speaks TLS over another one, which it closes if that fails."""
    if not isinstance(stream, _SocketStream) or isinstance(stream.socket, ssl.SSLSocket):
        return _NestedTls(stream, context, host)
    try:
        stream.socket.settimeout(_left(stream.until, httpx.ConnectTimeout))
        return _SocketStream(context.wrap_socket(stream.socket, server_hostname=host), stream.until)
    except TimeoutError as error:
        stream.close()
        raise httpx.ConnectTimeout(str(error)) from error
    except OSError as error:
        stream.close()
        raise httpx.ConnectError(str(error)) from error
    except BaseException:
        stream.close()
        raise


class _SocketStream:
    """A socket, with or without TLS."""

    def __init__(self, connection: socket.socket, until: float) -> None:
        self.socket = connection
        self.until = until

    def read(self, most: int) -> bytes:
        try:
            self.socket.settimeout(_left(self.until, httpx.ReadTimeout))
            return self.socket.recv(most)
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                self.socket.settimeout(_left(self.until, httpx.WriteTimeout))
                rest = rest[self.socket.send(rest) :]
        except TimeoutError as error:
            raise httpx.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpx.WriteError(str(error)) from error

    def is_quiet(self) -> bool:
        try:
            self.socket.settimeout(0)
            self.socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False

    def close(self) -> None:
        self.socket.close()


class _NestedTls:
    """TLS within the TLS of a proxy, which the `ssl` module offers no socket for."""

    def __init__(self, outer: Stream, context: ssl.SSLContext, host: str) -> None:
        self._outer = outer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        try:
            self._perform(self._tls.do_handshake)
        except ssl.SSLError as error:
            outer.close()
            raise httpx.ConnectError(str(error)) from error
        except BaseException:
            outer.close()
            raise

    @property
    def until(self) -> float:
        return self._outer.until

    @until.setter
    def until(self, until: float) -> None:
        self._outer.until = until

    def read(self, most: int) -> bytes:
        try:
            return self._perform(lambda: self._tls.read(most))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""
        except ssl.SSLError as error:
            raise httpx.ReadError(str(error)) from error

    def write(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                piece = rest
                # The lambda is called before the loop goes on.
                rest = rest[self._perform(lambda: self._tls.write(piece)) :]  # noqa: B023
        except ssl.SSLError as error:
            raise httpx.WriteError(str(error)) from error

    def is_quiet(self) -> bool:
        return not (self._tls.pending() or self._incoming.pending) and self._outer.is_quiet()

    def close(self) -> None:
        self._outer.close()

    def _perform(self, operation: Callable[[], _T]) -> _T:
        while True:
            result: _T | None = None
            try:
                result = operation()
                done = True
            except ssl.SSLWantReadError:
                done = False
            self._outer.write(self._outgoing.read())
            if done:
                return result  # type: ignore[return-value]
            if data := self._outer.read(_RECORD):
                self._incoming.write(data)
            else:
                self._incoming.write_eof()


def _left(until: float, error: type[httpx.TimeoutException]) -> float:
    """Return the seconds that are left; a socket with a timeout of 0 would not block at all."""
    left = until - time.monotonic()
    if left <= 0:
        raise error("timed out")
    return left


class _Lookup(threading.Thread):
    """Look up a host's addresses, in a thread because the system's resolver takes no timeout."""

    #: The lookups under way, so that a resolver that does not respond holds one thread for a host.
    under_way: dict[tuple[str, int], _Lookup] = {}  # noqa: RUF012 - of all lookups

    def __init__(self, host: str, port: int) -> None:
        super().__init__(name="currents-export lookup", daemon=True)
        self._host = host
        self._port = port
        self.addresses: list[str] = []
        self.error: OSError | UnicodeError | None = None

    def run(self) -> None:
        """Look the host up."""
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            self.addresses = [_text(address) for *_, address in found]
        except (OSError, UnicodeError) as error:
            self.error = error
        finally:
            self.under_way.pop((self._host, self._port), None)


def _addresses(host: str, port: int, until: float) -> list[str]:
    if _is_address(host):
        return [host]
    lookup = _Lookup.under_way.get((host, port))
    if lookup is None or not lookup.is_alive():
        lookup = _Lookup(host, port)
        _Lookup.under_way[host, port] = lookup
        try:
            lookup.start()
        except RuntimeError:  # at interpreter exit, or no thread is left
            lookup.run()
    if lookup.ident is not None:
        lookup.join(_left(until, httpx.ConnectTimeout))
    if lookup.is_alive():
        raise httpx.ConnectTimeout(f"looking up {host} timed out")
    if lookup.error is not None:
        raise httpx.ConnectError(str(lookup.error)) from lookup.error
    return lookup.addresses


def _text(address: tuple[Any, ...]) -> str:
    # An IPv6 address may have a scope, the last part.
    host = str(address[0])
    return f"{host}%{address[3]}" if len(address) == 4 and address[3] else host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
