"""`run` sends the traffic of a world as it happens."""

from __future__ import annotations

import json
import signal
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from currents_export.cli import run as command
from currents_export.cli._live import LiveEvents, Size, made_by, sends, size_for
from currents_export.cli._workers import WorkerError
from currents_export.errors import OptionError
from currents_export.events import Event
from currents_export.receiver import Receiver, ScriptedResponse, listen
from currents_export.simulation import World
from tests.cli.processes import PATIENCE, Start, ended
from tests.cli.support import CLOSED, run, words
from tests.support.currents import custom, rudderstack
from tests.support.events import event, make_events

START = 1_782_907_200
OPENS = "users.messages.email.Open"


class Clock:
    """A clock that only waits move, and what was waited for."""

    def __init__(self) -> None:
        self.time = 0.0
        self.waits: list[float] = []

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += seconds
        self.waits.append(seconds)


def live(
    arrivals: list[float], clock: Clock, *, lasts: int | None = None, begin: int = 100
) -> LiveEvents:
    made = zip(arrivals, make_events(len(arrivals)), strict=True)
    return LiveEvents(
        made, start=begin, lasts=lasts, is_sent=lambda _: True, now=clock.now, wait=clock.wait
    )


def test_events_are_yielded_when_they_happen() -> None:
    clock = Clock()
    source = live([101, 101, 103.5], clock)
    times = [clock.time for _ in source]
    assert times == [1, 1, 3.5]
    assert (source.taken, source.late) == (3, 0)


def test_events_before_the_start_are_left_out() -> None:
    source = live([90, 99, 100, 102], Clock())
    assert len(list(source)) == 2


def test_the_first_event_is_made_before_the_clock_starts() -> None:
    clock = Clock()
    source = live([90, 104], clock)
    source.prepare()
    assert clock.waits == []
    assert [clock.time for _ in source] == [4]


def test_it_lasts_as_long_as_it_should() -> None:
    clock = Clock()
    assert len(list(live([101, 103], clock, lasts=10))) == 2
    assert clock.time == 10


def test_late_events_do_not_make_it_longer() -> None:
    clock = Clock()
    source = live([101, 102, 103], clock, lasts=10)
    taken = []
    for each in source:
        taken.append(each)
        clock.time += 6
    assert len(taken) == 2
    assert source.late == 5


def test_stop_ends_it() -> None:
    source = live([101, 102, 103], Clock())
    events = iter(source)
    next(events)
    source.stop()
    assert list(events) == []


def test_failure_of_a_worker_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    def made() -> Iterator[tuple[float, Event]]:
        yield 100, event()
        raise WorkerError("worker 1 of 2 ended early")

    source = LiveEvents(made(), start=100, lasts=None, is_sent=lambda _: True, wait=lambda _: None)
    assert len(list(source)) == 1
    assert str(source.failure) == "worker 1 of 2 ended early"
    assert "worker 1 of 2 ended early" in capsys.readouterr().err


def test_workers_make_the_same_events() -> None:
    world = World(1, users=20)
    options = {"start": START, "until": START + 6 * 3600, "event_types": ["users.behaviors.*"]}
    single, several = (list(made_by(world, workers, options)) for workers in (1, 2))
    assert len(single) > 5
    assert single == several
    assert all(arrival == each.time for arrival, each in single)


def test_users_for_a_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("currents_export.cli._live._PILOT_USERS", 500)
    current = custom(include_anonymous=True)
    options = {"start": START, "event_types": sorted(current.selected)}
    size = partial(size_for, current=current, seed=1, options=options, after=START + 300)
    small = size(0.05, lasts=3600, scenario=None)
    assert 100 < small.users < 10_000
    assert small.pace == 1
    large = size(0.05 * 50_000_000 / small.users, lasts=60, scenario=None)
    assert large.users == 10_000_000
    assert 1 < large.pace < 100
    for rate, lasts in ((1e6, 3600), (1000, None)):
        with pytest.raises(OptionError, match="even 10,000,000 users make only about"):
            size(rate, lasts=lasts, scenario=None)


def test_users_who_live_faster() -> None:
    clock = Clock()
    made = zip([100, 110, 130], make_events(3), strict=True)
    source = LiveEvents(
        made,
        start=100,
        lasts=60,
        is_sent=lambda _: True,
        pace=10,
        now=clock.now,
        wait=clock.wait,
    )
    assert [clock.time for _ in source] == [0, 1, 3]


def test_only_what_the_current_sends() -> None:
    is_sent = sends(rudderstack(CLOSED, event_types=[OPENS]))
    anonymous = Event(OPENS, 1, {"user_id": "u"})
    known = Event(OPENS, 1, {"external_user_id": "u"})
    click = Event("users.messages.email.Click", 1, {"external_user_id": "u"})
    assert [is_sent(each) for each in (anonymous, known, click)] == [False, True, False]


@pytest.fixture
def scenario(file: Callable[..., Path]) -> Path:
    return file("scenario.toml", 'users = 5\nevent_types = ["users.messages.email.*"]\n')


