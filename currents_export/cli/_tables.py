"""Tables and progress, drawn by rich."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, cast

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from ._streams import quiet_stderr, writable, writing_result

__all__ = ["print_table", "progress"]

#: A table that goes into a pipe or a file is as wide as it needs to be: no row is folded.
_PIPE_WIDTH = 10_000


def print_table(columns: Mapping[str, str], rows: Iterable[Iterable[object]]) -> None:
    """Write a table.

    Args:
        columns: column names to `left` or `right`.
        rows: the rows, a cell for each column.
    """
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    console = Console(highlight=False, width=width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, side in columns.items():
        table.add_column(name, justify="right" if side == "right" else "left", overflow="fold")
    for row in rows:
        cells = (writable(_cell(each), sys.stdout.encoding) for each in row)
        table.add_row(*(escape(each) for each in cells))
    with writing_result():
        console.print(table)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Any]:
    """Count on a line of stderr if it is a terminal; yields the function that adds to the count."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = [SpinnerColumn(), TextColumn("{task.description}")]
    counted = TextColumn("{task.completed:,.0f}")
    counting = [counted] if total is None else [BarColumn(), MofNCompleteColumn()]
    with Progress(
        *columns,
        *counting,
        console=Console(file=cast("IO[str]", quiet_stderr())),
        transient=True,
        # What is printed meanwhile goes above the line, unless stdout is a file.
        redirect_stdout=sys.stdout.isatty(),
    ) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)
