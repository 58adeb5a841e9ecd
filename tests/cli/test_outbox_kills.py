"""`send --outbox` is cut off at random moments and repeated: everything arrives.

`CURRENTS_EXPORT_LONG=1` cuts it off 50 times, in a file of 50,000 events.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from currents_export.events import Event
from tests.cli.processes import COMMAND, PATIENCE, Process, Start
from tests.support.counting import Arrivals, counting_server
from tests.support.events import CLICK, OPEN, SEND, event
from tests.support.servers import closed_port

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

LONG = bool(os.environ.get("CURRENTS_EXPORT_LONG"))
MOMENTS = 50 if LONG else 3
COUNT = 50_000 if LONG else 3_000
#: The most events in flight: two requests with 100 each.
IN_FLIGHT = 200


def make_file(file: Callable[..., Path]) -> tuple[Path, set[str]]:
    types = (OPEN, CLICK, SEND)
    events: list[Event] = [event(number, types[number % 3]) for number in range(COUNT)]
    return file("events.jsonl", events), {each.id for each in events}


def report_of(path: Path) -> dict[str, object]:
    shown = subprocess.run(
        [*COMMAND, "outbox", str(path), "--json"], check=True, capture_output=True, timeout=PATIENCE
    )
    report: dict[str, object] = json.loads(shown.stdout)
    return report


def cut_off(process: Process, by: signal.Signals, so_far: Callable[[], int]) -> bool:
    """Send the signal after a random number of further events; return whether it was in time."""
    wanted = so_far() + random.randint(0, COUNT // (MOMENTS * 2))
    pause = random.choice((0.0, random.uniform(0.0, 0.02)))
    until = time.monotonic() + PATIENCE
    while so_far() < wanted and process.poll() is None and time.monotonic() < until:
        time.sleep(0.001)
    time.sleep(pause)
    in_time = process.poll() is None
    process.send_signal(by)
    process.communicate(timeout=PATIENCE)
    return in_time


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM])
def test_sender_is_cut_off(
    by: signal.Signals,
    start: Start,
    file: Callable[..., Path],
    current: Callable[..., Path],
    tmp_path: Path,
) -> None:
    path, ids = make_file(file)
    outbox = tmp_path / "events.db"
    with counting_server(0.005) as (url, arrivals):
        args = ("send", path, "--current", current(url), "--outbox", outbox)
        cuts = sum(cut_off(start(*args), by, lambda: arrivals.total) for _ in range(MOMENTS))
        ending = start(*args)
        _, errors = ending.communicate(timeout=PATIENCE * (10 if LONG else 1))
    assert ending.returncode == 0, errors
    check(arrivals, ids, outbox, cuts)


def check(arrivals: Arrivals, ids: set[str], outbox: Path, cuts: int) -> None:
    assert cuts
    assert arrivals.ids.keys() == ids
    assert arrivals.again <= cuts * IN_FLIGHT
    report = report_of(outbox)
    assert (report["pending"], report["drop_reasons"]) == (0, {})
    by_type = report["by_event_type"]
    assert isinstance(by_type, dict)
    # None was accepted twice.
    assert sum(each["accepted"] for each in by_type.values()) == len(ids)
    assert sum(each["delivered"] for each in by_type.values()) == len(ids)


def test_both_are_killed(
    start: Start, file: Callable[..., Path], current: Callable[..., Path], tmp_path: Path
) -> None:
    path, ids = make_file(file)
    outbox, capture, port = tmp_path / "events.db", tmp_path / "capture.jsonl", closed_port()
    capture.touch()
    args = ("send", path, "--outbox", outbox, "--give-up-after", 0, "--current")
    sending = (*args, current(f"http://127.0.0.1:{port}"))

    def serve() -> Process:
        return start("serve", "--port", port, "--capture", capture)

    def so_far() -> int:
        return capture.stat().st_size // 300  # about as many events

    receiver, cuts = serve(), 0
    for number in range(MOMENTS):
        process = start(*sending)
        if number % 2 == 0:
            wanted = so_far() + random.randint(1, COUNT // (MOMENTS * 4))
            until = time.monotonic() + PATIENCE
            while so_far() < wanted and process.poll() is None and time.monotonic() < until:
                time.sleep(0.001)
            receiver.kill()
            receiver.communicate()
            receiver = serve()
            cuts += 1
        cuts += cut_off(process, signal.SIGKILL, so_far)
    process = start(*sending)
    _, errors = process.communicate(timeout=PATIENCE * (20 if LONG else 2))
    assert process.returncode == 0, errors
    receiver.terminate()
    receiver.communicate(timeout=PATIENCE)
    arrivals = Arrivals()
    for line in capture.read_bytes().splitlines():
        with contextlib.suppress(ValueError):  # cut off by the kill
            arrivals.ids[json.loads(line)["id"]] += 1
    arrivals.total = Counter(arrivals.ids).total()
    check(arrivals, ids, outbox, cuts)
