"""Reading what the commands are given."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ..errors import ReadError
from ..reading import Located, read_path
from ._output import tell

__all__ = ["CurrentFile", "Files", "values_in"]

Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="FILE", help="Files of events; '-' or none is standard input."),
]
CurrentFile = Annotated[
    Path | None,
    typer.Option(
        "--current",
        metavar="FILE",
        help="The Current's TOML file. CURRENTS_EXPORT_KEY and the like in the environment go "
        "before what it says.",
    ),
]


def values_in(files: list[str] | None) -> Iterator[Located | ReadError]:
    """The values in all the files; a file that cannot be read costs none of the others."""
    for file in files or ["-"]:
        if file == "-" and (sys.stdin is None or sys.stdin.isatty()):
            if sys.stdin is None:
                yield ReadError("it is closed", source="<stdin>")
                continue
            tell("reading events from the terminal")
        try:
            yield from read_path(file)
        except ReadError as error:
            yield error
