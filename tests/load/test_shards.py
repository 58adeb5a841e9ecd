"""How the events of a world are shared among workers."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export._locust_shards import Assignment, ShardedEvents
from currents_export.events import Event
from currents_export.simulation import Scenario, World

START, SHARDS = 1_800_000_000, 6
WORLD = World(1, users=100, scenario=Scenario(until="2d"))


@pytest.fixture(scope="module")
def whole() -> list[Event]:
    return [*WORLD.events(start=START)]


def opened(shards: Iterator[int] | range, position: int = 0) -> ShardedEvents:
    events = ShardedEvents(WORLD, START, SHARDS)
    for shard in shards:
        deque(events.add(shard, position), maxlen=0)
    return events


def drain(events: ShardedEvents) -> list[Event]:
    found: list[Event] = []
    while taken := events.take(7):
        found += taken
    return found


def test_all_shards_are_the_world(whole: list[Event]) -> None:
    assert len(whole) > 1000
    assert drain(opened(range(SHARDS))) == whole


def test_shards_of_two_workers_are_the_world(whole: list[Event]) -> None:
    both = drain(opened(range(0, SHARDS, 2))) + drain(opened(range(1, SHARDS, 2)))
    assert sorted(each.id for each in both) == sorted(each.id for each in whole)


def test_shard_moves_without_loss(whole: list[Event]) -> None:
    one, other = opened(range(SHARDS)), opened(range(0))
    taken = one.take(300)
    position = one.remove(2)
    assert position
    deque(other.add(2, position), maxlen=0)
    found = taken + drain(one) + drain(other)
    assert Counter(each.id for each in found) == Counter(each.id for each in whole)


def test_shard_of_a_dead_worker_is_repeated_from_its_position() -> None:
    one = opened(range(SHARDS))
    taken = one.take(300)
    delivered = [each for number, each in enumerate(taken) if number % 50]
    one.settle(each.id for each in delivered)
    positions = dict(one.positions())
    other = ShardedEvents(WORLD, START, SHARDS)
    for shard, position in positions.items():
        deque(other.add(shard, position), maxlen=0)
    again = {each.id for each in drain(other)}
    assert {each.id for each in taken} - {each.id for each in delivered} <= again
    assert len(again & {each.id for each in delivered}) < len(delivered)


def test_all_is_settled() -> None:
    one = opened(range(SHARDS))
    taken = one.take(100)
    one.settle([each.id for each in taken])
    one.settle(["unknown"])
    assert sum(position for _, position in one.positions()) == 100


def test_events_that_are_given_back_come_first() -> None:
    one = opened(range(SHARDS))
    first = one.take(5)
    one.give_back(first[3:])
    assert one.take(3)[:2] == first[3:]


def test_shard_moves_with_what_was_given_back(whole: list[Event]) -> None:
    one, other = opened(range(SHARDS)), opened(range(0))
    taken = one.take(300)
    one.give_back(taken[100:])
    for shard in range(SHARDS):
        position = one.remove(shard)
        assert position is not None
        deque(other.add(shard, position), maxlen=0)
    assert one.take(10) == []
    found = {each.id for each in taken[:100] + drain(other)}
    assert found == {each.id for each in whole}


def test_events_in_time(whole: list[Event]) -> None:
    one = opened(range(SHARDS))
    middle = whole[len(whole) // 2].time
    found = one.take(len(whole), until=middle)
    assert found == [each for each in whole if each.time < middle]
    assert one.take(5, until=middle) == []


def test_finished() -> None:
    one = opened(range(SHARDS))
    assert not one.finished
    taken = drain(one)
    assert not one.finished
    one.settle(each.id for each in taken)
    assert one.finished
    assert not opened(range(0)).finished


def test_unknown_shard() -> None:
    assert opened(range(2)).remove(5) is None


# Assignment


def test_first_worker_has_all() -> None:
    assignment = Assignment(SHARDS)
    assert assignment.update([], ["a"]) == ({}, {})
    assert assignment.update(["a"], ["a"]) == ({}, {"a": dict.fromkeys(range(SHARDS), 0)})
    assert assignment.update(["a"], ["a"]) == ({}, {})


def test_new_worker_gets_what_is_given_back() -> None:
    assignment = Assignment(SHARDS)
    assignment.update(["a"], ["a"])
    assert assignment.update("ab", "ab") == ({"a": [3, 4, 5]}, {})
    assert assignment.update("ab", "ab") == ({}, {})
    assignment.release("a", [(3, 10), (4, 20), (5, 30)])
    assert assignment.update("ab", "ab") == ({}, {"b": {3: 10, 4: 20, 5: 30}})


def test_dead_worker() -> None:
    assignment = Assignment(SHARDS)
    assignment.update("ab", "ab")
    assert assignment.report("b", [(1, 7), (3, 8), (5, 9)], finished=True) == []
    assert assignment.update("a", "a") == ({}, {"a": {1: 7, 3: 8, 5: 9}})
    # It comes back, with what is no longer its own.
    assert assignment.report("b", [(1, 100), (3, 100)], finished=True) == [1, 3]
    assignment.release("b", [(1, 100)])
    assert assignment.update("a", "a") == ({}, {})


def test_all_workers_are_finished() -> None:
    assignment = Assignment(2)
    assignment.update("ab", "ab")
    assignment.report("a", [(0, 5)], finished=True)
    assignment.report("b", [(1, 5)], finished=False)
    assert not assignment.finished
    assignment.report("b", [(1, 6)], finished=True)
    assert assignment.finished
    assignment.update("a", "a")
    assert not assignment.finished


def test_worker_without_users_gives_all_back() -> None:
    assignment = Assignment(SHARDS)
    assignment.update("ab", "ab")
    assert assignment.update("a", "ab") == ({"b": [1, 3, 5]}, {})
    assignment.release("b", [(1, 7), (3, 8), (5, 9)])
    assert assignment.update("a", "ab") == ({}, {"a": {1: 7, 3: 8, 5: 9}})


@given(st.lists(st.sets(st.sampled_from("abcde")), max_size=12))
def test_no_shard_is_lost(changes: list[set[str]]) -> None:
    """Whoever is there, each shard is with one of them, and they have equally many."""
    assignment = Assignment(SHARDS)
    held: dict[str, set[int]] = {each: set() for each in "abcde"}
    for working in changes:
        for gone in set(held) - working:
            held[gone].clear()
        for _ in range(3):  # what is given back moves on
            moves = assignment.update(working, working)
            for worker, shards in moves.take.items():
                held[worker] |= shards.keys()
            for worker, lost in moves.give_back.items():
                held[worker] -= set(lost)
                assignment.release(worker, [(shard, 1) for shard in lost])
        counts = Counter(shard for shards in held.values() for shard in shards)
        assert counts == (Counter(range(SHARDS)) if working else Counter())
        sizes = [len(held[each]) for each in working]
        assert not sizes or max(sizes) <= -(-SHARDS // len(sizes))
