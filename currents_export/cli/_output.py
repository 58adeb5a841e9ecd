"""What every command says and how: results to stdout, everything else to stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from ..errors import CurrentsExportError

__all__ = [
    "BAD_INPUT",
    "INTERRUPTED",
    "NOT_ALL",
    "AsJson",
    "SchemaVersionOption",
    "complain",
    "print_json",
    "print_table",
    "progress",
    "say",
    "tell",
]

NOT_ALL, BAD_INPUT, INTERRUPTED = 1, 2, 130

#: A table goes into a pipe as wide as it is.
_PIPE_WIDTH = 240

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
SchemaVersionOption = Annotated[
    int | None,
    typer.Option(
        "--schema-version", metavar="N", help="The Currents schema version; the newest by default."
    ),
]


def say(text: str = "") -> None:
    """A line of the result."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def tell(text: str) -> None:
    """A line about the result."""
    sys.stdout.flush()
    sys.stderr.write(f"{text}\n")


def complain(error: CurrentsExportError | str) -> None:
    """A line about what was wrong."""
    tell(f"error: {error}")


def print_json(value: object, *, indent: bool = True) -> None:
    """The result as JSON."""
    options = orjson.OPT_INDENT_2 if indent else 0
    sys.stdout.write(orjson.dumps(value, option=options).decode() + "\n")
    sys.stdout.flush()


def print_table(columns: Mapping[str, str], rows: Iterable[Iterable[object]]) -> None:
    """A table: column names to `left` or `right`, and the rows."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PIPE_WIDTH)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, side in columns.items():
        table.add_column(name, justify="right" if side == "right" else "left", overflow="fold")
    for row in rows:
        table.add_row(*(escape(_cell(each)) for each in row))
    console.print(table)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Any]:
    """A line on stderr that counts, on a terminal alone; yields a function that counts on."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = [SpinnerColumn(), TextColumn("{task.description}")]
    counting = [MofNCompleteColumn()] if total is None else [BarColumn(), MofNCompleteColumn()]
    with Progress(*columns, *counting, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)
