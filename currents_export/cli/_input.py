"""Read the files that a command is given."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from ..errors import ReadError
from ..reading import Located, read_path
from ._streams import print_note

__all__ = ["note_terminal", "values_in"]


def note_terminal(files: list[str] | None) -> None:
    """Print a note if a command reads its events from a terminal."""
    if "-" in (files or ["-"]) and sys.stdin is not None and sys.stdin.isatty():
        print_note("reading events from the terminal")


def values_in(files: list[str] | None) -> Iterator[Located | ReadError]:
    """Yield the values in all the files; one that cannot be read does not affect the others."""
    note_terminal(files)
    for file in files or ["-"]:
        try:
            yield from read_path(file)
        except ReadError as error:
            yield error
