from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from currents_export.delivery import Sender
from currents_export.payload import encode_event
from currents_export.receiver import Receiver, ScriptedResponse, listen
from tests.cli.processes import Start, ended
from tests.cli.support import ids_in, run, words
from tests.support.currents import TOKEN, custom
from tests.support.events import CLICK, OPEN, event, make_events

REFUSING = [ScriptedResponse(401, times=None)]


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    return tmp_path / "events.db"


@pytest.fixture
def paused(
    outbox: Path, file: Callable[..., Path], current: Callable[..., Path]
) -> Callable[[str], Path]:
    """Return a function that leaves events in an outbox, and returns the Current's file."""

    def send(url: str) -> Path:
        where = current(url)
        path = file("events.jsonl", [*make_events(150), event(200, CLICK)])
        result = run("send", path, "--current", where, "--outbox", outbox)
        assert result.exit_code == 1
        assert f"{outbox} keeps 151 events; 'currents-export outbox {outbox} --resume'" in (
            result.stderr
        )
        return where

    return send


def test_file_is_sent_once(
    outbox: Path, events: Callable[[int], Path], current: Callable[..., Path]
) -> None:
    receiver = Receiver()
    with listen(receiver) as url:
        args = ("send", events(250), "--current", current(url), "--outbox", outbox)
        assert run(*args).exit_code == 0
        repeated = run(*args, "--json")
    report = json.loads(repeated.stdout)
    assert (repeated.exit_code, repeated.stderr) == (0, "")
    assert (report["accepted"], report["skipped"], report["outbox"]) == (0, 250, str(outbox))
    assert len(receiver.events) == 250


def test_standard_input_is_always_new(outbox: Path, current: Callable[..., Path]) -> None:
    receiver = Receiver()
    with listen(receiver) as url:
        for number in range(2):
            result = run(
                "send", "--current", current(url), "--outbox", outbox, stdin=encode_event(event())
            )
            assert (result.exit_code, number in (0, 1)) == (0, True)
    assert len(receiver.events) == 2


def test_several_files(
    outbox: Path, file: Callable[..., Path], current: Callable[..., Path]
) -> None:
    receiver = Receiver()
    first = file("1.jsonl", make_events(120))
    second = file("2.jsonl", [*make_events(50, CLICK)])
    with listen(receiver) as url:
        args = ("--current", current(url), "--outbox", outbox, "--json")
        assert run("send", first, *args).exit_code == 0
        report = json.loads(run("send", second, first, "-", *args, stdin=b"").stdout)
    assert (report["skipped"], report["delivered"]) == (120, 50)


def test_shows_contents(outbox: Path, paused: Callable[[str], Path]) -> None:
    with listen(Receiver(script=REFUSING)) as url:
        paused(url)
    result = run("outbox", outbox)
    lines = result.stdout.splitlines()
    assert [line.split()[:5] for line in lines[1:3]] == [
        [CLICK, "1", "0", "0", "1"],
        [OPEN, "150", "0", "0", "150"],
    ]
    assert f"151 pending events of test to {url}/currents" in lines
    assert any(line.startswith("the Current is paused since 20") for line in lines)
    assert "401" in result.stdout
    assert result.exit_code == 0


def test_contents_as_json(outbox: Path, paused: Callable[[str], Path]) -> None:
    with listen(Receiver(script=REFUSING)) as url:
        paused(url)
    report = json.loads(run("outbox", outbox, "--json").stdout)
    assert (report["pending"], report["state"], report["holder"]) == (151, "paused", None)
    assert report["by_event_type"][CLICK]["pending"] == 1
    assert report["oldest"] == min(each["oldest"] for each in report["by_event_type"].values())
    assert report["since"] is not None


