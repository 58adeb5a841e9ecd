"""A world and its traffic, shared by the tests of the simulation."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from currents_export.events import Event
from currents_export.simulation import SAMPLE_TIME, User, World
from currents_export.simulation.fields import Draft
from currents_export.simulation.workspace.make import make_workspace
from tests.support.tables import CopiedTables

#: How long the traffic lasts, in seconds.
MONTH = 30 * 86_400
#: How many events of each type the tests look at.
MOST = 150


@pytest.fixture(scope="session")
def world() -> World:
    return World(7, users=1_000)


@pytest.fixture(scope="session")
def month(world: World) -> list[Event]:
    """Return a month of traffic."""
    return list(world.events(start=SAMPLE_TIME, until=SAMPLE_TIME + MONTH))


@pytest.fixture(scope="session")
def mixed(month: list[Event]) -> list[Event]:
    """Return traffic of all types."""
    return month[:20_000]


@pytest.fixture(scope="session")
def traffic(month: list[Event]) -> list[Event]:
    """Return traffic of all types, in which none is rare."""
    seen: Counter[str] = Counter()
    chosen = []
    for number, event in enumerate(month):
        seen[event.event_type] += 1
        if number < 20_000 or seen[event.event_type] <= MOST:
            chosen.append(event)
    return chosen


@pytest.fixture(scope="session")
def owners(world: World) -> dict[str, User]:
    return {user.id: user for user in world.users}


@pytest.fixture
def tables(tmp_path: Path) -> CopiedTables:
    return CopiedTables(tmp_path)


@pytest.fixture
def draft(world: World) -> Draft:
    """Return a draft without a message."""
    rng = random.Random(1)
    return Draft(
        event_type=world.catalog["users.behaviors.CustomEvent"],
        names=frozenset(),
        workspace=make_workspace(1, None),
        random=rng.random,
        bits=rng.getrandbits,
        whole=False,
        canvas_side=False,
        time=SAMPLE_TIME,
        user=world.users[0],
    )
