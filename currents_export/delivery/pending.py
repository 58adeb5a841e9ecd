"""A file for the events that could not be sent."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from ..errors import OptionError
from ..events import Event
from ..payload import encode_event

__all__ = ["PendingFile"]


class PendingFile:
    """A JSON Lines file that appears whole or not at all.

    Events are written to a temporary file in the same directory, which then replaces it, because
    the events may come from the same file.

    Args:
        path: the file; an existing file is replaced.

    Raises:
        OptionError: a file cannot be written there. This is checked immediately, before there are
            events to lose.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            self._temporary().unlink()
        except OSError as error:
            raise OptionError(f"{path}: cannot be written: {error.strerror}") from error

    def _temporary(self) -> Path:
        handle, name = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
        os.close(handle)
        return Path(name)

    def write(self, events: Iterable[Event]) -> int:
        """Write the events and return how many there were; create no file without events.

        Raises:
            OSError: the file cannot be written; the temporary one is removed.
        """
        count, temporary = 0, None
        try:
            with contextlib.ExitStack() as stack:
                for event in events:
                    if temporary is None:
                        temporary = self._temporary()
                        file = stack.enter_context(temporary.open("wb"))
                    file.write(encode_event(event) + b"\n")
                    count += 1
            if temporary is not None:
                temporary.replace(self.path)
        except BaseException:
            if temporary is not None:
                temporary.unlink(missing_ok=True)
            raise
        return count
