"""Batches that leave at a rate, and events at the distances of their times."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
import time
from collections import deque
from typing import Any

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.delivery import (
    AsRecorded,
    AsyncSender,
    Backoff,
    Clock,
    Response,
    Sender,
    State,
    SystemClock,
)
from currents_export.delivery._backoff import Policy
from currents_export.delivery._batches import Batch
from currents_export.delivery._core import Core
from currents_export.delivery._responses import decide
from currents_export.delivery._room import Room
from currents_export.delivery._scheduler import Scheduler
from currents_export.errors import OptionError
from currents_export.events import Event
from currents_export.receiver.rudderstack._limits import RateLimit
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, event, make_events
from tests.support.senders import PATIENCE, LeapingClock
from tests.support.servers import Responding, events_of


class FastClock(SystemClock):
    """The time of this machine, many times faster."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed
        self._start = super().now()

    def now(self) -> float:
        return self._start + (super().now() - self._start) * self._speed

    def timeout(self, until: float | None) -> float:
        seconds = super().timeout(until)
        return seconds if until is None else max(until - self.now(), 0.0) / self._speed


class Gateway:
    """A gateway that takes a number of events in each minute, and responds 429 to more."""

    def __init__(self, clock: Clock, most: int) -> None:
        self._clock = clock
        self._most = most
        self._lock = threading.Lock()
        self.minutes: dict[int, int] = {}
        self.refused = 0

    def respond(self, request: httpx.Request) -> int:
        minute, count = int(self._clock.now() // 60), len(events_of(request))
        with self._lock:
            taken = self.minutes.get(minute, 0)
            if taken + count > self._most:
                self.refused += 1
                return 429
            self.minutes[minute] = taken + count
            return 200


def test_limited_gateway_takes_everything() -> None:
    """At 1,000 events a minute, the Current never pauses."""
    clock = FastClock(100)
    gateway = Gateway(clock, 1000)
    types = [OPEN, CLICK, "users.messages.email.Send"]
    events = [event(number, types[number % 3]) for number in range(3000)]
    with Sender(
        custom(),
        transport=Responding(gateway.respond),
        clock=clock,
        rate=1000 / 60,
        pause_after=60,
    ) as sender:
        sender.send(events)
        result = sender.flush()
    assert (result.delivered, result.state) == (3000, State.ACTIVE)
    assert result.duration_s > 170
    assert gateway.refused < 20


@pytest.mark.parametrize("seconds", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("types", [1, 3])
def test_rudderstacks_limit_is_met(types: int, seconds: float) -> None:
    """RudderStack's limit counts in any minute; time passes only in this test.

    At 1,000 events a minute, everything arrives in that time, and a Current that would be paused
    after a minute of failures never is.
    """
    now, limit, count = 0.0, 1000, 10_000
    limited = RateLimit(limit, clock=lambda: now)
    policy = Policy(Backoff(rng=random.Random(1)))
    room = Room(20_000, 64 * 2**20, types)
    core = Core(
        Scheduler(batch_size=100, max_age=300, room=room, concurrency=2, rate=limit / 60),
        pause_after=60,
    )
    core.accept([(f"type {index % types}", str(index), b"{}", None) for index in range(count)], now)
    core.scheduler.start_flush()
    in_flight: deque[tuple[float, Batch]] = deque()
    while core.scheduler.pending:
        assert core.status.state is State.ACTIVE
        if (batch := core.take(now)) is not None:
            in_flight.append((now + seconds, batch))
            continue
        due = core.next_due()
        if in_flight and (due is None or in_flight[0][0] <= due):
            at, batch = in_flight.popleft()
            now = max(now, at)
            response = Response(200 if limited.allow(len(batch.events)) else 429, "")
            action = decide(response.status, size=len(batch.events), split_off=False)
            wait, _ = policy.ask(batch, response, now)
            core.respond(batch, response, action, now, resumes=0, wait=wait)
        else:
            assert due is not None
            now = max(now, due)
    assert core.status.state is State.ACTIVE
    totals = core.ledger.totals_by_type().values()
    assert sum(each.delivered for each in totals) == count
    assert now < 1.1 * count / limit * 60
    assert core.ledger.retries < core.ledger.requests / 10


@given(
    st.integers(1, 300),
    st.floats(0.1, 5000),
    st.lists(st.tuples(st.floats(0, 5), st.integers(0, 400)), max_size=30),
)
def test_batches_leave_evenly(size: int, rate: float, steps: list[tuple[float, int]]) -> None:
    """In any time, no more events leave than the rate allows, plus a batch and some lateness."""
    scheduler = Scheduler(
        batch_size=size, max_age=1, room=Room(10**6, 10**9, 1), concurrency=8, rate=rate
    )
    now, left = 0.0, []
    for number, (wait, count) in enumerate(steps):
        now += wait
        for index in range(count):
            scheduler.add([(OPEN, f"{number}-{index}", b"{}", None)], now)
        while (batch := scheduler.take(now)) is not None:
            left.append((now, len(batch.events)))
            assert len(batch.events) <= max(1.0, rate + 1)
            scheduler.settle(batch, now)
            scheduler.remove(batch)
        due = scheduler.next_due()
        assert due is None or due > now
    for (began, _), (ended, _) in itertools.combinations(left, 2):
        sent = sum(each for at, each in left if began <= at < ended)
        assert sent <= (ended - began + 0.1) * rate + 1e-6


def test_lateness_does_not_lower_the_average() -> None:
    scheduler = Scheduler(
        batch_size=100, max_age=1, room=Room(10**6, 10**9, 1), concurrency=1, rate=1000
    )
    scheduler.add([(OPEN, str(number), b"{}", None) for number in range(10_000)], 0.0)
    now = 0.0
    while scheduler.pending:
        batch = scheduler.take(now)
        assert batch is not None
        scheduler.settle(batch, now)
        scheduler.remove(batch)
        now = (scheduler.next_due() or now) + 0.02  # always late
    assert now == pytest.approx(10.0, abs=0.3)


def test_retries_count() -> None:
    """A batch that is sent again takes its time at the rate, too."""
    scheduler = Scheduler(
        batch_size=10, max_age=1, room=Room(1000, 10**9, 1), concurrency=1, rate=10
    )
    scheduler.add([(OPEN, str(number), b"{}", None) for number in range(10)], 0.0)
    batch = scheduler.take(0.0)
    assert batch is not None
    scheduler.settle(batch, 0.0)
    scheduler.retry(batch, 0.5)
    assert scheduler.take(0.6) is None
    assert scheduler.next_retry() == scheduler.next_due() == pytest.approx(0.9)
    assert scheduler.take(1.0) is batch


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf"), "5", True])
def test_impossible_rate(rate: Any) -> None:
    with pytest.raises(OptionError, match=r"rate is .*; it must be a number"):
        Sender(custom(), rate=rate)
    with pytest.raises(OptionError, match="speed is"):
        AsRecorded([], speed=rate)


class TestAsRecorded:
    @pytest.fixture
    def events(self) -> list[Event]:
        times = [100, 160, 130, 130, 280]
        return [attrs.evolve(event(number), time=at) for number, at in enumerate(times)]

    @pytest.mark.parametrize("speed", [1, 60])
    def test_distances(self, speed: float, events: list[Event]) -> None:
        clock = LeapingClock()
        began = clock.now()
        paced = AsRecorded(events, speed=speed, clock=clock)
        seen = [(clock.now() - began, each.id) for each in paced]
        waits = [0, 60, 60, 60, 180]
        assert [at for at, _ in seen] == pytest.approx([each / speed for each in waits])
        assert [each for _, each in seen] == [each.id for each in events]

    def test_in_event_loop(self, events: list[Event], ok: Responding) -> None:
        async def main() -> None:
            async with AsyncSender(custom(), transport=ok) as sender:
                before = time.monotonic()
                await sender.send(AsRecorded(events, speed=1800))
                assert time.monotonic() - before >= 0.1
                assert (await sender.flush()).delivered == 5

        asyncio.run(main())

    def test_stop(self, events: list[Event]) -> None:
        paced = AsRecorded(events)
        assert next(paced) is events[0]
        rest: list[Event] = []
        thread = threading.Thread(target=lambda: rest.extend(paced))
        thread.start()
        paced.stop()
        thread.join(PATIENCE)
        assert rest == events[1:]

    def test_interrupt_keeps_the_event(self, events: list[Event]) -> None:
        class Interrupting(LeapingClock):
            interrupts = 1

            def timeout(self, until: float | None) -> float:
                if self.interrupts:
                    self.interrupts -= 1
                    raise KeyboardInterrupt
                return super().timeout(until)

        paced = AsRecorded(events, clock=Interrupting())
        assert next(paced) is events[0]
        with pytest.raises(KeyboardInterrupt):
            next(paced)
        assert [*paced] == events[1:]

    def test_cancelled_task_keeps_the_event(self, events: list[Event]) -> None:
        async def main() -> None:
            paced = AsRecorded(events)
            assert await anext(paced) is events[0]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(paced), 0.01)
            paced.stop()
            assert [each async for each in paced] == events[1:]

        asyncio.run(main())


def test_rate_of_threads(ok: Responding) -> None:
    before = time.monotonic()
    with Sender(custom(), transport=ok, rate=2000) as sender:
        sender.send(make_events(1000))
        assert sender.flush().delivered == 1000
    assert time.monotonic() - before >= 0.3
