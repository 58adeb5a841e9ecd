"""`validate --coherence`: findings, JSON, exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from currents_export.catalog import Catalog
from currents_export.payload import encode_event
from tests.cli.support import run
from tests.support.events import EVENT_ID
from tests.support.stories import DAY, HOUR, everyone, step
from tests.support.tables import CopiedTables

NEWEST = Catalog.load().schema_version
MAIL: dict[str, Any] = {
    "campaign_id": EVENT_ID,
    "dispatch_id": "d",
    "email_address": "ada@example.com",
}
ADA = "5f2b" * 6
SENT = step("email.Send", 60, user=ADA, **MAIL)
OPENED = step("email.Open", 9, user=ADA, **MAIL)


def test_coherent_stream(file: Callable[..., Path]) -> None:
    events = everyone()
    path = file("events.jsonl", events)
    for options in (["--coherence"], ["--whole"], ["--coherence", "--whole"]):
        result = run("validate", path, "--schema-version", NEWEST, *options)
        assert "incoherent" not in result.stdout
        assert f"{len(events)} events checked" in result.stderr
        assert "0 incoherences, 0 unreadable" in result.stderr


def test_incoherent_stream(file: Callable[..., Path]) -> None:
    path = file("events.jsonl", [OPENED, SENT])
    result = run("validate", path, "--coherence")
    assert result.exit_code == 1
    assert result.stdout == (
        f"{path}:1: incoherent: {OPENED.event_type} {OPENED.id}: it precedes its "
        f"{SENT.event_type} by 51 seconds ({SENT.id}); it comes after the Send\n"
    )
    assert result.stderr == (
        f"2 events checked against schema version {NEWEST}: "
        "0 errors, 0 warnings, 1 incoherence, 0 unreadable\n"
    )
    assert run("validate", path).exit_code == 0


def test_report(file: Callable[..., Path]) -> None:
    path = file("events.jsonl", [OPENED, SENT])
    result = run("validate", path, "--coherence", "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (report["incoherent"], report["late"], report["findings"]) == (1, 0, [])
    (found,) = report["incoherences"]
    assert (found["where"], found["rule"], found["code"]) == (
        f"{path}:1",
        "causes",
        "before_cause",
    )
    assert (found["event_id"], found["other_id"]) == (OPENED.id, SENT.id)
    assert "incoherences" not in json.loads(run("validate", path, "--json").stdout)


def test_whole_stream(file: Callable[..., Path]) -> None:
    path = file("events.jsonl", [OPENED])
    assert run("validate", path, "--coherence").exit_code == 0
    result = run("validate", path, "--whole")
    assert result.exit_code == 1
    assert "no users.messages.email.Send of the same message and user" in result.stdout


def test_late_events(file: Callable[..., Path]) -> None:
    later = [step("email.Open", at, user=ADA, **MAIL) for at in (DAY, 2 * DAY, DAY - HOUR)]
    path = file("events.jsonl", later)
    result = run("validate", path, "--coherence")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "1 event came too late to be sorted by time" in result.stderr
    assert json.loads(run("validate", path, "--coherence", "--json").stdout)["late"] == 1


def test_findings_of_both_kinds(file: Callable[..., Path]) -> None:
    wrong = step("email.Bounce", 0, user=ADA, **MAIL | {"dispatch_id": 7})
    lines = [encode_event(each).decode() for each in (wrong, SENT)]
    path = file("events.jsonl", "\n".join([*lines, "not JSON"]))
    report = json.loads(run("validate", path, "--coherence", "--json").stdout)
    assert (report["errors"], report["incoherent"], report["unreadable"]) == (1, 1, 1)
    assert report["incoherences"][0]["code"] == "sent_while_silent"


def test_tables_of_a_directory(file: Callable[..., Path], tmp_path: Path) -> None:
    tables = CopiedTables(tmp_path)
    header = tables.lines("causes.tsv")[0]
    tables.write("causes.tsv", f"{header}\n")
    path = file("events.jsonl", [OPENED, SENT])
    assert run("validate", path, "--coherence", "--catalog", tables.directory).exit_code == 0
    tables.add("causes.tsv", effect="users.x", causes="Send", links="message", within="9")
    result = run("validate", path, "--coherence", "--catalog", tables.directory)
    assert result.exit_code == 2
    assert "causes.tsv:2: within is '9'" in result.stderr