def test_resume(outbox: Path, paused: Callable[[str], Path], current: Callable[..., Path]) -> None:
    receiver = Receiver(bearer_tokens=[TOKEN])
    with listen(receiver) as url:
        paused(url)
        where = current(url, bearer_token=TOKEN)
        result = run("outbox", outbox, "--resume", "--current", where, "--json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["delivered"], report["carried_over"]) == (0, 151, 151)
    assert len(receiver.events) == 151
    assert json.loads(run("outbox", outbox, "--json").stdout)["delivered_today"] == 151


def test_resume_of_empty_outbox(outbox: Path, current: Callable[..., Path]) -> None:
    where = current("http://127.0.0.1:9")
    run("send", "--current", where, "--outbox", outbox, "--allow-empty", stdin=b"")
    assert run("outbox", outbox, "--resume", "--current", where).exit_code == 0


def test_other_destination(
    outbox: Path, paused: Callable[[str], Path], current: Callable[..., Path]
) -> None:
    receiver = Receiver()
    with listen(Receiver(script=REFUSING)) as url:
        paused(url)
    with listen(receiver) as other:
        args = ("outbox", outbox, "--resume", "--current", current(other))
        refused = run(*args)
        assert (refused.exit_code, len(receiver.events)) == (2, 0)
        assert "it belongs to another Current: 'test' to" in refused.stderr
        assert run(*args, "--new-destination").exit_code == 0
    assert len(receiver.events) == 151


def test_export(outbox: Path, paused: Callable[[str], Path], tmp_path: Path) -> None:
    with listen(Receiver(script=REFUSING)) as url:
        paused(url)
    result = run("outbox", outbox, "--export")
    assert result.exit_code == 0
    (tmp_path / "exported.jsonl").write_text(result.stdout)
    expected = [each.id for each in [*make_events(150), event(200, CLICK)]]
    assert sorted(ids_in(tmp_path / "exported.jsonl")) == expected
    assert event(0).to_dict() in [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize(("answer", "left"), [("n\n", 151), ("y\n", 0)])
def test_purge_asks(answer: str, left: int, outbox: Path, paused: Callable[[str], Path]) -> None:
    with listen(Receiver(script=REFUSING)) as url:
        paused(url)
    result = run("outbox", outbox, "--purge", stdin=answer)
    assert "Erase 151 pending events" in result.stderr
    assert result.exit_code == (1 if left else 0)
    assert json.loads(run("outbox", outbox, "--json").stdout)["pending"] == left
    assert (b"@example.com" in outbox.read_bytes()) == bool(left)


def test_purged_file_is_accepted_again(
    outbox: Path, events: Callable[[int], Path], current: Callable[..., Path]
) -> None:
    receiver = Receiver()
    with listen(receiver) as url:
        args = ("send", events(10), "--current", current(url), "--outbox", outbox)
        run(*args)
        assert run("outbox", outbox, "--purge", "--yes").exit_code == 0
        run(*args)
    assert len(receiver.events) == 20


def test_outbox_in_use(
    outbox: Path, events: Callable[[int], Path], current: Callable[..., Path]
) -> None:
    with Sender(custom(), outbox=outbox):
        holder = f"it is in use by process {os.getpid()}"
        sent = run("send", events(1), "--current", current(), "--outbox", outbox)
        assert (sent.exit_code, holder in sent.stderr) == (2, True)
        assert holder in run("outbox", outbox, "--purge", "--yes").stderr
        shown = run("outbox", outbox)
        assert f"in use by process {os.getpid()}" in shown.stdout


@pytest.mark.parametrize("option", [(), ("--resume",), ("--export",), ("--purge", "--yes")])
def test_missing_file(option: tuple[str, ...], outbox: Path) -> None:
    result = run("outbox", outbox, *option)
    assert (result.exit_code, "there is no such file" in result.stderr) == (2, True)
    assert not outbox.exists()


def test_one_action_at_a_time(outbox: Path) -> None:
    result = run("outbox", outbox, "--purge", "--export")
    assert "choose one of --resume, --export and --purge" in result.stderr


def test_unknown_durability(outbox: Path) -> None:
    result = run("send", "--outbox", outbox, "--durability", "disk")
    assert (result.exit_code, "'disk' is not one of" in words(result.stderr)) == (2, True)


def test_power_durability(
    outbox: Path, events: Callable[[int], Path], current: Callable[..., Path]
) -> None:
    with listen(Receiver()) as url:
        args = ("send", events(10), "--current", current(url), "--outbox", outbox)
        assert run(*args, "--durability", "power").exit_code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_interrupt_keeps_what_was_read(
    outbox: Path, start: Start, current: Callable[..., Path], tmp_path: Path
) -> None:
    async def interrupt(_: float) -> None:
        process.send_signal(signal.SIGINT)

    script = [ScriptedResponse(503, delay=1), ScriptedResponse(503, times=None)]
    with listen(Receiver(script=script, sleep=interrupt)) as url:
        where = current(url)
        args = ("send", "--current", where, "--outbox", outbox, "--json")
        process = start(*args, stdin=-1, cwd=tmp_path)
        assert process.stdin is not None
        process.stdin.writelines(encode_event(each).decode() + "\n" for each in make_events(300))
        process.stdin.flush()
        code, out, _ = ended(process)
    report = json.loads(out)
    assert (code, report["not_taken"], report["pending_file"]) == (130, 0, None)
    assert report["accepted"] == report["pending"] >= 100
    assert json.loads(run("outbox", outbox, "--json").stdout)["pending"] == report["accepted"]
