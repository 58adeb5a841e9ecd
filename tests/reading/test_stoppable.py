"""Reading standard input can be stopped at any time, and no event that was read is lost."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from currents_export.errors import ReadError
from currents_export.events import Event
from currents_export.payload import encode_array, encode_bodies, encode_event
from currents_export.reading import StoppableEvents
from tests.support.events import event, make_events


class Pipe:
    """Standard input as a pipe that a test writes to."""

    def __init__(self) -> None:
        reading, self._writing = os.pipe()
        self.stdin = os.fdopen(reading, "rb")

    def write(self, *lines: bytes) -> None:
        os.write(self._writing, b"".join(lines))

    def write_all(self, raw: bytes) -> None:
        self.write(raw)
        self.close()

    def close(self) -> None:
        if self._writing >= 0:
            os.close(self._writing)
        self._writing = -1


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipe]:
    made = Pipe()
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=made.stdin))
    with made.stdin:
        yield made
    made.close()


def line(number: int) -> bytes:
    return encode_event(event(number)) + b"\n"


def write_file(path: Path, *numbers: int) -> str:
    path.write_bytes(b"".join(map(line, numbers)))
    return str(path)


def test_files_are_read_in_order(pipe: Pipe, tmp_path: Path) -> None:
    one, two = write_file(tmp_path / "one", 1, 2), write_file(tmp_path / "two", 4)
    pipe.write(line(3))
    pipe.close()
    assert list(StoppableEvents([one, "-", two])) == [event(n) for n in (1, 2, 3, 4)]


@pytest.mark.parametrize("files", [None, [], ["-"]])
def test_standard_input_is_the_default(files: list[str] | None, pipe: Pipe) -> None:
    pipe.write(line(1), line(2)[:-1])
    pipe.close()
    assert list(StoppableEvents(files)) == [event(1), event(2)]


def test_errors_are_yielded(pipe: Pipe, tmp_path: Path) -> None:
    pipe.write(b"{\n", line(1))
    pipe.close()
    missing = str(tmp_path / "missing")
    first, second, third = StoppableEvents([missing, "-"])
    assert isinstance(first, ReadError)
    assert str(first).startswith(f"{missing}: cannot be read: ")
    assert isinstance(second, ReadError)
    assert str(second).startswith("<stdin>:1: not JSON: ")
    assert third == event(1)


def test_closed_standard_input_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert [str(item) for item in StoppableEvents()] == ["<stdin>: cannot be read: it is closed"]


def test_events_come_as_they_are_written(pipe: Pipe) -> None:
    events = StoppableEvents()
    for number in range(3):
        pipe.write(line(number))
        assert next(events) == event(number)


def test_lines_longer_than_a_read(pipe: Pipe) -> None:
    long = [event(n, text="x" * 200_000) for n in range(3)]
    raw = b"".join(encode_event(each) + b"\n" for each in long)
    writing = threading.Thread(target=pipe.write_all, args=(raw,))
    writing.start()
    assert list(StoppableEvents()) == long
    writing.join()


def test_thread_stops_the_wait(pipe: Pipe) -> None:
    events = StoppableEvents()
    pipe.write(line(1))
    assert next(events) == event(1)
    stopping = threading.Thread(target=events.stop)
    stopping.start()
    assert list(events) == []  # the pipe is still open
    stopping.join()


def test_signal_handler_stops_the_wait(pipe: Pipe) -> None:
    events = StoppableEvents()
    pipe.write(line(1))
    assert next(events) == event(1)
    before = signal.signal(signal.SIGUSR1, lambda *_: events.stop())
    main = threading.main_thread().ident
    assert main is not None
    try:
        signalling = threading.Thread(target=signal.pthread_kill, args=(main, signal.SIGUSR1))
        signalling.start()
        assert list(events) == []
        signalling.join()
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_stop_keeps_what_was_read(pipe: Pipe) -> None:
    pipe.write(*map(line, range(100)))
    events = StoppableEvents()
    first = next(events)
    events.stop()
    assert [first, *events] == make_events(100)


def test_stop_keeps_a_whole_body(pipe: Pipe) -> None:
    pipe.write(*encode_bodies(make_events(50)), b"\n")
    events = StoppableEvents()
    first = next(events)
    events.stop()
    assert [first, *events] == make_events(50)


def test_stop_leaves_the_rest(pipe: Pipe) -> None:
    pipe.write(line(1))
    events = StoppableEvents()
    assert next(events) == event(1)
    events.stop()
    pipe.write(line(2))
    assert list(events) == []
    pipe.close()
    assert pipe.stdin.read() == line(2)


def test_stop_inside_a_document(monkeypatch: pytest.MonkeyPatch) -> None:
    """The part of an array that was read counts, with an error for the missing end."""
    pieces = list(encode_array(map(encode_event, make_events(3))))
    events = StoppableEvents()

    class Stopping(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:
            chunk = super().read1(40)
            if self.tell() >= len(b"".join(pieces[:-1])):
                events.stop()
            return chunk

    stdin = types.SimpleNamespace(buffer=Stopping(b"".join(pieces[:-1]) + b",\n" * 50 + b"{}]"))
    monkeypatch.setattr(sys, "stdin", stdin)
    *kept, error = events
    assert kept == make_events(3)
    assert isinstance(error, ReadError)


def test_half_a_line_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    events = StoppableEvents()

    class Stopping(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:
            events.stop()
            return super().read1(len(line(1)) + 9)

    stdin = types.SimpleNamespace(buffer=Stopping(line(1) + line(2)))
    monkeypatch.setattr(sys, "stdin", stdin)
    first, half = events
    assert first == event(1)
    assert isinstance(half, ReadError)
    assert str(half).startswith("<stdin>:2: not JSON: ")


def test_stop_before_reading_takes_nothing(pipe: Pipe, tmp_path: Path) -> None:
    """Other files are still read: only standard input cannot be read again."""
    pipe.write(line(1))
    events = StoppableEvents(["-", write_file(tmp_path / "more", 2)])
    events.stop()
    assert list(events) == [event(2)]
    pipe.close()
    assert pipe.stdin.read() == line(1)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="FIFOs")
def test_stop_while_waiting_for_a_fifo(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    events = StoppableEvents([str(path), write_file(tmp_path / "more", 2)])
    stopped = threading.Event()

    def feed() -> None:
        with path.open("wb") as writer:
            writer.write(line(1))
            writer.flush()
            stopped.wait()

    feeding = threading.Thread(target=feed)
    feeding.start()
    reading = iter(events)
    assert next(reading) == event(1)
    assert events.unfinished == [str(path)]
    stopping = threading.Thread(target=events.stop)
    stopping.start()
    assert list(reading) == [event(2)]
    stopped.set()
    stopping.join()
    feeding.join()
    assert events.unfinished == [str(path)]


def test_unfinished(pipe: Pipe, tmp_path: Path) -> None:
    pipe.write_all(line(1))
    events = StoppableEvents(["-", write_file(tmp_path / "more", 2)])
    assert events.unfinished == ["-"]
    assert list(events) == [event(1), event(2)]
    assert events.unfinished == []
    assert StoppableEvents([str(tmp_path / ("n" * 300)), str(tmp_path)]).unfinished == []


def test_stop_again_and_without_standard_input(pipe: Pipe, tmp_path: Path) -> None:
    without = StoppableEvents([write_file(tmp_path / "one", 1)])
    without.stop()
    assert list(without) == [event(1)]
    events = StoppableEvents()
    for _ in range(3):
        events.stop()
    assert list(events) == []


def test_input_without_a_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = types.SimpleNamespace(buffer=io.BytesIO(line(1) + line(2)))
    monkeypatch.setattr(sys, "stdin", stdin)
    events = [item for item in StoppableEvents() if isinstance(item, Event)]
    assert events == [event(1), event(2)]


def test_failure_while_reading_is_yielded(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(io.BytesIO):
        def read1(self, size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=Failing()))
    problems = [str(item) for item in StoppableEvents()]
    assert problems == ["<stdin>: cannot be read: Input/output error"]
