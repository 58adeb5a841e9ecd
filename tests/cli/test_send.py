from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from currents_export.payload import encode_event
from currents_export.receiver import Receiver, ScriptedResponse, listen
from tests.cli.support import run, words
from tests.support.currents import TOKEN
from tests.support.events import CLICK, OPEN, event, make_events


def test_send_file(file: Callable[..., Path], current: Callable[..., Path]) -> None:
    receiver = Receiver(bearer_tokens=[TOKEN])
    path = file("events.jsonl", [*make_events(150), *make_events(3, CLICK)])
    with listen(receiver) as url:
        result = run("send", path, "--current", current(url, bearer_token=TOKEN))
    assert (result.exit_code, result.stderr) == (0, "")
    assert [line.split() for line in result.stdout.splitlines()[1:3]] == [
        [CLICK, "3", "3"],
        [OPEN, "150", "150"],
    ]
    assert "accepted 153, delivered 153, dropped 0, filtered 0, pending 0" in result.stdout
    assert "3 requests, 0 retries" in result.stdout
    assert {each["id"] for each in receiver.events} == {each.id for each in make_events(150)}
    assert receiver.counts.findings == ()


def test_json_result(file: Callable[..., Path], current: Callable[..., Path]) -> None:
    with listen(Receiver()) as url:
        where = current(url, event_types=[OPEN])
        result = run(
            "send", file("events.jsonl", [event(1), event(2, CLICK)]), "--json", "--current", where
        )
    report = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (report["accepted"], report["delivered"], report["filtered"]) == (1, 1, 1)
    assert report["filter_reasons"] == {"not_selected": 1}
    assert (report["state"], report["reason"]) == ("active", "")
    assert (report["not_taken"], report["unread"], report["interrupted"]) == (0, 0, False)
    assert (report["pending_file"], report["drops"]) == (None, [])


def test_unknown_event_type(file: Callable[..., Path], current: Callable[..., Path]) -> None:
    odd = [event(1, "users.messages.email.Opne"), event(2, "users.canvas.costep.Send")]
    with listen(Receiver()) as url:
        where = current(url, schema_version=9)
        path = file("events.jsonl", [event(0), *odd, event(3)])
        result = run("send", path, "--json", "--current", where)
    report = json.loads(result.stdout)
    assert (result.exit_code, report["delivered"], report["filtered"]) == (2, 2, 2)
    assert report["unknown_event_types"] == {each.event_type: 1 for each in odd[::-1]}
    assert "unknown event type 'users.messages.email.Opne'; did you mean" in result.stderr
    assert "'users.canvas.costep.Send' was introduced in schema version 10" in result.stderr
    assert "(1 not sent)" in result.stderr


def test_retrying_is_noted_once(file: Callable[..., Path], current: Callable[..., Path]) -> None:
    args = ("send", file("events.jsonl", make_events(2)), "--give-up-after", 0.2)
    result = run(*args, "--current", current())
    assert result.exit_code == 1
    assert result.stderr.count("; retrying") == 1


@pytest.mark.parametrize("command", ["send", "validate"])
def test_no_events(command: str, file: Callable[..., Path], current: Callable[..., Path]) -> None:
    options = ("--current", current()) if command == "send" else ()
    args = (command, file("events.jsonl", "\n[]\n"), *options)
    refused, accepted = run(*args), run(*args, "--allow-empty")
    assert (refused.exit_code, accepted.exit_code) == (2, 0)
    assert refused.stderr.splitlines()[-1].startswith("error: ")
    assert "no events" in refused.stderr
    assert "error" not in accepted.stderr.replace("0 errors", "")


def test_batch_size(file: Callable[..., Path], current: Callable[..., Path]) -> None:
    receiver = Receiver()
    with listen(receiver) as url:
        path = file("events.jsonl", make_events(10))
        run("send", path, "--current", current(url), "--batch-size", 3, "--concurrency", 1)
    assert receiver.counts.requests == 4


def test_bad_lines_among_good_ones(
    file: Callable[..., Path], current: Callable[..., Path], tmp_path: Path
) -> None:
    good = [encode_event(each).decode() for each in make_events(2)]
    nested: Any = "deep"
    for _ in range(250):
        nested = [nested]
    deep = json.dumps(event(5).to_dict() | {"properties": {"a": nested}})
    path = file("events.jsonl", "\n".join([good[0], "not JSON", "7", '{"id": "x"}', deep, good[1]]))
    receiver = Receiver()
    with listen(receiver) as url:
        args = ("send", path, tmp_path / "none", "--current", current(url))
        result, as_json = run(*args), run(*args, "--json")
    assert (result.exit_code, as_json.exit_code) == (2, 2)
    assert f"error: {path}:2: not JSON: " in result.stderr
    assert f"error: {path}:3: " in result.stderr
    assert f"error: {path}:4: " in result.stderr
    assert "nested over 200 levels deep" in result.stderr
    assert f"error: {tmp_path / 'none'}: cannot be read" in result.stderr
    assert "parts of the input that could not be read as events: 5" in result.stdout
    assert json.loads(as_json.stdout)["unread"] == 5
    assert receiver.counts.by_event_type == {OPEN: 4}


def test_file_given_twice(file: Callable[..., Path], current: Callable[..., Path]) -> None:
    receiver = Receiver()
    path = file("events.jsonl", make_events(3))
    with listen(receiver) as url:
        assert run("send", path, path, "--current", current(url)).exit_code == 0
    assert (receiver.counts.events, receiver.counts.duplicates) == (6, 3)


def test_dropped_events(file: Callable[..., Path], current: Callable[..., Path]) -> None:
    path = file("events.jsonl", make_events(12))
    with listen(Receiver(script=[ScriptedResponse(400, times=None)])) as url:
        result = run("send", path, "--current", current(url))
        as_json = run("send", path, "--current", current(url), "--json")
    assert (result.exit_code, as_json.exit_code) == (1, 1)
    assert "dropped 12: " in result.stdout
    assert "  and 2 more; --json has them all" in result.stdout
    assert sum(line.startswith(f"  {OPEN} 00000000-") for line in result.stdout.splitlines()) == 10
    assert {each["id"] for each in json.loads(as_json.stdout)["drops"]} == {
        each.id for each in make_events(12)
    }


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--batch-size", "0"], "--batch-size"),
        (["--concurrency", "0"], "--concurrency"),
        (["--max-age", "0"], "max_age is 0.0; it must be a number of seconds"),
        (["--timeout", "0"], "timeout is 0.0; it must be a number of seconds"),
        (["--timeout", "nan"], "timeout is nan"),
        (["--give-up-after", "-1"], "--give-up-after"),
        (["--give-up-after", "long"], "--give-up-after"),
    ],
)
def test_bad_values(
    args: list[str], says: str, file: Callable[..., Path], current: Callable[..., Path]
) -> None:
    result = run("send", file("events.jsonl", make_events(1)), "--current", current(), *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in words(result.stderr)
