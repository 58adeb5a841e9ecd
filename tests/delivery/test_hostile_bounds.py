"""`flush` and `close` keep their bounds, whatever the server does."""

from __future__ import annotations

import random
import socket
import threading
import time

import pytest

from currents_export.delivery import Sender
from tests.support.currents import custom
from tests.support.events import make_events
from tests.support.hostile import ENDLESS, Behavior, Line
from tests.support.senders import (
    PATIENCE,
    LeapingClock,
    adds_up,
    assert_threads_end,
    worker_threads,
)
from tests.support.servers import keep_alive_server, read_request

#: Seconds that `flush` and `close` get; the clock leaps over them.
BOUND = 5.0
#: Seconds that requests in flight get when a sender closes.
LAST_CHANCE = 1.0


@pytest.mark.parametrize("behavior", ENDLESS)
@pytest.mark.parametrize("concurrency", [1, 3])
def test_endless_response_keeps_bounds(behavior: Behavior, concurrency: int) -> None:
    """A request may take as long as the test; nobody waits for it."""
    before, reached = worker_threads(), threading.Event()

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        reached.set()
        behavior(Line(connection), random.Random(0))

    clock = LeapingClock()
    with keep_alive_server(serve) as url:
        sender = Sender(
            custom(url), clock=clock, timeout=PATIENCE, batch_size=1, concurrency=concurrency
        )
        sender.send(make_events(10))
        assert reached.wait(PATIENCE)
        began, real = clock.now(), time.monotonic()
        assert sender.flush(timeout=BOUND).pending == 10
        flushed = clock.now()
        result = sender.close(timeout=BOUND)
        closed = clock.now()
        assert time.monotonic() - real < PATIENCE / 2
    assert flushed - began == pytest.approx(BOUND, abs=0.001)
    assert BOUND <= closed - flushed <= BOUND + LAST_CHANCE + 0.001
    assert adds_up(result)
    assert (result.delivered, result.pending) == (0, 10)
    assert_threads_end(before)
