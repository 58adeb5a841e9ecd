"""A world and its traffic, shared by the tests of the simulation."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

import pytest

from currents_export.events import Event
from currents_export.simulation import SAMPLE_TIME, User, World
from currents_export.simulation.fields import Draft
from currents_export.simulation.workspace.make import make_workspace
from tests.support.tables import CopiedTables


@pytest.fixture(scope="session")
def world() -> World:
    return World(7, users=300)


@pytest.fixture(scope="session")
def mixed(world: World) -> list[Event]:
    """Return traffic of all types."""
    return list(islice(world.events(start=SAMPLE_TIME), 20_000))


@pytest.fixture(scope="session")
def traffic(world: World, mixed: list[Event]) -> list[Event]:
    """Return traffic of all types, followed by some events of every type."""
    return mixed + [
        event
        for name in world.catalog
        for event in islice(world.events(event_types=[name], start=SAMPLE_TIME, rate=0.01), 120)
    ]


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
