"""Print tables and progress with rich."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, cast

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from ._colors import failed, paint
from ._layout import Column, lay_out
from ._streams import quiet_stderr, writable, writing_result

__all__ = ["print_table", "progress"]

_CONTROLS = dict.fromkeys([*range(32), *range(127, 160)], "?") | dict.fromkeys(
    map(ord, "\t\n"), " "
)


def print_table(
    columns: Mapping[str, str],
    rows: Iterable[Iterable[object]],
    *,
    red: Container[int] = (),
) -> None:
    """Write a table; on a terminal, within its width.

    Args:
        columns: the alignment of each column, `left` (the default) or `right`, by its name.
        rows: the rows, a cell for each column.
        red: the numbers of the rows to be shown in red, where the output has colors.
    """
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    header, texts = lay_out(
        [Column(name, side == "right") for name, side in columns.items()],
        [[_printable(_cell(each)) for each in row] for row in rows],
        width,
    )
    with writing_result():
        if header:
            sys.stdout.write(paint(header, "bold", sys.stdout) + "\n")
        for number, text in enumerate(texts):
            sys.stdout.write((failed(text) if number in red else text) + "\n")
        sys.stdout.flush()


def _printable(text: str) -> str:
    """Return text of one line, without characters that control a terminal."""
    return writable(text, sys.stdout.encoding).translate(_CONTROLS)


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
