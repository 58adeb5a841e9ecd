"""What the tests of delivery share: Currents, events, and servers that misbehave."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from currents_export.current import Current
from currents_export.delivery import Sender
from currents_export.events import Event

OPEN = "users.messages.email.Open"
CLICK = "users.messages.email.Click"
SEND = "users.messages.email.Send"
WRITE_KEY = "wr1te-k3y-s3cr3t"
TOKEN = "t0ken-s3cr3t"


def custom(url: str = "http://127.0.0.1:9/", **values: Any) -> Current:
    """A Custom Currents export to `url`."""
    return Current(integration_name="test", contact_email="qa@example.com", endpoint=url, **values)


def rudderstack(url: str, **values: Any) -> Current:
    """A RudderStack export to the gateway at `url`."""
    return Current(
        integration_name="test",
        contact_email="qa@example.com",
        key=f"{url}/v1/webhook?writeKey={WRITE_KEY}",
        region="US",
        **values,
    )


def event(number: int = 0, event_type: str = OPEN, **properties: Any) -> Event:
    """An event that conforms, and whose id tells its number."""
    return Event(
        event_type=event_type,
        time=1_750_000_000 + number,
        user={"user_id": f"{number:024x}", "external_user_id": f"user-{number}"},
        properties={"email_address": f"user{number}@example.com", **properties},
        id=f"00000000-0000-4000-8000-{number:012x}",
    )


def opens(count: int, event_type: str = OPEN) -> list[Event]:
    """So many events of one type."""
    return [event(number, event_type) for number in range(count)]


@contextlib.contextmanager
def abandoned(sender: Sender) -> Iterator[Sender]:
    """Closes the sender without waiting, for tests in which events stay pending."""
    try:
        yield sender
    finally:
        sender.close(timeout=0)


class Answering(httpx.BaseTransport):
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
