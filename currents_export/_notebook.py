"""HTML for notebooks: small, self-contained, and safe for texts of any origin.

Colors are those of the notebook, so that it can be read in light and in dark.
"""

from __future__ import annotations

import html
import itertools
import json
from collections.abc import Iterable, Sequence

from ._redaction import shown

__all__ = ["block", "json_text", "lines", "table"]

#: The most characters of a cell or a line of text, and of JSON.
_MOST_OF_TEXT, _MOST_OF_JSON = 400, 8 * 1024
#: The most rows of a table.
_MOST_ROWS = 50

_BOX = "border: 1px solid; padding: 0.5em 1em; text-align: left"
_PRE = "white-space: pre-wrap; overflow-wrap: anywhere; margin: 0.5em 0 0"
_CELL = "border: 1px solid; padding: 0.2em 0.6em; text-align:"


def block(*parts: str) -> str:
    """Return parts, which are HTML, in one box."""
    return f'<div style="{_BOX}">{"".join(parts)}</div>'


def lines(heading: str, *others: str) -> str:
    """Return a heading and lines of text below it."""
    rest = "".join(f"<div>{_cut(each)}</div>" for each in others if each)
    return f"<div><strong>{_cut(heading)}</strong></div>{rest}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; empty if it has no rows, and cut with a note if it has too many.

    Args:
        head: the names of the columns.
        rows: the cells; whole numbers are aligned to the right.
    """
    rows = iter(rows)
    kept = [*itertools.islice(rows, _MOST_ROWS)]
    if not kept:
        return ""
    names = "".join(f'<th style="{_CELL} left">{_escaped(each)}</th>' for each in head)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in kept)
    left = sum(1 for _ in rows)
    note = f"<div>... and {left:,} more</div>" if left else ""
    return (
        '<table style="border-collapse: collapse; margin: 0.5em 0 0">'
        f"<thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>{note}"
    )


def json_text(value: object) -> str:
    """Return a value as indented JSON, cut with a note if it is long.

    Values inside that JSON cannot express are shown as Python writes them.
    """
    encoder = json.JSONEncoder(ensure_ascii=False, indent=2, default=shown)
    pieces: list[str] = []
    size, note = 0, ""
    try:
        for piece in encoder.iterencode(value):  # stop early: the value may be very large
            pieces.append(piece)
            size += len(piece)
            if size > _MOST_OF_JSON:
                note = "... cut here"
                break
    except (ValueError, TypeError, RecursionError):  # for example, a number of 5,000 digits
        note = "... the rest cannot be written as JSON"
    text = _escaped("".join(pieces)[:_MOST_OF_JSON])
    return f'<pre style="{_PRE}">{text}</pre>{f"<div>{note}</div>" if note else ""}'


def _cell(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f'<td style="{_CELL} right">{value:,}</td>'
    return f'<td style="{_CELL} left">{_cut(str(value))}</td>'


def _cut(text: str) -> str:
    return _escaped(text) if len(text) <= _MOST_OF_TEXT else f"{_escaped(text[:_MOST_OF_TEXT])}..."


def _escaped(text: str) -> str:
    """Return a text as HTML, with what is invisible written as an escape.

    Invisible characters can change the direction of the text around them, or be lone surrogates,
    which a notebook cannot save.
    """
    if not text.isprintable():
        text = "".join(
            each
            if each.isprintable() or each == "\n"
            else each.encode("unicode_escape").decode("ascii")
            for each in text
        )
    return html.escape(text)
