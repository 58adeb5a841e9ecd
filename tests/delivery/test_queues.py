from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from currents_export.delivery._queues import Batch, Entry, Queues, Totals
from currents_export.delivery._responses import Action

MAX_AGE = 300.0


def queues(batch_size: int = 100) -> Queues:
    return Queues(batch_size=batch_size, max_age=MAX_AGE)


def add(
    target: Queues, count: int, event_type: str = "a", *, now: float = 0.0, begin: int = 0
) -> bool:
    entries = [(event_type, f"{event_type}{n}", b"{}", None) for n in range(begin, begin + count)]
    return target.add(entries, now)


def taken(target: Queues) -> Batch:
    """The next batch, which there must be."""
    batch = target.take(0.0)
    assert batch is not None
    return batch


def ids(batch: Batch | None) -> list[str]:
    assert batch is not None
    return [each.id for each in batch.events]


def test_a_full_batch_leaves_at_once_and_the_rest_waits() -> None:
    target = queues()
    add(target, 230)
    assert [len(ids(target.take(0.0))) for _ in range(2)] == [100, 100]
    assert target.take(0.0) is None
    assert target.next_due() == MAX_AGE
    assert target.take(MAX_AGE - 1) is None
    assert len(ids(target.take(MAX_AGE))) == 30


def test_the_oldest_event_takes_its_queue_along() -> None:
    target = queues()
    add(target, 1, now=10.0)
    add(target, 1, now=200.0, begin=1)
    assert target.next_due() == 10.0 + MAX_AGE
    assert ids(target.take(10.0 + MAX_AGE)) == ["a0", "a1"]


def test_each_event_type_has_its_own_queue() -> None:
    target = queues()
    add(target, 60, "a")
    add(target, 60, "b")
    assert target.take(0.0) is None
    target.start_round()
    batches = [target.take(0.0), target.take(0.0)]
    assert [{each.id[0] for each in batch.events} for batch in batches if batch] == [{"a"}, {"b"}]


def test_the_queue_that_waits_longest_goes_first() -> None:
    target = queues()
    add(target, 1, "young", now=20.0)
    add(target, 1, "old", now=10.0)
    target.start_round()
    first = target.take(20.0)
    assert first is not None
    assert first.event_type == "old"


def test_adding_tells_whether_a_batch_may_have_become_due() -> None:
    target = queues(batch_size=3)
    assert add(target, 1)  # its age begins to count
    assert not add(target, 1)
    assert add(target, 1)  # full
    assert not add(target, 1)


def test_a_held_type_gives_no_batch_but_the_others_do() -> None:
    target = queues(batch_size=1)
    add(target, 2, "a")
    add(target, 1, "b")
    batch = taken(target)
    target.hold(batch)
    assert ids(target.take(0.0)) == ["b0"]
    assert target.take(0.0) is None
    assert target.next_due() is None
    target.release(batch)
    assert ids(target.take(0.0)) == ["a1"]


def test_a_batch_that_comes_back_goes_before_what_waits() -> None:
    target = queues(batch_size=1)
    add(target, 2)
    batch = taken(target)
    assert target.settle(batch, Action.PAUSE, "401") == []
    assert target.next_due() == float("-inf")
    assert target.take(0.0) is batch
    assert ids(target.take(0.0)) == ["a1"]


def test_a_held_type_keeps_back_what_came_back_too() -> None:
    target = queues(batch_size=1)
    add(target, 2)
    first, second = taken(target), taken(target)
    target.settle(first, None, "")
    target.hold(second)
    assert target.take(0.0) is None
    assert target.next_due() is None


def test_400_makes_batches_of_one_in_order() -> None:
    target = queues()
    add(target, 3)
    target.start_round()
    batch = taken(target)
    target.settle(batch, Action.SPLIT_TO_ONES, "400")
    ones = [target.take(0.0) for _ in range(3)]
    assert [ids(one) for one in ones] == [["a0"], ["a1"], ["a2"]]
    assert all(one is not None and one.alone for one in ones)


def test_413_halves_until_one_is_left() -> None:
    target = queues()
    add(target, 5)
    target.start_round()
    batch = taken(target)
    target.settle(batch, Action.SPLIT_SMALLER, "413")
    halves = [target.take(0.0), target.take(0.0)]
    assert [ids(half) for half in halves] == [["a0", "a1"], ["a2", "a3", "a4"]]
    assert not any(half is None or half.alone for half in halves)


