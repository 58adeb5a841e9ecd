"""Make the events of a world in several processes, in the order of one.

Each process makes the events of a shard of the users. Events of different shards are merged by
their places: see `World.events`.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import time
from array import array
from bisect import bisect_right
from collections.abc import Generator, Mapping, Sequence
from itertools import chain, compress
from typing import IO, Any, cast

import attrs

from ..errors import CurrentsExportError
from ..simulation import KeyRecord, World
from ._garbage import collect_seldom

__all__ = ["Batch", "WorkerError", "batches_of", "serve"]

#: A worker passes on its first events soon, and later this many at once, or what there is after
#: this many seconds.
_FIRST, _MOST, _AFTER = 16, 1_024, 0.25
#: The size of the pipe of a worker, where it can be chosen, so that the worker can be ahead.
_PIPE_BYTES = 1 << 20
#: What a worker's process runs. It is not one of `multiprocessing`, because those import the main
#: module again, and receive an interrupt before they can ignore it.
_PROGRAM = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    f"from {__name__} import serve; serve()"
)

#: How a process becomes independent of what happens in the terminal.
_SEPARATE: Mapping[str, Any] = (
    {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    if sys.platform == "win32"
    else {"process_group": 0}
)

#: When an event arrives, then when it happened and to whom, in one number.
_Place = tuple[float, int]
#: The places of events, their types, their JSON, and their entries in the answer key.
_Columns = tuple[list[_Place], list[str], list[bytes], list[bytes]]


class WorkerError(CurrentsExportError):
    """A process that makes events ended early."""


@attrs.frozen
class Batch:
    """Events in their order.

    Attributes:
        event_types: the type of each event.
        lines: the JSON of each event.
        arrivals: when each event arrives, in seconds since the epoch.
        key: the entry of each event in the answer key; empty if that is not wanted.
    """

    event_types: Sequence[str]
    lines: Sequence[bytes]
    arrivals: Sequence[float]
    key: Sequence[bytes]

    def part(self, first: int, last: int) -> Batch:
        """Return the events from one number up to another."""
        return Batch(
            self.event_types[first:last],
            self.lines[first:last],
            self.arrivals[first:last],
            self.key[first:last],
        )

    def where(self, kept: Sequence[bool]) -> Batch:
        """Return the events for which `kept` is true."""
        return Batch(
            list(compress(self.event_types, kept)),
            list(compress(self.lines, kept)),
            list(compress(self.arrivals, kept)),
            list(compress(self.key, kept)),
        )


def batches_of(
    world: World,
    workers: int,
    *,
    shard: tuple[int, int] = (0, 1),
    count: int | None = None,
    with_key: bool = False,
    **options: Any,
) -> Generator[Batch]:
    """Yield the encoded events of a world, made in several processes.

    Args:
        world: the world.
        workers: how many processes make events.
        shard: the part of the users, as for `World.events`.
        count: how many events are made; by default all.
        with_key: whether the entries in the answer key are needed.
        **options: arguments of `World.events`.

    Raises:
        WorkerError: a process ended early. All batches before are complete.
        OptionError: an argument is out of range.
    """
    world.events(shard=shard, **options)  # if it refuses the arguments, so would the workers
    return _first_of(_merged(world, workers, shard, with_key, options), count)


def _first_of(batches: Generator[Batch], count: int | None) -> Generator[Batch]:
    # An iterator that is not exhausted is closed, and with it the processes.
    with contextlib.closing(batches):
        for batch in batches:
            if count is not None and len(batch.lines) >= count:
                yield batch.part(0, count)
                return
            yield batch
            count = None if count is None else count - len(batch.lines)


def _merged(
    world: World, workers: int, shard: tuple[int, int], with_key: bool, options: Mapping[str, Any]
) -> Generator[Batch]:
    number, parts = shard
    all_workers: list[_Worker] = []
    try:
        for each in range(workers):
            part = (number + parts * each, parts * workers)
            all_workers.append(_Worker(f"worker {each + 1} of {workers}"))
            all_workers[-1].begin((world, part, with_key, options))
        there = all_workers
        while there := [each for each in there if each.fill()]:
            # All events up to the end of the part that ends first are known.
            last = min(each.last for each in there)
            yield _sorted([each.take(last) for each in there])
    finally:
        for worker in all_workers:
            worker.end()


def _sorted(parts: Sequence[_Columns]) -> Batch:
    """Return events of several workers in the order of their places."""
    places, event_types, lines, key = (
        [*chain.from_iterable(each)] for each in zip(*parts, strict=True)
    )
    # What each worker made is in order, so this only merges.
    order = sorted(range(len(places)), key=places.__getitem__)
    return Batch(
        [event_types[each] for each in order],
        [lines[each] for each in order],
        [places[each][0] for each in order],
        [key[each] for each in order] if key else (),
    )


class _Worker:
    """A process that makes the events of a shard, seen from the one that merges them.

    Args:
        name: what it is called in messages.

    Attributes:
        last: the place of the last event that is known.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.last: _Place = (0.0, 0)
        self._columns: _Columns = ([], [], [], [])
        try:
            self._process = subprocess.Popen(  # noqa: S603 - it is this program
                [sys.executable or "", *_interpreter_options(), "-c", _PROGRAM],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # An interrupt in the terminal is for the process that merges.
                **_SEPARATE,
            )
        except OSError as error:
            raise WorkerError(f"{name} cannot be started: {error.strerror or error}") from error

    def begin(self, work: object) -> None:
        """Let it begin; it does not wait for others."""
        stdin = _stream(self._process.stdin)
        try:
            pickle.dump(sys.path, stdin)
            pickle.dump(work, stdin)
            stdin.close()
        except OSError as error:
            raise self._ended_early() from error

    def fill(self) -> bool:
        """Wait for events unless some are there; return whether there are more.

        Raises:
            WorkerError: the process ended early.
        """
        if self._columns[0]:
            return True
        try:
            found = pickle.load(_stream(self._process.stdout))  # noqa: S301 - it is ours
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            raise self._ended_early() from error
        if isinstance(found, str):
            raise WorkerError(f"{self.name}: {found}")
        if found is None:
            return False
        arrivals, places, event_types, lines, key = found
        entries = key.split(b"\n") if key else []
        self._columns = (
            list(zip(arrivals, places, strict=True)),
            event_types,
            lines.split(b"\n"),
            entries,
        )
        self.last = self._columns[0][-1]
        return True

    def take(self, last: _Place) -> _Columns:
        """Remove and return the events up to a place."""
        columns = places, event_types, lines, entries = self._columns
        end = bisect_right(places, last)
        taken = places[:end], event_types[:end], lines[:end], entries[:end]
        for each in columns:
            del each[:end]
        return taken

    def end(self) -> None:
        """End the process, if it has not ended."""
        self._process.kill()
        self._process.wait()
        for each in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                _stream(each).close()

    def _ended_early(self) -> WorkerError:
        code = self._process.wait()
        how = f"exit code {code}"
        if code < 0:
            with contextlib.suppress(ValueError):
                how = signal.Signals(-code).name
        return WorkerError(f"{self.name} ended early ({how}), so the remaining events are missing")


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    return cast("IO[bytes]", stream)


