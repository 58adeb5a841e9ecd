from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.delivery import Action, DropReason, FilterReason, Totals
from currents_export.delivery._queues import Batch, Entry, Queues

MAX_AGE = 300.0


def queues(batch_size: int = 100) -> Queues:
    return Queues(batch_size=batch_size, max_age=MAX_AGE)


def add(
    target: Queues, count: int, event_type: str = "a", *, now: float = 0.0, begin: int = 0
) -> bool:
    entries = [(event_type, f"{event_type}{n}", b"{}", None) for n in range(begin, begin + count)]
    return target.add(entries, now)


def taken(target: Queues) -> Batch:
    """Take the next batch, which must exist."""
    batch = target.take(0.0)
    assert batch is not None
    return batch


def ids(batch: Batch | None) -> list[str]:
    assert batch is not None
    return [each.id for each in batch.events]


def test_full_batch_leaves_at_once() -> None:
    target = queues()
    add(target, 230)
    assert [len(ids(target.take(0.0))) for _ in range(2)] == [100, 100]
    assert target.take(0.0) is None
    assert target.next_due() == MAX_AGE
    assert target.take(MAX_AGE - 1) is None
    assert len(ids(target.take(MAX_AGE))) == 30


def test_age_counts_from_oldest_event() -> None:
    target = queues()
    add(target, 1, now=10.0)
    add(target, 1, now=200.0, begin=1)
    assert target.next_due() == 10.0 + MAX_AGE
    assert ids(target.take(10.0 + MAX_AGE)) == ["a0", "a1"]


def test_each_type_has_its_queue() -> None:
    target = queues()
    add(target, 60, "a")
    add(target, 60, "b")
    assert target.take(0.0) is None
    target.start_flush()
    batches = [target.take(0.0), target.take(0.0)]
    assert [{each.id[0] for each in batch.events} for batch in batches if batch] == [{"a"}, {"b"}]


def test_queue_with_oldest_event_is_next() -> None:
    target = queues()
    add(target, 1, "young", now=20.0)
    add(target, 1, "old", now=10.0)
    target.start_flush()
    first = target.take(20.0)
    assert first is not None
    assert first.event_type == "old"


def test_add_reports_a_due_batch() -> None:
    target = queues(batch_size=3)
    assert add(target, 1)  # its age begins to count
    assert not add(target, 1)
    assert add(target, 1)  # full
    assert not add(target, 1)


def test_held_type_lets_others_leave() -> None:
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


def test_returned_batch_precedes_queued_events() -> None:
    target = queues(batch_size=1)
    add(target, 2)
    batch = taken(target)
    assert target.settle(batch, Action.PAUSE) == []
    assert target.next_due() == float("-inf")
    assert target.take(0.0) is batch
    assert ids(target.take(0.0)) == ["a1"]


def test_held_type_keeps_returned_batches() -> None:
    target = queues(batch_size=1)
    add(target, 2)
    first, second = taken(target), taken(target)
    target.settle(first, None)
    target.hold(second)
    assert target.take(0.0) is None
    assert target.next_due() is None


def test_400_splits_to_ones_in_order() -> None:
    target = queues()
    add(target, 3)
    target.start_flush()
    target.settle(taken(target), Action.SPLIT_TO_ONES)
    ones = [target.take(0.0) for _ in range(3)]
    assert [ids(one) for one in ones] == [["a0"], ["a1"], ["a2"]]
    assert all(one is not None and one.split_off for one in ones)


def test_413_splits_in_halves() -> None:
    target = queues()
    add(target, 5)
    target.start_flush()
    target.settle(taken(target), Action.SPLIT_SMALLER)
    halves = [target.take(0.0), target.take(0.0)]
    assert [ids(half) for half in halves] == [["a0", "a1"], ["a2", "a3", "a4"]]
    assert not any(half is None or half.split_off for half in halves)


def test_drop_names_event_and_reason() -> None:
    target = queues(batch_size=1)
    add(target, 1)
    reason = DropReason.REJECTED_ALONE
    drops = target.settle(taken(target), Action.DROP, reason, "400: bad")
    assert drops == [("a", "a0", reason, "400: bad")]
    assert target.totals_by_type() == {"a": Totals(accepted=1, dropped=1)}
    assert target.drop_reasons == {reason: 1}


def test_expire_leaves_batches_in_flight() -> None:
    target = queues(batch_size=1)
    add(target, 3)
    in_flight, returned = taken(target), taken(target)
    target.settle(returned, Action.RETRY)
    assert [drop.id for drop in target.expire(DropReason.EXPIRED)] == ["a1", "a2"]
    assert target.pending == 1
    target.settle(in_flight, Action.DELIVERED)
    assert target.totals_by_type() == {"a": Totals(accepted=3, delivered=1, dropped=2)}


