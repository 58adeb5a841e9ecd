"""What must hold for every scenario: parts make up the whole, whatever happens on the way.

`CURRENTS_EXPORT_LONG=1` tries many more.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from currents_export import check_stream
from currents_export.catalog import check_event
from currents_export.payload import encode_event
from currents_export.simulation import (
    CampaignSchedule,
    DeclaredCampaign,
    DeclaredCanvas,
    DeclaredStep,
    FrequencyCap,
    Goal,
    KeyRecord,
    QuietHours,
    Scenario,
    StepPath,
    World,
)
from tests.support.keyed import any_disturbances
from tests.support.scenarios import DAY, MONDAY

few = settings(max_examples=150 if os.environ.get("CURRENTS_EXPORT_LONG") else 5, deadline=None)
channels = st.sampled_from(["email", "pushnotification", "sms", "webhook", "contentcard"])
goals = st.lists(
    st.builds(Goal, behavior=st.sampled_from(["purchase", "session_start", "custom:Trial"])),
    max_size=2,
)
common: dict[str, Any] = {
    "share": st.sampled_from([0.4, 1.0]),
    "control": st.sampled_from([0.0, 0.3]),
    "variations": st.sampled_from([["A"], ["A", "B"]]),
    "goals": goals,
    "frequency_cap": st.none() | st.builds(FrequencyCap, messages=st.integers(1, 3)),
    "quiet_hours": st.none() | st.just(QuietHours(start="20:00", end="09:00")),
}
schedules = st.builds(
    CampaignSchedule, once=st.integers(0, 2 * DAY), zone=st.sampled_from(["local", "UTC"])
) | st.builds(CampaignSchedule, at=st.integers(0, DAY - 1))
actions = st.sampled_from(["session_start", "purchase", "first_session", "custom:Trial"])
campaigns = st.builds(
    DeclaredCampaign, name=st.just("One"), channel=channels, schedule=schedules, **common
) | st.builds(
    DeclaredCampaign,
    name=st.just("Two"),
    channel=channels,
    entry=actions,
    delay=st.integers(0, 7200),
    **common,
)
messages = st.builds(
    DeclaredStep, name=st.just("Message"), channel=channels, delay=st.integers(0, 7200)
)
splits = st.builds(
    DeclaredStep,
    name=st.just("Split"),
    kind=st.sampled_from(["experiment", "decision", "audience"]),
    paths=st.sampled_from([(), (StepPath(name="On"), StepPath(name="Out", next="end"))]),
)
canvases = st.builds(
    DeclaredCanvas,
    name=st.just("Canvas"),
    entry=actions,
    exit=st.sampled_from(["purchase", ()]),
    steps=st.lists(messages | splits, min_size=1, max_size=4),
    **common,
)
scenarios = st.builds(
    Scenario,
    users=st.integers(5, 25),
    seed=st.integers(0, 2**32),
    start=st.just(MONDAY),
    until=st.integers(DAY // 2, 3 * DAY),
    history=st.sampled_from(["running", "clean"]),
    mix=st.sampled_from(["random", "stratified"]),
    journeys=st.sampled_from([None, ("shopping",), ("canvases", "agent")]),
    campaigns=campaigns.map(lambda each: (each,)) | st.just(()),
    canvases=canvases.map(lambda each: (each,)) | st.just(()),
)
disturbed = st.builds(
    lambda scenario, disturbances: (World(scenario=scenario), tuple(disturbances)),
    scenarios,
    any_disturbances,
)

Line = tuple[bytes, bytes]


def lines_of(world: World, disturbances: Any, **choice: Any) -> list[Line]:
    """Return what arrives from a world, with its answer key."""
    key: list[KeyRecord] = []
    stream = world.events(key=key.append, disturbances=disturbances, **choice)
    return [(encode_event(event), key[-1].to_json()) for event in stream]


@few
@given(scenarios)
def test_everything_conforms_and_is_coherent(scenario: Scenario) -> None:
    world = World(scenario=scenario)
    events = list(world.events())
    for event in events:
        assert check_event(world.catalog, event.to_dict()) == []
    assert list(check_stream(events, whole=scenario.history == "clean")) == []


@few
@given(disturbed, st.integers(1, 4))
def test_shards_are_the_whole(made: tuple[World, Any], count: int) -> None:
    world, disturbances = made
    whole = lines_of(world, disturbances)
    parts = [lines_of(world, disturbances, shard=(number, count)) for number in range(count)]
    assert sorted(line for part in parts for line in part) == sorted(whole)
    for part in parts:
        chosen = set(part)
        assert part == [line for line in whole if line in chosen]


@few
@given(disturbed)
def test_filter_is_a_part(made: tuple[World, Any]) -> None:
    world, disturbances = made
    names = {each.name for each in world.catalog.select("users.messages.*", "users.canvas.*")}
    types = ["users.messages.*", "users.canvas.*"]
    part = lines_of(world, disturbances, event_types=types)
    assert set(part) <= set(lines_of(world, disturbances))
    plain = list(world.events(disturbances=()))
    assert {event.id for event in plain if event.event_type in names} == {
        event.id for event in world.events(disturbances=disturbances, event_types=types)
    }


@few
@given(disturbed)
def test_disturbances_keep_the_ids(made: tuple[World, Any]) -> None:
    world, disturbances = made
    plain = [event.id for event in world.events(disturbances=())]
    assert len(plain) == len(set(plain))
    assert {event.id for event in world.events(disturbances=disturbances)} == set(plain)


@few
@given(scenarios, st.integers(1, DAY))
def test_later_end_keeps_the_beginning(scenario: Scenario, more: int) -> None:
    world = World(scenario=scenario)
    events = list(world.events())
    end = scenario.end(MONDAY)
    assert isinstance(end, int)
    assert list(world.events(until=end + more))[: len(events)] == events
