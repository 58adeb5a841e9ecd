"""`generate --workers`: several processes, the same bytes."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.processes import PATIENCE, Process, Start, ended
from tests.cli.support import run

FIXED = ("generate", "--seed", 7, "--start", "2026-03-02T09:00:00Z")
SMALL = (*FIXED, "--users", 40)
ENDLESS = (*SMALL, "--count", 10_000_000, "--workers", 2)
SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.mark.parametrize(
    "args",
    [
        (*SMALL, "--count", 700),
        (*SMALL, "--until", "2026-03-03", "--history", "clean", "--bodies"),
        (*SMALL, "--count", 30, "--user", 3, "--user", 6, "--event-type", "users.behaviors.*"),
        (*FIXED, "--count", 40, "--rate", 0.003, "--shard", "1/2", "--json"),
        (*SMALL, "--count", 200, "--pace", 1e6),
        ("generate", "--scenario", SAMPLES / "welcome-series.toml", "--count", 400),
    ],
)
def test_same_bytes(args: tuple[object, ...], tmp_path: Path) -> None:
    keys = [tmp_path / "one.jsonl", tmp_path / "more.jsonl"]
    one = run(*args, "--answer-key", keys[0])
    more = run(*args, "--answer-key", keys[1], "--workers", 2)
    assert (one.exit_code, more.exit_code) == (0, 0)
    assert one.stdout_bytes == more.stdout_bytes != b""
    assert one.stderr == more.stderr
    assert keys[0].read_bytes() == keys[1].read_bytes() != b""


def test_summary_of_a_file(tmp_path: Path) -> None:
    args = (*SMALL, "--count", 200, "--json", "--output", tmp_path / "events.jsonl")
    one = run(*args)
    assert run(*args, "--workers", 2).stdout == one.stdout
    assert json.loads(one.stdout)["events"] == 200


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--workers", 0), "--workers"),
        (("--workers", 2, "--samples"), "it excludes --workers"),
        (("--workers", 2, "--user", 1_000_000), "users has 1000000"),
    ],
)
def test_bad_values(args: tuple[object, ...], says: str) -> None:
    result = run("generate", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr


@pytest.fixture
def running(start: Start) -> Callable[[], tuple[Process, list[int]]]:
    """Return a function that starts an endless stream, and returns it with its workers."""

    def begin() -> tuple[Process, list[int]]:
        # What is read after the first line can begin, and end, in the middle of a character.
        process = start(*ENDLESS, start_new_session=True, errors="replace")
        assert process.stdout is not None
        process.stdout.readline()  # the workers are at work
        return process, _children_of(process.pid)

    return begin


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
class TestEnds:
    def test_killed_worker(self, running: Callable[[], tuple[Process, list[int]]]) -> None:
        process, workers = running()
        os.kill(workers[1], signal.SIGKILL)
        assert process.stdout is not None
        out = process.stdout.read()
        code, _, err = ended(process)
        assert (code, err) == (
            1,
            "error: worker 2 of 2 ended early (SIGKILL), so the remaining events are missing\n",
        )
        # What was written before is the beginning of the stream.
        lines = run(*SMALL, "--count", out.count("\n") + 1).stdout.splitlines()
        assert out.splitlines() == lines[1:]
        assert not any(map(_exists, workers))

    @pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
    def test_interrupt(
        self, by: signal.Signals, running: Callable[[], tuple[Process, list[int]]]
    ) -> None:
        process, workers = running()
        os.killpg(process.pid, by)  # as a terminal does
        code, _, err = ended(process)
        assert code in (130, -by)
        assert "error" not in err
        _wait_for_ends(workers)

    def test_closed_pipe(self, running: Callable[[], tuple[Process, list[int]]]) -> None:
        process, workers = running()
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.wait(PATIENCE)
        assert process.stderr.read() == ""
        assert not any(map(_exists, workers))

    def test_killed_parent(self, running: Callable[[], tuple[Process, list[int]]]) -> None:
        process, workers = running()
        process.kill()
        _wait_for_ends(workers)


def test_no_process_is_left() -> None:
    assert run(*SMALL, "--count", 30, "--workers", 2).exit_code == 0
    assert _children_of(os.getpid(), "serve()") == []


def _children_of(parent: int, command: str = "") -> list[int]:
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True
    )
    rows = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
    return sorted(int(row[0]) for row in rows if int(row[1]) == parent and command in row[2])


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _wait_for_ends(processes: list[int]) -> None:
    """Wait until processes that may be nobody's children have ended."""
    if not hasattr(os, "pidfd_open"):
        pytest.skip("only Linux can wait for them")
    for each in processes:
        try:
            descriptor = os.pidfd_open(each)
        except ProcessLookupError:
            continue
        try:
            assert select.select([descriptor], [], [], PATIENCE)[0]
        finally:
            os.close(descriptor)