def test_expire_of_empty_queues_counts_nothing() -> None:
    target = queues()
    assert target.expire(DropReason.EXPIRED) == []
    assert target.drop_reasons == {}


def test_filtered_and_refused_events_are_counted() -> None:
    target = queues()
    target.filter("a", FilterReason.NOT_SELECTED)
    drop = target.refuse("a", "x", DropReason.TOO_LARGE)
    assert drop == ("a", "x", DropReason.TOO_LARGE, "")
    assert target.totals_by_type() == {"a": Totals(accepted=1, dropped=1, filtered=1)}
    assert (target.pending, target.pending_bytes) == (0, 0)
    assert target.filter_reasons == {FilterReason.NOT_SELECTED: 1}


def test_flush_generation_ends() -> None:
    target = queues(batch_size=2)
    add(target, 3)
    generation = target.start_flush()
    add(target, 1, begin=3)
    assert target.pending_before(generation) == 3
    target.settle(taken(target), Action.DELIVERED)
    assert target.pending_before(generation) == 1
    mixed = taken(target)
    assert ids(mixed) == ["a2", "a3"]
    target.settle(mixed, Action.DELIVERED)
    assert target.pending_before(generation) == 0
    assert target.pending == 0


def test_types_take_turns_with_returned_batches() -> None:
    target = queues(batch_size=4)
    add(target, 4, "a")
    add(target, 8, "b")
    target.settle(taken(target), Action.SPLIT_TO_ONES)
    order = []
    while (batch := target.take(0.0)) is not None:
        order.append(batch.event_type)
    assert order == ["b", "a", "b", "a", "a", "a"]


def test_stuck_is_what_failed_for_longest() -> None:
    target = queues(batch_size=1)
    add(target, 2)
    first, second = taken(target), taken(target)
    target.record_failure(first, "503", 5.0)
    target.record_failure(second, "500", 6.0)
    target.record_failure(first, "429", 7.0)
    assert target.stuck is first
    assert (first.failing_since, first.last_failure) == (5.0, "429")
    target.settle(first, Action.DELIVERED)
    assert target.stuck is second
    target.settle(second, Action.PAUSE)
    assert target.stuck is second
    target.clear_failures()
    assert target.stuck is None
    assert second.failing_since is None


def test_expire_clears_failures() -> None:
    target = queues(batch_size=1)
    add(target, 1)
    batch = taken(target)
    target.record_failure(batch, "503", 5.0)
    target.settle(batch, Action.RETRY)
    target.expire(DropReason.EXPIRED)
    assert target.stuck is None


def test_original_json_counts_as_pending_bytes() -> None:
    target = queues(batch_size=1)
    target.add([("a", "a0", b"12", b"12345")], 0.0)
    assert target.pending_bytes == 7
    target.settle(taken(target), Action.DELIVERED)
    assert target.pending_bytes == 0


class Interrupted(list[Entry]):
    """Entries whose iteration is interrupted after the second."""

    def __iter__(self) -> Iterator[Entry]:
        yield self[0]
        yield self[1]
        raise KeyboardInterrupt


def test_recount_after_interrupt() -> None:
    target = queues(batch_size=2)
    add(target, 3)
    target.settle(taken(target), Action.RETRY)
    with pytest.raises(KeyboardInterrupt):
        target.add(Interrupted([("b", f"b{n}", b"{}", b"{}") for n in range(5)]), 0.0)
    target.recount()
    assert target.totals_by_type() == {"a": Totals(3, pending=3), "b": Totals(2, pending=2)}
    assert (target.pending, target.pending_bytes) == (5, 3 * 2 + 2 * 4)
    assert target.pending_before(target.start_flush()) == 5


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 7)), max_size=12))
def test_events_leave_in_order(adds: list[tuple[str, int]]) -> None:
    target = queues(batch_size=3)
    begin: Counter[str] = Counter()
    for event_type, count in adds:
        add(target, count, event_type, begin=begin[event_type])
        begin[event_type] += count
    target.start_flush()
    left: dict[str, list[str]] = {"a": [], "b": []}
    while (batch := target.take(0.0)) is not None:
        left[batch.event_type] += ids(batch)
        target.settle(batch, Action.DELIVERED)
    for event_type, names in left.items():
        assert names == [f"{event_type}{number}" for number in range(begin[event_type])]
    assert target.pending == 0
