from __future__ import annotations

import ctypes
import json
import operator
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from currents_export.cli._delivery import Delivery
from currents_export.cli._pending import PendingFile
from currents_export.cli._signals import on_interrupt
from currents_export.events import Event
from currents_export.payload import encode_event
from currents_export.reading import StoppableEvents
from currents_export.receiver import Receiver, ScriptedResponse, listen
from tests.cli.support import CLOSED, PATIENCE, ids_in, run
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, event, make_events


@contextmanager
def interrupting(*, keep: bool = False) -> Iterator[tuple[str, Receiver]]:
    """Serve a receiver that always responds 503, and interrupts the command at once."""
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
def test_interrupted_send_keeps_the_rest(
    count: int, file: Callable[..., Path], current: Callable[..., Path], tmp_path: Path
) -> None:
    before = signal.getsignal(signal.SIGINT)
    events, kept = make_events(count), tmp_path / "pending.jsonl"
    with interrupting() as (url, _):
        args = ("--current", current(url), "--pending", kept, "--json")
        result = run("send", file("events.jsonl", events), *args)
    assert result.exit_code == 130
    report = json.loads(result.stdout)
    assert report["interrupted"] is True
    assert report["pending"] + report["not_taken"] == count
    assert sorted(ids_in(kept)) == [each.id for each in events]
    assert signal.getsignal(signal.SIGINT) is before


def test_standard_input_left_unread(
    file: Callable[..., Path], current: Callable[..., Path], tmp_path: Path
) -> None:
    events, kept = make_events(10_250), tmp_path / "pending.jsonl"
    with interrupting() as (url, _):
        args = ("--current", current(url), "--pending", kept)
        result = run("send", file("e", events), "-", *args, stdin=encode_event(event(99_999)))
    assert result.exit_code == 130
    assert sorted(ids_in(kept)) == [each.id for each in events]


def test_interrupt_before_the_sender() -> None:
    delivery = Delivery(custom())
    with delivery.interruptible():
        signal.raise_signal(signal.SIGINT)
        delivery.run(lambda sender: sender.send(event(7)))
    assert delivery.interrupted
    assert delivery.not_accepted == (event(7),)


def test_other_signals() -> None:
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


def test_interrupted_test(current: Callable[..., Path]) -> None:
    with interrupting() as (url, _):
        result = run("test", "--current", current(url, event_types=[OPEN, CLICK]))
    assert result.exit_code == 130
    assert "accepted 2, delivered 0, dropped 0, filtered 0, pending 2" in result.stdout


def test_second_interrupt(
    file: Callable[..., Path],
    current: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def again(*_: object, **__: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("currents_export.cli._delivery.print_result", again)
    kept = tmp_path / "pending.jsonl"
    with interrupting() as (url, _):
        args = ("--current", current(url), "--pending", kept)
        result = run("send", file("events.jsonl", make_events(1)), *args)
    assert (result.exit_code, result.stdout) == (130, "")
    assert (
        "interrupted again: 1 accepted events and 0 that were not accepted were not sent; "
        f"{kept} has 1 of them\n"
    ) in result.stderr
    assert ids_in(kept) == [event().id]


def test_second_interrupt_leaves_the_input(
    file: Callable[..., Path], current: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def again(event: Event) -> bytes:
        signal.raise_signal(signal.SIGINT)
        return encode_event(event)

    monkeypatch.setattr("currents_export.cli._delivery.encode_event", again)
    path = file("events.jsonl", make_events(3))
    before = path.read_bytes()
    with interrupting() as (url, _):
        result = run("send", path, "--current", current(url), "--pending", path)
    assert result.exit_code == 130
    assert f"were not sent; {path} is unchanged\n" in result.stderr
    assert path.read_bytes() == before
    assert list(path.parent.glob(".*")) == []


def test_second_interrupt_ends_reading(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was read by then is still written."""
    kept = tmp_path / "pending.jsonl"

    def stream() -> Iterator[Event]:
        yield from make_events(3)
        for _ in range(2):
            signal.raise_signal(signal.SIGINT)
        pytest.fail("reading went on")

    delivery = Delivery(custom(CLOSED), pending=PendingFile(str(kept)))
    events = stream()
    with delivery.interruptible():
        sender = delivery.run(lambda sender: sender.send(events))
        with pytest.raises(typer.Exit) as caught:
            delivery.conclude(sender, rest=events)
    assert caught.value.exit_code == 130
    assert "interrupted again: the input was not read to its end" in capsys.readouterr().err
    assert sorted(ids_in(kept)) == [each.id for each in make_events(3)]


def test_second_terminate_is_patient() -> None:
    delivery = Delivery(custom())
    with delivery.interruptible():
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGHUP):
            signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_signal_just_before_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signal comes after Python's last look for signals, and before the system call."""
    raise_in_c = getattr(ctypes.CDLL(None), "raise")
    wait: Any = select.select
    woken: list[object] = []

    def late(*streams: Any) -> object:
        # No step of Python lies between the two calls, so no handler runs there.
        steps = (partial(raise_in_c, signal.SIGTERM), partial(wait, *streams, PATIENCE))
        *_, ready = map(operator.call, steps)
        woken.append(ready[0])
        return ready

    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stdin, os.fdopen(writing, "wb"):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stdin))
        monkeypatch.setattr(select, "select", late)
        source = StoppableEvents()
        with Delivery(custom(), source=source).interruptible():
            assert list(source) == []
    assert source.unfinished
    assert woken != [[]], "the wait for standard input was not ended"


def test_ignored_signal_stays_ignored(current: Callable[..., Path]) -> None:
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
