"""A state machine: in any order of calls, every accepted event is in exactly one place."""

from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from currents_export.delivery import Action, DropReason
from currents_export.delivery._queues import Batch, Queues

BATCH_SIZE = 4


class QueuesMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.target = Queues(batch_size=BATCH_SIZE, max_age=300.0)
        self.now = 0.0
        self.accepted: Counter[str] = Counter()
        self.bytes: dict[str, int] = {}
        self.delivered: set[str] = set()
        self.dropped: set[str] = set()
        self.in_flight: list[Batch] = []
        self.held: list[Batch] = []

    @rule(event_type=st.sampled_from("abc"), count=st.integers(1, 9), size=st.integers(1, 50))
    def accept(self, event_type: str, count: int, size: int) -> None:
        begin = self.accepted[event_type]
        names = [f"{event_type}{number}" for number in range(begin, begin + count)]
        self.accepted[event_type] += count
        self.bytes |= dict.fromkeys(names, size)
        self.target.add([(event_type, name, b"x" * size, None) for name in names], self.now)

    @rule(seconds=st.floats(0, 400))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def flush(self) -> None:
        self.target.start_flush()

    @rule()
    def take(self) -> None:
        due = self.target.next_due()
        batch = self.target.take(self.now)
        assert (batch is not None) == (due is not None and due <= self.now)
        if batch is not None:
            assert 1 <= len(batch.events) <= BATCH_SIZE
            assert not {each.id for each in batch.events} & (self.delivered | self.dropped)
            assert not any(held.event_type == batch.event_type for held in self.held)
            self.in_flight.append(batch)

    @precondition(lambda self: bool(self.in_flight))
    @rule(data=st.data(), action=st.sampled_from([*Action, None]))
    def settle(self, data: st.DataObject, action: Action | None) -> None:
        batch = data.draw(st.sampled_from(self.in_flight))
        if action is Action.SPLIT_SMALLER and len(batch.events) == 1:
            action = Action.DROP
        self.in_flight.remove(batch)
        if batch in self.held:
            self.held.remove(batch)
            self.target.release(batch)
        names = {each.id for each in batch.events}
        drops = self.target.settle(batch, action, DropReason.REJECTED_ALONE)
        assert {drop.id for drop in drops} == (names if action is Action.DROP else set())
        if action is Action.DELIVERED:
            self.delivered |= names
        elif action is Action.DROP:
            self.dropped |= names

    @precondition(lambda self: len(self.in_flight) > len(self.held))
    @rule(data=st.data())
    def hold(self, data: st.DataObject) -> None:
        free = [each for each in self.in_flight if each not in self.held]
        batch = data.draw(st.sampled_from(free))
        self.held.append(batch)
        self.target.hold(batch)

    @rule()
    def expire(self) -> None:
        self.dropped |= {drop.id for drop in self.target.expire(DropReason.EXPIRED)}

    @invariant()
    def every_event_is_in_one_place(self) -> None:
        pending = [each.id for each in self.target.pending_events()]
        places = Counter(pending) + Counter(self.delivered) + Counter(self.dropped)
        assert places == Counter(self.bytes.keys())

    @invariant()
    def totals_add_up(self) -> None:
        pending = self.target.pending_events()
        assert self.target.pending == len(pending)
        assert self.target.pending_bytes == sum(self.bytes[each.id] for each in pending)
        totals_by_type = self.target.totals_by_type()
        for event_type, totals in totals_by_type.items():
            assert totals.accepted == self.accepted[event_type]
            assert totals.accepted == totals.delivered + totals.dropped + totals.pending
            assert totals.pending >= 0
        assert sum(each.delivered for each in totals_by_type.values()) == len(self.delivered)
        assert sum(each.dropped for each in totals_by_type.values()) == len(self.dropped)
        assert self.target.drop_reasons.total() == len(self.dropped)

    @invariant()
    def next_generation_covers_all_pending_events(self) -> None:
        assert self.target.pending_before(self.target.generation + 1) == self.target.pending


QueuesMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestQueuesMachine = QueuesMachine.TestCase
