"""Events that are made as JSON are the events of the world."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from currents_export import Catalog
from currents_export.payload import encode_event
from currents_export.simulation import SAMPLE_TIME, Duplicate, Late, World
from tests.support.traffic import NEWEST, VERSIONS

WEEK = 7 * 86_400


def _both(world: World, **options: Any) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Yield the type, the JSON and the place of each event, as made at once and as encoded."""
    places: list[tuple[int, int, int]] = []
    events = world.events(place=places.append, **options)
    encoded = world.encoded_events(**options)
    for one, event in zip(encoded, events, strict=True):
        yield one, (event.event_type, encode_event(event), places.pop())


def test_json_is_that_of_the_events() -> None:
    seen = set()
    for one, other in _both(World(4, users=120), start=SAMPLE_TIME, until=SAMPLE_TIME + 2 * WEEK):
        assert one == other
        seen.add(one[0])
    assert len(seen) > 0.6 * len(NEWEST)


@pytest.mark.parametrize("version", VERSIONS)
def test_json_of_each_version(version: int) -> None:
    world = World(5, users=40, catalog=Catalog.load(version))
    for one, other in _both(world, start=SAMPLE_TIME, until=SAMPLE_TIME + WEEK // 2):
        assert one == other


@pytest.mark.parametrize(
    "options",
    [
        {"users": range(20, 40)},
        {"shard": (1, 3)},
        {"event_types": ["users.messages.email.*"]},
        {"history": "clean"},
        {"disturbances": [Duplicate(share=0.2), Late(share=0.2)]},
        {"pace": 1e9},
        {"key": lambda _: None},
    ],
)
def test_arguments_are_those_of_events(options: dict[str, Any]) -> None:
    for one, other in _both(
        World(6, users=40), start=SAMPLE_TIME, until=SAMPLE_TIME + WEEK, **options
    ):
        assert one == other


def test_more_users_than_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The JSON of users and devices is made again when it was forgotten."""
    monkeypatch.setattr("currents_export.simulation._readers._KEPT", 7)
    options: dict[str, Any] = {"start": SAMPLE_TIME, "until": SAMPLE_TIME + WEEK}
    few = list(World(7, users=80).encoded_events(**options))
    monkeypatch.undo()
    assert few == list(World(7, users=80).encoded_events(**options))


def test_streams_of_a_world_are_independent() -> None:
    """They share what is kept as JSON."""
    world = World(8, users=60)
    single = list(islice(world.encoded_events(start=SAMPLE_TIME), 300))
    first, second = (world.encoded_events(start=SAMPLE_TIME) for _ in range(2))
    both = [next(each) for _ in range(300) for each in (first, second)]
    assert both[::2] == both[1::2] == single
