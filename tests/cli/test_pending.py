from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from currents_export.payload import encode_event
from currents_export.receiver import Receiver, ScriptedResponse, listen
from tests.cli.support import ids_in, run
from tests.support.currents import TOKEN
from tests.support.events import CLICK, event, make_events


def test_closed_port(
    file: Callable[..., Path], current: Callable[..., Path], tmp_path: Path
) -> None:
    kept = tmp_path / "pending.jsonl"
    events = [*make_events(3), *make_events(2, CLICK)]
    args = ("send", file("events.jsonl", events), "--current", current(), "--give-up-after", 0.2)
    result = run(*args, "--pending", kept)
    assert result.exit_code == 1
    assert "test: paused; nothing is sent until it is resumed (network error: " in result.stderr
    assert "the Current is paused: network error: " in result.stdout
    assert f"unsent events are in {kept}" in result.stdout
    lines = kept.read_bytes().splitlines()
    assert sorted(lines) == sorted(encode_event(each) for each in events)
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".part"] == []
    kept.unlink()
    report = json.loads(run(*args, "--pending", kept, "--json").stdout)
    assert (report["pending"], report["pending_file"], report["state"]) == (5, str(kept), "paused")
    without = run(*args)
    assert without.exit_code == 1
    assert "--pending FILE saves events that could not be sent" in without.stderr


def test_kept_events_are_not_transformed(
    file: Callable[..., Path], current: Callable[..., Path], tmp_path: Path
) -> None:
    where = current()
    where.write_text(where.read_text() + '[field_transformations]\nemail_address = "hash"\n')
    path, kept = file("events.jsonl", [event()]), tmp_path / "pending.jsonl"
    run("send", path, "--current", where, "--give-up-after", 0.2, "--pending", kept)
    assert kept.read_bytes() == path.read_bytes()


def test_pending_file_may_be_the_input(
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


def test_rest_of_input_is_kept(
    file: Callable[..., Path], current: Callable[..., Path], tmp_path: Path
) -> None:
    events, kept = make_events(10_500), tmp_path / "pending.jsonl"
    files = [file("one.jsonl", events[:10_400]), file("two.jsonl", events[10_400:])]
    with listen(Receiver(bearer_tokens=[TOKEN])) as url:
        where = current(url, bearer_token="other")
        result = run("send", *files, "--current", where, "--pending", kept, "--json")
        counted = run("send", *files, "--current", where)
    assert (result.exit_code, counted.exit_code) == (1, 1)
    report = json.loads(result.stdout)
    rest = report["not_taken"]
    assert 100 < rest < 10_400
    assert report["accepted"] == report["pending"] == 10_500 - rest
    assert sorted(ids_in(kept)) == [each.id for each in events]
    assert f"input events that were not accepted: {rest}" in counted.stdout


def test_standard_input_is_always_kept(
    current: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = b"".join(encode_event(each) + b"\n" for each in make_events(3))
    result = run("send", "--current", current(), "--give-up-after", 0.2, stdin=text)
    assert result.exit_code == 1
    (kept,) = tmp_path.glob("currents-export-pending-*.jsonl")
    assert kept.read_bytes() == text
    assert f"unsent events are in {kept.name}" in result.stdout


def test_nothing_to_keep(
    current: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with listen(Receiver()) as url:
        result = run("send", "-", "--current", current(url), stdin=encode_event(event()))
    assert result.exit_code == 0
    assert list(tmp_path.glob("*pending*")) == []


@pytest.mark.parametrize("name", ["", ".", "none/pending.jsonl", "n" * 300])
def test_unwritable_pending_file(
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


def test_keeping_fails(current: Callable[..., Path], tmp_path: Path) -> None:
    directory = tmp_path / "kept"
    directory.mkdir()

    async def remove(_: float) -> None:
        directory.rmdir()

    text = b"".join(encode_event(each) + b"\n" for each in make_events(3))
    script = [ScriptedResponse(401, delay=1)]
    with listen(Receiver(script=script, sleep=remove)) as url:
        args = ("--current", current(url), "--pending", directory / "pending.jsonl", "--json")
        result = run("send", *args, stdin=text)
    assert result.exit_code == 2
    report = json.loads(result.stdout)
    assert (report["pending"], report["not_taken"], report["pending_file"]) == (3, 0, None)
    assert "3 unsent events could not be saved: " in result.stderr


@pytest.mark.parametrize("name", ["-", "events.jsonl"])
def test_default_file_is_tried_at_the_start(
    name: str, current: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = current()
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    result = run("send", name, "--current", where, stdin=encode_event(event()))
    assert result.exit_code == 2
    says = "cannot be written: No such file or directory; --pending names another file"
    assert (says in result.stderr) is (name == "-")


def test_deep_event_in_the_rest(
    file: Callable[..., Path], current: Callable[..., Path], tmp_path: Path
) -> None:
    """An event that cannot be written is reported, and the others are kept."""
    deep = '{"event_type": "a", "id": "deep", "time": 1, "properties": {"p": %s}}\n'
    lines = [encode_event(each) + b"\n" for each in make_events(15_000)]
    lines.insert(12_000, (deep % ("[" * 300 + "]" * 300)).encode())
    path, kept = file("events.jsonl", b"".join(lines)), tmp_path / "pending.jsonl"
    with listen(Receiver(bearer_tokens=[TOKEN])) as url:
        where = current(url, bearer_token="other")
        result = run("send", path, "--current", where, "--pending", kept, "--json")
    assert result.exit_code == 2
    report = json.loads(result.stdout)
    assert (report["pending"] + report["not_taken"], report["unread"]) == (15_000, 1)
    assert report["pending"] < 12_000  # the deep event is in the rest
    assert "nested over 200 levels deep" in result.stderr
    assert sorted(ids_in(kept)) == [each.id for each in make_events(15_000)]
