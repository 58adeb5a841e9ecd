"""A state machine: in any order of sends, responses and times, every event is in one place.

Hypothesis orders the steps, and shrinks what fails; a random driver makes more steps in less time.
`CURRENTS_EXPORT_LONG=1` makes it a million responses.
"""

from __future__ import annotations

import os
import random
from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from currents_export.delivery import Action, Response, State
from currents_export.delivery._batches import Batch
from currents_export.delivery._core import Core
from currents_export.delivery._happenings import Delivered, Dropped
from currents_export.delivery._responses import decide
from currents_export.delivery._room import Room
from currents_export.delivery._scheduler import Scheduler
from currents_export.payload import MAX_EVENT_BYTES

BATCH_SIZE = 4
CONCURRENCY = 3
LIMIT = 30
TYPES = 4
LONG = bool(os.environ.get("CURRENTS_EXPORT_LONG"))

STATUSES = [200, 200, 204, 400, 400, 401, 404, 413, 413, 429, 500, 503, 302, None]
SECONDS = [0.0, 0.5, 10.0, 299.0, 300.0, 86_400.0, 5 * 86_400.0, 7 * 86_400.0]


class CoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        scheduler = Scheduler(
            batch_size=BATCH_SIZE,
            max_age=300.0,
            room=Room(LIMIT, 10**9, types=TYPES),
            concurrency=CONCURRENCY,
        )
        self.core = Core(scheduler, pause_after=None)
        self.now = 1_000.0
        self.numbers: Counter[str] = Counter()
        self.accepted: set[str] = set()
        self.delivered: set[str] = set()
        self.dropped: set[str] = set()
        self.in_flight: list[tuple[Batch, int]] = []

    @rule(event_type=st.sampled_from("abc"), count=st.integers(1, 9), large=st.booleans())
    def send(self, event_type: str, count: int, large: bool) -> None:
        begin = self.numbers[event_type]
        names = [f"{event_type}{number}" for number in range(begin, begin + count)]
        self.numbers[event_type] += count
        body = b"x" * (MAX_EVENT_BYTES + 1) if large and count == 1 else b"x"
        taken = self.core.accept([(event_type, name, body, None) for name in names], self.now)
        self.accepted.update(names[:taken])
        if taken < count:
            held = Counter(each.id[0] for each in self.core.scheduler.pending_events())
            assert held[event_type] >= LIMIT // (2 * TYPES)
        self.learn()

    @rule(seconds=st.sampled_from(SECONDS))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.core.tick(self.now)
        self.learn()

    @rule()
    def flush(self) -> None:
        self.core.scheduler.start_flush()

    @rule()
    def resume(self) -> None:
        self.core.resume(self.now, types=TYPES)
        self.learn()

    @rule(wanted=st.sets(st.sampled_from("abcd")))
    def take(self, wanted: set[str]) -> None:
        can_take = self.core.can_take(self.now, wanted=wanted)
        due = self.core.next_due()
        batch = self.core.take(self.now, wanted=wanted)
        assert (batch is not None) == can_take
        if not wanted:
            assert can_take == (due is not None and due <= self.now)
        if batch is not None:
            names = {each.id for each in batch.events}
            assert 1 <= len(names) <= BATCH_SIZE
            assert not names & (self.delivered | self.dropped)
            self.in_flight.append((batch, self.core.resumes))
            assert len(self.in_flight) <= CONCURRENCY

    @precondition(lambda self: bool(self.in_flight))
    @rule(
        place=st.integers(0, CONCURRENCY - 1),
        status=st.sampled_from(STATUSES),
        wait=st.floats(0, 100),
        stop=st.booleans(),
    )
    def respond(self, place: int, status: int | None, wait: float, stop: bool) -> None:
        batch, resumes = self.in_flight.pop(place % len(self.in_flight))
        names = {each.id for each in batch.events}
        action = decide(status, size=len(names), split_off=batch.split_off)
        stop = stop and action is Action.RETRY and self.now % 7 == 0
        before = self.delivered | self.dropped
        self.core.respond(
            batch, Response(status), action, self.now, resumes=resumes, wait=wait, stop=stop
        )
        self.learn()
        if action is Action.DELIVERED:
            assert self.delivered >= names
        elif action is Action.DROP:
            assert self.dropped >= names
        elif self.core.status.expired:
            assert not names - self.dropped
        else:
            assert not names & before
        if stop or (action is Action.PAUSE and resumes == self.core.resumes):
            assert self.core.status.state is not State.ACTIVE

    def learn(self) -> None:
        """Learn what hooks would."""
        for each in self.core.happenings:
            if isinstance(each, Delivered):
                names = {event.id for event in each.batch.events}
                assert not names & (self.delivered | self.dropped)
                self.delivered |= names
            elif isinstance(each, Dropped):
                assert each.drop.id not in self.delivered | self.dropped
                self.accepted.add(each.drop.id)
                self.dropped.add(each.drop.id)
        self.core.happenings.clear()

    @invariant()
    def every_event_is_in_one_place(self) -> None:
        pending = [each.id for each in self.core.scheduler.pending_events()]
        assert Counter([*pending, *self.delivered, *self.dropped]) == Counter(self.accepted)
        assert self.core.scheduler.pending == len(pending)

    @invariant()
    def pending_keeps_to_limit(self) -> None:
        assert self.core.scheduler.pending <= LIMIT

    @invariant()
    def totals_add_up(self) -> None:
        totals_by_type = self.core.ledger.totals_by_type()
        for event_type, totals in totals_by_type.items():
            held = sum(each.id[0] == event_type for each in self.core.scheduler.pending_events())
            assert totals.accepted == totals.delivered + totals.dropped + totals.pending
            assert totals.pending == held
        assert sum(each.accepted for each in totals_by_type.values()) == len(self.accepted)
        assert sum(each.delivered for each in totals_by_type.values()) == len(self.delivered)
        assert self.core.ledger.drop_reasons.total() == len(self.dropped)

    @invariant()
    def something_happens_next(self) -> None:
        """What is pending is in flight, or leaves at a known time, unless the Current is halted."""
        core = self.core
        if core.scheduler.pending and not core.halted and not self.in_flight:
            assert core.next_due() is not None

    @invariant()
    def next_generation_covers_all_pending_events(self) -> None:
        scheduler = self.core.scheduler
        assert scheduler.pending_before(scheduler.generation + 1) == scheduler.pending


