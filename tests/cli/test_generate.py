from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from currents_export.catalog import Catalog
from currents_export.cli._app import app
from tests.cli.support import Terminal, run, words
from tests.support.events import OPEN, SEND
from tests.support.tables import CopiedTables

#: Few users, since their first days take time.
USERS = ("--users", 60)
FIXED = ("--seed", 7, "--start", "2026-01-31T12:00:00Z", *USERS)


def test_same_seed_same_bytes() -> None:
    one, same = run("generate", *FIXED, "-n", 50), run("generate", *FIXED, "--count", "50")
    other = run("generate", "--seed", 8, "--start", 1769860800, *USERS, "-n", 50)
    assert one.stdout_bytes == same.stdout_bytes
    assert one.stdout_bytes != other.stdout_bytes
    events = [json.loads(line) for line in one.stdout.splitlines()]
    assert len(events) == 50
    assert 1769860800 <= events[0]["time"] <= events[-1]["time"] < 1769860800 + 86_400
    assert one.stderr == "50 events; --seed 7 --start 1769860800 repeats them\n"


def test_printed_options_repeat_the_events() -> None:
    first = run("generate", *USERS, "-n", 5)
    hint = first.stderr.partition("; ")[2].removesuffix(" repeats them\n")
    assert run("generate", *USERS, "-n", 5, *hint.split()).stdout_bytes == first.stdout_bytes


def test_default_count_and_conformance() -> None:
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
def test_start_formats(start: str, time: int) -> None:
    made = run("generate", "-n", 1, "--seed", 1, *USERS, "--start", start)
    # Somebody does something within the hour.
    assert time <= json.loads(made.stdout)["time"] < time + 3600


def test_samples() -> None:
    result = run("generate", *FIXED, "--samples", "--event-type", "users.messages.email.*")
    names = [json.loads(line)["event_type"] for line in result.stdout.splitlines()]
    assert names == [each.name for each in Catalog.load().select("users.messages.email.*")]


def test_bodies() -> None:
    args = ("generate", *FIXED, "-n", 450, "--event-type", OPEN, "--event-type", SEND)
    plain, bodies = run(*args), run(*args, "--bodies")
    batches = [json.loads(line)["events"] for line in bodies.stdout.splitlines()]
    assert all(len({each["event_type"] for each in batch}) == 1 for batch in batches)
    assert max(map(len, batches)) == 100
    events = [json.loads(line) for line in plain.stdout.splitlines()]
    by_id = sorted((each for batch in batches for each in batch), key=lambda each: str(each["id"]))
    assert by_id == sorted(events, key=lambda each: str(each["id"]))


def test_json_array() -> None:
    args = ("generate", *FIXED, "-n", 20)
    lines = [json.loads(line) for line in run(*args).stdout.splitlines()]
    assert json.loads(run(*args, "--json").stdout) == lines
    bodies = [json.loads(line) for line in run(*args, "--bodies").stdout.splitlines()]
    assert json.loads(run(*args, "--bodies", "--json").stdout) == bodies


def test_output_file(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    to_file = run("generate", *FIXED, "-n", 20, "-o", path)
    to_stdout = run("generate", *FIXED, "-n", 20)
    assert to_file.stdout == ""
    assert path.read_bytes() == to_stdout.stdout_bytes
    report = json.loads(run("generate", *FIXED, "-n", 20, "--output", path, "--json").stdout)
    assert path.read_bytes() == to_stdout.stdout_bytes
    assert (report["events"], report["seed"], report["start"]) == (20, 7, 1769860800)
    assert report["output"] == str(path)
    assert sum(report["by_event_type"].values()) == 20


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
        (["--samples", "--count", "3"], "--samples makes one event of each type"),
        (["--placeholders", "--rate", "3"], "it excludes --rate"),
        (["--canvas"], "--canvas needs --samples"),
        (["--event-type", ""], "unknown event type ''"),
    ],
)
def test_bad_values(args: list[str], says: str) -> None:
    result = run("generate", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in words(result.stderr)
    assert len(result.stderr) < 1_000


def test_output_file_cannot_be_written(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none" / "events"):
        result = run("generate", "-n", 1, "-o", path)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.startswith(f"error: {path}: cannot be written: ")


def test_stream_ends_in_2106() -> None:
    result = run("generate", "--seed", 1, "--start", 2**32 - 100, "--users", 5, "-n", 99)
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) < 99
    assert "99 events were requested, but the stream ends in the year 2106" in result.stderr


def test_no_progress_among_events(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_output_overwrites_in_place(tmp_path: Path) -> None:
    """As a shell's `>`: a link is followed, and the mode stays."""
    path, link = tmp_path / "events.jsonl", tmp_path / "link"
    path.write_bytes(b"old" * 10_000)
    path.chmod(0o640)
    link.symlink_to(path)
    assert run("generate", "-n", 2, "-o", link).exit_code == 0
    assert len([json.loads(line) for line in path.read_bytes().splitlines()]) == 2
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(each.name for each in tmp_path.iterdir()) == ["events.jsonl", "link"]


def test_output_is_a_dash() -> None:
    args = ("generate", *FIXED, "-n", 20)
    for more in ((), ("--json",)):
        assert run(*args, *more, "-o", "-").stdout == run(*args, *more).stdout


def test_output_is_a_device() -> None:
    assert run("generate", "-n", 2, "-o", os.devnull).exit_code == 0
    assert not Path(os.devnull).is_file()


def test_failure_keeps_the_output(tmp_path: Path) -> None:
    tables = CopiedTables(tmp_path)
    tables.add("traffic.tsv", event_type="*", weight="many")
    path = tmp_path / "events.jsonl"
    path.write_text("precious")
    for kind in ((), ("--samples",)):
        result = run("generate", *kind, "--catalog", tables.directory, "-o", path)
        assert result.exit_code == 2
        assert "weight is 'many'" in result.stderr
    assert path.read_text() == "precious"


def test_only_what_a_current_sends(current: Callable[..., Path], tmp_path: Path) -> None:
    """Types that are not selected and users without an external id are left out, and counted so."""
    where = current(event_types=["email.*"], schema_version=5)
    key = tmp_path / "key.jsonl"
    args = ("generate", *FIXED, "--users", 100, "--count", 40, "--current", where)
    made = run(*args, "--answer-key", key)
    events = [json.loads(line) for line in made.stdout.splitlines()]
    assert len(events) == 40
    assert all(each["event_type"].startswith("users.messages.email.") for each in events)
    assert all("external_user_id" in each["user"] for each in events)
    assert len(key.read_bytes().splitlines()) == 41
    assert run(*args, "--workers", 2).stdout == made.stdout


def test_current_with_none_of_the_types(current: Callable[..., Path]) -> None:
    args = ("--current", current(event_types=["email.*"]), "--event-type", "users.behaviors.*")
    result = run("generate", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "the Current selects none of these event types" in result.stderr
