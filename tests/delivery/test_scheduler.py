from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.delivery._batches import Batch
from currents_export.delivery._room import Room
from currents_export.delivery._scheduler import Scheduler

MAX_AGE = 300.0


def scheduler(batch_size: int = 100, **options: Any) -> Scheduler:
    room = Room(10_000, 10**6, types=1)
    defaults: dict[str, Any] = {"max_age": MAX_AGE, "room": room, "concurrency": 1_000}
    return Scheduler(batch_size=batch_size, **(defaults | options))


def add(
    target: Scheduler, count: int, event_type: str = "a", *, now: float = 0.0, begin: int = 0
) -> None:
    entries = [(event_type, f"{event_type}{n}", b"{}", None) for n in range(begin, begin + count)]
    target.add(entries, now)


def taken(target: Scheduler, now: float = 0.0) -> Batch:
    """Take the next batch, which must exist."""
    batch = target.take(now)
    assert batch is not None
    return batch


def ids(batch: Batch | None) -> list[str]:
    assert batch is not None
    return [each.id for each in batch.events]


def fail(target: Scheduler, batch: Batch, now: float, *, retry_at: float) -> None:
    target.settle(batch, now)
    target.record_failure(batch, "503", now)
    target.retry(batch, retry_at)


def deliver(target: Scheduler, batch: Batch, now: float = 0.0) -> None:
    target.settle(batch, now)
    target.remove(batch)


def test_full_batch_leaves_at_once() -> None:
    target = scheduler()
    add(target, 230)
    assert [len(ids(target.take(0.0))) for _ in range(2)] == [100, 100]
    assert target.take(0.0) is None
    assert target.next_due() == MAX_AGE
    assert target.take(MAX_AGE - 1) is None
    assert len(ids(target.take(MAX_AGE))) == 30


def test_age_counts_from_oldest_event() -> None:
    target = scheduler()
    add(target, 1, now=10.0)
    add(target, 1, now=200.0, begin=1)
    assert target.next_due() == 10.0 + MAX_AGE
    assert ids(target.take(10.0 + MAX_AGE)) == ["a0", "a1"]


def test_each_type_has_its_queue() -> None:
    target = scheduler()
    add(target, 60, "a")
    add(target, 60, "b")
    assert target.take(0.0) is None
    target.start_flush()
    batches = [target.take(0.0), target.take(0.0)]
    assert [{each.id[0] for each in batch.events} for batch in batches if batch] == [{"a"}, {"b"}]


def test_unserved_type_with_oldest_event_is_next() -> None:
    target = scheduler()
    add(target, 1, "young", now=20.0)
    add(target, 1, "old", now=10.0)
    target.start_flush()
    assert taken(target, 20.0).event_type == "old"


def test_partial_batch_leaves_when_its_type_is_wanted() -> None:
    target = scheduler()
    add(target, 1, "a")
    add(target, 2, "b")
    assert not target.can_take(0.0)
    assert target.can_take(0.0, wanted={"a"})
    assert ids(target.take(0.0, wanted={"a"})) == ["a0"]


def test_partial_batch_leaves_for_common_room() -> None:
    """The longest queue that takes common room leaves early; a queue within its part stays."""
    target = scheduler(room=Room(20, 10**6, types=2))
    for name, count in (("a", 5), ("b", 6), ("c", 7)):
        add(target, count, name)
    assert len(ids(target.take(0.0, wanted={"d"}))) == 7
    assert len(ids(target.take(0.0, wanted={"d"}))) == 6
    assert not target.can_take(0.0, wanted={"d"})


def test_failed_batch_holds_only_its_type() -> None:
    target = scheduler(batch_size=1)
    add(target, 2, "a")
    add(target, 1, "b")
    first = taken(target)
    fail(target, first, 0.0, retry_at=5.0)
    assert ids(target.take(0.0)) == ["b0"]
    assert target.take(4.9) is None
    assert target.next_due() == target.next_retry() == 5.0
    assert target.take(5.0) is first
    assert target.take(5.0) is None  # the type is tried with one request
    deliver(target, first, 5.0)
    assert ids(target.take(5.0)) == ["a1"]


def test_earliest_failed_batch_is_next() -> None:
    target = scheduler(batch_size=1)
    add(target, 2)
    first, second = taken(target), taken(target)
    fail(target, first, 0.0, retry_at=9.0)
    fail(target, second, 0.0, retry_at=4.0)
    assert target.take(9.0) is second
    fail(target, second, 9.0, retry_at=20.0)
    assert target.take(9.0) is first


@pytest.mark.parametrize(("concurrency", "most"), [(1, 1), (2, 1), (5, 2), (8, 4)])
def test_retries_leave_half_of_the_places(concurrency: int, most: int) -> None:
    target = scheduler(batch_size=1, concurrency=concurrency)
    for name in "abcdefgh":
        add(target, 1, name)
        fail(target, taken(target), 0.0, retry_at=1.0)
    retries = 0
    while target.take(1.0) is not None:
        retries += 1
    assert retries == most
    add(target, 1, "healthy")
    assert target.can_take(1.0) == (most < concurrency)


def test_slow_type_gets_only_its_share_of_time() -> None:
    """A type whose requests take 30 times as long has a 30th of the turns."""
    target = scheduler(batch_size=1, concurrency=1)
    add(target, 1_000, "slow")
    add(target, 1_000, "fast")
    now, turns = 0.0, Counter[str]()
    for _ in range(310):
        batch = taken(target, now)
        now += 30.0 if batch.event_type == "slow" else 1.0
        turns[batch.event_type] += 1
        deliver(target, batch, now)
    assert turns == {"fast": 300, "slow": 10}


