"""Transports and socket servers that misbehave."""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import orjson

__all__ = [
    "Responding",
    "closed_port",
    "drip",
    "keep_alive_server",
    "over_tls",
    "raw_server",
    "read_request",
    "say",
    "tunnel",
]


class Responding(httpx.BaseTransport):
    """A transport that responds with a function of the request, without a socket."""

    def __init__(self, respond: Callable[[httpx.Request], httpx.Response | int]) -> None:
        self._respond = respond
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        response = self._respond(request)
        return httpx.Response(response) if isinstance(response, int) else response

    @property
    def batches(self) -> list[list[dict[str, Any]]]:
        """The events of each request."""
        return [events_of(request) for request in self.requests]

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of all requests."""
        return [each for batch in self.batches for each in batch]


def events_of(request: httpx.Request) -> list[dict[str, Any]]:
    """Return the events in the body of a request."""
    events: list[dict[str, Any]] = orjson.loads(request.content)["events"]
    return events


def closed_port() -> int:
    """Return a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port: int = reserved.getsockname()[1]
    return port


@contextlib.contextmanager
def raw_server(*scripts: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve a socket: each connection gets one script, and the last script all that follow.

    A script gets the connection before the request is read; the connection is closed after it.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    left = list(scripts)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                script = left.pop(0) if len(left) > 1 else left[0]
                with connection, contextlib.suppress(OSError):
                    script(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        # Closing the socket does not wake a thread that waits in accept.
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


@contextlib.contextmanager
def keep_alive_server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve a socket: each connection gets a thread, which serves it until it returns."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    connections: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def run(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, IndexError, ValueError):
            serve(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections.append(connection)
                threads.append(threading.Thread(target=run, args=(connection,), daemon=True))
                threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        for each in (listening, *connections):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        listening.close()
        for thread in (acceptor, *threads):
            thread.join()


def read_request(connection: socket.socket) -> bytes:
    """Read a whole request, as long as its `Content-Length` says.

    Raises:
        ConnectionError: the client closed the connection before its end.
    """
    data = b""
    while b"\r\n\r\n" not in data:
        data += _receive(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += _receive(connection)
    return head + b"\r\n\r\n" + body


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("the client closed the connection")
    return data


def say(status: str, body: str = "", *headers: str) -> Callable[[socket.socket], None]:
    """Make a script that reads the request and responds."""

    def script(connection: socket.socket) -> None:
        read_request(connection)
        head = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers]
        connection.sendall(("\r\n".join(head) + "\r\n\r\n" + body).encode())

    return script


def drip(first: bytes, *drops: bytes, pause: float = 0.02) -> Callable[[socket.socket], None]:
    """Make a script that reads the request, writes, and then writes drops without end.

    It ends when the other side closes the connection.
    """

    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(first)
        connection.settimeout(pause)
        for drop in itertools.cycle(drops):
            connection.sendall(drop)
            with contextlib.suppress(TimeoutError):
                if not connection.recv(1):
                    return

    return script


def over_tls(
    context: ssl.SSLContext, script: Callable[[socket.socket], None]
) -> Callable[[socket.socket], None]:
    """Make a script that runs another one over TLS."""

    def secure(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as wrapped:
            script(wrapped)

    return secure


def tunnel(port: int) -> Callable[[socket.socket], None]:
    """Make the script of a proxy that connects every client to a port of this machine."""

    def script(connection: socket.socket) -> None:
        while b"\r\n\r\n" not in _receive(connection):
            pass
        with socket.create_connection(("127.0.0.1", port)) as other:
            connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            there = threading.Thread(target=_pump, args=(connection, other))
            there.start()
            _pump(other, connection)
            there.join()

    return script


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
