from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

import currents_export
from currents_export.catalog import Catalog
from currents_export.cli import _delivery, _demo, _input, _output, _receiver, main
from currents_export.cli._app import app
from currents_export.cli._signals import on_interrupt
from currents_export.delivery import Sender
from currents_export.errors import SenderClosedError
from currents_export.events import Event
from currents_export.payload import encode_event
from currents_export.receiver import Receiver, ScriptedResponse, listen
from tests.support.currents import TOKEN, WRITE_KEY, custom
from tests.support.events import CLICK, OPEN, SEND, event, make_events

PATIENCE = 20.0
CLOSED = "http://127.0.0.1:9"  # the port of the discard service, which nobody runs


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("CURRENTS_EXPORT_") or name in ("FORCE_COLOR", "COLUMNS"):
            monkeypatch.delenv(name)


def run(*args: object, stdin: str | bytes | None = None) -> Result:
    """What a command says; whatever it is given, it ends in an exit code."""
    result = CliRunner().invoke(app, [str(each) for each in args], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    for secret in (WRITE_KEY, TOKEN):
        assert secret not in result.output
    return result


def words(text: str) -> str:
    """The text without the boxes and the line breaks that a usage error has."""
    return " ".join(text.translate(dict.fromkeys(map(ord, "│╭╮╰╯─"), " ")).split())


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file of events, or of text, and says where."""

    def write(name: str, content: Iterable[Event] | bytes | str) -> Path:
        path = tmp_path / name
        if isinstance(content, str):
            content = content.encode()
        if not isinstance(content, bytes):
            content = b"".join(encode_event(each) + b"\n" for each in content)
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def current(tmp_path: Path) -> Callable[..., Path]:
    """Writes the TOML file of a Current, and says where."""

    def write(url: str = CLOSED, **values: object) -> Path:
        fields = {"integration_name": "test", "contact_email": "qa@example.com"} | values
        if "key" not in fields:
            fields |= {"endpoint": f"{url}/currents"}
        path = tmp_path / "current.toml"
        path.write_text("".join(f"{name} = {json.dumps(each)}\n" for name, each in fields.items()))
        return path

    return write


def ids_in(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_bytes().splitlines()]


# In general


def test_without_a_command_the_commands_are_shown() -> None:
    result = run()
    assert result.exit_code in (0, 2)  # which one depends on typer's version
    for name in ("demo", "events", "schema", "generate", "validate", "send", "test", "serve"):
        assert name in result.output


@pytest.mark.parametrize(
    "command",
    ["demo", "events", "schema", "generate", "validate", "send", "test", "check", "serve"],
)
def test_every_command_has_help(command: str) -> None:
    result = run(command, "-h")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Usage: " in result.stdout
    assert "[[" not in result.stdout


def test_the_paragraphs_of_help_flow() -> None:
    lines = [line.strip() for line in run("send", "--help").stdout.splitlines()]
    first = next(index for index, line in enumerate(lines) if line.startswith("Events may be"))
    assert all(len(line) > 60 for line in lines[first : first + 2])


def test_the_version_is_shown() -> None:
    result = run("--version")
    assert (result.exit_code, result.stdout) == (
        0,
        f"currents-export {currents_export.__version__}\n",
    )


@pytest.mark.parametrize(
    "args",
    [["nope"], ["send", "--nope"], ["schema"], ["send", "--current", "x", "--batch-size", "x"]],
)
def test_bad_usage_exits_with_2(args: list[str]) -> None:
    result = run(*args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error" in result.stderr


def test_main_runs_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["currents-export", "events", "nope"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("error: unknown event type 'nope'")


class Broken(io.BytesIO):
    def __init__(self, error: OSError) -> None:
        super().__init__()
        self._error = error

    def write(self, _: Any) -> int:
        raise self._error


def test_output_that_cannot_be_written_is_an_error_without_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    full = io.TextIOWrapper(Broken(OSError(28, "No space left on device")), write_through=True)
    monkeypatch.setattr(sys, "stdout", full)
    with pytest.raises(SystemExit) as caught:
        app(["schema", OPEN])
    assert caught.value.code == 2
    assert sys.stdout is not full
    assert capsys.readouterr().err == (
        "error: the output cannot be written: No space left on device\n"
    )


def test_a_reader_that_has_seen_enough_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = io.TextIOWrapper(Broken(BrokenPipeError(32, "Broken pipe")), write_through=True)
    monkeypatch.setattr(sys, "stdout", closed)
    with pytest.raises(SystemExit) as caught:
        app(["schema", OPEN])
    assert caught.value.code == 1
    assert capsys.readouterr().err == ""


# What is written, and where


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@contextmanager
def streams(out: io.StringIO, err: io.StringIO) -> Iterator[tuple[io.StringIO, io.StringIO]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        yield out, err


@pytest.mark.parametrize("total", [None, 10])
def test_progress_is_shown_on_a_terminal(total: int | None) -> None:
    with (
        streams(io.StringIO(), Terminal()) as (out, err),
        _output.progress("counting", total) as advance,
    ):
        advance(3)
        _output.say("a result")
        _output.tell("a remark")
    assert out.getvalue() == "a result\n"
    assert "counting" in err.getvalue()
    assert ("3/10" in err.getvalue()) is (total == 10)
    assert "/?" not in err.getvalue()
    assert "3" in re.sub(r"\x1b\[[?0-9;]*[a-z]", "", err.getvalue(), flags=re.IGNORECASE)
    assert "a remark" in err.getvalue()


@pytest.mark.parametrize("force", [None, "1"])
def test_progress_is_not_shown_elsewhere(
    force: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if force:
        monkeypatch.setenv("FORCE_COLOR", force)
    with streams(Terminal(), io.StringIO()) as (_, err), _output.progress("counting") as advance:
        advance(3)
    assert err.getvalue() == ""


def test_results_on_the_terminal_go_above_the_progress() -> None:
    with streams(Terminal(), Terminal()) as (out, err), _output.progress("counting"):
        _output.say("a result")
    assert out.getvalue() == ""
    assert "a result" in err.getvalue()


def test_a_row_in_a_pipe_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    _output.print_table({"name": "left", "count": "right"}, [("x" * 500, 1_234_567), ("[b]", True)])
    header, long, odd = capsys.readouterr().out.splitlines()
    assert header.split() == ["name", "count"]
    assert long.split() == ["x" * 500, "1,234,567"]
    assert odd.split() == ["[b]", "True"]


def test_what_a_stream_cannot_hold_is_written_out(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    _output.say("naïve \udcff")
    _output.print_table({"name": "left"}, [["ü"]])
    _output.print_json({"name": "ü"}, indent=False)
    _output.print_json(["\udcff"], indent=False)
    lines = raw.getvalue().splitlines()
    assert lines[0] == rb"na\xefve \udcff"
    assert lines[2].strip() == rb"\xfc"
    assert json.loads(lines[3]) == {"name": "ü"}
    assert json.loads(lines[4]) == ["\udcff"]


# events, schema


def test_events_lists_the_event_types() -> None:
    result = run("events", "users.messages.email.*")
    assert result.exit_code == 0
    header, *rows = result.stdout.splitlines()
    assert header.split() == ["event", "type", "family", "since", "status", "description"]
    expected = Catalog.load().select("users.messages.email.*")
    assert [row.split()[0] for row in rows] == [each.name for each in expected]
    assert result.stderr == f"{len(rows)} event types in schema version 10\n"


def test_events_lists_all_by_default_and_those_of_a_version() -> None:
    all_, first = json.loads(run("events", "--json").stdout), run("events", "--schema-version", 1)
    assert [each["name"] for each in all_] == [each.name for each in Catalog.load().event_types]
    assert set(all_[0]) == {"name", "family", "since", "status", "description"}
    assert len(first.stdout.splitlines()) == 1 + len(Catalog.load(1).event_types)


def test_events_shows_the_fields() -> None:
    result = run("events", OPEN, CLICK, "--fields")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert sum(line.startswith(("users.messages.email.Open: ",)) for line in lines) == 1
    user_id = next(line.split() for line in lines if line.startswith("user.user_id "))
    assert user_id[:4] == ["user.user_id", "string", "yes", "1"]
    (told,) = json.loads(run("events", OPEN, "--fields", "--json").stdout)
    paths = [field["path"] for field in told["fields"]]
    assert paths == [field.path for field in Catalog.load()[OPEN].fields.values()]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["events", "users.messages.email.Opne"], "did you mean 'users.messages.email.Open'"),
        (["events", "email.Opne"], "did you mean 'users.messages.email.Open'"),
        (["events", "--schema-version", "99"], "schema version 99 is not known"),
        (["schema", "users.messages.email.Opne"], "did you mean 'users.messages.email.Open'"),
        (["schema", OPEN, "--schema-version", "0"], "schema version 0 is not known"),
        (["schema", "users.messages.banner.Click", "--schema-version", "1"], "schema version"),
        (["generate", "--event-type", "email.Opne"], "did you mean 'users.messages.email.Open'"),
        (["generate", "--schema-version", "99"], "schema version 99 is not known"),
        (["validate", "--schema-version", "99"], "schema version 99 is not known"),
        (["serve", "--schema-version", "99"], "schema version 99 is not known"),
    ],
)
def test_unknown_names_exit_with_2_and_the_nearest(args: list[str], says: str) -> None:
    result = run(*args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: ")
    assert says in result.stderr


def test_schema_prints_the_json_schema() -> None:
    wide, narrow = run("schema", OPEN), run("schema", OPEN, "--json")
    assert json.loads(wide.stdout) == json.loads(narrow.stdout)
    assert len(narrow.stdout.splitlines()) == 1 < len(wide.stdout.splitlines())
    assert "user_id" in wide.stdout


# generate


FIXED = ("--seed", 7, "--start", "2026-01-31T12:00:00Z")


def test_the_same_seed_and_start_give_the_same_bytes() -> None:
    one, same = run("generate", *FIXED, "-n", 50), run("generate", *FIXED, "--count", "50")
    other = run("generate", "--seed", 8, "--start", 1769860800, "-n", 50)
    assert one.stdout_bytes == same.stdout_bytes
    assert one.stdout_bytes != other.stdout_bytes
    events = [json.loads(line) for line in one.stdout.splitlines()]
    assert len(events) == 50
    assert events[0]["time"] == 1769860800
    assert one.stderr == "50 events; --seed 7 --start 1769860800 gives them again\n"


def test_what_generate_says_gives_the_events_again() -> None:
    first = run("generate", "-n", 5)
    hint = first.stderr.partition("; ")[2].removesuffix(" gives them again\n")
    assert run("generate", "-n", 5, *hint.split()).stdout_bytes == first.stdout_bytes


def test_generate_makes_a_hundred_events_that_conform() -> None:
    made = run("generate", *FIXED)
    assert len(made.stdout.splitlines()) == 100
    checked = run("validate", "--strict", "--json", stdin=made.stdout_bytes)
    assert checked.exit_code == 0, checked.stdout


@pytest.mark.parametrize(
    ("start", "time"),
    [
        ("2026-01-31T12:00:00Z", 1769860800),
        ("2026-01-31T12:00:00", 1769860800),
        ("2026-01-31T13:00:00+01:00", 1769860800),
        ("2026-01-31", 1769817600),
        ("1769860800", 1769860800),
    ],
)
def test_a_start_may_be_written_in_several_ways(start: str, time: int) -> None:
    made = run("generate", "-n", 1, "--seed", 1, "--start", start)
    assert json.loads(made.stdout)["time"] == time


def test_samples_are_one_of_each_type() -> None:
    result = run("generate", *FIXED, "--samples", "--event-type", "users.messages.email.*")
    names = [json.loads(line)["event_type"] for line in result.stdout.splitlines()]
    assert names == [each.name for each in Catalog.load().select("users.messages.email.*")]


def test_bodies_hold_up_to_a_hundred_events_of_a_type() -> None:
    args = ("generate", *FIXED, "-n", 450, "--event-type", OPEN, "--event-type", SEND)
    plain, bodies = run(*args), run(*args, "--bodies")
    batches = [json.loads(line)["events"] for line in bodies.stdout.splitlines()]
    assert all(len({each["event_type"] for each in batch}) == 1 for batch in batches)
    assert max(map(len, batches)) == 100
    events = [json.loads(line) for line in plain.stdout.splitlines()]
    by_id = sorted((each for batch in batches for each in batch), key=lambda each: str(each["id"]))
    assert by_id == sorted(events, key=lambda each: str(each["id"]))


def test_json_is_an_array_of_the_same_events() -> None:
    args = ("generate", *FIXED, "-n", 20)
    lines = [json.loads(line) for line in run(*args).stdout.splitlines()]
    assert json.loads(run(*args, "--json").stdout) == lines
    bodies = [json.loads(line) for line in run(*args, "--bodies").stdout.splitlines()]
    assert json.loads(run(*args, "--bodies", "--json").stdout) == bodies


def test_output_goes_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    to_file = run("generate", *FIXED, "-n", 20, "-o", path)
    to_stdout = run("generate", *FIXED, "-n", 20)
    assert to_file.stdout == ""
    assert path.read_bytes() == to_stdout.stdout_bytes
    told = json.loads(run("generate", *FIXED, "-n", 20, "--output", path, "--json").stdout)
    assert path.read_bytes() == to_stdout.stdout_bytes
    assert (told["events"], told["seed"], told["start"]) == (20, 7, 1769860800)
    assert told["output"] == str(path)
    assert sum(told["by_event_type"].values()) == 20


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--rate", "0"], "--rate is 0.0; it must be more than 0"),
        (["--rate", "-1"], "--rate is -1.0"),
        (["--rate", "nan"], "--rate is nan"),
        (["--rate", "inf"], "rate is inf"),
        (["--rate", "fast"], "--rate"),
        (["--count", "0"], "--count"),
        (["--count", "many"], "--count"),
        (["--users", "0"], "--users"),
        (["--seed", "x"], "--seed"),
        (["--start", "soon"], "'soon' is not a time; it looks like"),
        (["--start", ""], "'' is not a time"),
        (["--start", "-5"], "'-5' is not a time"),
        (["--start", "9" * 5000], "is not a time"),
        (["--start", "0"], "start is 0; it must be a whole number from 1"),
        (["--start", "4294967296"], "start is 4294967296"),
        (["--start", "1969-12-31"], "start is -86400"),
        (["--samples", "--count", "3"], "--samples is one event of each type"),
        (["--event-type", ""], "unknown event type ''"),
    ],
)
def test_bad_values_for_generate_exit_with_2(args: list[str], says: str) -> None:
    result = run("generate", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in words(result.stderr)
    assert len(result.stderr) < 1_000


def test_an_output_that_cannot_be_written_exits_with_2(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none" / "events"):
        result = run("generate", "-n", 1, "-o", path)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(f"error: {path}: cannot be written: ")


def test_a_stream_that_ends_early_exits_with_1() -> None:
    result = run("generate", "--seed", 1, "--start", 2**32 - 1, "--rate", 1e-9, "-n", 3)
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 1
    assert "3 events were asked for, but the stream ends in the year 2106" in result.stderr


def test_no_progress_among_events_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Screen(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Screen(raw))
    err = Terminal()
    monkeypatch.setattr(sys, "stderr", err)
    with pytest.raises(SystemExit) as caught:
        app(["generate", "-n", "3", "--seed", "1"])
    assert caught.value.code == 0
    assert len([json.loads(line) for line in raw.getvalue().splitlines()]) == 3
    assert "\x1b" not in err.getvalue()


# validate


def test_events_that_conform_are_found_good(file: Callable[..., Path]) -> None:
    values = [each.to_dict() for each in make_events(5)]
    for path in (
        file("lines.jsonl", make_events(5)),
        file("array.json", orjson.dumps(values)),
        file("pretty.json", json.dumps(values, indent=2)),
        file(
            "bodies.jsonl",
            orjson.dumps({"events": values[:3]}) + b"\n" + orjson.dumps({"events": values[3:]}),
        ),
    ):
        result = run("validate", path)
        assert (result.exit_code, result.stdout) == (0, "")
        assert result.stderr == (
            "5 events checked against schema version 10: 0 errors, 0 warnings, 0 unreadable\n"
        )


def test_findings_say_where_and_what(file: Callable[..., Path]) -> None:
    wrong, odd = event(1, email_address=7), event(2, unknown=1)
    path = file("events.jsonl", [event(0), wrong, odd])
    result = run("validate", path)
    assert result.exit_code == 1
    first, second = result.stdout.splitlines()
    assert first.startswith(f"{path}:2: error: {OPEN} {wrong.id}: properties.email_address: ")
    assert second.startswith(f"{path}:3: warning: {OPEN} {odd.id}: properties.unknown: ")
    assert "3 events checked" in result.stderr
    assert "1 errors, 1 warnings, 0 unreadable" in result.stderr
    told = json.loads(run("validate", path, "--json").stdout)
    assert (told["events"], told["errors"], told["warnings"], told["unreadable"]) == (3, 1, 1, 0)
    assert (told["schema_version"], told["by_event_type"]) == (10, {OPEN: 3})
    assert [each["where"] for each in told["findings"]] == [f"{path}:2", f"{path}:3"]
    assert [each["level"] for each in told["findings"]] == ["error", "warning"]


def test_warnings_count_only_when_strict(file: Callable[..., Path]) -> None:
    path = file("events.jsonl", [event(0, unknown=1)])
    assert run("validate", path).exit_code == 0
    assert run("validate", path, "--strict").exit_code == 1
    assert run("validate", path, "--strict", "--json").exit_code == 1


def test_a_bad_line_does_not_hide_the_others(file: Callable[..., Path]) -> None:
    good = encode_event(event()).decode()
    path = file("events.jsonl", f"{good}\nnot JSON\n{good}\n7\n")
    result = run("validate", path, "--json")
    assert result.exit_code == 2
    told = json.loads(result.stdout)
    assert (told["events"], told["unreadable"]) == (3, 1)
    assert told["by_event_type"] == {"?": 1, OPEN: 2}
    assert [each["where"] for each in told["findings"]] == [f"{path}:4"]
    assert result.stderr.startswith(f"error: {path}:2: not JSON: ")


def test_a_missing_file_does_not_hide_the_others(file: Callable[..., Path], tmp_path: Path) -> None:
    path = file("events.jsonl", make_events(3))
    result = run("validate", tmp_path / "none", path, path, tmp_path)
    assert result.exit_code == 2
    assert "6 events checked" in result.stderr
    assert "2 unreadable" in result.stderr
    assert f"error: {tmp_path / 'none'}: cannot be read: " in result.stderr


@pytest.mark.parametrize("args", [(), ("-",)])
def test_standard_input_is_validated(args: tuple[str, ...]) -> None:
    result = run("validate", *args, stdin=encode_event(event(0, unknown=1)))
    assert result.stdout.startswith("<stdin>:1: warning: ")
    assert "1 events checked" in result.stderr


def test_an_older_schema_version_knows_less(file: Callable[..., Path]) -> None:
    path = file("events.jsonl", [event(0, "users.messages.banner.Click")])
    result = run("validate", path, "--schema-version", 1)
    assert "is not in schema version 1" in result.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are Unicode elsewhere")
@pytest.mark.parametrize("args", [(), ("--json",)])
def test_a_file_whose_name_is_not_unicode_can_be_told(
    args: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / "\udcff.jsonl"
    path.write_bytes(encode_event(event(0, unknown=1)))
    result = run("validate", path, *args)
    assert result.exit_code == 0
    assert r"\udcff.jsonl:1" in result.stdout


def test_a_closed_standard_input_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    (item,) = _input.values_in(None)
    assert str(item) == "<stdin>: it is closed"


def test_who_reads_a_terminal_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Keyboard(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Keyboard(io.BytesIO(encode_event(event()))))
    assert len(list(_input.values_in(["-"]))) == 1
    assert capsys.readouterr().err == "reading events from the terminal\n"


# send


def test_events_are_sent_and_accounted_for(
    file: Callable[..., Path], current: Callable[..., Path]
) -> None:
    receiver = Receiver(bearer_tokens=[TOKEN])
    path = file("events.jsonl", [*make_events(150), *make_events(3, CLICK)])
    with listen(receiver) as url:
        result = run("send", path, "--current", current(url, bearer_token=TOKEN))
    assert (result.exit_code, result.stderr) == (0, "")
    assert [line.split() for line in result.stdout.splitlines()[1:3]] == [
        [CLICK, "3", "3", "0", "0", "0"],
        [OPEN, "150", "150", "0", "0", "0"],
    ]
    assert "accepted 153, delivered 153, dropped 0, filtered 0, pending 0" in result.stdout
    assert "3 requests, 0 retries" in result.stdout
    assert {each["id"] for each in receiver.events} == {each.id for each in make_events(150)}
    assert receiver.counts.findings == ()


def test_the_account_is_json_when_asked_for(
    file: Callable[..., Path], current: Callable[..., Path]
) -> None:
    with listen(Receiver()) as url:
        where = current(url, event_types=[OPEN])
        result = run(
            "send", file("events.jsonl", [event(1), event(2, CLICK)]), "--json", "--current", where
        )
    told = json.loads(result.stdout)
    assert result.exit_code == 0
    assert (told["accepted"], told["delivered"], told["filtered"]) == (1, 1, 1)
    assert told["filter_reasons"] == {"event type not selected": 1}
    assert (told["state"], told["reason"]) == ("active", "")
    assert (told["not_taken"], told["unread"], told["interrupted"]) == (0, 0, False)
    assert (told["pending_file"], told["drops"]) == (None, [])


def test_an_unknown_event_type_is_named_with_the_nearest_and_costs_no_other(
    file: Callable[..., Path], current: Callable[..., Path]
) -> None:
    odd = [event(1, "users.messages.email.Opne"), event(2, "users.canvas.costep.Send")]
    with listen(Receiver()) as url:
        where = current(url, schema_version=9)
        path = file("events.jsonl", [event(0), *odd, event(3)])
        result = run("send", path, "--json", "--current", where)
    told = json.loads(result.stdout)
    assert (result.exit_code, told["delivered"], told["filtered"]) == (2, 2, 2)
    assert told["unknown_event_types"] == {each.event_type: 1 for each in odd[::-1]}
    assert "unknown event type 'users.messages.email.Opne'; did you mean" in result.stderr
    assert "'users.canvas.costep.Send' came with schema version 10" in result.stderr
    assert "(1 of them not sent)" in result.stderr


def test_trouble_is_told_once_when_it_begins(
    file: Callable[..., Path], current: Callable[..., Path]
) -> None:
    args = ("send", file("events.jsonl", make_events(2)), "--give-up-after", 0.2)
    result = run(*args, "--current", current())
    assert result.exit_code == 1
    assert result.stderr.count("; trying again") == 1


@pytest.mark.parametrize("command", ["send", "validate"])
def test_no_events_at_all_are_worth_a_word(
    command: str, file: Callable[..., Path], current: Callable[..., Path]
) -> None:
    args = ("--current", current()) if command == "send" else ()
    result = run(command, file("events.jsonl", ""), *args)
    assert result.exit_code == 0
    assert result.stderr.startswith("there ")
    assert "no events" in result.stderr


def test_the_receivers_secrets_may_come_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[dict[str, Any]] = []

    class Made(Receiver):
        def __init__(self, **options: Any) -> None:
            made.append(options)
            raise SenderClosedError("enough")

    monkeypatch.setattr(_receiver, "Receiver", Made)
    monkeypatch.setenv("CURRENTS_RECEIVER_WRITE_KEY", WRITE_KEY)
    monkeypatch.setenv("CURRENTS_RECEIVER_BEARER_TOKEN", TOKEN)
    assert run("serve").exit_code == 2
    assert [*made[0]["write_keys"], *made[0]["bearer_tokens"]] == [WRITE_KEY, TOKEN]


def test_the_batch_size_is_heeded(file: Callable[..., Path], current: Callable[..., Path]) -> None:
    receiver = Receiver()
    with listen(receiver) as url:
        path = file("events.jsonl", make_events(10))
        run("send", path, "--current", current(url), "--batch-size", 3, "--concurrency", 1)
    assert receiver.counts.requests == 4


def test_a_bad_line_does_not_keep_the_others_from_being_sent(
    file: Callable[..., Path], current: Callable[..., Path], tmp_path: Path
) -> None:
    good = [encode_event(each).decode() for each in make_events(2)]
    brackets = "[" * 250 + "]" * 250
    deep = f'{{"event_type": "{OPEN}", "id": "x", "time": 1, "properties": {{"a": {brackets}}}}}'
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
    assert "of the input, not readable as events: 5" in result.stdout
    assert json.loads(as_json.stdout)["unread"] == 5
    assert receiver.counts.by_event_type == {OPEN: 4}


def test_a_file_given_twice_is_sent_twice(
    file: Callable[..., Path], current: Callable[..., Path]
) -> None:
    receiver = Receiver()
    path = file("events.jsonl", make_events(3))
    with listen(receiver) as url:
        assert run("send", path, path, "--current", current(url)).exit_code == 0
    assert (receiver.counts.events, receiver.counts.duplicates) == (6, 3)


def test_dropped_events_are_named(file: Callable[..., Path], current: Callable[..., Path]) -> None:
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


def test_at_a_closed_port_what_is_pending_is_kept(
    file: Callable[..., Path], current: Callable[..., Path], tmp_path: Path
) -> None:
    kept = tmp_path / "pending.jsonl"
    events = [*make_events(3), *make_events(2, CLICK)]
    args = ("send", file("events.jsonl", events), "--current", current(), "--give-up-after", 0.2)
    result = run(*args, "--pending", kept)
    assert result.exit_code == 1
    assert "test: paused; nothing is sent until it is resumed (network error: " in result.stderr
    assert "the Current is paused: network error: " in result.stdout
    assert f"what was not sent is in {kept}" in result.stdout
    lines = kept.read_bytes().splitlines()
    assert sorted(lines) == sorted(encode_event(each) for each in events)
    assert not (tmp_path / "pending.jsonl.part").exists()
    told = json.loads(run(*args, "--pending", kept, "--json").stdout)
    assert (told["pending"], told["pending_file"], told["state"]) == (5, str(kept), "paused")
    without = run(*args)
    assert without.exit_code == 1
    assert "--pending FILE keeps what could not be sent" in without.stderr


def test_transformations_are_not_in_what_is_kept(
    file: Callable[..., Path], current: Callable[..., Path], tmp_path: Path
) -> None:
    where = current()
    where.write_text(where.read_text() + '[field_transformations]\nemail_address = "hash"\n')
    path, kept = file("events.jsonl", [event()]), tmp_path / "pending.jsonl"
    run("send", path, "--current", where, "--give-up-after", 0.2, "--pending", kept)
    assert kept.read_bytes() == path.read_bytes()


def test_the_file_of_what_is_pending_may_be_the_input(
    file: Callable[..., Path], current: Callable[..., Path]
) -> None:
    path = file("events.jsonl", make_events(3))
    before = path.read_bytes()
    args = ("send", path, "--pending", path, "--give-up-after", 0.2, "--current")
    assert run(*args, current()).exit_code == 1
    assert path.read_bytes() == before
    receiver = Receiver()
    with listen(receiver) as url:
        assert run(*args, current(url)).exit_code == 0
    assert receiver.counts.events == 3


def test_the_rest_of_the_input_is_kept_when_the_queue_is_full(
    file: Callable[..., Path], current: Callable[..., Path], tmp_path: Path
) -> None:
    events, kept = make_events(10_250), tmp_path / "pending.jsonl"
    files = [file("one.jsonl", events[:10_100]), file("two.jsonl", events[10_100:])]
    with listen(Receiver(bearer_tokens=[TOKEN])) as url:
        where = current(url, bearer_token="other")
        result = run("send", *files, "--current", where, "--pending", kept, "--json")
        counted = run("send", *files, "--current", where)
    assert (result.exit_code, counted.exit_code) == (1, 1)
    told = json.loads(result.stdout)
    assert (told["accepted"], told["pending"], told["not_taken"]) == (10_000, 10_000, 250)
    assert sorted(ids_in(kept)) == [each.id for each in events]
    assert "of the input, not taken any more: 250" in counted.stdout


def test_standard_input_is_kept_unasked(
    current: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = b"".join(encode_event(each) + b"\n" for each in make_events(3))
    result = run("send", "--current", current(), "--give-up-after", 0.2, stdin=text)
    assert result.exit_code == 1
    (kept,) = tmp_path.glob("currents-export-pending-*.jsonl")
    assert kept.read_bytes() == text
    assert f"what was not sent is in {kept.name}" in result.stdout


def test_nothing_is_kept_when_all_was_sent(
    current: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with listen(Receiver()) as url:
        result = run("send", "-", "--current", current(url), stdin=encode_event(event()))
    assert result.exit_code == 0
    assert list(tmp_path.glob("*pending*")) == []


@pytest.mark.parametrize("name", ["", ".", "none/pending.jsonl", "n" * 300])
def test_a_pending_file_that_cannot_be_written_is_refused_before_anything_is_sent(
    name: str,
    file: Callable[..., Path],
    current: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    receiver = Receiver()
    with listen(receiver) as url:
        result = run(
            "send", file("e", make_events(1)), "--current", current(url), "--pending", name
        )
    assert (result.exit_code, result.stdout) == (2, "")
    assert "cannot be written: " in result.stderr
    assert receiver.counts.requests == 0


def test_when_what_is_pending_cannot_be_kept_the_account_is_told_all_the_same(
    current: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # The file's name is made from the time: now it is in a directory that does not exist.
    monkeypatch.setattr(time, "strftime", lambda _: "none/there")
    text = b"".join(encode_event(each) + b"\n" for each in make_events(3))
    result = run("send", "--current", current(), "--give-up-after", 0.2, "--json", stdin=text)
    assert result.exit_code == 2
    told = json.loads(result.stdout)
    assert (told["pending"], told["not_taken"], told["pending_file"]) == (3, 0, None)
    assert "3 events that were not sent could not be kept: " in result.stderr


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--batch-size", "0"], "--batch-size"),
        (["--concurrency", "0"], "--concurrency"),
        (["--max-age", "0"], "max_age is 0.0; it must be seconds"),
        (["--timeout", "0"], "timeout is 0.0; it must be seconds"),
        (["--timeout", "nan"], "timeout is nan"),
        (["--give-up-after", "-1"], "--give-up-after"),
        (["--give-up-after", "long"], "--give-up-after"),
    ],
)
def test_bad_values_for_send_exit_with_2(
    args: list[str], says: str, file: Callable[..., Path], current: Callable[..., Path]
) -> None:
    result = run("send", file("events.jsonl", make_events(1)), "--current", current(), *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in words(result.stderr)


# Interrupted


@contextmanager
def interrupting(*, keep: bool = False) -> Iterator[tuple[str, Receiver]]:
    """A receiver that never has its work done, and interrupts the command at the first request."""
    asked = threading.Event()

    async def interrupt(_: float) -> None:
        if not asked.is_set():
            asked.set()
            main_thread = threading.main_thread().ident
            assert main_thread is not None
            signal.pthread_kill(main_thread, signal.SIGINT)

    script = [ScriptedResponse(503, times=None, delay=1, keep=keep)]
    receiver = Receiver(script=script, sleep=interrupt)
    with listen(receiver) as url:
        yield url, receiver


@pytest.mark.parametrize("count", [3, 10_250])
def test_an_interrupted_run_keeps_what_was_not_sent_and_the_rest(
    count: int, file: Callable[..., Path], current: Callable[..., Path], tmp_path: Path
) -> None:
    before = signal.getsignal(signal.SIGINT)
    events, kept = make_events(count), tmp_path / "pending.jsonl"
    with interrupting() as (url, _):
        args = ("--current", current(url), "--pending", kept, "--json")
        result = run("send", file("events.jsonl", events), *args)
    assert result.exit_code == 130
    told = json.loads(result.stdout)
    assert told["interrupted"] is True
    assert told["pending"] + told["not_taken"] == count
    assert sorted(ids_in(kept)) == [each.id for each in events]
    assert signal.getsignal(signal.SIGINT) is before


def test_after_an_interruption_standard_input_is_left_alone(
    file: Callable[..., Path], current: Callable[..., Path], tmp_path: Path
) -> None:
    events, kept = make_events(10_250), tmp_path / "pending.jsonl"
    with interrupting() as (url, _):
        args = ("--current", current(url), "--pending", kept)
        result = run("send", file("e", events), "-", *args, stdin=encode_event(event(99_999)))
    assert result.exit_code == 130
    assert sorted(ids_in(kept)) == [each.id for each in events]


def test_an_interruption_before_there_is_a_sender_is_not_forgotten() -> None:
    job = _delivery._Job()
    job.interrupt()
    sender = Sender(custom())
    with job.closing(sender), pytest.raises(SenderClosedError):
        sender.send(event())
    assert job.interrupted


def test_signals_that_mean_something_else_do_not_interrupt() -> None:
    interrupted, other = threading.Event(), []
    before = signal.signal(signal.SIGUSR1, lambda *_: other.append(1))
    try:
        with on_interrupt(interrupted.set):
            signal.raise_signal(signal.SIGUSR1)
            assert other == [1]
            assert not interrupted.is_set()
            signal.raise_signal(signal.SIGTERM)
            assert interrupted.wait(PATIENCE)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_an_interrupted_test_says_what_is_pending(current: Callable[..., Path]) -> None:
    with interrupting() as (url, _):
        result = run("test", "--current", current(url, event_types=[OPEN, CLICK]))
    assert result.exit_code == 130
    assert "accepted 2, delivered 0, dropped 0, filtered 0, pending 2" in result.stdout


def test_an_interruption_ends_the_reading_of_standard_input(
    file: Callable[..., Path],
    current: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"".join(encode_event(each) + b"\n" for each in make_events(100)))
    kept = tmp_path / "pending.jsonl"
    with interrupting() as (url, _), os.fdopen(reading, "rb") as pipe:
        args = ("--current", current(url), "--pending", kept, "--json")
        monkeypatch.setattr(_input, "read_path", lambda name: reads(pipe if name == "-" else name))
        result = run("send", "-", file("more.jsonl", [event(100)]), *args)
    os.close(writing)
    assert result.exit_code == 130
    assert json.loads(result.stdout)["pending"] >= 100
    assert sorted(ids_in(kept)) == [each.id for each in make_events(101)]


def reads(source: Any) -> Any:
    from currents_export.reading import read_path, read_values

    return read_path(source) if isinstance(source, str) else read_values(source, source="<stdin>")


def test_a_second_interruption_breaks_the_run_off(
    file: Callable[..., Path], current: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def again(*_: object, **__: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("currents_export.cli._delivery.print_result", again)
    with interrupting() as (url, _):
        result = run("send", file("events.jsonl", make_events(1)), "--current", current(url))
    assert (result.exit_code, result.stdout) == (130, "")


def test_a_signal_that_is_ignored_stays_ignored(current: Callable[..., Path]) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupting() as (url, _):
            args = ("--current", current(url, event_types=[OPEN]), "--give-up-after", 0.2)
            result = run("test", *args)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert result.exit_code == 1
    assert "the Current is paused" in result.stdout


# test, check


def test_test_sends_an_event_of_each_selected_type(current: Callable[..., Path]) -> None:
    receiver = Receiver()
    with listen(receiver) as url:
        where = current(url, event_types=["users.messages.email.*"])
        result = run("test", "--current", where, "--seed", 1)
        as_json = run("test", "--current", where, "--seed", 1, "--json")
    count = len(Catalog.load().select("users.messages.email.*"))
    assert (result.exit_code, as_json.exit_code) == (0, 0)
    assert f"accepted {count}, delivered {count}," in result.stdout
    assert json.loads(as_json.stdout)["delivered"] == count
    assert receiver.counts.findings == ()
    assert set(receiver.counts.by_event_type.values()) == {2}


def test_all_test_events_have_an_external_user_id(current: Callable[..., Path]) -> None:
    receiver = Receiver(write_keys=[WRITE_KEY])
    with listen(receiver) as url:
        key = f"{url}/v1/webhook?writeKey={WRITE_KEY}"
        result = run("test", "--current", current(key=key, region="US"))
    assert result.exit_code == 0
    has_one = {
        each.name
        for each in Catalog.load().event_types
        if any(field.path == "user.external_user_id" for field in each.fields.values())
    }
    assert set(receiver.counts.by_event_type) == has_one
    assert "dropped 0, filtered 2, pending 0" in result.stdout


@pytest.mark.parametrize(
    ("script", "holds", "code", "says"),
    [
        ([], True, 0, "the credentials hold"),
        ([ScriptedResponse(401)], False, 1, "the URL or the credentials are wrong (401: scripted)"),
        ([ScriptedResponse(404)], False, 1, "the URL or the credentials are wrong"),
        ([ScriptedResponse(503)], None, 1, "the response does not tell (503: scripted)"),
        ([ScriptedResponse("reset")], None, 1, "the response does not tell (network error: "),
    ],
)
def test_check_says_whether_the_credentials_hold(
    script: list[ScriptedResponse],
    holds: bool | None,
    code: int,
    says: str,
    current: Callable[..., Path],
) -> None:
    with listen(Receiver(script=script * 2)) as url:
        where = current(url, bearer_token=TOKEN)
        result, as_json = (
            run("check", "--current", where),
            run("check", "--current", where, "--json"),
        )
    assert (result.exit_code, as_json.exit_code) == (code, code)
    assert says in result.stdout
    assert json.loads(as_json.stdout)["holds"] is holds


def test_check_at_a_closed_port_does_not_tell(current: Callable[..., Path]) -> None:
    result = run("check", "--current", current())
    assert result.exit_code == 1
    assert result.stdout.startswith("the response does not tell (network error: ")


# Currents


BAD_CURRENTS = [
    ("", ["integration_name: it is missing", "key: it is missing"]),
    ("integration_name = ", ["it is not TOML"]),
    ("\x00", ["it is not TOML"]),
    (b"\xff\xfe", ["it is not UTF-8 text"]),
    ("integration_name = 7\n", ["line 1: integration_name: it must be text, not int"]),
    ("endpoint = [1]\nevent_types = 7\n", ["endpoint: it must be text", "event_types: "]),
    ('event_types = ["users.messages.email.Opne"]', ["did you mean 'users.messages.email.Open'"]),
    ('endpoint = "ftp://x/"', ["endpoint: it must be an https URL"]),
    ('endpoint = "http://example.com/"', ["plain http shows its secret"]),
    ('endpoint = "https://["', ["it is not a URL"]),
    ('endpoint = "not a URL"', ["it is not a URL"]),
    (f'endpoint = "https://u:{TOKEN}@h:x/"', ["it is not a URL"]),
    (f'key = "{WRITE_KEY}"', ["it must be the whole webhook URL"]),
    (f'bearer_token = "{TOKEN} "', ["RFC 6750"]),
    ("endpiont = 1", ["there is no such field; did you mean 'endpoint'?"]),
    ("schema_version = 99", ["schema version 99 is not known"]),
]


@pytest.mark.parametrize("command", ["send", "test", "check"])
@pytest.mark.parametrize(("text", "says"), BAD_CURRENTS)
def test_a_bad_current_exits_with_2_and_all_that_is_wrong(
    command: str, text: str | bytes, says: list[str], file: Callable[..., Path]
) -> None:
    path = file("current.toml", text)
    result = run(command, "--current", path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {path}: the Current has ")
    for each in says:
        assert each in result.stderr


@pytest.mark.parametrize("command", ["send", "test", "check"])
def test_a_current_that_is_not_there_exits_with_2(command: str, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.toml"):
        result = run(command, "--current", path)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "it cannot be read: " in result.stderr
    nothing = run(command)
    assert nothing.exit_code == 2
    assert "contact_email: it is missing" in nothing.stderr


def test_the_environment_goes_before_the_file(
    current: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = Receiver(bearer_tokens=[TOKEN])
    with listen(receiver) as url:
        where = current(CLOSED, bearer_token="wrong")
        monkeypatch.setenv("CURRENTS_EXPORT_ENDPOINT", url)
        assert run("check", "--current", where).exit_code == 1
        monkeypatch.setenv("CURRENTS_EXPORT_BEARER_TOKEN", TOKEN)
        assert run("check", "--current", where).exit_code == 0
        monkeypatch.setenv("CURRENTS_EXPORT_EVENT_TYPES", f"{OPEN},{CLICK}")
        assert run("test", "--current", where).exit_code == 0
    assert receiver.counts.by_event_type == {CLICK: 1, OPEN: 1}


def test_the_environment_alone_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    with listen(Receiver(write_keys=[WRITE_KEY])) as url:
        for name, value in {
            "INTEGRATION_NAME": "test",
            "CONTACT_EMAIL": "qa@example.com",
            "KEY": f"{url}/v1/webhook?writeKey={WRITE_KEY}",
            "REGION": "eu",
        }.items():
            monkeypatch.setenv(f"CURRENTS_EXPORT_{name}", value)
        assert run("check").exit_code == 0
        monkeypatch.setenv("CURRENTS_EXPORT_KEY", f"{url}/v1/webhook?writeKey={WRITE_KEY}x")
        wrong = run("check")
    assert wrong.exit_code == 1
    monkeypatch.setenv("CURRENTS_EXPORT_SCHEMA_VERSION", "new")
    bad = run("check")
    assert bad.exit_code == 2
    assert "CURRENTS_EXPORT_SCHEMA_VERSION: schema_version: it must be a whole number" in bad.stderr


# Whatever it is given


GARBAGE = [
    b"",
    b"\n\n \t\r\n",
    b"\x00" * 100,
    b"\xff\xfe\x00",
    b"\xef\xbb\xbf",
    b"[",
    b"{",
    b'"',
    b"[" * 5_000,
    b'{"a":' * 5_000,
    b"[" * 300 + b"]" * 300,
    b"null",
    b"[[], [[]], {}, null, 7]",
    b'{"events": 7}',
    b'{"events": [{"event_type": 7, "id": {}, "time": "x", "user": [], "properties": null}]}',
    b'{"event_type": "", "id": "", "time": 1e400}',
    b'{"event_type": "a", "id": "\\ud800", "time": 1}',
    b'{"event_type": "a", "id": "b", "time": 123456789012345678901234567890}',
    b'{"event_type": "[red]", "id": "[/red]", "time": true, "user": {"[b]": 1}}',
    b'{"event_type": "\x1b[31m", "id": "b", "time": 1}',
    b"9" * 5_000,
    b"<html>",
    b"event_type,id,time\na,b,1\n",
    "{“event_type”: “a”}".encode(),
    b'{"event_type": "a"} {"event_type": "b"}',
]


@pytest.mark.parametrize("content", GARBAGE)
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_garbage_is_validated_without_a_traceback(
    content: bytes, more: tuple[str, ...], file: Callable[..., Path]
) -> None:
    result = run("validate", file("garbage", content), *more)
    assert result.exit_code in (0, 1, 2)
    if more:
        told = json.loads(result.stdout)
        assert (result.exit_code == 2) is (told["unreadable"] > 0)
        assert (result.exit_code == 1) is (told["errors"] > 0 and not told["unreadable"])


@pytest.mark.parametrize("content", GARBAGE)
def test_garbage_is_sent_without_a_traceback(
    content: bytes, file: Callable[..., Path], current: Callable[..., Path]
) -> None:
    where, path = current(), file("garbage", content)
    result = run("send", path, "--current", where, "--give-up-after", 0.01, "--json")
    told = json.loads(result.stdout)
    assert told["accepted"] == 0
    assert result.exit_code == (2 if told["unread"] else 0)


@pytest.mark.parametrize("content", GARBAGE)
def test_garbage_for_a_current_is_refused_without_a_traceback(
    content: bytes, file: Callable[..., Path]
) -> None:
    result = run("check", "--current", file("garbage.toml", content))
    assert (result.exit_code, result.stdout) == (2, "")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    content=st.binary(max_size=300)
    | st.text(alphabet='{}[]":,\\ \nab1', max_size=100).map(str.encode)
)
def test_any_bytes_are_validated_without_a_traceback(
    content: bytes, file: Callable[..., Path]
) -> None:
    assert run("validate", file("any", content), "--json").exit_code in (0, 1, 2)


# serve, demo


def serve(
    *args: object, visit: Callable[[str], object], monkeypatch: pytest.MonkeyPatch, by: int
) -> tuple[Result, str]:
    """What `serve` says when it is visited and then gets the signal `by`; and its URL."""
    urls = []
    main_thread = threading.main_thread().ident
    assert main_thread is not None

    def come(url: str) -> None:
        try:
            visit(url)
        finally:
            signal.pthread_kill(main_thread, by)

    @contextmanager
    def visited(receiver: Receiver, **options: Any) -> Iterator[str]:
        with listen(receiver, **options) as url:
            urls.append(url)
            visitor = threading.Thread(target=come, args=(url,))
            visitor.start()
            yield url
            visitor.join()

    monkeypatch.setattr(_receiver, "listen", visited)
    result = run("serve", "--port", 0, *args)
    return result, urls[0]


BRAZE = {"Content-Type": "application/json", "Braze-Currents-Version": "1"}


def post(url: str, *events: Event, **options: Any) -> httpx.Response:
    content = orjson.dumps({"events": [each.to_dict() for each in events]})
    return httpx.post(url, content=content, headers=BRAZE | options, timeout=PATIENCE)


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_serve_says_where_and_then_what_came(by: int, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(by)
    wrong: dict[str, Any] = {"email_address": 7} | {f"new_{n}": 1 for n in range(25)}

    def visit(url: str) -> None:
        post(url, event(1), event(1), event(2, **wrong))
        post(url)

    result, url = serve(visit=visit, monkeypatch=monkeypatch, by=by)
    assert (result.exit_code, result.stderr) == (0, "")
    first, requests, events, header, *rows, more = result.stdout.splitlines()
    assert first == f"listening on {url}; interrupt to stop (Ctrl-C)"
    assert requests == "2 requests: 2 x 200"
    assert events == "3 events, 1 of them again; 1 conformance errors, 25 warnings"
    assert header.split() == ["count", "level", "event", "type", "field", "finding"]
    assert len(rows) == 20
    assert more == "and 6 more kinds; --json has them all"
    assert signal.getsignal(by) is before


def test_serve_takes_its_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    responses = []

    def visit(url: str) -> None:
        key = f"{url}/?writeKey={WRITE_KEY}"
        responses.extend(
            [
                post(key, event(1)),  # scripted
                post(key, event(1)),
                post(url, event(2)),
                post(url, event(2), Authorization=f"Bearer {TOKEN}"),
                post(key, event(3, email_address=7)),
                post(key, *make_events(20)),
            ]
        )

    path = tmp_path / "capture.jsonl"
    result, url = serve(
        *("--write-key", WRITE_KEY, "--bearer-token", TOKEN, "--script", "429,retry-after=2"),
        *("--strict", "--max-body-bytes", 2_000, "--capture", path, "--json"),
        visit=visit,
        monkeypatch=monkeypatch,
        by=signal.SIGTERM,
    )
    assert [each.status_code for each in responses] == [429, 200, 401, 200, 400, 413]
    assert responses[0].headers["retry-after"] == "2"
    assert ids_in(path) == [event(1).id, event(2).id]
    first, last = map(json.loads, result.stdout.splitlines())
    assert first == {"url": url}
    assert (last["requests"], last["events"], last["errors"]) == (6, 2, 1)


def test_serve_counts_on_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = threading.Event()
    seen: list[int] = []

    @contextmanager
    def counting(_: str) -> Iterator[Callable[[int], None]]:
        def advance(count: int) -> None:
            seen.append(count)
            if sum(seen) == 3:
                counted.set()

        yield advance

    def visit(url: str) -> None:
        post(url, event(1), event(2), event(3))
        assert counted.wait(PATIENCE)

    monkeypatch.setattr(_receiver, "progress", counting)
    monkeypatch.setattr(_receiver, "_GLANCE", 0.01)
    result, _ = serve(visit=visit, monkeypatch=monkeypatch, by=signal.SIGINT)
    assert result.exit_code == 0
    assert sum(seen) == 3


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--script", "503,dely=1"], "there is no option 'dely'; did you mean 'delay'?"),
        (["--script", "503", "--script", "x"], "'x' is not understood"),
        (["--write-key", ""], "write_keys must be a list of texts that are not empty"),
        (["--host", ".."], "cannot listen on '..': it is not the name of a host"),
        (["--host", "nowhere.invalid"], "cannot listen on 'nowhere.invalid'"),
        (["--port", "65536"], "--port"),
        (["--port", "http"], "--port"),
        (["--max-body-bytes", "0"], "--max-body-bytes"),
        (["--capture", "."], "the capture cannot be opened: "),
        (["--capture", "none/capture"], "none/capture: the capture cannot be opened: "),
    ],
)
def test_bad_values_for_serve_exit_with_2(
    args: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("serve", "--port", 0, *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in words(result.stderr)


def test_serve_at_a_port_in_use_exits_with_2(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run("serve", "--port", port, "--capture", tmp_path / "capture")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"cannot listen on '127.0.0.1', port {port}: " in result.stderr


def test_the_demo_shows_trouble_and_that_nothing_got_lost() -> None:
    result = run("demo")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "503: scripted" in result.stdout
    assert "sent again later" in result.stdout
    count = len(Catalog.load().event_types)
    assert f"accepted {count}, delivered {count}, dropped 0, filtered 0, pending 0" in result.stdout
    assert f"{count + 1} events, 1 of them again; 0 conformance errors, 0 warnings" in result.stdout
    assert result.stdout.endswith("0 delivered events are missing there\n")


def test_the_demo_needs_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", CLOSED)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    told = json.loads(run("demo", "--json", "--seed", 2).stdout)
    assert (told["pending"], told["missing"]) == (0, 0)
    assert told["received"]["duplicates"] == 1
    assert {each["attempt"] for each in told["trouble"]} == {1, 2}


@pytest.mark.parametrize("status", [400, 401])
def test_a_demo_that_fails_exits_with_1(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_demo, "_TROUBLE", [ScriptedResponse(status, times=None)])
    result = run("demo")
    assert result.exit_code == 1
    assert "accepted 96, delivered 0" in result.stdout
    assert ("the Current is paused: 401" in result.stdout) is (status == 401)
