"""What holds for every journey with every outcome."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from currents_export.catalog import Catalog, check_event
from currents_export.coherence import check_stream
from currents_export.errors import OptionError
from currents_export.events import Event
from currents_export.payload import encode_event
from currents_export.simulation import SAMPLE_TIME, World
from currents_export.simulation.journeys import DELAYS, RATES, STEPS
from currents_export.simulation.stories import STORIES
from tests.support.traffic import NEWEST, VERSIONS

ALL = [(story.name, outcome) for story in STORIES.values() for outcome in story.outcomes]


def conforms(events: list[Event], catalog: Catalog = NEWEST) -> bool:
    return not [finding for event in events for finding in check_event(catalog, event)]


def coheres(events: list[Event]) -> bool:
    return not [*check_stream(events), *check_stream(events, whole=True)]


@pytest.mark.parametrize(("name", "outcome"), ALL)
def test_every_outcome(name: str, outcome: str, storyteller: World) -> None:
    events = storyteller.journey(name, outcome=outcome)
    assert events
    assert conforms(events)
    assert coheres(events)
    assert len({event.id for event in events}) == len(events)
    times = [event.time for event in events]
    assert times == sorted(times)
    assert times[0] >= SAMPLE_TIME
    people = {event.user["user_id"] for event in events if "user_id" in event.user}
    assert len(people) == (2 if (name, outcome) == ("token-moves", "moved") else 1)


@settings(max_examples=60, deadline=None)
@given(
    which=st.sampled_from(ALL),
    seed=st.integers(0, 3),
    user=st.integers(0, 59),
    start=st.integers(10**9, 2**32 - 2**24),
)
def test_any_user_and_time(which: tuple[str, str], seed: int, user: int, start: int) -> None:
    name, outcome = which
    world = World(seed, users=60)
    events = world.journey(name, outcome=outcome, start=start)
    with suppress(OptionError):
        events = world.journey(name, outcome=outcome, user=user, start=start)
    assert conforms(events)
    assert coheres(events)


@pytest.mark.parametrize("version", VERSIONS[::4])
def test_other_schema_versions(version: int) -> None:
    catalog = Catalog.load(version)
    world = World(2, users=80, catalog=catalog)
    for story in STORIES:
        with suppress(OptionError):
            assert conforms(world.journey(story), catalog)


def test_same_arguments_same_events(storyteller: World) -> None:
    again = World(11, users=300)
    for name, outcome in ALL:
        assert [encode_event(each) for each in again.journey(name, outcome=outcome)] == [
            encode_event(each) for each in storyteller.journey(name, outcome=outcome)
        ]


def test_ids_differ(storyteller: World) -> None:
    tellings = [
        storyteller.journey("newsletter"),
        storyteller.journey("newsletter", outcome="opened"),
        storyteller.journey("newsletter", start=SAMPLE_TIME + 1),
        storyteller.journey("newsletter", user=5),
        World(12, users=300).journey("newsletter"),
    ]
    ids = [event.id for events in tellings for event in events]
    assert len(set(ids)) == len(ids)


def test_quick(storyteller: World) -> None:
    """So quick that it can be used interactively; the first journey makes people and plans."""
    storyteller.journey("abandoned-cart")
    began = time.process_time()
    for start in range(SAMPLE_TIME, SAMPLE_TIME + 5):
        storyteller.journey("abandoned-cart", start=start)
    assert (time.process_time() - began) / 5 < 0.05


def test_names_of_chances_and_steps() -> None:
    for story in STORIES.values():
        for outcome in story.outcomes.values():
            assert outcome.forced.keys() <= RATES.keys()
            assert outcome.delays.keys() <= DELAYS.keys()
            assert {what for what, _ in outcome.steps} <= STEPS.keys()
            assert outcome.description.endswith(".")


def test_each_chance_is_used() -> None:
    """A step that no journey takes, or an ending that none has, would be dead data."""
    steps = {
        what
        for story in STORIES.values()
        for outcome in story.outcomes.values()
        for what, _ in outcome.steps
    }
    assert steps == set(STEPS)
