"""What every command says and how: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
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

#: A table goes into a pipe or a file as wide as it is: no row is folded.
_PIPE_WIDTH = 10_000

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
SchemaVersionOption = Annotated[
    int | None,
    typer.Option(
        "--schema-version", metavar="N", help="The Currents schema version; the newest by default."
    ),
]


def say(text: str = "") -> None:
    """A line of the result."""
    sys.stdout.write(f"{_writable(text, sys.stdout.encoding)}\n")
    sys.stdout.flush()


def tell(text: str) -> None:
    """A line about the result."""
    sys.stdout.flush()
    sys.stderr.write(f"{_writable(text, sys.stderr.encoding)}\n")


def complain(error: CurrentsExportError | str) -> None:
    """A line about what was wrong."""
    tell(f"error: {error}")


def _writable(text: str, encoding: str | None) -> str:
    """The text with what the stream cannot hold written out, such as a file's odd name."""
    codec = encoding or "utf-8"
    return text.encode(codec, "backslashreplace").decode(codec)


def print_json(value: object, *, indent: bool = True) -> None:
    """The result as JSON, in UTF-8."""
    try:
        text = orjson.dumps(value, option=orjson.OPT_INDENT_2 if indent else 0)
    except TypeError:  # the name of a file that is not Unicode
        text = json.dumps(value, indent=2 if indent else None).encode()
    sys.stdout.flush()
    sys.stdout.buffer.write(text + b"\n")
    sys.stdout.buffer.flush()


def print_table(columns: Mapping[str, str], rows: Iterable[Iterable[object]]) -> None:
    """A table: column names to `left` or `right`, and the rows."""
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    console = Console(highlight=False, width=width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, side in columns.items():
        table.add_column(name, justify="right" if side == "right" else "left", overflow="fold")
    for row in rows:
        cells = (_writable(_cell(each), sys.stdout.encoding) for each in row)
        table.add_row(*(escape(each) for each in cells))
    console.print(table)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Any]:
    """A line on stderr that counts, on a terminal alone; yields a function that counts on."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = [SpinnerColumn(), TextColumn("{task.description}")]
    counted = TextColumn("{task.completed:,.0f}")
    counting = [counted] if total is None else [BarColumn(), MofNCompleteColumn()]
    with Progress(
        *columns,
        *counting,
        console=Console(stderr=True),
        transient=True,
        # What is said meanwhile goes above the line; but into a file, if that is where it belongs.
        redirect_stdout=sys.stdout.isatty(),
    ) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)
