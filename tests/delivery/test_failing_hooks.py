"""Hooks and transports that raise anything, and hooks that do not end."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import httpx
import pytest

from currents_export.delivery import Hooks, ManualClock, Sender
from currents_export.delivery._hook_calls import LIMIT
from currents_export.events import Event
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, event, make_events
from tests.support.senders import PATIENCE, HookLog, adds_up
from tests.support.servers import Responding

#: Seconds that `close` gets, and those that requests in flight and hooks get after them.
BOUND, LAST_CHANCE = 5.0, 1.0


def fail(*_: object) -> None:
    pytest.fail("a test fails within a hook")


def wait_until(condition: Callable[[], bool], thread: threading.Thread) -> None:
    """Look again and again while a thread runs, and fail in the end."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        thread.join(0.001)


@pytest.mark.parametrize(
    "error",
    [SystemExit, KeyboardInterrupt, asyncio.CancelledError, GeneratorExit, pytest.fail.Exception],
)
def test_every_hook_may_raise_anything(error: type[BaseException], clock: ManualClock) -> None:
    """All five fail each time; what they were called for happens all the same."""
    statuses = iter([400, 400, 401, 200])
    failures = 0

    def raise_it(*_: object) -> None:
        nonlocal failures
        failures += 1
        raise error

    hooks = Hooks(
        on_attempt=raise_it,
        on_delivered=raise_it,
        on_dropped=raise_it,
        on_filtered=raise_it,
        on_notice=raise_it,
    )
    transport = Responding(lambda _: next(statuses))
    current = custom(event_types=[OPEN])
    with Sender(current, transport=transport, clock=clock, hooks=hooks) as sender:
        sender.send(event(0))
        assert sender.flush().dropped == 1
        sender.send(event(1))
        assert sender.flush().pending == 1
        sender.resume()
        sender.send(event(2, CLICK))
        result = sender.flush()
    assert adds_up(result)
    assert (result.delivered, result.dropped, result.filtered) == (1, 1, 1)
    # Four attempts, a delivery, a drop, a filtered event; the pause and the end of it.
    assert result.hook_failures == failures == 9


def test_test_may_fail_in_a_hook(clock: ManualClock) -> None:
    transport = Responding(lambda _: 413)
    with Sender(custom(), transport=transport, clock=clock, hooks=Hooks(on_dropped=fail)) as sender:
        sender.send(make_events(3))
        result = sender.flush()
    assert (result.dropped, result.hook_failures) == (3, 3)


def test_test_may_fail_in_a_transport(log: HookLog, clock: ManualClock) -> None:
    left = iter(range(2))

    def response(_: httpx.Request) -> int:
        if next(left, None) is not None:
            fail()
        return 200

    with Sender(custom(), transport=Responding(response), clock=clock, hooks=log.hooks) as sender:
        sender.send(event())
        assert sender.flush().delivered == 1
    assert log.statuses == [None, None, 200]


@pytest.mark.parametrize("filtered", [1, LIMIT + 1])
def test_stuck_hook_does_not_hold_close(filtered: int, ok: Responding) -> None:
    """Events leave first, however many calls are due; `close` does not wait longer for them."""
    clock, release, stuck = ManualClock(), threading.Event(), threading.Event()
    calls: list[Event] = []

    def on_filtered(each: Event, _: object) -> None:
        stuck.set()
        release.wait(PATIENCE)
        calls.append(each)

    hooks = Hooks(on_filtered=on_filtered)
    sender = Sender(custom(event_types=[OPEN]), transport=ok, clock=clock, hooks=hooks)
    # With block=False, no event waits for hooks.
    sender.send(make_events(filtered, CLICK), block=False)
    assert stuck.wait(PATIENCE)
    sender.send(make_events(50), block=False)
    closing = threading.Thread(target=sender.close, args=(BOUND,))

    def ended() -> bool:
        clock.advance(LAST_CHANCE)
        return not closing.is_alive()

    closing.start()
    try:
        wait_until(lambda: len(ok.events) == 50, closing)
        clock.advance(BOUND)
        wait_until(ended, closing)
        assert calls == []
        assert (sender.result.delivered, sender.result.pending) == (50, 0)
    finally:
        release.set()
        closing.join(PATIENCE)


def test_close_sends_beyond_the_limit_of_calls(ok: Responding) -> None:
    """A slow hook has stopped the requests; only `close` continues them."""
    clock, release = ManualClock(), threading.Event()
    hooks = Hooks(on_attempt=lambda _: release.wait(PATIENCE))
    count = 2 * LIMIT
    sender = Sender(custom(), transport=ok, clock=clock, batch_size=1, hooks=hooks)
    sender.send(make_events(count), block=False)
    while sender.result.delivered < LIMIT:
        assert len(ok.requests) <= LIMIT + 10
    closing = threading.Thread(target=sender.close, args=(None,))
    closing.start()
    try:
        wait_until(lambda: len(ok.requests) == count, closing)
    finally:
        release.set()
        closing.join(PATIENCE)
    assert sender.result.delivered == count
