"""Scenario files, and loading them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from currents_export.catalog import Catalog
from currents_export.errors import ScenarioError
from currents_export.events import Event
from currents_export.simulation import World
from currents_export.simulation.scenario import Scenario, load_scenario


def load(path: Path, catalog: Catalog | None = None) -> Scenario:
    """Load a scenario file."""
    return load_scenario(path, catalog=catalog)


def scenario(directory: Path, text: str, catalog: Catalog | None = None) -> Scenario:
    """Load a scenario from text."""
    path = directory / "scenario.toml"
    path.write_text(text, "utf-8")
    return load(path, catalog)


def problems_of(directory: Path, text: str) -> list[str]:
    """Return the problems that the message about a scenario lists, each with its line."""
    with pytest.raises(ScenarioError) as caught:
        scenario(directory, text)
    head, *lines = str(caught.value).splitlines()
    noun = "problem" if len(lines) == 1 else "problems"
    assert head == f"{directory / 'scenario.toml'}: the scenario has {len(lines)} {noun}:"
    assert len(caught.value.problems) == len(lines)
    return [line.removeprefix("  - ") for line in lines]


#: When the streams of these tests begin: Monday, 2 March 2026, 00:00 UTC.
MONDAY = 1_772_409_600
HOUR, DAY = 3600, 86_400


def world_of(*, users: int = 60, seed: int = 3, **settings: Any) -> World:
    """Return a world in which only sessions, shopping and what is declared happen."""
    defaults: dict[str, Any] = {"start": MONDAY, "until": "4d", "journeys": ["shopping"]}
    return World(scenario=Scenario(users=users, seed=seed, **{**defaults, **settings}))


def events_of(**settings: Any) -> list[Event]:
    """Return the events of such a world."""
    return list(world_of(**settings).events())


def local_clock(event: Event, world: World) -> int:
    """Return the time of the event on its user's clock, in seconds since 1970 there."""
    (user,) = (each for each in world.users if each.id == event.user["user_id"])
    zone = ZoneInfo(user.place.timezone)
    offset = datetime.fromtimestamp(event.time, zone).utcoffset()
    assert offset is not None
    return event.time + int(offset.total_seconds())
