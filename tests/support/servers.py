"""Transports and socket servers that misbehave, and senders that stop early."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import httpx

from currents_export.delivery import Sender


@contextlib.contextmanager
def abandoned(sender: Sender) -> Iterator[Sender]:
    """Closes the sender without waiting, for tests in which events stay pending."""
    try:
        yield sender
    finally:
        sender.close(timeout=0)


class Responding(httpx.BaseTransport):
    """A transport that answers from a function of the request, without a socket."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response | int]) -> None:
        self._answer = answer
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self._answer(request)
        return httpx.Response(answer) if isinstance(answer, int) else answer


@contextlib.contextmanager
def raw_server(*scripts: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server on a socket: each connection gets one script, the last one all that follow.

    A script is given the connection with the request still unread, and has it closed for it.
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
        # Closing alone does not wake a thread that waits in accept.
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def read_request(connection: socket.socket) -> bytes:
    """The whole request, whose length its header tells."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def say(status: str, body: str = "", *headers: str) -> Callable[[socket.socket], None]:
    """A script that reads the request, and answers it."""

    def script(connection: socket.socket) -> None:
        read_request(connection)
        head = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers]
        connection.sendall(("\r\n".join(head) + "\r\n\r\n" + body).encode())

    return script
