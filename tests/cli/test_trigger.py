"""`trigger` sends a journey."""

from __future__ import annotations

import json
import re
import signal
import sys
import time
from collections.abc import Callable
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from currents_export.coherence import check_stream
from currents_export.events import Event
from currents_export.receiver import Receiver, ScriptedResponse, listen
from currents_export.simulation.stories import STORIES
from tests.cli.processes import Process, Start, ended
from tests.cli.support import CLOSED, ids_in, run, words
from tests.support.currents import TOKEN

DAY = 86_400


def received(receiver: Receiver) -> list[Event]:
    return sorted((Event.from_dict(each) for each in receiver.events), key=lambda each: each.time)


_ID = itemgetter("id")


def repeated(note: str, *args: object) -> list[Any]:
    """Return the events that the note's command prints."""
    found = re.search(r"--seed (\d+) --start (\d+)", note)
    assert found is not None
    seed, start = found.groups()
    return [
        json.loads(line)
        for line in run("journey", *args, "--seed", seed, "--start", start).stdout.splitlines()
    ]


def test_has_happened_by_now(current: Callable[..., Path]) -> None:
    receiver = Receiver(bearer_tokens=[TOKEN])
    before = int(time.time())
    with listen(receiver) as url:
        where = current(url, bearer_token=TOKEN)
        result = run("trigger", "abandoned-cart", "--seed", 5, "--current", where)
    assert result.exit_code == 0
    events = received(receiver)
    assert before - 7 * DAY < events[0].time < events[-1].time <= time.time()
    assert events[-1].time > before - DAY
    assert receiver.counts.findings == ()
    assert not list(check_stream(events, whole=True))
    assert f"delivered {len(events)}, dropped 0, filtered 0, pending 0" in result.stdout
    printed = repeated(result.stderr, "abandoned-cart")
    assert {each["id"] for each in printed} == {each.id for each in events}


@pytest.mark.parametrize("name", STORIES)
def test_every_journey(name: str, current: Callable[..., Path]) -> None:
    receiver = Receiver()
    with listen(receiver) as url:
        where = current(url, include_anonymous=True)
        result = run("trigger", name, "--current", where, "--json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["delivered"]) == (0, len(receiver.events))
    assert receiver.events
    assert received(receiver)[-1].time <= time.time()


def test_options(current: Callable[..., Path]) -> None:
    receiver = Receiver()
    args = ("--outcome", "bounced", "--user", 4, "--users", 30, "--set", "campaign_name=Mine")
    with listen(receiver) as url:
        result = run("trigger", "newsletter", *args, "--seed", 3, "--current", current(url))
    assert result.exit_code == 0
    # Batches of different types may overtake each other.
    assert {each.event_type.rpartition(".")[2] for each in received(receiver)} == {"Send", "Bounce"}
    assert {each.properties["campaign_name"] for each in received(receiver)} == {"Mine"}
    printed = repeated(result.stderr, "newsletter", *args)
    assert sorted(printed, key=_ID) == sorted(receiver.events, key=_ID)


def test_current_decides(current: Callable[..., Path]) -> None:
    """Its schema version has the event types, and it selects and filters as always."""
    receiver = Receiver()
    with listen(receiver) as url:
        where = current(url, event_types=["users.messages.email.Send"], schema_version=5)
        result = run("trigger", "newsletter", "--current", where, "--json")
        refused = run("trigger", "account-deletion", "--current", where)
    report = json.loads(result.stdout)
    assert report["delivered"] == len(receiver.events) == 1
    assert report["filtered"] > 0
    assert refused.exit_code == 2
    assert "was introduced in schema version" in refused.stderr


def test_anonymous_users_are_filtered(current: Callable[..., Path]) -> None:
    with listen(Receiver()) as url:
        result = run("trigger", "anonymous-to-known", "--current", current(url), "--json")
    report = json.loads(result.stdout)
    assert report["delivered"] == 0
    assert report["filter_reasons"] == {"no_external_user_id": report["filtered"]}


def test_unsent_events_are_kept(current: Callable[..., Path], tmp_path: Path) -> None:
    kept = tmp_path / "pending.jsonl"
    args = ("--current", current(CLOSED), "--give-up-after", 0.2, "--pending", kept)
    result = run("trigger", "newsletter", "--outcome", "ignored", *args)
    assert result.exit_code == 1
    printed = repeated(result.stderr, "newsletter", "--outcome", "ignored")
    assert sorted(ids_in(kept)) == sorted(each["id"] for each in printed)
    assert f"unsent events are in {kept}" in result.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_in_real_time(
    by: signal.Signals, start: Start, current: Callable[..., Path], tmp_path: Path
) -> None:
    """What was accepted is delivered or kept, and the rest of the journey is kept."""
    kept = tmp_path / "pending.jsonl"
    began = int(time.time())
    sending: Process

    async def interrupt(_: float) -> None:
        sending.send_signal(by)

    receiver = Receiver(script=[ScriptedResponse(200, delay=0.1)], sleep=interrupt)
    with listen(receiver) as url:
        args = ("--real-time", "--current", current(url), "--pending", kept, "--json")
        sending = start("trigger", "welcome-series", *args)
        code, out, err = ended(sending)
    report = json.loads(out)
    printed = repeated(err, "welcome-series")
    assert (code, report["interrupted"]) == (130, True)
    assert report["delivered"] + report["pending"] + report["not_taken"] == len(printed)
    assert report["not_taken"] > 0
    assert printed[0]["time"] >= began
    ids = {each["id"] for each in receiver.events} | set(ids_in(kept))
    assert ids == {each["id"] for each in printed}
    assert len(ids_in(kept)) == report["pending"] + report["not_taken"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["abandond-cart"], "did you mean 'abandoned-cart'?"),
        (["newsletter", "--outcome", "nothing"], "has no outcome 'nothing'"),
        (["newsletter", "--set", "campaign_name"], "it must be like campaign_name=Sale"),
        (["newsletter", "--user", "-1"], "--user"),
        (["newsletter", "--timeout", "0"], "timeout is 0.0"),
    ],
)
def test_wrong_arguments(args: list[str], says: str, current: Callable[..., Path]) -> None:
    result = run("trigger", *args, "--current", current())
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in words(result.stderr)


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_a_current() -> None:
    result = run("trigger", "newsletter")
    assert result.exit_code == 2
    assert "there is no Current" in result.stderr
