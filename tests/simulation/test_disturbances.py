"""What holds for all disturbances, whatever they do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import count, islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.catalog import Catalog
from currents_export.errors import OptionError, UnknownNameError
from currents_export.simulation.disturbances import (
    DISTURBANCES,
    Disturbance,
    Gap,
    Late,
    disturb,
)
from tests.support.events import CLICK, OPEN
from tests.support.keyed import (
    OF_KIND,
    START,
    TYPES,
    Pair,
    any_disturbances,
    arrival,
    disturbed,
    lazily,
    many,
    pair,
    streams,
)


def test_every_kind_has_a_strategy() -> None:
    assert OF_KIND.keys() == DISTURBANCES.keys()
    assert all(kind.kind == name for name, kind in DISTURBANCES.items())


@given(streams())
def test_no_disturbances_change_nothing(stream: list[Pair]) -> None:
    found = disturbed(stream)
    assert len(found) == len(stream)
    assert all(after is before for after, before in zip(found, stream, strict=True))


@given(streams(), any_disturbances)
def test_ids_stay(stream: list[Pair], disturbances: list[Disturbance]) -> None:
    found = disturbed(stream, *disturbances)
    first = [event.id for event, record in found if "duplicate" not in record.disturbances]
    assert sorted(first) == sorted(event.id for event, _ in stream)
    assert {event.id for event, _ in found} == {event.id for event, _ in stream}
    assert all(event.id == record.id for event, record in found)


@given(streams(), any_disturbances)
def test_order_is_that_of_arrival(stream: list[Pair], disturbances: list[Disturbance]) -> None:
    arrivals = [arrival(item) for item in disturbed(stream, *disturbances)]
    assert arrivals == sorted(arrivals)


@given(streams(), any_disturbances)
def test_records_tell_what_was_disturbed(
    stream: list[Pair], disturbances: list[Disturbance]
) -> None:
    """Without a mark, event and record are the same objects; with one, something differs."""
    before = {event.id: (event, record) for event, record in stream}
    kinds = {each.kind for each in disturbances}
    if "null_names" in kinds:
        kinds.add("renamed")
    for event, record in disturbed(stream, *disturbances):
        assert set(record.disturbances) <= kinds
        assert record.event_type == before[event.id][1].event_type
        if record.disturbance is None:
            assert event is before[event.id][0]
            assert record is before[event.id][1]
        elif "duplicate" not in record.disturbances:
            moved = arrival((event, record)) != before[event.id][0].time
            assert moved or event != before[event.id][0]


@given(streams(), any_disturbances, st.integers(0, 5), st.sets(st.sampled_from(TYPES)))
def test_part_is_disturbed_as_in_the_whole(
    stream: list[Pair], disturbances: list[Disturbance], seed: int, types: set[str]
) -> None:
    def wanted(item: Pair) -> bool:
        return item[1].event_type in types

    part = disturbed(filter(wanted, stream), *disturbances, seed=seed)
    assert part == [*filter(wanted, disturbed(stream, *disturbances, seed=seed))]


@given(streams(), any_disturbances, st.integers(1, 4))
def test_shards_are_disturbed_as_in_the_whole(
    stream: list[Pair], disturbances: list[Disturbance], shards: int
) -> None:
    """Merged by arrival, the shards of the users are the whole stream."""
    numbers = {event.user["user_id"]: number for number, (event, _) in enumerate(stream)}
    whole = disturbed(stream, *disturbances)
    merged: list[Pair] = []
    for shard in range(shards):

        def mine(item: Pair, shard: int = shard) -> bool:
            return numbers[item[0].user["user_id"]] % shards == shard

        merged += disturbed(filter(mine, stream), *disturbances)

    def place(item: Pair) -> tuple[int, int]:
        return arrival(item), numbers[item[0].user["user_id"]]

    assert sorted(merged, key=place) == sorted(whole, key=place)


@given(streams(), any_disturbances, st.integers(0, 30))
def test_longer_stream_keeps_the_beginning(
    stream: list[Pair], disturbances: list[Disturbance], length: int
) -> None:
    """What arrives before the next event happens does not depend on that event."""
    if length >= len(stream):
        return
    end = stream[length][0].time

    def early(items: list[Pair]) -> list[Pair]:
        return [item for item in items if arrival(item) < end]

    short = early(disturbed(stream[:length], *disturbances))
    assert short == early(disturbed(stream, *disturbances))


@given(any_disturbances)
def test_endless_stream_is_taken_lazily(disturbances: list[Disturbance]) -> None:
    """An event arrives before any event is taken that happens after the next one."""
    taken: list[int] = []

    def endless() -> Iterator[Pair]:
        for number in count():
            event, record = pair(number, time=START + number * 600)
            taken.append(event.time)
            yield event, record

    stream = lazily(endless(), *disturbances)
    for item in islice(stream, 30):
        assert not taken[:-1] or taken[-2] <= arrival(item)


def test_draws_depend_on_the_seed() -> None:
    late = Late(share=0.5)
    stream = many(50)
    assert disturbed(stream, late, seed=1) == disturbed(stream, late, seed=1)
    assert disturbed(stream, late, seed=1) != disturbed(stream, late, seed=2)


def test_disturbances_of_one_kind_are_drawn_apart() -> None:
    found = disturbed(many(400), Late(share=0.5, up_to=60), Late(share=0.5, up_to=60))
    counts = Counter(record.disturbance for _, record in found)
    assert all(60 < counts[kinds] < 140 for kinds in (None, "late,late"))


@given(streams(), any_disturbances, st.randoms(use_true_random=False))
def test_order_of_kinds_does_not_matter(
    stream: list[Pair], disturbances: list[Disturbance], random: Random
) -> None:
    kinds = [*{each.kind: each for each in disturbances}.values()]
    found = disturbed(stream, *kinds)
    random.shuffle(kinds)
    assert disturbed(stream, *kinds) == found


def test_event_on_time_does_not_wait_for_the_next_one() -> None:
    stream = iter(many(10))
    found = lazily(stream, Late(share=0))
    next(found)
    assert next(stream) == many(10)[1]


@pytest.mark.parametrize("kind", DISTURBANCES)
def test_share_of_nothing_disturbs_nothing(kind: str) -> None:
    stream = many(100)
    assert disturbed(stream, DISTURBANCES[kind](share=0)) == stream


def test_only_selected_types_are_disturbed() -> None:
    stream = [*many(30), pair(40, CLICK, time=START + 30 * 60)]
    found = disturbed(stream, Late(share=1, event_types=[OPEN]))
    assert {record.event_type for _, record in found if record.disturbance} == {OPEN}
    assert {record.event_type for _, record in found if not record.disturbance} == {CLICK}


def test_globs_select_unknown_types() -> None:
    stream = [pair(0, "users.messages.pigeon.Open"), pair(1, "users.pigeon")]
    found = disturbed(stream, Late(share=1, event_types=["users.messages.*"]))
    assert [record.disturbance for _, record in found] == [None, "late"]


def test_unknown_types_are_refused_at_once() -> None:
    with pytest.raises(UnknownNameError, match="did you mean"):
        disturb([], [Late(share=1, event_types=["email.Opne"])], seed=1, catalog=Catalog.load())


def test_times_after_the_start_refer_to_the_first_event() -> None:
    stream = many(10)
    gap = Gap(at="2m", lasting="2m")
    given_start = disturbed(stream, gap)
    found = disturb(stream, [gap], seed=1, catalog=Catalog.load())
    assert list(found) == given_start
    assert [arrival(item) - START for item in given_start][2:5] == [240, 240, 240]


def test_unsorted_stream_keeps_its_order() -> None:
    stream = [pair(5), pair(1), pair(3)]
    found = disturbed(stream, Late(share=1, event_types=[CLICK]))
    assert [event.id for event, _ in found] == [event.id for event, _ in stream]


def test_unsorted_event_arrives_after_those_before_it() -> None:
    stream = [pair(0, time=START + 90), pair(1, CLICK, time=START + 40)]
    late = Late(share=1, event_types=[CLICK], at_least=10, up_to=10)
    assert [arrival(item) - START for item in disturbed(stream, late)] == [90, 100]


def test_stream_can_be_disturbed_twice() -> None:
    once = disturbed(many(50), Late(share=1, at_least="1h", up_to="2h"))
    twice = disturbed(once, Late(share=1, at_least="1h", up_to="2h"), seed=2)
    assert {record.disturbance for _, record in twice} == {"late,late"}
    for item in twice:
        assert 2 * 3600 <= arrival(item) - item[0].time <= 4 * 3600


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan"), "half", True, None])
def test_share_is_checked(share: float) -> None:
    with pytest.raises(OptionError, match="from 0 to 1"):
        Late(share=share)


@pytest.mark.parametrize("patterns", ["*", [], [5], 5, None])
def test_event_types_are_checked(patterns: list[str]) -> None:
    with pytest.raises(OptionError, match="a list of names"):
        Late(share=1, event_types=patterns)
