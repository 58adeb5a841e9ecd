"""The rules of traffic, in a stream in which each has cases, and in any world."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from currents_export.simulation import SAMPLE_TIME, KeyRecord, World
from tests.support.rules import DAY, RULES, Lived, orphans

LONG = bool(os.environ.get("CURRENTS_EXPORT_LONG"))


def live(world: World, **window: Any) -> Lived:
    key: list[KeyRecord] = []
    return Lived(world, list(world.events(key=key.append, **window)), key)


@pytest.fixture(scope="module")
def lived() -> Lived:
    return live(World(41, users=600), start=SAMPLE_TIME, until=SAMPLE_TIME + 21 * DAY)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule(lived: Lived, rule: Callable[[Lived], int]) -> None:
    assert rule(lived) > 0, "the rule met no case"


def test_orphans_become_known() -> None:
    """Nobody is merged into another anonymous profile."""
    world = World(42, users=8_000)
    anonymous = [number for number, user in enumerate(world.users) if user.external_id is None]
    merged = live(
        world,
        start=SAMPLE_TIME,
        until=SAMPLE_TIME + 30 * DAY,
        users=anonymous,
        event_types=["users.UserOrphan"],
    )
    assert orphans(merged) > 50


@settings(max_examples=150 if LONG else 6, deadline=None)
@given(
    st.integers(0, 2**40),
    st.integers(1, 200 if LONG else 30),
    st.integers(SAMPLE_TIME, SAMPLE_TIME + 370 * DAY),
    st.integers(1, (40 if LONG else 6) * DAY),
    st.sampled_from(("running", "clean")),
)
def test_any_world(seed: int, users: int, start: int, length: int, history: str) -> None:
    lived = live(World(seed, users=users), start=start, until=start + length, history=history)
    for rule in RULES:
        rule(lived)
