"""Files to write to, by the name that a user gave.

The rules are the same everywhere: `-` is standard output, symbolic links are followed, devices and
FIFOs are written to, and a file that exists keeps its mode.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["STDOUT", "ClosedStream", "LineFile", "beside", "open_output", "standard_output"]

#: The name of standard output.
STDOUT = "-"

#: The mode of a new file with events of people.
_PRIVATE = 0o600


class _Nowhere(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        return memoryview(data).nbytes


class ClosedStream(io.TextIOWrapper):
    """Replace a closed standard output or standard error; discard everything written."""

    def __init__(self) -> None:
        super().__init__(io.BufferedWriter(_Nowhere()), encoding="utf-8", errors="replace")


def standard_output() -> IO[bytes]:
    """Return the binary stream of standard output.

    Raises:
        OSError: it is closed.
    """
    if sys.stdout is None or isinstance(sys.stdout, ClosedStream):
        raise OSError(errno.EBADF, "standard output is closed")
    return sys.stdout.buffer


class _StandardOutput(io.RawIOBase):
    """Standard output as a file: closing it does not close the stream."""

    def __init__(self) -> None:
        self._buffer = standard_output()
        self._buffer.flush()

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        # Without a buffer, bytes that could not be written are not written again later.
        raw: IO[bytes] = getattr(self._buffer, "raw", self._buffer)
        return raw.write(data) or 0


def open_output(name: str | Path) -> IO[bytes]:
    """Open a file for writing, as a shell's `>` does: what a regular file held is overwritten.

    The caller closes it, unless it is standard output.

    Raises:
        OSError: it cannot be opened.
    """
    return standard_output() if name == STDOUT else Path(name).open("wb")


def beside(path: Path, prefix: str = ".currents-export-") -> Path:
    """Create an empty file in the directory of another one, under a name that was not in use.

    Raises:
        OSError: no file can be created there.
    """
    handle, name = tempfile.mkstemp(prefix=prefix, dir=path.parent)
    os.close(handle)
    return Path(name)


class LineFile:
    """Append lines to a file; an incomplete line never joins the next one.

    Args:
        name: the file; it is created if it does not exist, for its owner only. `-` is standard
            output, unless it is a `Path`.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(self, name: str | Path) -> None:
        # Whether the last line is incomplete, as after a process was killed while it wrote.
        self._torn = False
        self._file: IO[bytes] | io.RawIOBase
        if name == STDOUT:
            self._file = _StandardOutput()
            return
        path = Path(name)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, _PRIVATE))
        # Without a buffer, bytes that could not be written are not written again later.
        self._file = path.open("ab", buffering=0)
        self._torn = _is_torn(path)

    def write(self, lines: Iterable[bytes]) -> None:
        """Append lines, and pass them to the operating system before returning.

        Raises:
            OSError: not all lines could be written.
            ValueError: the file is closed.
        """
        data = b"".join(line + b"\n" for line in lines)
        if self._torn:
            data = b"\n" + data
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) or 0 :]
        finally:
            self._torn = bool(left) if len(left) < len(data) else self._torn

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._file.close()


def _is_torn(path: Path) -> bool:
    with contextlib.suppress(OSError):
        if path.is_file() and path.stat().st_size:
            with path.open("rb") as file:
                file.seek(-1, os.SEEK_END)
                return file.read() != b"\n"
    return False
