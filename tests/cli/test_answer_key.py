"""The file of the answer key."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from tests.cli.support import run

WINDOW = ("--users", 60, "--seed", 4, "--start", "2026-07-01", "--until", "2026-07-04")


def made(directory: Path, *options: object) -> tuple[list[Any], list[Any], Any]:
    """Return the events, the entries of their key, and its summary."""
    key = directory / "key.jsonl"
    result = run("generate", *WINDOW, "--answer-key", key, *options)
    assert result.exit_code == 0
    *entries, last = map(json.loads, key.read_bytes().splitlines())
    assert list(last) == ["summary"]
    return [json.loads(line) for line in result.stdout.splitlines()], entries, last["summary"]


def test_entry_of_each_event(tmp_path: Path) -> None:
    events, entries, _ = made(tmp_path)
    assert [event["id"] for event in events] == [entry["id"] for entry in entries]
    ids = {event["id"] for event in events}
    assert any(entry.get("cause") in ids for entry in entries)
    assert all(entry["cause"] not in ids for entry in entries if entry.get("before_start"))


def test_summary_is_the_last_line(tmp_path: Path) -> None:
    events, _, summary = made(tmp_path)
    assert summary["events"] == len(events)
    assert summary["event_types"] == Counter(event["event_type"] for event in events)
    sent = Counter(
        event["properties"]["campaign_id"]
        for event in events
        if event["event_type"].endswith(".Send") and "campaign_id" in event["properties"]
    )
    assert sent
    assert {key: each["sent"] for key, each in summary["campaigns"].items() if each["sent"]} == sent


def test_key_of_some_events(tmp_path: Path) -> None:
    events, entries, summary = made(
        tmp_path, "--count", 30, "--event-type", "users.messages.email.*"
    )
    assert len(events) == len(entries) == summary["events"] == 30


def test_key_of_nothing(tmp_path: Path) -> None:
    events, entries, summary = made(tmp_path, "--user", 3, "--event-type", "users.UserOrphan")
    assert events == entries == []
    assert summary["events"] == 0