def test_a_drop_names_the_event_and_the_reason() -> None:
    target = queues(batch_size=1)
    add(target, 1)
    batch = taken(target)
    assert target.settle(batch, Action.DROP, "400", "400: bad") == [("a", "a0", "400", "400: bad")]
    assert target.totals_by_type() == {"a": Totals(accepted=1, dropped=1)}
    assert target.drop_reasons == {"400": 1}


def test_expiring_drops_what_is_queued_and_leaves_what_is_out() -> None:
    target = queues(batch_size=1)
    add(target, 3)
    out, back = taken(target), taken(target)
    target.settle(back, Action.RETRY, "")
    assert [drop.id for drop in target.expire("old")] == ["a1", "a2"]
    assert target.pending == 1
    target.settle(out, Action.DELIVERED, "200")
    assert target.totals_by_type() == {"a": Totals(accepted=3, delivered=1, dropped=2)}


def test_expiring_an_empty_queue_counts_no_reason() -> None:
    target = queues()
    assert target.expire("old") == []
    assert target.drop_reasons == {}


def test_filtered_and_refused_events_are_counted() -> None:
    target = queues()
    target.filter("a", "not selected")
    assert target.refuse("a", "x", "too large") == ("a", "x", "too large", "")
    assert target.totals_by_type() == {"a": Totals(accepted=1, dropped=1, filtered=1)}
    assert (target.pending, target.pending_bytes) == (0, 0)
    assert target.filter_reasons == {"not selected": 1}


def test_a_round_is_over_when_all_that_came_before_it_has_left() -> None:
    target = queues(batch_size=2)
    add(target, 3)
    number = target.start_round()
    add(target, 1, begin=3)
    assert target.pending_of(number) == 3
    first = taken(target)
    target.settle(first, Action.DELIVERED, "")
    assert target.pending_of(number) == 1
    mixed = target.take(0.0)
    assert ids(mixed) == ["a2", "a3"]
    assert mixed is not None
    target.settle(mixed, Action.DELIVERED, "")
    assert target.pending_of(number) == 0
    assert target.pending == 0


def test_types_take_turns_when_one_of_them_came_back_in_pieces() -> None:
    target = queues(batch_size=4)
    add(target, 4, "a")
    add(target, 8, "b")
    target.settle(taken(target), Action.SPLIT_TO_ONES)
    order = []
    while (batch := target.take(0.0)) is not None:
        order.append(batch.event_type)
    assert order == ["b", "a", "b", "a", "a", "a"]


def test_what_fails_for_longest_is_told_until_it_gets_through() -> None:
    target = queues(batch_size=1)
    add(target, 2)
    first, second = taken(target), taken(target)
    target.fails(first, "503", 5.0)
    target.fails(second, "500", 6.0)
    target.fails(first, "429", 7.0)
    assert target.stuck is first
    assert (first.failing_since, first.trouble) == (5.0, "429")
    target.settle(first, Action.DELIVERED)
    assert target.stuck is second
    target.settle(second, Action.PAUSE)
    assert target.stuck is second
    target.forgive()
    assert target.stuck is None
    assert second.failing_since is None


def test_expiring_forgets_what_failed() -> None:
    target = queues(batch_size=1)
    add(target, 1)
    batch = taken(target)
    target.fails(batch, "503", 5.0)
    target.settle(batch, Action.RETRY)
    target.expire("old")
    assert target.stuck is None


def test_the_bytes_of_an_event_before_its_transformation_count_too() -> None:
    target = queues(batch_size=1)
    target.add([("a", "a0", b"12", b"12345")], 0.0)
    assert target.pending_bytes == 7
    batch = taken(target)
    target.settle(batch, Action.DELIVERED)
    assert target.pending_bytes == 0


class Interrupted(list[Entry]):
    """Entries that are broken off behind the second."""

    def __iter__(self) -> Iterator[Entry]:
        yield self[0]
        yield self[1]
        raise KeyboardInterrupt