CoreMachine.TestCase.settings = settings(
    max_examples=1_000 if LONG else 100, stateful_step_count=50, deadline=None
)
TestCoreMachine = CoreMachine.TestCase


def take_random_step(machine: CoreMachine, rng: random.Random) -> None:
    """Take a step; the common ones often, so that lives are long."""
    kind = rng.random()
    if kind < 0.25:
        machine.send(rng.choice("abc"), rng.randint(1, 9), rng.random() < 0.3)
    elif kind < 0.55:
        machine.take(set(rng.sample("abcd", rng.randint(0, 4))))
    elif kind < 0.9:
        if machine.in_flight:
            status = rng.choice(STATUSES if rng.random() < 0.5 else [200, 400, 413, 503])
            machine.respond(
                rng.randrange(CONCURRENCY), status, rng.uniform(0, 100), rng.random() < 0.1
            )
    elif kind < 0.96:
        machine.wait(rng.choice(SECONDS[:5] if rng.random() < 0.98 else SECONDS))
    elif kind < 0.98:
        machine.flush()
    else:
        machine.resume()


def test_random_responses_keep_the_equation() -> None:
    rng = random.Random(8)
    responses, wanted = 0, 1_000_000 if LONG else 2_000
    while responses < wanted:
        machine = CoreMachine()
        for _ in range(150):
            take_random_step(machine, rng)
            machine.every_event_is_in_one_place()
            machine.totals_add_up()
            machine.pending_keeps_to_limit()
            machine.something_happens_next()
        assert machine.core.ledger.requests >= len(machine.in_flight)
        responses += machine.core.ledger.requests - len(machine.in_flight)
