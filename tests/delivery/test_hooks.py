from __future__ import annotations

import threading

import attrs
import pytest

from currents_export.delivery import Attempt, Hooks, ManualClock, Sender
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
