"""Find where a JSON value ends, by its brackets, and which line it is on.

Nothing here parses: the parser decides whether a value is JSON. A regular expression skips
everything that is not a bracket, and no character is looked at twice.
"""

from __future__ import annotations

import enum
import re

__all__ = ["Ending", "Lines", "after", "end_of_value", "next_start"]

# A string ends on the line it begins on. If it seems to end inside `{"event_type"`, it has in fact
# lost its closing quote, and the quote found is the one that opens the first key of an event.
_STRING = rb'"(?:[^"\\\n]++|\\[^\n])*+(?:(?<!\{)(?<!\{ )"|"(?!event_type"))'
# An event after a comma. Inside a string its quotes would be escaped.
_EVENT = rb',\s*+(?=\{\s*+"event_type")'

_SCALAR = re.compile(rb'%b(?:\s*+:)?+|[^\s,\[\]{}"]++|"' % _STRING)
_BRACKET = re.compile(
    rb"""(?: [^"{}\[\]]++ | %(string)b )*+
    (?: (?P<open>[\[{]) | (?P<close>[\]}]) | (?P<stop>) )"""
    % {b"string": _STRING},
    re.VERBOSE,
)
_BRACKET_OR_START = re.compile(
    rb"""(?: [^"{}\[\],\n]++ | %(string)b | (?!%(event)b), | \n(?![ \t]*+[\[{]) )*+
    (?: (?P<open>[\[{]) | (?P<close>[\]}]) | (?P<event>%(event)b) | \n(?P<indent>[ \t]*+)
      | (?P<stop>) )"""
    % {b"string": _STRING, b"event": _EVENT},
    re.VERBOSE,
)
_START = re.compile(rb"\n(?P<indent>[ \t]*+)(?=[\[{])|%b" % _EVENT)
_BLANKS = re.compile(rb"[ \t]*+")
_CLOSING = {b"{": b"}", b"[": b"]"}


class Ending(enum.Enum):
    """How a value ends."""

    #: With the bracket that closes it, or as a scalar.
    CLOSED = enum.auto()
    #: At the start of another value.
    CUT = enum.auto()
    #: At a bracket that does not match, a string without an end, or the end of the text.
    BROKEN = enum.auto()


def end_of_value(
    raw: bytes, begin: int, *, indent: int | None = None, cut_arrays: bool = True
) -> tuple[int, Ending]:
    """Return where the value at `begin` ends, and how.

    A scalar is a string, with a colon if it is a key; or everything up to a blank, a comma, a quote
    or a bracket.

    Args:
        raw: the text.
        begin: the position of the value's first character, which is not a blank.
        indent: if given, the value is cut at `next_start`, where another value starts.
        cut_arrays: whether to cut inside an array too, where the other value may be an element of
            the array. In an object, only a key can follow.
    """
    if raw[begin] not in b"[{":
        return after(_SCALAR, raw, begin), Ending.CLOSED
    closing: list[bytes] = []
    marks = _BRACKET if indent is None else _BRACKET_OR_START
    end = begin
    for found in marks.finditer(raw, begin):
        kind, end = found.lastgroup, found.end()
        if kind == "stop":
            break
        if kind == "open":
            closing.append(_CLOSING[found["open"]])
        elif kind == "close":
            if closing.pop() != found["close"]:
                break
            if not closing:
                return end, Ending.CLOSED
        elif (cut_arrays or closing[-1] == b"}") and (
            kind == "event" or len(found["indent"]) <= (indent or 0)
        ):
            return end, Ending.CUT
    return end, Ending.BROKEN


def next_start(raw: bytes, position: int, indent: int) -> int:
    """Return where the next value seems to start, or the end of the text.

    That is a bracket at the beginning of a line that is indented by at most `indent` blanks, or an
    event (`{"event_type"`) after a comma.
    """
    for found in _START.finditer(raw, position):
        if found["indent"] is None or len(found["indent"]) <= indent:
            return found.end()
    return len(raw)


def after(pattern: re.Pattern[bytes], raw: bytes, position: int) -> int:
    """Return the position after a match of the pattern at `position`, or `position` without one."""
    found = pattern.match(raw, position)
    return found.end() if found else position


class Lines:
    """Track the line of a position that only moves forward.

    Attributes:
        number: the number of the line.
        indent: how many blanks the line begins with.
    """

    def __init__(self, raw: bytes, first: int) -> None:
        self.number = first
        self.indent = after(_BLANKS, raw, 0)
        self._raw = raw
        self._position = 0

    def move_to(self, position: int) -> None:
        """Move forward to `position`."""
        newline = self._raw.rfind(b"\n", self._position, position)
        if newline >= 0:
            self.number += self._raw.count(b"\n", self._position, position)
            self.indent = after(_BLANKS, self._raw, newline + 1) - (newline + 1)
        self._position = position