def test_options(
    current: Callable[..., Path], scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the types that the scenario has and the Current sends are made."""
    asked: list[dict[str, Any]] = []

    def make(world: World, workers: int, options: dict[str, Any]) -> Iterator[tuple[float, Event]]:
        asked.append(options | {"workers": workers, "users": len(world.users)})
        yield from ((options["start"], each) for each in make_events(3))

    monkeypatch.setattr(command, "made_by", make)
    before = int(time.time())
    with listen(Receiver()) as url:
        where = current(url, event_types=[OPENS, "users.behaviors.*"], include_anonymous=True)
        args = ("--current", where, "--scenario", scenario, "--seed", 1, "--workers", 2, "--json")
        result = run("run", *args, "--duration", "1s")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["delivered"], report["filtered"]) == (0, 3, 0)
    assert asked[0]["event_types"] == [OPENS]
    assert (asked[0]["workers"], asked[0]["users"]) == (2, 5)
    assert asked[0]["until"] == asked[0]["start"] + 1
    assert asked[0]["start"] >= before
    assert "5 users; --seed 1 makes the same world" in result.stderr


def test_rate(current: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a scenario, the world has as many users as the rate needs, and is warmed up."""
    asked: list[dict[str, Any]] = []

    def make(world: World, _: int, options: dict[str, Any]) -> Iterator[tuple[float, Event]]:
        asked.append(options | {"users": len(world.users)})
        yield from ((options["start"] + n * 25, each) for n, each in enumerate(make_events(3)))

    monkeypatch.setattr(command, "made_by", make)
    monkeypatch.setattr(command, "size_for", lambda *_, **__: Size(5_000))
    with listen(Receiver()) as url:
        args = ("--current", current(url, include_anonymous=True), "--rate", 200)
        result = run("run", *args, "--duration", "1s")
    assert result.exit_code == 0
    assert "5,000 users make about 200 events a second" in result.stderr
    assert "delivered 1," in result.stdout
    assert asked[0]["until"] - asked[0]["start"] == 1 + 25


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_forever_ends_in_order(
    start: Start, current: Callable[..., Path], file: Callable[..., Path]
) -> None:
    """SIGTERM is the usual end, and what was accepted is delivered."""
    receiver = Receiver()
    scenario = file("scenario.toml", 'users = 30_000\nevent_types = ["users.behaviors.*"]\n')
    with listen(receiver) as url:
        args = ("--current", current(url), "--scenario", scenario, "--forever", "--json")
        process = start("run", *args, "--max-age", 0.1, "--metrics", "127.0.0.1:0")
        assert process.stderr is not None
        line = ""
        while "metrics are at" not in line:
            line = process.stderr.readline()
            assert line
        wanted = (
            "currents_events_delivered_total{currents_event_type=",
            "http_client_request_duration_seconds_count{",
        )
        until, scraped = time.monotonic() + PATIENCE, ""
        while not all(each in scraped for each in wanted):
            assert process.poll() is None
            assert time.monotonic() < until
            with urllib.request.urlopen(line.split()[-1], timeout=10) as response:
                scraped = response.read().decode()
        process.send_signal(signal.SIGTERM)
        code, out, _ = ended(process)
    report = json.loads(out)
    assert (code, report["interrupted"], report["pending"]) == (0, True, 0)
    assert report["delivered"] == len(receiver.events) > 0


def test_a_paused_current_ends_it(
    current: Callable[..., Path], scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(_: World, __: int, options: dict[str, Any]) -> Iterator[tuple[float, Event]]:
        yield options["start"], event()
        yield options["start"] + 3600, event(1)

    monkeypatch.setattr(command, "made_by", make)
    receiver = Receiver(script=[ScriptedResponse(401, times=None)])
    with listen(receiver) as url:
        where = current(url, include_anonymous=True)
        args = ("--current", where, "--scenario", scenario, "--max-age", 0.05)
        result = run("run", *args, "--forever")
    assert result.exit_code == 1
    assert "the Current is paused: 401" in result.stdout
    assert "accepted 1," in result.stdout


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ((), "give --duration, such as 10m, or --forever"),
        (("--forever", "--duration", "1m"), "exclude each other"),
        (("--duration", "soon"), "--duration is 'soon'; it must be like 90s, 10m, 2h or 1d"),
        (("--duration", "0s"), "it must be like 90s"),
        (("--forever", "--rate", "0"), "--rate is 0; it must be more than 0"),
        (("--forever", "--metrics", "here"), "it must be an address such as 127.0.0.1:9464"),
    ],
)
def test_impossible_options(args: tuple[str, ...], says: str, current: Callable[..., Path]) -> None:
    result = run("run", *args, "--current", current())
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in words(result.stderr)


@pytest.mark.parametrize(
    ("seconds", "forever", "patience"),
    [(None, False, 60), (None, True, None), (0, False, None), (5, True, 5)],
)
def test_an_outage_does_not_end_what_runs_forever(
    seconds: float | None, forever: bool, patience: float | None
) -> None:
    assert command._patience(seconds, forever=forever) == patience