def test_an_interrupt_in_the_middle_of_accepting_leaves_an_account_that_can_be_mended() -> None:
    target = queues(batch_size=2)
    add(target, 3)
    out, back = target.take(0.0), target.take(0.0)
    assert out is not None
    assert back is None
    target.settle(out, Action.RETRY)
    with pytest.raises(KeyboardInterrupt):
        target.add(Interrupted([("b", f"b{n}", b"{}", b"{}") for n in range(5)]), 0.0)
    target.recount()
    assert target.totals_by_type() == {"a": Totals(3, pending=3), "b": Totals(2, pending=2)}
    assert (target.pending, target.pending_bytes) == (5, 3 * 2 + 2 * 4)
    assert target.pending_of(target.start_round()) == 5


class Accounting(RuleBasedStateMachine):
    """Whatever happens in whatever order, every accepted event is in one place, once."""

    def __init__(self) -> None:
        super().__init__()
        self.target = queues(batch_size=4)
        self.now = 0.0
        self.accepted: Counter[str] = Counter()
        self.bytes: dict[str, int] = {}
        self.delivered: set[str] = set()
        self.dropped: set[str] = set()
        self.out: list[Batch] = []
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
        self.target.start_round()

    @rule()
    def take(self) -> None:
        due = self.target.next_due()
        batch = self.target.take(self.now)
        assert (batch is not None) == (due is not None and due <= self.now)
        if batch is not None:
            assert 1 <= len(batch.events) <= 4
            assert not {each.id for each in batch.events} & (self.delivered | self.dropped)
            assert not any(held.event_type == batch.event_type for held in self.held)
            self.out.append(batch)

    @precondition(lambda self: bool(self.out))
    @rule(data=st.data(), action=st.sampled_from([*Action, None]))
    def settle(self, data: st.DataObject, action: Action | None) -> None:
        batch = data.draw(st.sampled_from(self.out))
        if action is Action.SPLIT_SMALLER and len(batch.events) == 1:
            action = Action.DROP
        self.out.remove(batch)
        if batch in self.held:
            self.held.remove(batch)
            self.target.release(batch)
        names = {each.id for each in batch.events}
        drops = self.target.settle(batch, action, "why")
        assert {drop.id for drop in drops} == (names if action is Action.DROP else set())
        if action is Action.DELIVERED:
            self.delivered |= names
        elif action is Action.DROP:
            self.dropped |= names

    @precondition(lambda self: len(self.out) > len(self.held))
    @rule(data=st.data())
    def hold(self, data: st.DataObject) -> None:
        batch = data.draw(st.sampled_from([each for each in self.out if each not in self.held]))
        self.held.append(batch)
        self.target.hold(batch)

    @rule()
    def expire(self) -> None:
        self.dropped |= {drop.id for drop in self.target.expire("old")}

    @invariant()
    def everything_is_somewhere_once(self) -> None:
        pending = [each.id for each in self.target.pending_events()]
        places = Counter(pending) + Counter(self.delivered) + Counter(self.dropped)
        assert places == Counter(self.bytes.keys())

    @invariant()
    def the_account_adds_up(self) -> None:
        pending = self.target.pending_events()
        assert self.target.pending == len(pending)
        assert self.target.pending_bytes == sum(self.bytes[each.id] for each in pending)
        for event_type, totals in self.target.totals_by_type().items():
            assert totals.accepted == self.accepted[event_type]
            assert totals.accepted == totals.delivered + totals.dropped + totals.pending
            assert totals.pending >= 0
        totals_by_type = self.target.totals_by_type().values()
        assert sum(totals.delivered for totals in totals_by_type) == len(self.delivered)
        assert sum(totals.dropped for totals in totals_by_type) == len(self.dropped)
        assert self.target.drop_reasons.total() == len(self.dropped)

    @invariant()
    def a_new_round_covers_all_that_is_pending(self) -> None:
        assert self.target.pending_of(self.target._round + 1) == self.target.pending


Accounting.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestAccounting = Accounting.TestCase


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 7)), max_size=12))
def test_events_of_a_type_leave_in_the_order_they_came(adds: list[tuple[str, int]]) -> None:
    target = queues(batch_size=3)
    begin: Counter[str] = Counter()
    for event_type, count in adds:
        add(target, count, event_type, begin=begin[event_type])
        begin[event_type] += count
    target.start_round()
    left: dict[str, list[str]] = {"a": [], "b": []}
    while (batch := target.take(0.0)) is not None:
        left[batch.event_type] += ids(batch)
        target.settle(batch, Action.DELIVERED, "")
    for event_type, names in left.items():
        assert names == [f"{event_type}{number}" for number in range(begin[event_type])]
    assert target.pending == 0
