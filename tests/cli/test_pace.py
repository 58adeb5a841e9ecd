"""`send` at a rate, and as recorded."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from currents_export.events import Event
from currents_export.receiver import Receiver, listen
from tests.cli.processes import Start, ended
from tests.cli.support import ids_in, run
from tests.support.events import event, make_events


def spread(count: int, seconds: int) -> list[Event]:
    """Make events so many seconds apart."""
    return [attrs.evolve(event(n), time=1_750_000_000 + n * seconds) for n in range(count)]


def test_rate(file: Callable[..., Path], current: Callable[..., Path]) -> None:
    path = file("events.jsonl", make_events(30))
    with listen(Receiver()) as url:
        args = ("send", path, "--current", current(url), "--json")
        result = run(*args, "--rate", 50, "--batch-size", 5)
    report = json.loads(result.stdout)
    assert (result.exit_code, report["delivered"], report["requests"]) == (0, 30, 6)
    assert report["duration_s"] >= 0.35


def test_as_recorded(file: Callable[..., Path], current: Callable[..., Path]) -> None:
    path = file("events.jsonl", spread(4, 60))
    with listen(Receiver()) as url:
        args = ("send", path, "--current", current(url), "--json")
        result = run(*args, "--as-recorded", "--speed", 600)
    report = json.loads(result.stdout)
    assert (result.exit_code, report["delivered"]) == (0, 4)
    assert report["duration_s"] >= 0.3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--rate", 1, "--as-recorded"), "cannot be given together"),
        (("--speed", 2), "only for --as-recorded"),
        (("--rate", 0), "rate is 0.0; it must be a number above 0"),
        (("--as-recorded", "--speed", -1), "speed is -1.0"),
    ],
)
def test_impossible_options(
    options: tuple[object, ...],
    message: str,
    file: Callable[..., Path],
    current: Callable[..., Path],
) -> None:
    path = file("events.jsonl", make_events(1))
    result = run("send", path, "--current", current(), *options)
    assert result.exit_code == 2
    assert message in result.stderr


def test_interrupt_ends_the_wait(
    start: Start, file: Callable[..., Path], current: Callable[..., Path], tmp_path: Path
) -> None:
    path, pending = file("events.jsonl", spread(5, 3600)), tmp_path / "pending.jsonl"
    receiver = Receiver()
    with listen(receiver) as url:
        args = ("send", path, "--current", current(url), "--as-recorded", "--pending", pending)
        process = start(*args, "--batch-size", 1)
        while not receiver.counts.events:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        code, out, _ = ended(process)
    assert code == 130
    assert "not accepted: 4" in out
    assert ids_in(pending) == [each.id for each in spread(5, 3600)[1:]]
