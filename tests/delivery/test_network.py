"""Servers that do not respond as HTTP servers should."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import attrs
import pytest

from currents_export.delivery import Attempt, ManualClock, Sender
from currents_export.receiver import Receiver, listen
from tests.support.currents import custom
from tests.support.events import event, make_events
from tests.support.senders import PATIENCE, HookLog
from tests.support.servers import closed_port, raw_server, read_request, say


def test_redirect_is_not_followed(log: HookLog, clock: ManualClock) -> None:
    with (
        raw_server(say("302 Found", "", "location: /elsewhere"), say("200 OK")) as url,
        Sender(custom(url), clock=clock, hooks=log.hooks) as sender,
    ):
        sender.send(event())
    assert log.statuses == [302, 200]


@pytest.mark.parametrize(
    "script",
    [
        lambda connection: None,  # closes at once
        lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n"),
        lambda connection: (read_request(connection), None)[1],  # reads, then closes
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-le"),
    ],
    ids=["closes", "another protocol", "no response", "half a response"],
)
def test_not_http_is_network_error(
    script: Callable[[socket.socket], None], log: HookLog, clock: ManualClock
) -> None:
    with (
        raw_server(script, say("200 OK")) as url,
        Sender(custom(url), clock=clock, hooks=log.hooks) as sender,
    ):
        sender.send(event())
        result = sender.flush()
    assert log.statuses == [None, 200]
    assert result.delivered == 1


def test_timeout_is_network_error(log: HookLog, clock: ManualClock) -> None:
    attempted = threading.Event()

    def silent(_: socket.socket) -> None:
        attempted.wait(PATIENCE)

    def on_attempt(attempt: Attempt) -> None:
        log.attempts.append(attempt)
        attempted.set()

    hooks = attrs.evolve(log.hooks, on_attempt=on_attempt)
    with (
        raw_server(silent, say("200 OK")) as url,
        Sender(custom(url), clock=clock, timeout=0.1, hooks=hooks) as sender,
    ):
        sender.send(event())
        sender.flush()
    assert log.statuses == [None, 200]
    assert "timed out" in log.attempts[0].response.text


def test_endless_body_counts_by_status(clock: ManualClock) -> None:
    def endless(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with raw_server(endless) as url, Sender(custom(url), clock=clock) as sender:
        sender.send(event())
    assert sender.result.delivered == 1


def test_dripping_body_counts_by_status(clock: ManualClock) -> None:
    delivered = threading.Event()

    def dripping(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        while not delivered.wait(0.01):
            connection.sendall(b"x")

    with (
        raw_server(dripping) as url,
        Sender(custom(url), clock=clock, timeout=PATIENCE) as sender,
    ):
        sender.send(event())
        assert sender.flush().delivered == 1
        delivered.set()


def test_hanging_body_counts_by_status(clock: ManualClock) -> None:
    delivered = threading.Event()

    def hanging(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx")
        delivered.wait(PATIENCE)

    with raw_server(hanging) as url, Sender(custom(url), clock=clock, timeout=0.5) as sender:
        sender.send(event())
        assert sender.flush().delivered == 1
        delivered.set()


def test_broken_body_after_2xx_is_delivered(clock: ManualClock) -> None:
    def broken(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nha")

    with raw_server(broken) as url, Sender(custom(url), clock=clock) as sender:
        sender.send(event())
    assert (sender.result.delivered, sender.result.requests) == (1, 1)


def test_closed_port_retries_until_it_opens(log: HookLog, clock: ManualClock) -> None:
    port = closed_port()
    receiver = Receiver(check=False)
    refused = threading.Event()
    hooks = attrs.evolve(log.hooks, on_attempt=lambda _: refused.set())
    with Sender(custom(f"http://127.0.0.1:{port}"), clock=clock, hooks=hooks) as sender:
        sender.send(make_events(3))
        threading.Thread(target=sender.flush, daemon=True).start()
        assert refused.wait(PATIENCE)
        with listen(receiver, port=port):
            sender.resume()  # the clock may have skipped five days by now
            result = sender.flush()
    assert result.delivered == len(receiver.events) == 3
