from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from currents_export.catalog import Catalog
from currents_export.cli import _input
from currents_export.payload import encode_event
from tests.cli.support import run
from tests.support.events import OPEN, event, make_events

NEWEST = Catalog.load().schema_version


def test_valid_events(file: Callable[..., Path]) -> None:
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
            f"5 events checked against schema version {NEWEST}: "
            "0 errors, 0 warnings, 0 unreadable\n"
        )


def test_findings(file: Callable[..., Path]) -> None:
    wrong, odd = event(1, email_address=7), event(2, unknown=1)
    path = file("events.jsonl", [event(0), wrong, odd])
    result = run("validate", path)
    assert result.exit_code == 1
    first, second = result.stdout.splitlines()
    assert first.startswith(f"{path}:2: error: {OPEN} {wrong.id}: properties.email_address: ")
    assert second.startswith(f"{path}:3: warning: {OPEN} {odd.id}: properties.unknown: ")
    assert "3 events checked" in result.stderr
    assert "1 error, 1 warning, 0 unreadable" in result.stderr
    report = json.loads(run("validate", path, "--json").stdout)
    assert (report["events"], report["errors"], report["warnings"], report["unreadable"]) == (
        3,
        1,
        1,
        0,
    )
    assert (report["schema_version"], report["by_event_type"]) == (NEWEST, {OPEN: 3})
    assert [each["where"] for each in report["findings"]] == [f"{path}:2", f"{path}:3"]
    assert [each["level"] for each in report["findings"]] == ["error", "warning"]


def test_strict(file: Callable[..., Path]) -> None:
    path = file("events.jsonl", [event(0, unknown=1)])
    assert run("validate", path).exit_code == 0
    assert run("validate", path, "--strict").exit_code == 1
    assert run("validate", path, "--strict", "--json").exit_code == 1


def test_bad_line_among_good_ones(file: Callable[..., Path]) -> None:
    good = encode_event(event()).decode()
    path = file("events.jsonl", f"{good}\nnot JSON\n{good}\n7\n")
    result = run("validate", path, "--json")
    assert result.exit_code == 2
    report = json.loads(result.stdout)
    assert (report["events"], report["unreadable"]) == (3, 1)
    assert report["by_event_type"] == {"?": 1, OPEN: 2}
    assert [each["where"] for each in report["findings"]] == [f"{path}:4"]
    assert result.stderr.startswith(f"error: {path}:2: not JSON: ")


def test_missing_file_among_others(file: Callable[..., Path], tmp_path: Path) -> None:
    path = file("events.jsonl", make_events(3))
    result = run("validate", tmp_path / "none", path, path, tmp_path)
    assert result.exit_code == 2
    assert "6 events checked" in result.stderr
    assert "2 unreadable" in result.stderr
    assert f"error: {tmp_path / 'none'}: cannot be read: " in result.stderr


@pytest.mark.parametrize("args", [(), ("-",)])
def test_standard_input(args: tuple[str, ...]) -> None:
    result = run("validate", *args, stdin=encode_event(event(0, unknown=1)))
    assert result.stdout.startswith("<stdin>:1: warning: ")
    assert "1 event checked" in result.stderr


def test_older_schema_version(file: Callable[..., Path]) -> None:
    path = file("events.jsonl", [event(0, "users.messages.banner.Click")])
    result = run("validate", path, "--schema-version", 1)
    assert "is not in schema version 1" in result.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are Unicode elsewhere")
@pytest.mark.parametrize("args", [(), ("--json",)])
def test_file_name_not_unicode(args: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "\udcff.jsonl"
    path.write_bytes(encode_event(event(0, unknown=1)))
    result = run("validate", path, *args)
    assert result.exit_code == 0
    assert r"\udcff.jsonl:1" in result.stdout


def test_closed_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    (item,) = _input.values_in(None)
    assert str(item) == "<stdin>: cannot be read: it is closed"


def test_reading_from_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Keyboard(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Keyboard(io.BytesIO(encode_event(event()))))
    assert len(list(_input.values_in(["-"]))) == 1
    assert capsys.readouterr().err == "reading events from the terminal\n"
