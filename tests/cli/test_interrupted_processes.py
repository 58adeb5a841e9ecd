from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from currents_export.payload import encode_event
from currents_export.receiver import Receiver, ScriptedResponse, listen
from tests.cli.processes import PATIENCE, Process, Start, ended
from tests.cli.support import ids_in
from tests.support.events import event, make_events

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and pseudo-terminals")


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_send(
    by: signal.Signals,
    start: Start,
    current: Callable[..., Path],
    events: Callable[[int], Path],
    tmp_path: Path,
) -> None:
    kept = tmp_path / "pending.jsonl"
    sending: Process

    async def interrupt(_: float) -> None:
        sending.send_signal(by)

    script = [ScriptedResponse(503, delay=1), ScriptedResponse(503, times=None)]
    with listen(Receiver(script=script, sleep=interrupt)) as url:
        args = ("send", events(300), "--current", current(url), "--pending", kept, "--json")
        sending = start(*args)
        code, out, err = ended(sending)
    report = json.loads(out)
    assert (code, err) == (130, "503: scripted; retrying\n")
    assert (report["interrupted"], report["delivered"], report["state"]) == (True, 0, "active")
    assert report["pending"] + report["not_taken"] == 300
    lines = kept.read_bytes().splitlines()
    assert sorted(json.loads(line)["id"] for line in lines) == [
        each.id for each in make_events(300)
    ]


def test_interrupt_while_reading_standard_input(
    start: Start, current: Callable[..., Path], tmp_path: Path
) -> None:
    kept, more = tmp_path / "pending.jsonl", tmp_path / "more.jsonl"
    more.write_bytes(encode_event(event(100)))
    sending: Process

    async def interrupt(_: float) -> None:
        sending.send_signal(signal.SIGINT)

    script = [ScriptedResponse(503, delay=1), ScriptedResponse(503, times=None)]
    with listen(Receiver(script=script, sleep=interrupt)) as url:
        args = ("send", "-", more, "--current", current(url), "--pending", kept, "--json")
        sending = start(*args, stdin=subprocess.PIPE)
        assert sending.stdin is not None
        # A full batch leaves, and the command waits for more, which never comes.
        sending.stdin.writelines(encode_event(each).decode() + "\n" for each in make_events(100))
        sending.stdin.flush()
        # Its standard input stays open, so `ended` cannot be used.
        assert sending.wait(PATIENCE) == 130
    assert sending.stdout is not None
    assert sending.stderr is not None
    report = json.loads(sending.stdout.read())
    assert "standard input was not read to its end" in sending.stderr.read()
    assert report["pending"] + report["not_taken"] == 101
    ids = [json.loads(line)["id"] for line in kept.read_bytes().splitlines()]
    assert sorted(ids) == [each.id for each in make_events(101)]


def test_terminate_while_reading_a_fifo(
    start: Start, current: Callable[..., Path], tmp_path: Path
) -> None:
    """Its events cannot be read again either, so they are written to a file without `--pending`."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    sending: Process

    async def interrupt(_: float) -> None:
        sending.send_signal(signal.SIGTERM)

    script = [ScriptedResponse(503, delay=1), ScriptedResponse(503, times=None)]
    with listen(Receiver(script=script, sleep=interrupt)) as url:
        sending = start("send", fifo, "--current", current(url), "--json", cwd=tmp_path)
        with fifo.open("wb") as writer:
            writer.write(b"".join(encode_event(each) + b"\n" for each in make_events(100)))
            writer.flush()
            code, out, err = ended(sending)
    assert code == 130
    assert f"{fifo} was not read to its end; it may contain more events" in err
    kept = tmp_path / json.loads(out)["pending_file"]
    assert sorted(ids_in(kept)) == [each.id for each in make_events(100)]


def test_terminal_goes_away(start: Start, current: Callable[..., Path], tmp_path: Path) -> None:
    """The system sends SIGHUP, and what is written to the terminal from then on fails."""
    import fcntl
    import termios

    kept, results = tmp_path / "pending.jsonl", tmp_path / "results"
    ours, theirs = os.openpty()

    async def hang_up(_: float) -> None:
        os.close(ours)

    script = [ScriptedResponse(503, delay=1), ScriptedResponse(503, times=None)]
    with listen(Receiver(script=script, sleep=hang_up)) as url, results.open("w") as out:
        sending = start(
            *("send", "--current", current(url), "--pending", kept, "--json"),
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)
        assert sending.stdin is not None
        sending.stdin.writelines(encode_event(each).decode() + "\n" for each in make_events(100))
        sending.stdin.flush()
        assert sending.wait(PATIENCE) == 130
    assert sorted(ids_in(kept)) == [each.id for each in make_events(100)]
    assert json.loads(results.read_text())["pending"] == 100


def test_second_interrupt_says_what_is_left(
    start: Start, current: Callable[..., Path], events: Callable[[int], Path], tmp_path: Path
) -> None:
    kept = tmp_path / "pending"
    os.mkfifo(kept)
    sending: Process

    async def interrupt(_: float) -> None:
        sending.send_signal(signal.SIGINT)

    script = [ScriptedResponse(503, delay=1), ScriptedResponse(503, times=None)]
    with listen(Receiver(script=script, sleep=interrupt)) as url:
        sending = start("send", events(5_000), "--current", current(url), "--pending", kept)
        with kept.open("rb") as reader:
            # The rest is written after the first signal, and does not fit into the FIFO.
            assert all(reader.readline() for _ in range(100))
            sending.send_signal(signal.SIGINT)
            code, out, err = ended(sending)
    assert (code, out) == (130, "")
    (left,) = re.findall(
        r"interrupted again: (.*) accepted events and (.*) that were not accepted were not sent; "
        rf"{kept} has (\S*) of them(; the rest of the input was not read)?\n",
        err,
    )
    *counts, unread = left
    accepted, not_taken, written = (int(each.replace(",", "")) for each in counts)
    assert 0 < written <= accepted + not_taken <= 5_000
    assert unread or accepted + not_taken == 5_000


@pytest.mark.parametrize("name", ["typer", "httpx"])
def test_interrupt_while_starting(
    name: str, start: Start, current: Callable[..., Path], tmp_path: Path
) -> None:
    modules = tmp_path / "modules"
    modules.mkdir()
    interrupt = "import signal\nsignal.raise_signal(signal.SIGINT)\n"
    (modules / f"{name}.py").write_text(interrupt)
    process = start("check", "--current", current(), env={"PYTHONPATH": str(modules)})
    assert ended(process) == (130, "", "")


def test_ignored_interrupt_while_starting(start: Start, tmp_path: Path) -> None:
    """A shell's background job, for example, ignores SIGINT."""
    (tmp_path / "sitecustomize.py").write_text(
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    )
    (tmp_path / "httpx.py").write_text(
        "import signal\nsignal.raise_signal(signal.SIGINT)\nraise SystemExit(7)\n"
    )
    process = start("check", env={"PYTHONPATH": str(tmp_path)})
    assert ended(process)[0] == 7
