"""`verify`: what it prints, and its exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from currents_export.receiver import Receiver, listen
from currents_export.receiver.rudderstack import transform
from tests.cli.support import run, words
from tests.support.events import CLICK, OPEN, event, make_events
from tests.support.gateways import without_user

Lines = Callable[..., Path]


@pytest.fixture
def lines(tmp_path: Path) -> Lines:
    """Return a function that writes values as JSON Lines."""

    def write(name: str, *values: Any) -> Path:
        path = tmp_path / name
        path.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in values))
        return path

    return write


EVENTS = [each.to_dict() for each in make_events(5)]
MESSAGES = [(transform(each) or {}) | {"receivedAt": "2025-06-15T15:07:00Z"} for each in EVENTS]


def test_right(lines: Lines) -> None:
    sent, received = lines("sent", *EVENTS, without_user()), lines("received", *MESSAGES)
    result = run("verify", "--sent", sent, "--received", received)
    assert (result.exit_code, result.stderr) == (0, "")
    verdict, totals, header, row, meaning, ages = result.stdout.splitlines()
    assert verdict == "right: everything that should have arrived did, and as it should be"
    assert totals == "6 events sent, 5 messages received; 5 ids in both"
    assert header.split() == ["count", "what", "for", "example"]
    assert row.split()[:2] == ["1", "vanished"]
    assert meaning.startswith("vanished (no_user): gets a 200, and the source makes no message")
    assert ages.startswith("seconds from an event's time to its arrival: 18 (half of the events)")


def test_wrong(lines: Lines) -> None:
    nameless = event(7).to_dict() | {"id": None}
    sent = lines("sent", *EVENTS, nameless)
    altered = event(1, email_address="x@example.com").to_dict()
    received = lines("received", EVENTS[0], EVENTS[0], altered, event(8).to_dict())
    result = run("verify", "--sent", sent, "--received", received)
    assert (result.exit_code, result.stderr) == (1, "")
    assert result.stdout.startswith("wrong: something did not arrive as it should have\n")
    rows = [line.split()[:2] for line in result.stdout.splitlines()[3:-1]]
    assert rows[:4] == [
        ["3", "lost"],
        ["1", "duplicated"],
        ["1", "changed"],
        ["1", "unexpected"],
    ]
    assert rows[-1] == ["1", "properties.email_address"]
    assert "properties.email_address is '(13 characters)', not '(17 characters)'" in result.stdout
    assert result.stdout.endswith("1 event without an id could not be compared\n")
    shown = run("verify", "--sent", sent, "--received", received, "--show-personal-data")
    assert "is 'x@example.com', not 'user1@example.com'" in shown.stdout


def test_json(lines: Lines) -> None:
    sent, received = lines("sent", *EVENTS), lines("received", *EVENTS[:3], EVENTS[0])
    result = run("verify", "--sent", sent, "--received", received, "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert {"verdict": "wrong", "sent": 5, "received": 4}.items() <= report.items()
    for kind in ("missing", "duplicated", "altered", "unexpected", "reordered", "late"):
        assert {"count", "examples"} <= report[kind].keys()
    assert (report["missing"]["count"], report["duplicated"]["count"]) == (2, 1)
    assert report["missing"]["examples"][0] == {"id": EVENTS[3]["id"], "event_type": OPEN}


def test_json_of_vanished_events(lines: Lines) -> None:
    sent, received = lines("sent", *EVENTS, without_user()), lines("received", *MESSAGES)
    result = run("verify", "--sent", sent, "--received", received, "--json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["verdict"], report["filtered"]) == (0, "right", {})
    assert report["vanished"]["no_user"]["count"] == 1


@pytest.mark.parametrize(
    ("option", "code"),
    [
        ((), 0),
        (("--exactly-once",), 1),
        (("--in-order",), 1),
        (("--late-after", 5), 1),
        (("--late-after", 60), 0),
    ],
)
def test_what_is_wrong_on_demand(option: tuple[object, ...], code: int, lines: Lines) -> None:
    same_user = [each | {"user": {"user_id": "u"}} for each in EVENTS]
    made = [(transform(each) or {}) | {"receivedAt": "2025-06-15T15:07:00Z"} for each in same_user]
    sent = lines("sent", *same_user)
    received = lines("received", made[1], made[0], *made[1:])
    assert run("verify", "--sent", sent, "--received", received, *option).exit_code == code


def test_current_and_mapping(lines: Lines, current: Callable[..., Path], tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.toml"
    mapping.write_text(f'"{OPEN}" = "Email Opened"\n', "utf-8")
    file = current(
        key="http://127.0.0.1/v1/webhook?writeKey=k", region="US", event_types=[OPEN],
    )  # fmt: skip
    sent = lines("sent", *EVENTS, event(9, "users.messages.email.Click").to_dict())
    received = lines("received", *(each | {"event": "Email Opened"} for each in MESSAGES))
    options = ("--current", file, "--mapping", mapping)
    result = run("verify", "--sent", sent, "--received", received, *options)
    assert result.exit_code == 0
    assert "filtered (not_selected)" in result.stdout
    result = run("verify", "--sent", sent, "--received", received)
    assert result.exit_code == 1


def test_known_loss(lines: Lines) -> None:
    large = event(9, n=2**53 + 1).to_dict()
    sent, received = lines("sent", *EVENTS, large), lines("received", *MESSAGES, transform(large))
    result = run("verify", "--sent", sent, "--received", received)
    assert result.exit_code == 0
    assert "reduced" in result.stdout
    assert "a whole number above 2^53 lost precision" in result.stdout


def test_part_that_cannot_be_read(lines: Lines) -> None:
    sent, received = lines("sent", *EVENTS), lines("received", *EVENTS)
    received.write_bytes(received.read_bytes() + b'{"torn": ')
    result = run("verify", "--sent", sent, "--received", received, "--json")
    assert result.exit_code == 2
    assert "received:6: " in result.stderr
    assert json.loads(result.stdout)["verdict"] == "right"


@pytest.mark.parametrize(
    ("sent", "received", "options", "says"),
    [
        ([], EVENTS, (), "sent: it contains no events"),
        (EVENTS, [], (), "received: it contains no events"),
        (EVENTS, [{"other": 1}], (), "none of its first values is an event, a message"),
        (EVENTS, [event(99).to_dict()], (), "are the two inputs from the same run?"),
        (EVENTS, EVENTS, ("--through", "kafka"), "it must be currents or rudderstack"),
        (EVENTS, EVENTS, ("--mapping", "none"), "none: No such file"),
        (EVENTS, EVENTS, ("--current", "none"), "none"),
    ],
)
def test_bad_input(
    sent: list[Any], received: list[Any], options: tuple[str, ...], says: str, lines: Lines
) -> None:
    files = ("--sent", lines("sent", *sent), "--received", lines("received", *received))
    result = run("verify", *files, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in words(result.stderr)


def test_record(lines: Lines, current: Callable[..., Path], tmp_path: Path) -> None:
    record, received = tmp_path / "record", tmp_path / "received"
    with listen(Receiver(capture=received)) as url:
        file = current(url, event_types=[OPEN])
        sent = lines("sent", *EVENTS, event(9, CLICK).to_dict())
        run("send", sent, "--current", file, "--record", record)
    result = run("verify", "--sent", record, "--received", received)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "6 events sent, 5 events received; 5 ids in both" in result.stdout
    assert "filtered (not_selected)" in result.stdout
    assert record.stat().st_mode & 0o077 == 0


def test_record_on_standard_output(lines: Lines, current: Callable[..., Path]) -> None:
    with listen(Receiver()) as url:
        sent = lines("sent", *EVENTS)
        result = run("send", sent, "--current", current(url), "--record", "-")
    assert {json.loads(line)["status"] for line in result.stdout.splitlines()} == {200}
    assert "accepted 5, delivered 5" in result.stderr


def test_record_is_another_file(lines: Lines, current: Callable[..., Path]) -> None:
    sent = lines("sent", *EVENTS)
    result = run("send", sent, "--current", current(), "--record", sent)
    assert result.exit_code == 2
    assert "is another file of this command, too" in words(result.stderr)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_incomplete_record(lines: Lines, current: Callable[..., Path]) -> None:
    with listen(Receiver()) as url:
        sent = lines("sent", *EVENTS)
        result = run("send", sent, "--current", current(url), "--record", "/dev/full")
    assert result.exit_code == 2
    assert "the record is incomplete: No space left on device" in result.stderr
    assert "delivered 5" in result.stdout


def test_answer_key(lines: Lines) -> None:
    key = [{"id": each["id"], "event_type": OPEN, "disturbance": "duplicate"} for each in EVENTS]
    sent, received = lines("sent", *EVENTS), lines("received", *EVENTS, *EVENTS)
    files = ("--sent", sent, "--received", received, "--exactly-once")
    assert run("verify", *files).exit_code == 1
    result = run("verify", *files, "--answer-key", lines("key", *EVENTS, *EVENTS))
    assert (result.exit_code, result.stdout) == (2, "")
    result = run("verify", *files, "--answer-key", lines("key", *key, *key, {"summary": {}}))
    assert result.exit_code == 0
    assert "disturbed (duplicate)" in result.stdout


def test_constant_shift(lines: Lines) -> None:
    shifted = [each | {"time": each["time"] - 7200} for each in EVENTS]
    sent, received = lines("sent", *EVENTS), lines("received", *shifted)
    result = run("verify", "--sent", sent, "--received", received)
    assert "all are 2 hours earlier, as with another time zone" in result.stdout
    received = lines("received", *(each | {"time": each["time"] + 1} for each in EVENTS))
    result = run("verify", "--sent", sent, "--received", received)
    assert "all are 1 second later" in result.stdout


def test_warehouse_export(tmp_path: Path, lines: Lines) -> None:
    rows = [f"{each['messageId']},{OPEN},{each['timestamp']}" for each in MESSAGES]
    export = tmp_path / "tracks.csv"
    export.write_text("\n".join(["ID,EVENT_TEXT,TIMESTAMP", *rows[:3]]), "utf-8")
    result = run("verify", "--sent", lines("sent", *EVENTS), "--received", export)
    assert (result.exit_code, result.stderr) == (1, "")
    assert "5 events sent, 3 messages received; 3 ids in both" in result.stdout
    assert "not compared, since the table has no columns for them: anonymousId, " in result.stdout


def test_standard_input(lines: Lines) -> None:
    sent, received = lines("sent", *EVENTS), lines("received", *EVENTS)
    for which in ("--sent", "--received"):
        files = {"--sent": sent, "--received": received} | {which: "-"}
        options = [each for pair in files.items() for each in pair]
        assert run("verify", *options, stdin=sent.read_bytes()).exit_code == 0
    result = run("verify", "--sent", "-", "--received", received, stdin=b"no JSON")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "<stdin>:1: not JSON" in result.stderr


def test_one_standard_input(lines: Lines) -> None:
    result = run("verify", "--sent", "-", "--received", "-", stdin=b"")
    assert result.exit_code == 2
    assert "only one of the inputs can be standard input" in words(result.stderr)


def test_valid_rest_is_compared(tmp_path: Path, lines: Lines) -> None:
    torn = tmp_path / "torn"
    torn.write_bytes(lines("received", *EVENTS).read_bytes()[:-9])
    result = run("verify", "--sent", lines("sent", *EVENTS), "--received", torn)
    assert result.exit_code == 2
    assert "torn:5: not JSON" in result.stderr
    assert "5 events sent, 4 events received; 4 ids in both" in result.stdout
