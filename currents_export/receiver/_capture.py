"""The capture: a file that events taken are appended to, as JSON Lines."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from ..errors import ReceiverError

__all__ = ["Capture"]


class Capture:
    """Appends lines to a file, each of them whole or, when something breaks, on its own.

    Args:
        path: the file; it is made if there is none.

    Raises:
        ReceiverError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        try:
            # Without a buffer, what could not be written is not written again behind one's back.
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            why = error.strerror or error
            raise ReceiverError(f"{path}: the capture cannot be opened: {why}") from error
        #: Whether the last line has no end, as when a process was killed while it wrote.
        self._torn = _is_torn(path)

    def write(self, lines: Iterable[bytes]) -> None:
        """Append lines, and have them out of this process before returning.

        Raises:
            OSError: they could not be written, or not all of them.
            ValueError: the capture was closed.
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
        """Close the file; harmless when it is closed."""
        self._file.close()


def _is_torn(path: Path) -> bool:
    with contextlib.suppress(OSError):
        if path.is_file() and path.stat().st_size:
            with path.open("rb") as file:
                file.seek(-1, os.SEEK_END)
                return file.read() != b"\n"
    return False
