"""Events made in several processes, where something goes wrong in one of them."""

from __future__ import annotations

import pickle
import shutil
import sys
from pathlib import Path

import pytest

from currents_export.catalog import Catalog
from currents_export.cli._workers import WorkerError, batches_of
from currents_export.errors import OptionError
from currents_export.events import Event
from currents_export.simulation import World, load_scenario
from tests.support.tables import CopiedTables

START = 1_772_442_000
SAMPLES = Path(__file__).parents[2] / "samples"


def test_world_in_another_process() -> None:
    scenario = load_scenario(SAMPLES / "welcome-series.toml")
    world = World(3, users=20, catalog=Catalog.load(7), scenario=scenario)
    again = pickle.loads(pickle.dumps(world))
    assert repr(again) == repr(world)
    assert again.scenario == scenario
    events = again.events(start=START, until=START + 86_400)
    assert [*events] == [*world.events(start=START, until=START + 86_400)] != []


def test_worker_cannot_make_the_world(tmp_path: Path) -> None:
    tables = CopiedTables(tmp_path)
    world = World(3, users=20, catalog=Catalog.load(directory=tables.directory))
    shutil.rmtree(tables.directory)
    with pytest.raises(WorkerError, match=r"worker 1 of 2: .*"):
        list(batches_of(world, 2, start=START, until=START + 3600))


def test_worker_cannot_be_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    with pytest.raises(WorkerError, match="worker 1 of 2 cannot be started: No such file"):
        list(batches_of(World(3, users=20), 2, start=START))


def test_refused_before_a_process_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/none")
    with pytest.raises(OptionError, match="start is 0"):
        batches_of(World(3, users=20), 2, start=0)


def test_shards_merge_by_place() -> None:
    """With disturbances, too, which let events arrive later than they happen."""
    scenario = load_scenario(SAMPLES / "small-shop.toml")
    world = World(scenario=scenario, users=30)
    placed: list[tuple[tuple[int, int, int], int, Event]] = []
    for number in range(3):
        places: list[tuple[int, int, int]] = []
        part = world.events(
            start=START, until=START + 5 * 86_400, shard=(number, 3), place=places.append
        )
        events = [*part]
        assert places == sorted(places)
        placed += zip(places, range(len(events)), events, strict=True)
    placed.sort(key=lambda each: each[:2])
    whole = [*world.events(start=START, until=START + 5 * 86_400)]
    assert [event for *_, event in placed] == whole
    assert any(arrival > happened for (arrival, happened, _), *_ in placed)


def test_batches_begin_when_the_first_events_are_made() -> None:
    """A reader need not wait for the end of an endless stream."""
    batches = batches_of(World(3, users=20), 2, start=START)
    first = next(batches)
    assert 0 < len(first.lines) < 100
    batches.close()
