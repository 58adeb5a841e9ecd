"""Read files by name, and standard input."""

from __future__ import annotations

import stat
import sys
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path

from ..errors import ReadError
from ._lines import read_values, why_unreadable
from ._values import Located

__all__ = ["STDIN", "read_path", "reads_once"]

#: The name of standard input in errors.
STDIN = "<stdin>"


def reads_once(name: str) -> bool:
    """Return whether what a file holds can be read only once, as with standard input or a FIFO."""
    if name == "-":
        return True
    try:
        mode = Path(name).stat().st_mode
    except (OSError, ValueError):  # reported when it is read
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def read_path(
    path: Path | str, *, on_open: Callable[[BufferedReader], object] | None = None
) -> Iterator[Located | ReadError]:
    """Call `read_values` for a file.

    Args:
        path: the name of the file; `-` is standard input.
        on_open: called with the file when it has been opened, unless it is standard input.

    Raises:
        ReadError: the file cannot be opened. A failure while reading is yielded.
    """
    if str(path) == "-":
        if sys.stdin is None:
            raise ReadError(why_unreadable(OSError("it is closed")), source=STDIN)
        return read_values(sys.stdin.buffer, source=STDIN)
    try:
        lines = Path(path).open("rb")  # noqa: SIM115 - closed by the generator below
    except (OSError, ValueError) as error:  # the latter for a name that no file can have
        raise ReadError(why_unreadable(error), source=str(path)) from error

    if on_open is not None:
        on_open(lines)

    def values() -> Iterator[Located | ReadError]:
        with lines:
            yield from read_values(lines, source=str(path))

    return values()
