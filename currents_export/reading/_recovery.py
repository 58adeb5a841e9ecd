"""Recover the events that survive in broken JSON.

The grammar:

    text      elements, with brackets of arrays, commas and blanks between them in any order
    element   an object: from `{` to the bracket that closes it
              a scalar: a string, or all characters up to a blank, a comma, a quote or a bracket
    body      an object that begins with `{"events": [`

The brackets of arrays have no meaning here, so elements survive whatever is wrong with the
brackets and commas between them. If all elements are valid, the brackets are the only error. A body
is an element if it is JSON; if not, its events are elements.

An object is cut where another element seems to start:

- at a bracket that begins a line, if the line is indented no further than the line of the object,
- at an event (`{"event_type"`) after a comma.

A cut inside an array may be wrong, since arrays have elements too. If the object is JSON up to the
bracket that closes it, it is whole.

An element that is JSON survives. Any other is an error with a line, and reading resumes:

- after an object whose brackets match: at its end,
- after an object that was cut: at the cut,
- after an object whose brackets do not match, or whose string has no end: at the next place after
  the fault where another element seems to start,
- after a scalar: at the next bracket that begins a line or follows a comma,
- after the opening of a body that is not JSON: at the first of its events.

Reading takes time in proportion to the length of the text, because it resumes after the text that
was searched. The two exceptions are an object that may have been cut wrongly and a body: both are
searched to their end, and reading may still resume inside them. `looked_to` ensures that no text
is searched in this way twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from .._json import parse
from ..errors import ReadError
from ._brackets import Ending, Lines, after, end_of_value, next_start
from ._values import Located, located

__all__ = ["OPENING", "recover"]

#: What comes before the events in an array or a body.
OPENING = re.compile(rb'\s*+(?:\{\s*+"events"\s*+:\s*+)?+\[')

_BODY = re.compile(rb'\{\s*+"events"\s*+:\s*+\[')
_GAP = re.compile(rb"[\s,\[\]}]*+")
_BRACKET = re.compile(rb"(?:,\s*+|\n[ \t]*+)(?=[\[{])")


def recover(raw: bytes, source: str, first_line: int) -> Iterator[Located | ReadError]:
    """Yield the events that survive in text that is not JSON, and at least one `ReadError`."""
    lines = Lines(raw, first_line)
    end = after(OPENING, raw, 0)
    looked_to = 0
    reported = False
    while (begin := after(_GAP, raw, end)) < len(raw):
        lines.move_to(begin)
        body = _BODY.match(raw, begin)
        if body and begin < looked_to:
            end = body.end()
            continue
        end, ending = end_of_value(raw, begin, indent=lines.indent)
        if ending is Ending.BROKEN:
            end = next_start(raw, end, lines.indent)
        value = _parsed(raw[begin:end])
        if ending is Ending.CUT and begin >= looked_to:
            looked_to, ending = end_of_value(raw, begin, indent=lines.indent, cut_arrays=False)
            if ending is Ending.CLOSED and not isinstance(
                uncut := _parsed(raw[begin:looked_to]), ValueError
            ):
                value, end = uncut, looked_to
        if isinstance(value, tuple):
            yield from located(*value, source, lines.number)
        elif body:
            looked_to = max(looked_to, end)
            end = body.end()
        else:
            reported = True
            yield _read_error(value, raw[begin:end], source, lines.number)
            if raw[begin] != ord("{"):
                bracket = _BRACKET.search(raw, end)
                end = bracket.end() if bracket else len(raw)
    if not reported and isinstance(error := _parsed(raw), ValueError):
        yield _read_error(error, raw, source, first_line)


def _parsed(raw: bytes) -> tuple[Any, bool] | ValueError:
    try:
        return parse(raw)
    except ValueError as error:
        return error


def _read_error(error: ValueError, text: bytes, source: str, line: int) -> ReadError:
    if not isinstance(error, orjson.JSONDecodeError):
        return ReadError(str(error), source=source, line=line)
    # The end of the text is its last character that is not blank.
    line += min(error.lineno - 1, text.rstrip().count(b"\n"))
    return ReadError(f"not JSON: {error.msg}", source=source, line=line)
