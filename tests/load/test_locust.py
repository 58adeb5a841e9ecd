"""Load tests with Locust, in processes of their own."""

from __future__ import annotations

import csv
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from currents_export.receiver import Receiver, ScriptedResponse, listen
from currents_export.simulation import Scenario, World
from currents_export.testing import CurrentsReceiver

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
        ended = run(tmp_path, "-u1", "-t3s", "--host", url, locustfile=locustfile)
    assert ended.returncode == 1, ended.stderr
    assert "401: the write key" in ended.stderr
    assert "still pending" in ended.stderr
    assert not receiver.events


def test_only_what_the_current_selects(tmp_path: Path) -> None:
    receiver = Receiver(bearer_tokens=["right"])
    with listen(receiver) as url:
        tmp_path.joinpath("current.toml").write_text(
            f"""
            integration_name = "Shop"
            contact_email = "qa@example.com"
            endpoint = "{url}"
            bearer_token = "right"
            event_types = ["*.SessionStart", "*.Purchase"]
            include_anonymous = true
            """
        )
        scenario = f'Scenario(users=40, start={START}, until="6h", event_types=("*.app.*",))'
        locustfile = f"""
from currents_export.locust import CurrentsUser
from currents_export.simulation import Scenario

class Shop(CurrentsUser):
    current = "current.toml"
    scenario = {scenario}
"""
        ended = run(tmp_path, "-u1", locustfile=locustfile)
    assert ended.returncode == 0, ended.stderr
    assert set(receiver.counts.by_event_type) == {"users.behaviors.app.SessionStart"}


def test_no_current(tmp_path: Path) -> None:
    ended = run(tmp_path, "-u1", "-t2s")
    assert ended.returncode != 0
    assert "set `current`, or give --host" in ended.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a worker is stopped with a signal")
def test_workers_come_and_go(tmp_path: Path, expected: list[str]) -> None:
    tmp_path.joinpath("scenario.toml").write_text(SCENARIO)
    # The world takes about seven seconds, so that it is not over before the workers change.
    tmp_path.joinpath("locustfile.py").write_text(f"{LOCUSTFILE}    pace = 3_000\n")
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = str(reserved.getsockname()[1])

    def start(*options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "locust", *options]
        output = tmp_path.joinpath("output.txt").open("ab")
        with output:
            return subprocess.Popen(command, cwd=tmp_path, stdout=output, stderr=output)

    with CurrentsReceiver() as receiver:
        common = ("--headless", "-u4", "-r10", "--expect-workers=2", "--enable-rebalancing")
        processes = [
            start("--master", f"--master-bind-port={port}", "--host", receiver.url, *common)
        ]
        worker = ("--worker", f"--master-port={port}")
        try:
            processes += [start(*worker), start(*worker)]
            receiver.wait_for(len(expected) // 4, timeout=PATIENCE)
            processes[1].terminate()
            processes.append(start(*worker))
            assert processes[0].wait(PATIENCE) == 0, tmp_path.joinpath("output.txt").read_text()
        finally:
            for each in processes:
                each.kill()
                each.wait()
        # What a worker did not report in time is sent again.
        assert sorted({each.id for each in receiver.events}) == expected
