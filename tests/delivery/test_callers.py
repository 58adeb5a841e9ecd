"""Logging handlers and finalizers, which call a sender from whatever thread they run in."""

from __future__ import annotations

import gc
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from currents_export.delivery import ManualClock, Result, Sender, State
from currents_export.delivery._core import Core
from currents_export.errors import SenderClosedError
from tests.support.currents import custom
from tests.support.events import event, make_events
from tests.support.senders import adds_up
from tests.support.servers import Responding, keep_alive_server, read_request


class Asking(logging.Handler):
    """A handler that asks a sender for everything, as a handler for metrics does."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.sender: Sender | None = None
        self.results: list[Result] = []
        self.loggers: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        if self.sender is not None:
            self.loggers.add(record.name.partition(".")[0])
            self.results.append(self.sender.result)
            len([*self.sender.pending()])


@pytest.fixture
def asking() -> Iterator[Asking]:
    root, handler = logging.getLogger(), Asking()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield handler
    finally:
        handler.sender = None
        root.setLevel(level)
        root.removeHandler(handler)


def test_root_handler_may_ask_everywhere(asking: Asking, clock: ManualClock) -> None:
    """It also gets what a transport logs in the worker, in the middle of a request."""
    statuses = iter([503, 401, 200])

    def serve(connection: socket.socket) -> None:
        while read_request(connection):
            status = next(statuses, 200)
            connection.sendall(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % status)

    with keep_alive_server(serve) as url, httpx.HTTPTransport() as transport:
        with Sender(custom(url), transport=transport, clock=clock, batch_size=3) as sender:
            asking.sender = sender
            sender.send(make_events(20))
            assert sender.flush().state is State.PAUSED
            sender.resume()
            assert sender.flush().delivered == 20
        asking.sender = None
    assert {"httpcore", "currents_export"} <= asking.loggers
    assert all(adds_up(each) for each in asking.results)


class Garbage:
    """What the garbage collector finds, and what it does at its end."""

    def __init__(self, finalize: Callable[[], object]) -> None:
        self.itself = self
        self.finalize = finalize

    def __del__(self) -> None:
        self.finalize()


@pytest.mark.parametrize(
    "call",
    [
        lambda sender: sender.result,
        lambda sender: [*sender.pending()],
        lambda sender: sender.flush(),
        lambda sender: sender.resume(),
        lambda sender: sender.send(event()),
        lambda sender: sender.send(make_events(1_000), timeout=0.0),
        lambda sender: sender.close(timeout=0.0),
    ],
    ids=["result", "pending", "flush", "resume", "send", "send many", "close"],
)
@pytest.mark.parametrize("method", ["accept", "take", "respond"])
def test_finalizer_stops_nothing(
    method: str,
    call: Callable[[Sender], Any],
    ok: Responding,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The collector may run wherever a thread makes an object: here, while the state changes."""
    finalized: list[object] = []

    def finalize() -> None:
        finalized.append(None)
        try:
            call(sender)
        except (RuntimeError, SenderClosedError) as error:
            finalized[-1] = error

    change = getattr(Core, method)

    def change_and_collect(*args: Any, **options: Any) -> Any:
        value = change(*args, **options)
        if len(finalized) < 3:
            Garbage(finalize)
            gc.collect()
        return value

    monkeypatch.setattr(Core, method, change_and_collect)
    with Sender(custom(), transport=ok, clock=clock, batch_size=3) as sender:
        sender.send(make_events(30))
        result = sender.flush()
    assert finalized
    assert all(
        each is None or isinstance(each, RuntimeError | SenderClosedError) for each in finalized
    )
    assert adds_up(result)
    assert adds_up(sender.result)
    assert sender.result.delivered + sender.result.pending >= 30
