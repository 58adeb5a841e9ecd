"""Load tests with Locust, in processes of their own."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from currents_export.receiver import Receiver, ScriptedResponse, listen
from currents_export.simulation import Scenario, World

pytestmark = pytest.mark.skipif(find_spec("locust") is None, reason="Locust is not installed")

START = 1_800_000_000
#: Seconds after which a run is killed.
PATIENCE = 120
SCENARIO = f"""
users = 40
seed = 5
start = {START}
until = "6h"
"""
LOCUSTFILE = """
from currents_export.locust import CurrentsUser

class Shop(CurrentsUser):
    scenario = "scenario.toml"
"""


@pytest.fixture
def expected() -> list[str]:
    """Return the ids of the events of the world that one process makes."""
    world = World(scenario=Scenario(users=40, seed=5, start=START, until="6h"))
    return sorted(each.id for each in world.events())


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def url(receiver: Receiver) -> Iterator[str]:
    with listen(receiver) as url:
        yield url


def run(
    directory: Path, *options: str, locustfile: str = LOCUSTFILE
) -> subprocess.CompletedProcess[str]:
    """Run Locust in a directory, and return how it ended."""
    directory.joinpath("locustfile.py").write_text(locustfile)
    directory.joinpath("scenario.toml").write_text(SCENARIO)
    command = [sys.executable, "-m", "locust", "--headless", "--only-summary", "--csv", "out"]
    return subprocess.run(
        [*command, *options],
        cwd=directory,
        timeout=PATIENCE,
        capture_output=True,
        text=True,
        check=False,
    )


def rows(directory: Path) -> dict[tuple[str, str], dict[str, str]]:
    """Return the rows of Locust's statistics by type and name."""
    with directory.joinpath("out_stats.csv").open(encoding="utf-8") as file:
        return {(each["Type"], each["Name"]): each for each in csv.DictReader(file)}


def ids(receiver: Receiver) -> list[str]:
    return sorted(each["id"] for each in receiver.events)


def test_two_processes_send_one_world(
    tmp_path: Path, url: str, receiver: Receiver, expected: list[str]
) -> None:
    ended = run(tmp_path, "--processes=2", "-u3", "-r10", "--host", url)
    assert ended.returncode == 0, ended.stderr
    assert ids(receiver) == expected
    found = rows(tmp_path)
    assert int(found["EVENT", "delivered"]["Request Count"]) == len(expected)
    counts = receiver.counts
    posted = [int(row["Request Count"]) for (kind, _), row in found.items() if kind == "POST"]
    assert sum(posted) == counts.requests == int(found["", "Aggregated"]["Request Count"])
    assert {name for kind, name in found if kind == "POST"} == set(counts.by_event_type)
    assert counts.errors == 0


def test_failures_are_those_of_locust(tmp_path: Path) -> None:
    receiver = Receiver(script=[ScriptedResponse(503, times=3)])
    with listen(receiver) as url:
        ended = run(tmp_path, "-u1", "--host", url)
    assert ended.returncode == 1, ended.stderr
    assert "503: scripted" in tmp_path.joinpath("out_failures.csv").read_text()
    assert int(rows(tmp_path)["", "Aggregated"]["Failure Count"]) == 3


def test_current_that_pauses(tmp_path: Path) -> None:
    receiver = Receiver(bearer_tokens=["right"])
    locustfile = f"{LOCUSTFILE}    patience = 1\n"
    with listen(receiver) as url:
        ended = run(tmp_path, "-u1", "-t5s", "--host", url, locustfile=locustfile)
    assert ended.returncode == 1, ended.stderr
    assert "401: the write key" in ended.stderr
    assert "still pending" in ended.stderr
    assert not receiver.events


def test_no_current(tmp_path: Path) -> None:
    ended = run(tmp_path, "-u1", "-t3s")
    assert ended.returncode != 0
    assert "set `current`, or give --host" in ended.stderr
