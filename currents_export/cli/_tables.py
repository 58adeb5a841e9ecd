"""Print tables and progress with rich."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, cast

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from ._streams import quiet_stderr, writable, writing_result

__all__ = ["print_table", "progress"]

#: The width of a table in a pipe or a file, so large that no row wraps.
_PIPE_WIDTH = 10_000


def print_table(
    columns: Mapping[str, str],
    rows: Iterable[Iterable[object]],
    *,
    red: Container[int] = (),
) -> None:
    """Write a table.

    Args:
        columns: the alignment of each column, `left` (the default) or `right`, by its name.
        rows: the rows, a cell for each column.
        red: the numbers of the rows to be shown in red, where the output has colors.
    """
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    console = Console(highlight=False, width=width)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, side in columns.items():
        table.add_column(name, justify="right" if side == "right" else "left", overflow="fold")
    for number, row in enumerate(rows):
        cells = (writable(_cell(each), sys.stdout.encoding) for each in row)
        table.add_row(*(escape(each) for each in cells), style="red" if number in red else None)
    with writing_result():
        console.print(table)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Any]:
    """Show a count on stderr if it is a terminal; yield the function that adds to the count."""
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
        # Other output goes above the count, unless stdout is a file.
        redirect_stdout=sys.stdout.isatty(),
    ) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)