def _interpreter_options() -> list[str]:
    """Return the options of this interpreter that matter to a new one."""
    options = {"-I": sys.flags.isolated, "-E": sys.flags.ignore_environment}
    # With -P, a module in the current directory cannot hide one of Python's.
    return ["-P", *(option for option, is_set in options.items() if is_set)]


# What runs in a worker's process


def serve() -> None:
    """Make the events that standard input asks for, and write them to standard output."""
    collect_seldom()
    # Whatever else is printed must not come between the events.
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    _widen(out)
    with contextlib.suppress(BrokenPipeError):  # whoever wanted the events is gone
        try:
            world, shard, with_key, options = pickle.load(sys.stdin.buffer)  # noqa: S301 - as above
            _Outbox(out, world).send_all(shard, with_key, options)
        except CurrentsExportError as error:
            pickle.dump(str(error), out)
        else:
            pickle.dump(None, out)
        out.flush()
    # What cannot be written any more must not be written again when Python ends.
    os._exit(0)


def _widen(out: IO[bytes]) -> None:
    if sys.platform == "linux":
        import fcntl  # noqa: PLC0415 - there is none on Windows

        with contextlib.suppress(OSError):
            fcntl.fcntl(out, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


class _Outbox:
    """The events that were not yet passed on."""

    def __init__(self, out: IO[bytes], world: World) -> None:
        self._out = out
        self._world = world

    def send_all(self, shard: tuple[int, int], with_key: bool, options: Mapping[str, Any]) -> None:
        """Make the events of a shard and pass them on."""
        key: list[bytes] = []

        def keep(record: KeyRecord) -> None:
            key.append(record.to_json()[:-1])

        arrivals, places = array("d"), array("Q")
        event_types: list[str] = []
        lines: list[bytes] = []
        limit, sent = _FIRST, time.monotonic()
        for event_type, line, (arrival, happened, person) in self._world.encoded_events(
            shard=shard, key=keep if with_key else None, **options
        ):
            arrivals.append(arrival)
            places.append(happened << 32 | person)
            event_types.append(event_type)
            lines.append(line)
            if len(lines) >= limit or time.monotonic() - sent > _AFTER:
                self._send(arrivals, places, event_types, lines, key)
                limit, sent = min(2 * limit, _MOST), time.monotonic()
        if lines:
            self._send(arrivals, places, event_types, lines, key)

    def _send(
        self,
        arrivals: array[float],
        places: array[int],
        event_types: list[str],
        lines: list[bytes],
        key: list[bytes],
    ) -> None:
        """Pass on the events, and forget them."""
        found = (arrivals, places, event_types, b"\n".join(lines), b"\n".join(key))
        pickle.dump(found, self._out, protocol=5)
        self._out.flush()
        for each in (arrivals, places, event_types, lines, key):
            del each[:]
