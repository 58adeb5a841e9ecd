"""The capture: a file to which a receiver appends events, as JSON Lines."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from ..errors import ReceiverError

__all__ = ["Capture"]


class Capture:
    """Append lines to a file; an incomplete line never joins the next one.

    Args:
        path: the file; it is created if it does not exist.

    Raises:
        ReceiverError: the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        try:
            # Without a buffer, bytes that could not be written are not written again later.
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            why = error.strerror or error
            raise ReceiverError(f"{path}: the capture cannot be opened: {why}") from error
        # Whether the last line is incomplete, as after a process was killed while it wrote.
        self._torn = _is_torn(path)

    def write(self, lines: Iterable[bytes]) -> None:
        """Append lines, and pass them to the operating system before returning.

        Raises:
            OSError: not all lines could be written.
            ValueError: the capture is closed.
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
