"""Events from files, where reading what cannot be read again can be stopped."""

from __future__ import annotations

import io
import os
import select
import sys
import weakref
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from ..errors import ReadError
from ..events import Event
from ._files import STDIN, read_path, reads_once
from ._lines import read_values
from ._values import read_events

__all__ = ["StoppableEvents"]

_CHUNK_BYTES = 65_536


class StoppableEvents:
    """An iterator over the events in files that can stop reading standard input and pipes.

    It yields an `Event`, or a `ReadError` for what cannot be read, in the order of the files.
    After `stop`, standard input and files that are not regular, such as FIFOs, are treated as if
    they ended there: events that were read by then are still yielded, so none is lost, and nothing
    more is taken from them. Regular files are read to their end.

    Args:
        files: the names of the files; `-`, which is also the default, is standard input.

    Attributes:
        unfinished: the names of those that can be stopped and whose end has not been reached.
        reading: the name of the file that the last item is from; None before the first one.
    """

    def __init__(self, files: Iterable[str] | None = None) -> None:
        names = list(files or ["-"])
        self.unfinished = [name for name in names if reads_once(name)]
        self._once = frozenset(self.unfinished)
        self.reading: str | None = None
        self._stopped = False
        self._wake: tuple[int, int] | None = None
        if self.unfinished:
            self._wake = os.pipe()
            # Not closed earlier, because `stop` may be called at any time.
            weakref.finalize(self, _close, *self._wake)
        self._size = None if self.unfinished else sum(map(_size_of, names))
        self._opened: list[io.BufferedReader] = []
        self._items = self._read(names)

    def __iter__(self) -> Iterator[Event | ReadError]:
        return self

    def __next__(self) -> Event | ReadError:
        return next(self._items)

    def share_read(self) -> float | None:
        """Return how much was read, from 0 to 1; None if not all files are regular, or all empty.

        May be called from any thread.
        """
        if not self._size:
            return None
        read = 0
        for file in self._opened:
            try:
                read += file.tell()
            except ValueError:  # it was read to its end and closed
                read += _size_of(file.name)
        return min(1.0, read / self._size)

    @property
    def is_stoppable(self) -> bool:
        """Whether the file that is being read can be stopped, because it can be read only once."""
        return self.reading in self._once

    def stop(self) -> None:
        """Stop reading standard input and pipes, even while they are being waited for.

        May be called more than once, from a signal handler, and from any thread.
        """
        if self._stopped:
            return
        self._stopped = True
        if self._wake is not None:
            os.write(self._wake[1], b"\0")

    def _read(self, names: list[str]) -> Iterator[Event | ReadError]:
        for name in names:
            self.reading = name
            try:
                if name in self.unfinished:
                    source = STDIN if name == "-" else name
                    values = read_values(self._lines(name), source=source)
                else:
                    values = read_path(name, on_open=self._opened.append)
            except ReadError as error:
                yield error
            else:
                yield from read_events(values)

    def _lines(self, name: str) -> Iterator[bytes]:
        if self._stopped:
            return
        with _opened(name) as stream:
            begun: list[bytes] = []
            while self._wait_for(stream):
                chunk = stream.read1(_CHUNK_BYTES)
                if not chunk:
                    self.unfinished.remove(name)
                    break
                for line in io.BytesIO(chunk):
                    begun.append(line)
                    if line.endswith(b"\n"):
                        yield b"".join(begun)
                        begun.clear()
            if begun:
                yield b"".join(begun)

    def _wait_for(self, stream: Any) -> bool:
        """Wait until there is something to read; return False if it is not to be read."""
        if self._stopped or self._wake is None:
            return False
        try:
            select.select([stream, self._wake[0]], [], [])
        except (OSError, TypeError, ValueError):  # not a file that can be waited for
            return True
        return not self._stopped


def _size_of(name: str) -> int:
    try:
        return Path(name).stat().st_size
    except (OSError, ValueError):  # reported when it is read
        return 0


def _opened(name: str) -> AbstractContextManager[Any]:
    if name != "-":
        return Path(name).open("rb")
    if sys.stdin is None:
        raise OSError("it is closed")
    return nullcontext(sys.stdin.buffer)


def _close(*descriptors: int) -> None:
    for each in descriptors:
        os.close(each)
