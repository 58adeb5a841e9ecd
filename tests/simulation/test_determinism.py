"""The same arguments give the same bytes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from currents_export.catalog import EventType
from currents_export.payload import encode_event
from currents_export.simulation import SAMPLE_TIME, World
from tests.support.traffic import NEWEST


def digest(world: World, count: int = 400) -> str:
    events = [
        *islice(world.events(start=SAMPLE_TIME), count),
        *map(world.sample, world.catalog),
        *(world.sample(name, canvas=True) for name in world.catalog),
        *map(world.placeholder, world.catalog),
    ]
    return hashlib.sha256(b"".join(map(encode_event, events))).hexdigest()


def test_same_arguments() -> None:
    assert digest(World(5, users=20)) == digest(World(5, users=20))
    assert digest(World(5, users=20)) != digest(World(6, users=20))


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_another_process(hash_seed: str) -> None:
    code = (
        "from tests.simulation.test_determinism import World, digest\n"
        "print(digest(World(5, users=20)))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": "Asia/Tokyo"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert out.stdout.strip() == digest(World(5, users=20))


def test_earlier_calls_change_nothing() -> None:
    fresh, used = World(3, users=30), World(3, users=30)
    list(islice(used.events(start=SAMPLE_TIME), 50))
    for name in reversed(list(used.catalog)):
        used.sample(name, time=5_000_000)
    for name in fresh.catalog:
        assert fresh.sample(name) == used.sample(name) == used.sample(NEWEST[name])


def test_streams_are_independent() -> None:
    world = World(2, users=10)
    expected = list(islice(world.events(start=SAMPLE_TIME), 60))
    one, two = world.events(start=SAMPLE_TIME), world.events(start=SAMPLE_TIME + 1)
    woven = [(next(one), next(two)) for _ in range(60)]
    assert [pair[0] for pair in woven] == expected
    ids = [event.id for pair in woven for event in pair]
    assert len(set(ids)) == len(ids)


def test_order_and_repetition_of_types() -> None:
    world = World(users=10)
    names = ["users.behaviors.Purchase", "users.messages.email.Send"]
    expected = list(islice(world.events(event_types=names, start=SAMPLE_TIME), 30))
    twice: list[EventType | str] = [*reversed(names), NEWEST[names[0]]]
    assert list(islice(world.events(event_types=twice, start=SAMPLE_TIME), 30)) == expected
