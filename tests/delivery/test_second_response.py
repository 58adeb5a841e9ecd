"""A second response to one request is not taken for the response to the next."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from currents_export.delivery import ManualClock, Sender
from tests.support.currents import custom
from tests.support.events import event, make_events
from tests.support.senders import PATIENCE, HookLog
from tests.support.servers import raw_server, read_request, say

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"


def twice(data: bytes) -> Callable[[socket.socket], None]:
    """Make a script that writes once after the first request, and reads no other."""

    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(data)
        while connection.recv(65536):
            pass

    return script


@pytest.mark.parametrize(
    "data",
    [OK + OK, CHUNKED + OK, OK + CHUNKED, OK + b"x", OK + b"\r\n", OK + OK[:20]],
    ids=["two", "first chunked", "second chunked", "a byte", "a line", "a part"],
)
def test_second_response_in_the_same_packet(data: bytes, log: HookLog, clock: ManualClock) -> None:
    """The next batch goes out on another connection."""
    with (
        raw_server(twice(data), say("503 Busy"), say("204 No Content")) as url,
        Sender(custom(url), batch_size=1, concurrency=1, clock=clock, hooks=log.hooks) as sender,
    ):
        sender.send(make_events(2))
        sender.flush()
    assert log.statuses == [200, 503, 204]


def test_second_response_a_moment_later(log: HookLog, clock: ManualClock) -> None:
    """It arrives while the connection is idle."""
    idle, sent = threading.Event(), threading.Event()

    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(OK)
        idle.wait(PATIENCE)
        connection.sendall(OK)
        sent.set()
        while connection.recv(65536):
            pass

    with (
        raw_server(script, say("503 Busy"), say("204 No Content")) as url,
        Sender(custom(url), concurrency=1, clock=clock, hooks=log.hooks) as sender,
    ):
        sender.send(event())
        sender.flush()
        idle.set()
        assert sent.wait(PATIENCE)
        sender.send(event())
        sender.flush()
    assert log.statuses == [200, 503, 204]