def test_idle_type_saves_no_turns() -> None:
    target = scheduler(batch_size=1, concurrency=1)
    add(target, 1, "late")
    add(target, 300, "busy")
    now, order = 0.0, []
    for turn in range(200):
        if turn == 100:
            add(target, 100, "late", begin=1)
        batch = taken(target, now)
        now += 1.0
        order.append(batch.event_type)
        deliver(target, batch, now)
    assert 45 <= order[100:].count("late") <= 55


@given(st.lists(st.integers(1, 5), min_size=2, max_size=6), st.data())
def test_every_type_gets_a_turn(durations: list[int], data: st.DataObject) -> None:
    """A type waits for no more than the longest request of each other type, in time."""
    target = scheduler(batch_size=1, concurrency=1)
    names = [f"t{number}" for number in range(len(durations))]
    for name in names:
        add(target, 60, name)
    now, last = 0.0, dict.fromkeys(names, 0.0)
    for _ in range(50):
        batch = taken(target, now)
        number = names.index(batch.event_type)
        assert now - last[batch.event_type] <= 2 * len(names) * max(durations)
        now += durations[number]
        last[batch.event_type] = now
        if data.draw(st.booleans()):
            fail(target, batch, now, retry_at=now)
        else:
            deliver(target, batch, now)


def test_split_parts_take_turns_with_other_types() -> None:
    target = scheduler(batch_size=4)
    add(target, 4, "a")
    add(target, 8, "b")
    batch = taken(target)
    target.settle(batch, 0.0)
    target.split(batch, to_ones=True)
    order = []
    while (part := target.take(0.0)) is not None:
        order.append(part.event_type)
    assert order == ["b", "a", "b", "a", "a", "a"]


def test_400_splits_to_ones_in_order() -> None:
    target = scheduler()
    add(target, 3)
    target.start_flush()
    batch = taken(target)
    target.settle(batch, 0.0)
    target.split(batch, to_ones=True)
    ones = [target.take(0.0) for _ in range(3)]
    assert [ids(one) for one in ones] == [["a0"], ["a1"], ["a2"]]
    assert all(one is not None and one.split_off for one in ones)


def test_413_splits_in_halves() -> None:
    target = scheduler()
    add(target, 5)
    target.start_flush()
    batch = taken(target)
    target.settle(batch, 0.0)
    target.split(batch, to_ones=False)
    halves = [target.take(0.0), target.take(0.0)]
    assert [ids(half) for half in halves] == [["a0", "a1"], ["a2", "a3", "a4"]]
    assert not any(half is None or half.split_off for half in halves)


def test_batch_counts_attempts_and_waits() -> None:
    target = scheduler(batch_size=1)
    add(target, 1)
    batch = taken(target, 100.0)
    assert (batch.attempts, batch.began_at, batch.waited) == (1, 100.0, 0.0)
    fail(target, batch, 101.0, retry_at=105.0)
    assert target.take(106.0) is batch
    assert (batch.attempts, batch.began_at, batch.sent_at) == (2, 100.0, 106.0)
    assert batch.waited == pytest.approx(5.0)


def test_withdraw_leaves_batches_in_flight() -> None:
    target = scheduler(batch_size=1)
    add(target, 4)
    in_flight, failed, returned = taken(target), taken(target), taken(target)
    fail(target, failed, 0.0, retry_at=5.0)
    target.settle(returned, 0.0)
    target.put_back(returned)
    withdrawn = [each.id for _, events in target.withdraw() for each in events]
    assert sorted(withdrawn) == ["a1", "a2", "a3"]
    assert (target.pending, target.stuck, target.next_due()) == (1, None, None)
    deliver(target, in_flight)
    assert target.pending == target.room.bytes.used == 0


def test_flush_generation_ends() -> None:
    target = scheduler(batch_size=2)
    add(target, 3)
    generation = target.start_flush()
    add(target, 1, begin=3)
    assert target.pending_before(generation) == 3
    deliver(target, taken(target))
    assert target.pending_before(generation) == 1
    mixed = taken(target)
    assert ids(mixed) == ["a2", "a3"]
    deliver(target, mixed)
    assert target.pending_before(generation) == 0
    assert target.pending == 0


def test_stuck_is_what_failed_for_longest() -> None:
    target = scheduler(batch_size=1)
    add(target, 2)
    first, second = taken(target), taken(target)
    target.record_failure(first, "503", 5.0)
    target.record_failure(second, "500", 6.0)
    target.record_failure(first, "429", 7.0)
    assert target.stuck is first
    assert (first.failing_since, first.last_failure) == (5.0, "429")
    deliver(target, first)
    assert target.stuck is second
    target.settle(second, 8.0)
    target.retry(second, 100.0)
    target.clear_failures()
    assert target.stuck is None
    assert target.take(8.0) is second  # it need not wait after the Current was resumed


def test_original_json_counts_as_pending_bytes() -> None:
    target = scheduler(batch_size=1)
    target.add([("a", "a0", b"12", b"12345")], 0.0)
    assert target.room.bytes.used == 7
    deliver(target, taken(target))
    assert target.room.bytes.used == 0


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 7)), max_size=12))
def test_events_leave_in_order(adds: list[tuple[str, int]]) -> None:
    target = scheduler(batch_size=3)
    begin: Counter[str] = Counter()
    for event_type, count in adds:
        add(target, count, event_type, begin=begin[event_type])
        begin[event_type] += count
    target.start_flush()
    left: dict[str, list[str]] = {"a": [], "b": []}
    while (batch := target.take(0.0)) is not None:
        left[batch.event_type] += ids(batch)
        deliver(target, batch)
    for event_type, names in left.items():
        assert names == [f"{event_type}{number}" for number in range(begin[event_type])]
    assert target.pending == 0
