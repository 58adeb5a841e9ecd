"""Lay out a table in a width without splitting words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len

__all__ = ["Column", "fit", "lay_out", "wrap"]

_GAP = 2
#: In a paragraph, a longer cell has its own line, without the name of its column.
_LONG = 30
_WORD = re.compile(r"\s*\S+")
_COLOR = re.compile(r"\x1b\[\d+m")


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        name: its name, in the first line of the table.
        right: whether its cells end at the same place.
    """

    name: str
    right: bool = False


def lay_out(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None
) -> tuple[str, list[str]]:
    """Return the header of a table, and the text of each row, which may have several lines.

    Cells are wrapped between words. Where even that does not fit, each row becomes a paragraph, and
    the header is empty.

    Args:
        columns: the columns.
        rows: the cells of the rows.
        width: the longest line; None for no limit.
    """
    names = tuple(each.name for each in columns)
    widths = _widths([names, *rows], width)
    if widths is None:
        return "", ["\n".join(_paragraph(columns, row, width or 0)) for row in rows]
    right = [each.right for each in columns]
    return (
        "\n".join(_lines(names, widths, right)),
        ["\n".join(_lines(row, widths, right)) for row in rows],
    )


def _widths(rows: Sequence[Sequence[str]], width: int | None) -> list[int] | None:
    """Return the widths of the columns, or None if words would have to be split."""
    natural = [max(map(cell_len, cells)) for cells in zip(*rows, strict=True)]
    room = None if width is None else width - _GAP * (len(natural) - 1)
    if room is None or sum(natural) <= room:
        return natural
    widths = [
        max(cell_len(word) for cell in cells for word in cell.split() or [""])
        for cells in zip(*rows, strict=True)
    ]
    if sum(widths) > room:
        return None
    for _ in range(room - sum(widths)):
        # The column with the most lines gets the next place.
        lines = [wanted / max(has, 1) for wanted, has in zip(natural, widths, strict=True)]
        widths[lines.index(max(lines))] += 1
    return widths


def _lines(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> Iterator[str]:
    wrapped = [wrap(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for number in range(max(map(len, wrapped))):
        texts = [lines[number] if number < len(lines) else "" for lines in wrapped]
        padded = (
            " " * (width - cell_len(text)) + text
            if to_right
            else text + " " * (width - cell_len(text))
            for text, width, to_right in zip(texts, widths, right, strict=True)
        )
        yield (" " * _GAP).join(padded).rstrip()


def _paragraph(columns: Sequence[Column], row: Sequence[str], width: int) -> Iterator[str]:
    first, *others = zip(columns, row, strict=True)
    yield from wrap(first[1], width)
    named = [
        f"{column.name} {cell}".strip()
        for column, cell in others
        if cell and cell_len(cell) <= _LONG
    ]
    texts = [cell for _, cell in others if cell_len(cell) > _LONG]
    for text in filter(None, [", ".join(named), *texts]):
        for line in wrap(text, width - _GAP):
            yield " " * _GAP + line


def wrap(text: str, width: int) -> list[str]:
    """Return the lines of a text; a word that is longer than the width has its own line."""
    if cell_len(text) <= width:
        return [text]
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if line and cell_len(longer) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line]


def fit(text: str, width: int) -> str:
    """Break the lines of a text that are too long between words; what follows is indented."""
    return "\n".join(part for line in text.split("\n") for part in _fit_line(line.rstrip(), width))


def _fit_line(line: str, width: int) -> Iterator[str]:
    if _visible(line) <= width:
        yield line
        return
    indent = " " * (len(line) - len(line.lstrip()) + _GAP)
    done = ""
    for word in _WORD.findall(line):
        if done.strip() and _visible(done + word) > width:
            yield done
            done = indent + word.lstrip()
        else:
            done += word
    yield done


def _visible(text: str) -> int:
    return cell_len(_COLOR.sub("", text))
