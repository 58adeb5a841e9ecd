"""Which events leave together, when, and how many requests are in flight."""

from __future__ import annotations

import threading
from typing import Any

import httpx

from currents_export.delivery import Backoff, Hooks, ManualClock, Sender
from currents_export.receiver import Receiver, ScriptedResponse, listen
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, event, make_events
from tests.support.senders import PATIENCE, HookLog, abandoned
from tests.support.servers import Responding, events_of


def test_full_batch_has_one_type(ok: Responding, log: HookLog, clock: ManualClock) -> None:
    with Sender(custom(), transport=ok, clock=clock, hooks=log.hooks) as sender:
        sender.send([*make_events(230), *make_events(50, CLICK)])
    sizes = sorted((each.event_type, each.size) for each in log.attempts)
    assert sizes == [(CLICK, 50), (OPEN, 30), (OPEN, 100), (OPEN, 100)]


def test_oldest_event_reaches_age_limit(ok: Responding) -> None:
    clock = ManualClock()
    left = threading.Event()
    hooks = Hooks(on_delivered=lambda *_: left.set())
    with abandoned(Sender(custom(), transport=ok, clock=clock, hooks=hooks)) as sender:
        sender.send(make_events(3))
        clock.advance(299)
        assert sender.result.pending == 3
        clock.advance(1)
        assert left.wait(PATIENCE)
    assert sender.result.delivered == 3


def test_waiting_batch_holds_only_its_type() -> None:
    clock = ManualClock()
    repaired, other_sent = threading.Event(), threading.Event()

    def response(request: httpx.Request) -> int:
        (first,) = events_of(request)
        if first["event_type"] == OPEN:
            other_sent.set()
        return 200 if first["event_type"] == OPEN or repaired.is_set() else 503

    transport = Responding(response)
    options: dict[str, Any] = {"transport": transport, "batch_size": 1, "concurrency": 1}
    with abandoned(Sender(custom(), clock=clock, **options)) as sender:
        sender.send(event(0, CLICK))
        sender.send([event(1, CLICK), event(2, OPEN)])
        assert other_sent.wait(PATIENCE)
        repaired.set()
        clock.advance(1.0)
        assert sender.flush().delivered == 3
    order = [each["id"] for each in transport.events]
    assert order == [event(0).id, event(2).id, event(0).id, event(1).id]


def test_due_retry_precedes_served_types() -> None:
    clock = ManualClock()
    begun, release, failed = threading.Event(), threading.Event(), threading.Event()

    def response(request: httpx.Request) -> int:
        (first,) = events_of(request)
        if first["event_type"] == CLICK and not failed.is_set():
            failed.set()
            return 503
        if first["event_type"] == OPEN and not begun.is_set():
            begun.set()
            release.wait(PATIENCE)
        return 200

    transport = Responding(response)
    options: dict[str, Any] = {"transport": transport, "batch_size": 1, "concurrency": 1}
    with abandoned(Sender(custom(), clock=clock, **options)) as sender:
        sender.send(event(0, CLICK))
        assert failed.wait(PATIENCE)
        sender.send(make_events(3))
        assert begun.wait(PATIENCE)
        clock.advance(1.0)
        release.set()
        assert sender.flush().delivered == 4
    assert [each["event_type"] for each in transport.events] == [CLICK, OPEN, CLICK, OPEN, OPEN]


def test_concurrency_limits_requests_in_flight(clock: ManualClock) -> None:
    lock, now, most = threading.Lock(), 0, 0
    together = threading.Barrier(3)

    def response(_: httpx.Request) -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        together.wait(PATIENCE)  # continues only when three requests are in flight
        with lock:
            now -= 1
        return 200

    transport = Responding(response)
    with Sender(custom(), transport=transport, clock=clock, batch_size=1, concurrency=3) as sender:
        sender.send(make_events(30))
        sender.flush()
    assert most == 3
    assert sender.result.delivered == 30


def test_system_clock() -> None:
    receiver = Receiver(script=[ScriptedResponse(503, times=3)], check=False)
    backoff = Backoff(initial=0.001, maximum=0.002)
    with (
        listen(receiver) as url,
        Sender(custom(url), wait=backoff, max_age=0.001) as sender,
    ):
        sender.send(make_events(3))
        result = sender.flush(timeout=PATIENCE)
    assert (result.delivered, result.retries) == (3, 3)
    assert result.complete
    assert 0.0015 < result.duration_s < PATIENCE
