"""Reading what the commands are given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ..errors import ReadError
from ..reading import Located, read_path

__all__ = ["CurrentFile", "Files", "values_in"]

Files = Annotated[
    list[str] | None,
    typer.Argument(metavar="[FILE]...", help="Files of events; '-' or none is standard input."),
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
        try:
            yield from read_path(file)
        except ReadError as error:
            yield error
