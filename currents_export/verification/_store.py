"""Rows in partitions on disk, so that memory does not grow with their number.

The rows of one id are in one partition, whatever file they came from, and a partition fits into
memory. That is faster than an index: nothing is sorted, and rows are written and read in chunks.
"""

from __future__ import annotations

import contextlib
import marshal
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from ..errors import OptionError

__all__ = ["PARTITIONS", "Partitions", "Row", "unwritable"]

#: How many partitions there are; a power of 2. Each of 10 million rows' has 40,000.
PARTITIONS = 256
#: The format without references, which would cost a look at each object.
_VERSION = 2
#: How many rows of a partition are written at once.
_CHUNK = 256

#: A row: texts, numbers and None.
Row = tuple[Any, ...]


class Partitions:
    """Rows by their first part, in a file that is deleted with its directory.

    All rows are added before the first one is taken.

    Args:
        path: the file. It is only made if there are many rows.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: list[list[Row]] = [[] for _ in range(PARTITIONS)]
        self._chunks: list[list[tuple[int, int]]] = [[] for _ in range(PARTITIONS)]
        self._file: IO[bytes] | None = None

    def add(self, row: Row) -> None:
        """Add a row to the partition of its first part."""
        self.add_all((row,))

    def add_all(self, rows: Iterable[Row]) -> None:
        """Add rows to the partitions of their first parts."""
        partitions, last = self._waiting, PARTITIONS - 1
        for row in rows:
            number = hash(row[0]) & last
            waiting = partitions[number]
            waiting.append(row)
            if len(waiting) >= _CHUNK:
                self._write(number)

    def _write(self, number: int) -> None:
        chunk = marshal.dumps(self._waiting[number], _VERSION)
        try:
            if self._file is None:
                self._file = self._path.open("w+b")
            self._chunks[number].append((self._file.tell(), len(chunk)))
            self._file.write(chunk)
        except OSError as error:
            raise OptionError(unwritable(self._path.parent, error)) from error
        self._waiting[number].clear()

    def take(self, number: int) -> Iterator[Row]:
        """Yield the rows of a partition, in the order in which they were added, and forget them."""
        chunks, self._chunks[number] = self._chunks[number], []
        for place, size in chunks:
            assert self._file is not None  # noqa: S101 - there are chunks
            self._file.seek(place)
            # This process wrote the file.
            yield from marshal.loads(self._file.read(size))  # noqa: S302 - see above
        waiting, self._waiting[number] = self._waiting[number], []
        yield from waiting

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # nobody reads what is left to write
                self._file.close()


def unwritable(directory: Path | str, error: OSError) -> str:
    """Return the message about a directory for temporary files that cannot be written to."""
    why = error.strerror or error
    return f"{directory}: temporary files cannot be written: {why}; TMPDIR names another directory"
