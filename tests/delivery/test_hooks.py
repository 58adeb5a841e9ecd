from __future__ import annotations

import asyncio
import logging
import threading

import attrs
import httpx
import pytest

from currents_export.delivery import (
    Attempt,
    FilterReason,
    Hooks,
    ManualClock,
    Result,
    Sender,
    State,
)
from currents_export.delivery._hook_calls import LIMIT
from currents_export.events import Event
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, event, make_events
from tests.support.senders import PATIENCE, HookLog, worker_threads
from tests.support.servers import Responding


def test_exception_in_hook_is_logged(
    ok: Responding, caplog: pytest.LogCaptureFixture, clock: ManualClock
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("from a hook")

    hooks = Hooks(
        on_attempt=fail, on_delivered=fail, on_dropped=fail, on_filtered=fail, on_notice=fail
    )
    current = custom(event_types=[OPEN])
    with Sender(current, transport=ok, clock=clock, hooks=hooks) as sender:
        sender.send([event(), event(1, CLICK)])
    assert sender.result.delivered == 1
    assert "from a hook" in caplog.text


def test_hook_may_send(ok: Responding, clock: ManualClock) -> None:
    sender: Sender
    hooks = Hooks(on_filtered=lambda each, _: sender.send(attrs.evolve(each, event_type=OPEN)))
    current = custom(event_types=[OPEN])
    with Sender(current, transport=ok, clock=clock, hooks=hooks) as sender:
        sender.send(event(1, CLICK))
    assert sender.result.delivered == 1


def test_hook_without_room_delays_no_request(ok: Responding, clock: ManualClock) -> None:
    before = worker_threads()
    left = iter(range(5))
    all_sent = threading.Event()

    def send_more(_: Attempt) -> None:
        if (number := next(left, None)) is not None:
            sender.send(make_events(60))
            if number == 4:
                all_sent.set()

    sender = Sender(
        custom(),
        transport=ok,
        clock=clock,
        max_pending_events=100,
        batch_size=50,
        hooks=Hooks(on_attempt=send_more),
    )
    with sender:
        sender.send(make_events(100))
        assert all_sent.wait(PATIENCE)
        assert sender.flush().delivered == 400
        assert len(worker_threads() - before) < 10


def test_flush_and_close_wait_for_hooks(ok: Responding, log: HookLog, clock: ManualClock) -> None:
    slow = threading.Event()

    def on_delivered(_: str, ids: tuple[str, ...]) -> None:
        slow.wait(0.01)
        log.delivered.extend(ids)

    hooks = Hooks(on_delivered=on_delivered)
    with Sender(custom(), transport=ok, clock=clock, batch_size=10, hooks=hooks) as sender:
        sender.send(make_events(50))
        sender.flush()
        assert len(log.delivered) == 50
        sender.send(make_events(50))
    assert len(log.delivered) == 100


def test_flush_in_hook_does_not_deadlock(ok: Responding, clock: ManualClock) -> None:
    pending: list[int] = []
    hooks = Hooks(on_delivered=lambda *_: pending.append(sender.flush().pending))
    with Sender(custom(), transport=ok, clock=clock, hooks=hooks) as sender:
        sender.send(event())
    assert pending == [0]


def test_hooks_run_in_order(clock: ManualClock) -> None:
    calls: list[tuple[int, int]] = []
    hooks = Hooks(on_attempt=lambda each: calls.append((threading.get_ident(), each.number)))
    transport = Responding(lambda _: 503)
    with Sender(custom(), transport=transport, clock=clock, hooks=hooks, pause_after=600) as sender:
        sender.send(event())
        sender.flush()
    assert len({thread for thread, _ in calls}) == 1
    assert [number for _, number in calls] == list(range(1, len(calls) + 1))


@pytest.mark.parametrize(
    "error",
    [SystemExit, KeyboardInterrupt, asyncio.CancelledError, GeneratorExit, pytest.fail.Exception],
)
def test_anything_raised_in_hook_is_counted(
    error: type[BaseException],
    ok: Responding,
    caplog: pytest.LogCaptureFixture,
    clock: ManualClock,
) -> None:
    def fail(*_: object) -> None:
        raise error

    hooks = Hooks(on_attempt=fail, on_delivered=fail)
    with Sender(custom(), transport=ok, clock=clock, hooks=hooks) as sender:
        sender.send(event())
        result = sender.flush()
    assert (result.delivered, result.hook_failures) == (1, 2)
    assert result.to_dict()["hook_failures"] == 2
    assert "a hook raised an exception" in caplog.text


@pytest.mark.parametrize(
    "error", [SystemExit, KeyboardInterrupt, asyncio.CancelledError, pytest.fail.Exception]
)
def test_anything_raised_in_transport_is_failed_attempt(
    error: type[BaseException], log: HookLog, clock: ManualClock
) -> None:
    left = iter(range(2))

    def response(_: httpx.Request) -> int:
        if next(left, None) is not None:
            raise error
        return 200

    with Sender(custom(), transport=Responding(response), clock=clock, hooks=log.hooks) as sender:
        sender.send(event())
        assert sender.flush().delivered == 1
    assert log.statuses == [None, None, 200]
    assert error.__name__ in log.attempts[0].response.text


def test_close_sends_before_slow_hooks(ok: Responding) -> None:
    """The hooks that are due do not eat the time that events have to leave."""
    clock, release = ManualClock(), threading.Event()
    hooks = Hooks(on_filtered=lambda *_: release.wait(PATIENCE))
    sender = Sender(custom(event_types=[OPEN]), transport=ok, clock=clock, hooks=hooks)
    sender.send([*make_events(10, CLICK), *make_events(5)])
    closing = threading.Thread(target=sender.close, args=(5.0,))
    closing.start()
    try:
        while not ok.requests:
            closing.join(0.001)
        assert len(ok.events) == 5
    finally:
        release.set()
        closing.join(PATIENCE)
    assert sender.result.delivered == 5


def test_slow_hooks_are_bounded(ok: Responding, clock: ManualClock) -> None:
    """When too many calls wait, no batch leaves until some of them have ended."""
    release = threading.Event()
    hooks = Hooks(on_attempt=lambda _: release.wait(PATIENCE))
    count = 3 * LIMIT
    with Sender(
        custom(), transport=ok, clock=clock, batch_size=1, hooks=hooks, max_pending_events=2 * count
    ) as sender:
        # In a thread, because too many calls hold up the call of send, too.
        sending = threading.Thread(target=sender.send, args=(make_events(count),))
        sending.start()
        while sender.result.delivered < LIMIT:
            assert len(ok.requests) <= LIMIT + 10
        for _ in range(100):
            assert sender.result.delivered <= LIMIT + 10
        release.set()
        sending.join(PATIENCE)
        assert sender.flush().delivered == count


def test_filtered_flood_waits_for_hooks(ok: Responding, clock: ManualClock) -> None:
    release, seen = threading.Event(), threading.Event()
    calls: list[Event] = []

    def on_filtered(each: Event, _: FilterReason) -> None:
        seen.set()
        release.wait(PATIENCE)
        calls.append(each)

    current = custom(event_types=[OPEN])
    with Sender(current, transport=ok, clock=clock, hooks=Hooks(on_filtered=on_filtered)) as sender:
        flood = threading.Thread(target=sender.send, args=(make_events(5 * LIMIT, CLICK),))
        flood.start()
        assert seen.wait(PATIENCE)
        while sender.result.filtered < LIMIT:
            pass
        for _ in range(100):
            assert sender.result.filtered < 5 * LIMIT
        release.set()
        flood.join(PATIENCE)
        assert sender.flush().filtered == 5 * LIMIT
    assert len(calls) == 5 * LIMIT


def test_hook_thread_is_started_again(
    ok: Responding, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The calls are made although the sender stays open and nothing else happens."""
    start, failed, called = threading.Thread.start, threading.Event(), threading.Event()

    def maybe(thread: threading.Thread) -> None:
        if thread.name == "hooks" and not failed.is_set():
            failed.set()
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", maybe)
    hooks = Hooks(on_delivered=lambda *_: called.set())
    with Sender(custom(), transport=ok, clock=clock, batch_size=1, hooks=hooks) as sender:
        sender.send(event())
        assert called.wait(PATIENCE)
        assert failed.is_set()


def test_logging_handler_may_read_result(clock: ManualClock) -> None:
    seen: list[Result] = []

    class Reading(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(sender.result)
            sender.flush(timeout=0.0)

    logger, handler = logging.getLogger("currents_export.delivery"), Reading()
    logger.addHandler(handler)
    try:
        with Sender(custom(), transport=Responding(lambda _: 401), clock=clock) as sender:
            sender.send(event())
            result = sender.flush()
    finally:
        logger.removeHandler(handler)
    assert result.state is State.PAUSED
    assert seen[0].state is State.PAUSED


def test_failing_logging_handler_stops_nothing(ok: Responding, clock: ManualClock) -> None:
    class Failing(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise SystemExit

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    logger, handler = logging.getLogger("currents_export.delivery"), Failing()
    logger.addHandler(handler)
    try:
        hooks = Hooks(on_delivered=fail)
        with Sender(custom(), transport=ok, clock=clock, batch_size=1, hooks=hooks) as sender:
            sender.send(make_events(3))
            assert sender.flush().delivered == 3
    finally:
        logger.removeHandler(handler)


def test_hook_may_close(ok: Responding, clock: ManualClock) -> None:
    closed = threading.Event()

    def close(*_: object) -> None:
        sender.close()
        closed.set()

    sender = Sender(
        custom(), transport=ok, clock=clock, batch_size=1, hooks=Hooks(on_delivered=close)
    )
    sender.send(event())
    assert closed.wait(PATIENCE)
    assert sender.result.delivered == 1


def test_failing_clock_stops_nothing(ok: Responding) -> None:
    class Failing(ManualClock):
        def now(self) -> float:
            if threading.current_thread() is not threading.main_thread():
                raise ZeroDivisionError
            return super().now()

    with Sender(custom(), transport=ok, clock=Failing(), batch_size=1) as sender:
        sender.send(make_events(3))
        assert sender.flush().delivered == 3
