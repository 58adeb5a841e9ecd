"""Long outages: the alarm, pausing, disabling, and expiry."""

from __future__ import annotations

import threading
from typing import Any

import attrs
import httpx

from currents_export.delivery import (
    Action,
    Attempt,
    DropReason,
    ManualClock,
    Notice,
    NoticeKind,
    Sender,
    State,
)
from currents_export.delivery._status import ALARM_AFTER, DISABLE_AFTER, KEEP_FOR
from tests.support.currents import TOKEN, custom
from tests.support.events import CLICK, OPEN, event, make_events
from tests.support.senders import PATIENCE, HookLog, adds_up
from tests.support.servers import Responding, events_of

DAY = 86_400.0


def test_outage_alarms_disables_and_expires(log: HookLog, clock: ManualClock) -> None:
    start = clock.now()
    transport = Responding(lambda _: 503)
    with Sender(custom(), transport=transport, clock=clock, hooks=log.hooks) as sender:
        sender.send(make_events(3))
        result = sender.flush()  # returns when the Current is disabled
        assert (result.state, result.pending) == (State.DISABLED, 3)
        assert log.kinds == [NoticeKind.ALARM, NoticeKind.DISABLED]
        began = log.attempts[0].duration_s + start
        alarm, disabled = (notice.at for notice in log.notices)
        assert 0 <= alarm - (began + ALARM_AFTER) <= PATIENCE
        assert 0 <= disabled - (began + DISABLE_AFTER) <= PATIENCE

        sender.send(event(9))  # dropped immediately
        assert sender.flush().drop_reasons == {DropReason.DISABLED: 1}
        assert [(drop.id, drop.reason) for drop in log.drops] == [
            (event(9).id, DropReason.DISABLED)
        ]

        clock.advance(KEEP_FOR)
        sender.send(event(10))
        result = sender.flush()
        assert log.kinds[2:] == [NoticeKind.EXPIRED]
        assert (result.pending, result.dropped) == (0, 5)
        assert result.drop_reasons[DropReason.EXPIRED] == 3
        assert adds_up(result)


def test_disabled_current_resumes_with_kept_events(log: HookLog, clock: ManualClock) -> None:
    status = 503
    transport = Responding(lambda _: status)
    with Sender(custom(), transport=transport, clock=clock, hooks=log.hooks) as sender:
        sender.send(make_events(3))
        assert sender.flush().state is State.DISABLED
        status = 200
        clock.advance(6 * DAY)
        sender.resume()
        assert sender.flush().delivered == 3
    assert log.kinds[-1] is NoticeKind.RESUMED


def test_expiry_needs_no_call(log: HookLog, clock: ManualClock) -> None:
    expired = threading.Event()

    def on_notice(notice: Notice) -> None:
        if notice.kind is NoticeKind.EXPIRED:
            expired.set()

    with Sender(
        custom(),
        transport=Responding(lambda _: 503),
        clock=clock,
        hooks=attrs.evolve(log.hooks, on_notice=on_notice),
    ) as sender:
        sender.send(make_events(2))
        sender.flush()
        clock.advance(KEEP_FOR)
        assert expired.wait(PATIENCE)
        assert sender.result.dropped == 2


def test_expiry_drops_event_in_flight(log: HookLog, clock: ManualClock) -> None:
    seen = 0

    def response(_: httpx.Request) -> int:
        nonlocal seen
        seen += 1
        if seen == 2:  # the clock leaps over every limit while the request is in flight
            clock.advance(30 * DAY)
        return 503

    with Sender(custom(), transport=Responding(response), clock=clock, hooks=log.hooks) as sender:
        sender.send(make_events(2))
        result = sender.flush()
        assert (result.state, result.dropped) == (State.DISABLED, 2)
    assert log.kinds == [NoticeKind.ALARM, NoticeKind.DISABLED, NoticeKind.EXPIRED]


def test_pause_after_pauses_earlier(log: HookLog, clock: ManualClock) -> None:
    start = clock.now()
    with Sender(
        custom(),
        transport=Responding(lambda _: 503),
        clock=clock,
        hooks=log.hooks,
        pause_after=600.0,
    ) as sender:
        sender.send(make_events(2))
        result = sender.flush()
        assert (result.state, result.pending, result.reason) == (State.PAUSED, 2, "503")
        assert clock.now() - start < 700
    assert log.kinds == [NoticeKind.PAUSED]


def test_one_stuck_type_alarms(log: HookLog, clock: ManualClock) -> None:
    alarmed = threading.Event()

    def response(request: httpx.Request) -> int:
        (first,) = events_of(request)
        return 503 if first["event_type"] == CLICK and not alarmed.is_set() else 200

    def on_attempt(attempt: Attempt) -> None:
        if attempt.event_type == CLICK and log.notices:
            alarmed.set()
        elif attempt.action is Action.RETRY:
            sender.send(event(1))

    hooks = attrs.evolve(log.hooks, on_attempt=on_attempt)
    options: dict[str, Any] = {"transport": Responding(response), "batch_size": 1}
    with Sender(custom(), clock=clock, hooks=hooks, **options) as sender:
        sender.send(event(0, CLICK))
        assert alarmed.wait(PATIENCE)
        assert sender.flush().pending == 0
    (notice,) = log.notices
    assert (notice.kind, notice.reason) == (NoticeKind.ALARM, "503")
    assert sender.result.by_event_type[OPEN].delivered > 100


def test_old_credentials_do_not_pause(log: HookLog, clock: ManualClock) -> None:
    both, release, paused = threading.Barrier(2), threading.Event(), threading.Event()

    def response(request: httpx.Request) -> int:
        if request.headers["Authorization"] == f"Bearer {TOKEN}":
            return 200
        if both.wait(PATIENCE) == 0:
            return 401
        release.wait(PATIENCE)
        return 401

    def on_notice(notice: Notice) -> None:
        log.notices.append(notice)
        paused.set()

    with Sender(
        custom(bearer_token="old"),
        transport=Responding(response),
        clock=clock,
        batch_size=1,
        hooks=attrs.evolve(log.hooks, on_notice=on_notice),
    ) as sender:
        sender.send(make_events(2))
        assert paused.wait(PATIENCE)
        sender.resume(custom(bearer_token=TOKEN))
        release.set()
        assert sender.flush().delivered == 2
    assert log.kinds == [NoticeKind.PAUSED, NoticeKind.RESUMED]
