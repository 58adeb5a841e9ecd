"""Reading the files that commands are given."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from ..errors import ReadError
from ..reading import Located, read_path
from ._streams import print_note

__all__ = ["values_in"]


def values_in(files: list[str] | None) -> Iterator[Located | ReadError]:
    """Yield the values in all the files; one that cannot be read does not affect the others."""
    for file in files or ["-"]:
        if file == "-" and (sys.stdin is None or sys.stdin.isatty()):
            if sys.stdin is None:
                yield ReadError("it is closed", source="<stdin>")
                continue
            print_note("reading events from the terminal")
        try:
            yield from read_path(file)
        except ReadError as error:
            yield error
