"""The arguments of `World`, and their effects."""

from __future__ import annotations

import math
from itertools import islice
from typing import Any, Literal

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from currents_export.catalog import Catalog, check_event
from currents_export.errors import OptionError, UnknownNameError
from currents_export.events import Event
from currents_export.payload import encode_event
from currents_export.simulation import SAMPLE_TIME, World
from tests.support.planned import PlannedEvents
from tests.support.traffic import NEWEST, VERSIONS

OLDEST = Catalog.load(VERSIONS[0])
PURCHASE = "users.behaviors.Purchase"


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(-(2**70), 2**70),
    users=st.integers(1, 8),
    start=st.integers(10**9, 2**32 - 2**20),
    history=st.sampled_from(("running", "clean")),
)
def test_any_world_conforms(
    seed: int, users: int, start: int, history: Literal["running", "clean"]
) -> None:
    world = World(seed, users=users)
    events = world.events(start=start, until=start + 4 * 86_400, history=history)
    for event in islice(events, 60):
        assert start <= event.time < start + 4 * 86_400
        assert check_event(NEWEST, event) == []
        assert Event.from_dict(orjson.loads(encode_event(event))) == event
    for each in NEWEST.select("users.messages.*"):
        assert check_event(NEWEST, world.sample(each, time=start)) == []


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_conforms(version: int) -> None:
    catalog = Catalog.load(version)
    world = World(version, users=25, catalog=catalog)
    assert world.catalog is catalog
    planned = PlannedEvents(catalog, seed=version, users=25)
    for event in (
        *world.events(start=SAMPLE_TIME, until=SAMPLE_TIME + 3 * 86_400),
        *(event for name in catalog for event in planned.of(name, 25)),
    ):
        assert event.event_type in catalog
        assert check_event(catalog, event) == []


def test_version_and_users_change_nobody() -> None:
    small, large = World(4, users=10, catalog=OLDEST), World(4, users=60)
    assert list(large.users[:10]) == list(small.users)
    assert large.campaigns == small.campaigns
    assert large.canvases == small.canvases


def test_one_user_is_enough() -> None:
    world = World(users=1)
    assert len(list(islice(world.events(start=SAMPLE_TIME), 50))) == 50


def test_unknown_types() -> None:
    world = World(users=1, catalog=OLDEST)
    profile = NEWEST["users.profile.Update"]
    with pytest.raises(UnknownNameError, match="did you mean"):
        world.sample("users.messages.email.Opne")
    for make in (world.sample, world.placeholder):
        with pytest.raises(
            UnknownNameError, match=f"was introduced in schema version {profile.since}"
        ):
            make(profile.name)
        with pytest.raises(
            UnknownNameError, match=f"was introduced in schema version {profile.since}"
        ):
            make(profile)
    with pytest.raises(UnknownNameError):
        world.events(event_types=["users.messages.email.Opne"], start=SAMPLE_TIME)


@pytest.mark.parametrize(
    "options",
    [
        *({"users": value} for value in (0, -1, True, 1.5, "9")),
        *({"seed": value} for value in (1.0, "a", True)),
    ],
)
def test_bad_worlds(options: dict[str, Any]) -> None:
    (name,) = options
    with pytest.raises(OptionError, match=f"{name} is .* it must be a whole number"):
        World(**options)


@pytest.mark.parametrize("catalog", [5, "5", {}])
def test_bad_catalogs(catalog: Any) -> None:
    with pytest.raises(OptionError, match=r"it must be a Catalog, such as Catalog\.load"):
        World(users=1, catalog=catalog)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *(({"rate": rate}, "rate") for rate in (0, -1, math.nan, math.inf, True, "1")),
        *(({"start": start}, "start") for start in (0, -5, 1.5, 2**32, None, True)),
        ({"event_types": []}, "event_types is empty"),
        ({"event_types": PURCHASE}, "use a list"),
        ({"event_types": NEWEST[PURCHASE]}, "use a list"),
    ],
)
def test_bad_streams(options: dict[str, Any], message: str) -> None:
    """They are refused when `events` is called, not at the first event."""
    with pytest.raises(OptionError, match=message):
        World(users=1).events(**{"start": SAMPLE_TIME, **options})


@pytest.mark.parametrize("time", [0, -1, 2**32, 1.0, True])
def test_bad_sample_times(time: Any) -> None:
    world = World(users=1)
    for make in (world.sample, world.placeholder):
        with pytest.raises(OptionError, match=r"time is .* from 1 to 4294967295"):
            make(PURCHASE, time=time)


def test_repr() -> None:
    world = World(8, users=2, catalog=OLDEST)
    assert repr(world) == "World(8, users=2, catalog=Catalog.load(1))"
