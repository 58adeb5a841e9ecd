"""Read JSON text that may span lines: each element with the line it begins on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .._json import parse
from ..errors import ReadError
from ._brackets import Lines, after, end_of_value
from ._recovery import OPENING, recover
from ._values import Located, is_body, located

__all__ = ["read_document"]

_BLANKS = re.compile(rb"\s*+")
_BETWEEN = re.compile(rb"[\s,]*+")


def read_document(raw: bytes, source: str, first_line: int) -> Iterator[Located | ReadError]:
    """Yield the events in JSON text: one value, or several in sequence, as jq writes them.

    `recover` reads the text from the first value that is not JSON.
    """
    try:
        value, suspect = parse(raw)
    except ValueError:
        yield from _read_sequence(raw, source, first_line)
    else:
        yield from _elements(raw, value, suspect, source, first_line)


def _read_sequence(raw: bytes, source: str, first_line: int) -> Iterator[Located | ReadError]:
    lines = Lines(raw, first_line)
    end = 0
    while (begin := after(_BLANKS, raw, end)) < len(raw):
        lines.move_to(begin)
        end, _ = end_of_value(raw, begin)
        try:
            value, suspect = parse(raw[begin:end])
        except ValueError:
            yield from recover(raw[begin:], source, lines.number)
            return
        yield from _elements(raw[begin:end], value, suspect, source, lines.number)


def _elements(
    raw: bytes, value: Any, suspect: bool, source: str, first_line: int
) -> Iterator[Located | ReadError]:
    """Yield the events of a valid value, whose text is needed for the lines they begin on."""
    elements = value["events"] if is_body(value) else value
    opening = OPENING.match(raw)
    if not isinstance(elements, list) or not opening or b"\n" not in raw:
        yield from located(value, suspect, source, first_line)
        return
    lines = Lines(raw, first_line)
    end = opening.end()
    for element in elements:
        begin = after(_BETWEEN, raw, end)
        lines.move_to(begin)
        end, _ = end_of_value(raw, begin)
        yield from located(element, suspect, source, lines.number)
