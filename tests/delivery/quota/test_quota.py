"""A Test Current sends 1,500 events in a day in UTC, and keeps the others."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest

from currents_export.delivery import (
    AsyncSender,
    Hooks,
    ManualClock,
    NoticeKind,
    Quota,
    Result,
    Sender,
    State,
)
from currents_export.delivery.outbox import read_contents
from currents_export.errors import CurrentError, QueueFullError
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, event, make_events
from tests.support.senders import PATIENCE, HookLog, abandoned, adds_up
from tests.support.servers import Responding, events_of

DAY = 86_400.0
LIMITED = custom(test_current=True)


class Days:
    """A receiver that counts the events of each day."""

    def __init__(self, clock: ManualClock, respond: Any = lambda _: 200) -> None:
        self.counts: Counter[int] = Counter()
        self.sizes: list[int] = []
        self._clock, self._answer = clock, respond
        self.transport = Responding(self._respond)

    def _respond(self, request: httpx.Request) -> int:
        status: int = self._answer(request)
        if status == 200:
            size = len(events_of(request))
            self.sizes.append(size)
            self.counts[int(self._clock.now() // DAY)] += size
        return status


def next_day(clock: ManualClock, result: Result) -> None:
    assert result.quota is not None
    clock.advance(result.quota.resets_at - clock.now())


def test_five_days_in_a_second(log: HookLog) -> None:
    clock = ManualClock()
    days, began = Days(clock), time.process_time()
    with Sender(LIMITED, transport=days.transport, clock=clock, hooks=log.hooks) as sender:
        sender.send(make_events(7_500))
        for day in range(1, 6):
            result = sender.flush(PATIENCE)
            assert result.delivered == 1_500 * day
            assert result.state is State.ACTIVE
            assert adds_up(result)
            next_day(clock, result)
    assert [*days.counts.values()] == [1_500] * 5
    assert log.kinds == [NoticeKind.QUOTA] * 5
    assert len({each["id"] for each in days.transport.events}) == 7_500
    assert time.process_time() - began < 5


def test_sending_goes_on_at_midnight() -> None:
    """Nothing but the time is needed, and no caller waits."""
    clock, all_left = ManualClock(), threading.Event()
    delivered: list[str] = []

    def deliver(_: str, ids: tuple[str, ...]) -> None:
        delivered.extend(ids)
        if len(delivered) == 1_600:
            all_left.set()

    hooks, transport = Hooks(on_delivered=deliver), Days(clock).transport
    with Sender(LIMITED, transport=transport, clock=clock, hooks=hooks) as sender:
        sender.send(make_events(1_600))
        result = sender.flush(PATIENCE)
        assert (result.delivered, result.pending) == (1_500, 100)
        next_day(clock, result)
        assert all_left.wait(PATIENCE)
        quota = sender.result.quota
    assert quota == Quota(1_500, 100, 1_750_032_000.0 + DAY)


@pytest.mark.parametrize("outbox", [False, True])
def test_batch_is_cut(outbox: bool, tmp_path: Path) -> None:
    clock = ManualClock()
    days = Days(clock)
    options: dict[str, Any] = {"outbox": tmp_path / "events.db"} if outbox else {}
    with Sender(LIMITED, transport=days.transport, clock=clock, **options) as sender:
        sender.send(make_events(1_470))
        sender.flush(PATIENCE)
        sender.send([event(number, CLICK) for number in range(2_000, 2_100)])
        result = sender.flush(PATIENCE)
        assert (result.delivered, result.pending, days.sizes[-1]) == (1_500, 70, 30)
        assert [each.id for each in sender.pending()] == [event(n).id for n in range(2_030, 2_100)]
        next_day(clock, result)
        assert sender.flush(PATIENCE).complete
    assert days.sizes[-1] == 70


def test_batch_that_failed_is_cut() -> None:
    clock = ManualClock(skip=PATIENCE)
    statuses = iter([200] * 14 + [503, 503])
    days = Days(clock, lambda _: next(statuses, 200))
    with Sender(
        LIMITED, transport=days.transport, clock=clock, concurrency=1, batch_size=100
    ) as sender:
        sender.send(make_events(1_400))
        sender.flush(PATIENCE)
        clock.advance(DAY)
        sender.send(make_events(1_450))
        sender.send([event(number, CLICK) for number in range(100)])
        result = sender.flush(PATIENCE)
        assert (days.counts[int(clock.now() // DAY)], result.pending) == (1_500, 50)
        next_day(clock, result)
        assert sender.flush(PATIENCE).complete
    assert sorted(days.counts.values()) == [50, 1_400, 1_500]


@pytest.mark.parametrize("status", [400, 413, 429, 503])
def test_only_delivered_events_count(status: int) -> None:
    """A gateway refuses each third request; what it refuses is given back."""
    clock = ManualClock(skip=PATIENCE)
    turns = iter(range(10**9))
    days = Days(clock, lambda _: 200 if next(turns) % 3 else status)
    with Sender(LIMITED, transport=days.transport, clock=clock, batch_size=10) as sender:
        sender.send([event(number, (OPEN, CLICK)[number % 2]) for number in range(4_000)])
        for _ in range(5):
            result = sender.flush(PATIENCE)
            quota = result.quota
            assert quota is not None
            assert quota.used == days.counts[int(clock.now() // DAY)] <= 1_500
            assert quota.used == 1_500 or not result.pending
            if not result.pending:
                break
            next_day(clock, result)
    assert (result.pending, result.delivered) == (0, sum(days.counts.values()))
    assert [*days.counts.values()][:2] == [1_500, 1_500]


def test_full_queue_waits_for_no_reset(ok: Responding) -> None:
    clock = ManualClock()
    sender = Sender(LIMITED, transport=ok, clock=clock, max_pending_events=400)
    with abandoned(sender), pytest.raises(QueueFullError) as caught:
        sender.send(make_events(5_000))
    assert caught.value.taken == 1_500 + sender.result.pending
    assert caught.value.event == event(caught.value.taken)
    assert str(caught.value).endswith(
        "events are pending, and 1,500 of 1,500 events are used today; the quota resets at "
        "2025-06-16 00:00 UTC, and there will be no room before"
    )


def test_notice(log: HookLog, ok: Responding) -> None:
    with Sender(LIMITED, transport=ok, clock=ManualClock(), hooks=log.hooks) as sender:
        sender.send(make_events(1_499))
        sender.flush(PATIENCE)
        assert not log.notices
        sender.send(event())
        sender.flush(PATIENCE)
        (notice,) = log.notices
        sender.send(make_events(100))
        sender.flush(PATIENCE)
    assert [*log.notices] == [notice]
    assert notice.message == (
        "test: the quota of the Test Current is used up; nothing is sent until it resets (1,500 of "
        "1,500 events are used today; the quota resets at 2025-06-16 00:00 UTC)"
    )
    assert "To send more in a day, use a Current that is not a Test Current." in notice.text


def test_result_as_json(ok: Responding) -> None:
    with Sender(LIMITED, transport=ok, clock=ManualClock()) as sender:
        sender.send(make_events(7))
        result = sender.flush(PATIENCE)
    assert result.to_dict()["quota"] == {
        "limit": 1_500,
        "used": 7,
        "resets_at": 1_750_032_000.0,
        "workspace": None,
    }


def test_other_currents_have_no_quota(ok: Responding) -> None:
    with Sender(custom(), transport=ok, clock=ManualClock()) as sender:
        sender.send(make_events(1_600))
        result = sender.flush(PATIENCE)
    assert (result.quota, result.delivered) == (None, 1_600)


def test_outbox_keeps_the_count(log: HookLog, tmp_path: Path) -> None:
    path, clock = tmp_path / "events.db", ManualClock()
    days = Days(clock)

    def run(count: int) -> Result:
        options: dict[str, Any] = {"transport": days.transport, "clock": clock, "outbox": path}
        with Sender(LIMITED, hooks=log.hooks, **options) as sender:
            sender.send(make_events(count))
            return sender.flush(PATIENCE)

    assert run(1_000).delivered == 1_000
    result = run(1_000)
    assert (result.delivered, result.pending) == (500, 500)
    assert read_contents(path, clock.now()).delivered_today == 1_500
    result = run(0)
    assert (result.delivered, result.pending, result.carried_over) == (0, 500, 500)
    assert result.quota == Quota(1_500, 1_500, 1_750_032_000.0)
    next_day(clock, result)
    assert run(0).delivered == 500
    assert [*days.counts.values()] == [1_500, 500]


@pytest.mark.parametrize("change", [{"test_current": False}, {"workspace": "a"}])
def test_edit_keeps_the_quota(change: dict[str, Any], ok: Responding) -> None:
    current = custom(test_current=True)
    with Sender(current, transport=ok) as sender:
        with pytest.raises(CurrentError, match="cannot be edited; make another sender"):
            sender.edit(attrs.evolve(current, **change))
        sender.edit(custom(test_current=True, event_types=[OPEN]))


def test_async_sender(ok: Responding) -> None:
    clock = ManualClock()

    async def run() -> None:
        async with AsyncSender(LIMITED, transport=ok, clock=clock) as sender:
            await sender.send(make_events(2_000))
            result = await sender.flush(PATIENCE)
            assert (result.delivered, result.pending) == (1_500, 500)
            next_day(clock, result)
            assert (await sender.flush(PATIENCE)).complete

    asyncio.run(run())


def test_events_dropped_by_an_edit_do_not_count(ok: Responding) -> None:
    anonymous = [attrs.evolve(each, user={"user_id": "a" * 24}) for each in make_events(10)]
    events = [*anonymous, *make_events(15)[10:]]
    current = custom(test_current=True, include_anonymous=True)
    with Sender(current, transport=ok, clock=ManualClock()) as sender:
        sender.pause()
        sender.send(events)
        sender.resume(attrs.evolve(current, include_anonymous=False))
        result = sender.flush(PATIENCE)
    assert (result.delivered, result.dropped) == (5, 10)
    assert result.quota is not None
    assert result.quota.used == 5
