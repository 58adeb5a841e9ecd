"""What must hold for every world: parts make up the whole, and arguments only choose from it.

`CURRENTS_EXPORT_LONG=1` tries many more worlds, and larger ones.
"""

from __future__ import annotations

import heapq
import os
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from currents_export.catalog import check_event
from currents_export.coherence import check_stream
from currents_export.events import Event
from currents_export.payload import encode_event
from currents_export.simulation import SAMPLE_TIME, KeyRecord, World

LONG = bool(os.environ.get("CURRENTS_EXPORT_LONG"))
DAY = 86_400
#: An event and its entry in the answer key, both as bytes.
Line = tuple[bytes, bytes]

seeds = st.integers(0, 2**40)
sizes = st.integers(1, 300 if LONG else 25)
starts = st.integers(SAMPLE_TIME, SAMPLE_TIME + 370 * DAY)
lengths = st.integers(1, (30 if LONG else 3) * DAY)
histories = st.sampled_from(("running", "clean"))
globs = st.lists(
    st.sampled_from(
        (
            "users.messages.email.*",
            "users.messages.*.Open",
            "users.behaviors.*",
            "users.canvas.*",
            "users.campaigns.Conversion",
            "agent_console",
            "*.Send",
            "users.behaviors.Purchase",
        )
    ),
    min_size=1,
    unique=True,
)
few = settings(max_examples=150 if LONG else 8, deadline=None)


@cache
def world_of(seed: int, users: int) -> World:
    return World(seed, users=users)


def lines_of(world: World, **choice: Any) -> list[Line]:
    """Return what a world makes, with its answer key."""
    key: list[KeyRecord] = []
    return [
        (encode_event(event), key[-1].to_json()) for event in world.events(key=key.append, **choice)
    ]


def _window(start: int, length: int, history: str) -> dict[str, Any]:
    return {"start": start, "until": start + length, "history": history}


windows = st.builds(_window, starts, lengths, histories)


@few
@given(seeds, sizes, windows, st.integers(1, 6))
def test_shards_make_up_the_whole(
    seed: int, users: int, window: dict[str, Any], count: int
) -> None:
    """Merged by time and person, the parts are the whole, byte for byte."""
    world = world_of(seed, users)
    whole = lines_of(world, **window)
    assert sorted(whole) == sorted(
        line for part in range(count) for line in lines_of(world, **window, shard=(part, count))
    )
    parts = [
        [(event.time, event.id) for event in world.events(**window, shard=(part, count))]
        for part in range(count)
    ]
    times = [time for time, _ in heapq.merge(*parts)]
    assert times == [event.time for event in world.events(**window)]


@few
@given(seeds, sizes, windows, globs)
def test_filter_is_a_subset(
    seed: int, users: int, window: dict[str, Any], chosen: list[str]
) -> None:
    world = world_of(seed, users)
    names = {each.name for each in world.catalog.select(*chosen)}
    key: list[KeyRecord] = []
    whole = [(event, key[-1].to_json()) for event in world.events(**window, key=key.append)]
    kept = [(encode_event(event), line) for event, line in whole if event.event_type in names]
    assert lines_of(world, **window, event_types=chosen) == kept


@few
@given(seeds, sizes, windows, lengths)
def test_later_end_keeps_the_beginning(
    seed: int, users: int, window: dict[str, Any], more: int
) -> None:
    world = world_of(seed, users)
    before = lines_of(world, **window)
    after = lines_of(world, **{**window, "until": window["until"] + more})
    assert after[: len(before)] == before
    later = [event.time for event in world.events(**{**window, "until": window["until"] + more})]
    assert all(time >= window["until"] for time in later[len(before) :])


@few
@given(seeds, st.integers(2, 40), windows, st.data())
def test_users_get_their_part(
    seed: int, users: int, window: dict[str, Any], data: st.DataObject
) -> None:
    world = world_of(seed, users)
    chosen = data.draw(st.sets(st.integers(0, users - 1), min_size=1))
    theirs = lines_of(world, **window, users=chosen)
    rest = lines_of(world, **window, users=set(range(users)) - chosen)
    whole = lines_of(world, **window)
    assert sorted(theirs + rest) == sorted(whole)
    mine = set(theirs)
    assert theirs == [line for line in whole if line in mine]


@few
@given(seeds, st.integers(1, 30), windows, st.integers(1, 30))
def test_more_users_change_none(seed: int, users: int, window: dict[str, Any], more: int) -> None:
    fewer = lines_of(world_of(seed, users), **window)
    larger = world_of(seed, users + more)
    assert lines_of(larger, **window, users=range(users)) == fewer
    there = set(fewer)
    assert [line for line in lines_of(larger, **window) if line in there] == fewer


@few
@given(seeds, st.integers(1, 20), starts, st.integers(1, 3_600))
def test_pace_changes_no_event(seed: int, users: int, start: int, length: int) -> None:
    world = world_of(seed, users)
    window = {"start": start, "until": start + length}
    assert lines_of(world, **window, pace=1e9) == lines_of(world, **window)


@few
@given(seeds, sizes, windows)
def test_every_event_is_sound(seed: int, users: int, window: dict[str, Any]) -> None:
    """The events conform, hang together, come in order, and have their place in the answer key."""
    world = world_of(seed, users)
    key: list[KeyRecord] = []
    events = list(world.events(**window, key=key.append))
    assert [finding for event in events for finding in check_event(world.catalog, event)] == []
    whole = window["history"] == "clean"
    assert list(check_stream(events, whole=whole)) == []
    assert [event.time for event in events] == sorted(event.time for event in events)
    assert all(window["start"] <= event.time < window["until"] for event in events)
    _check_key(events, key)
    if whole:
        assert not any(record.before_start for record in key)


def _check_key(events: list[Event], key: list[KeyRecord]) -> None:
    """Check that each cause is an earlier event of the stream, or happened before it."""
    assert [(record.id, record.event_type) for record in key] == [
        (event.id, event.event_type) for event in events
    ]
    seen: set[str] = set()
    for event, record in zip(events, key, strict=True):
        assert event.id not in seen
        if record.cause is None:
            assert not record.before_start
        else:
            assert (record.cause in seen) != record.before_start
        assert record.campaign == event.properties.get("campaign_id", record.campaign)
        assert record.canvas == event.properties.get("canvas_id", record.canvas)
        assert record.step == event.properties.get("canvas_step_id", record.step)
        seen.add(event.id)
