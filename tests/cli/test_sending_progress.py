"""The progress of a delivery, and the response times at its end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from currents_export.cli._durations import Durations, shown_duration
from currents_export.cli._sending_progress import SendingProgress
from currents_export.delivery import Action, Attempt, Response
from currents_export.reading import StoppableEvents
from currents_export.receiver import Receiver, ScriptedResponse, listen
from tests.cli.processes import Start, on_a_terminal
from tests.cli.support import run
from tests.support.events import make_events


def attempt(status: int | None, seconds: float = 0.01, number: int = 1) -> Attempt:
    action = Action.DELIVERED if status == 200 else Action.RETRY
    return Attempt("users.x", 3, number, Response(status, "busy"), action, 0.0, seconds)


@pytest.fixture
def state() -> SendingProgress:
    """A progress after ten seconds, in which half of the input was read."""
    times = iter([0.0, *[10.0] * 10])
    return SendingProgress(lambda: 0.5, lambda: 30, now=lambda: next(times))


def test_counts(state: SendingProgress) -> None:
    state.deliver(90)
    state.attempted(attempt(503))
    assert state.failing == "503: busy"
    state.attempted(attempt(200, number=2))
    assert state.failing == ""
    assert state.describe() == "90 delivered, 9 events/s, 30 pending, 1 retry, 17 s left"


def test_share_is_what_was_read_and_delivered(state: SendingProgress) -> None:
    assert state.share() == 0
    state.deliver(30)
    assert state.share() == 0.25


def test_unknown_total() -> None:
    state = SendingProgress(lambda: None, lambda: 0)
    state.deliver(5)
    assert state.share() is None
    assert "left" not in state.describe()


def test_share_of_files(file: Callable[..., Path], tmp_path: Path) -> None:
    files = [file(name, make_events(count)) for name, count in (("a", 500), ("b", 1500))]
    source = StoppableEvents(map(str, files))
    assert source.share_read() == 0
    shares = [share for _ in source if (share := source.share_read()) is not None]
    assert shares == sorted(shares)
    assert (len(shares), shares[-1]) == (2000, 1.0)
    assert StoppableEvents(["-"]).share_read() is None
    assert StoppableEvents([str(tmp_path / "gone")]).share_read() is None


def test_quantiles() -> None:
    durations = Durations()
    for n in range(1, 101):
        durations.add(attempt(200, n / 1000))
    durations.add(attempt(None, 30))
    found = durations.to_dict()
    assert found["200"]["requests"] == 100
    for name, seconds in {"p50": 0.05, "p95": 0.095, "p99": 0.099, "max": 0.1}.items():
        assert found["200"][name] == pytest.approx(seconds, rel=0.07)
    assert found["network error"] == {"requests": 1, "p50": 30, "p95": 30, "p99": 30, "max": 30}


def test_table_and_histogram(capsys: pytest.CaptureFixture[str]) -> None:
    durations = Durations()
    durations.print()
    assert capsys.readouterr().out == ""
    for seconds in (0.002, 0.002, 0.002, 0.05):
        durations.add(attempt(200, seconds))
    durations.print()
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["response", "requests", "p50", "p95", "p99", "max"]
    assert lines[1][:2] == ["200", "4"]
    assert lines[3:] == [
        ["up", "to", "3", "ms", "3", "#" * 30],
        ["up", "to", "10", "ms", "0"],
        ["up", "to", "30", "ms", "0"],
        ["up", "to", "100", "ms", "1", "#" * 10],
    ]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.00123, "1.23 ms"), (0.5, "500 ms"), (2.5, "2.5 s"), (float("inf"), "longer")],
)
def test_duration(seconds: float, text: str) -> None:
    assert shown_duration(seconds) == text


def test_send_reports_response_times(
    current: Callable[..., Path], events: Callable[[int], Path]
) -> None:
    with listen(Receiver(script=[ScriptedResponse(503, retry_after=0.01)])) as url:
        args = ("send", events(3), "--current", current(url))
        report = json.loads(run(*args, "--json").stdout)
        shown = run(*args).stdout
    times = report["response_times_s"]
    assert {kind: each["requests"] for kind, each in times.items()} == {"200": 1, "503": 1}
    assert re.search(r"^response +requests +p50 +p95 +p99 +max", shown, re.MULTILINE)


@pytest.mark.parametrize("plain", [False, True])
def test_colors_on_a_terminal(
    plain: bool, start: Start, current: Callable[..., Path], events: Callable[[int], Path]
) -> None:
    with listen(Receiver(script=[ScriptedResponse(400, times=None)])) as url:
        args = ("send", events(1), "--current", current(url))
        environment = {"TERM": "xterm", "COLUMNS": "80"} | ({"NO_COLOR": "1"} if plain else {})
        code, shown = on_a_terminal(start, *args, env=environment)
    assert code == 1
    assert "dropped 1" in shown
    assert ("\x1b[31mdropped 1" in shown) is not plain
