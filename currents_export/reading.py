"""Reading events back: request bodies, JSON arrays and JSON Lines.

A bad line never costs a good one: readers yield what is wrong as a `ReadError` with the file and
the line, between the values that are right.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import orjson

from .errors import EventError, ReadError
from .events import Event

__all__ = ["Located", "read_events", "read_path", "read_values"]


class Located(NamedTuple):
    """A JSON value with the place it was read from.

    Attributes:
        value: the value, an event's object unless the input holds something else.
        source: the file's name.
        line: the line it begins on, from 1.
    """

    value: Any
    source: str
    line: int


def read_path(path: Path | str) -> Iterator[Located | ReadError]:
    """`read_values` of a file; `-` is standard input.

    Raises:
        ReadError: the file cannot be opened. A failure while reading is yielded.
    """
    if str(path) == "-":
        return read_values(sys.stdin.buffer, source="<stdin>")
    try:
        lines = Path(path).open("rb")  # noqa: SIM115 - closed by the generator below
    except OSError as error:
        raise ReadError(_why(error), source=str(path)) from error

    def values() -> Iterator[Located | ReadError]:
        with lines:
            yield from read_values(lines, source=str(path))

    return values()


def read_values(
    lines: Iterable[bytes], *, source: str = "<input>"
) -> Iterator[Located | ReadError]:
    """The event objects in `lines` (an open binary file will do), with their places.

    The input is JSON Lines when its first line that is not blank is a whole JSON value, and one
    JSON document otherwise. A line, and a document, is an event, an array of events, or a request
    body (`{"events": [...]}`). JSON Lines are read as a stream, in the memory of one line. In a
    document that is broken in one place, the elements before and behind that place survive.
    """
    numbered = enumerate(iter(lines), start=1)
    try:
        for number, line in numbered:
            text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if not text.strip():
                continue
            if not _is_json(text):
                rest = b"".join(line for _, line in numbered)
                yield from _document(text + rest, number, source)
            else:
                for at, raw in chain([(number, text)], numbered):
                    yield from _line(raw, at, source)
            return
    except OSError as error:
        yield ReadError(_why(error), source=source)


def read_events(values: Iterable[Located | ReadError]) -> Iterator[Event | ReadError]:
    """The values as events; one that is no event becomes a `ReadError` with its place."""
    for item in values:
        if isinstance(item, ReadError):
            yield item
            continue
        try:
            yield Event.from_dict(item.value)
        except EventError as error:
            yield ReadError(str(error), source=item.source, line=item.line)


def _why(error: OSError) -> str:
    return f"cannot be read: {error.strerror or error}"


def _is_json(text: bytes) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _line(raw: bytes, number: int, source: str) -> Iterator[Located | ReadError]:
    if not raw.strip():
        return
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        yield ReadError(f"not JSON: {error.msg}", source=source, line=number)
        return
    for event in _events_of(value):
        yield Located(event, source, number)


def _events_of(value: Any) -> list[Any]:
    """The events in a JSON value: a body's, an array's, or the value itself."""
    if isinstance(value, dict) and "event_type" not in value and _is_array(value.get("events")):
        value = value["events"]
    return value if isinstance(value, list) else [value]


def _is_array(value: object) -> bool:
    return isinstance(value, list)


_OPENING = re.compile(r'\s*(?:\{\s*"events"\s*:\s*)?\[')
_BETWEEN = re.compile(r"[\s,]*")
_BETWEEN_OR_CLOSING = re.compile(r"[\s,\]}]*")
_NEXT_OBJECT = re.compile(r"^([ \t]*)\{", re.MULTILINE)


def _document(raw: bytes, first_line: int, source: str) -> Iterator[Located | ReadError]:
    """The events in a JSON document that spans lines, whether it is sound or broken."""
    try:
        whole = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        broken = ReadError(
            f"not JSON: {error.msg}", source=source, line=first_line + error.lineno - 1
        )
    else:
        text = raw.decode()
        if opening := _OPENING.match(text):
            yield from _elements(text, opening.end(), first_line, source, _BETWEEN)
        else:
            yield from (Located(event, source, first_line) for event in _events_of(whole))
        return
    text = raw.decode(errors="replace")
    begin = opening.end() if (opening := _OPENING.match(text)) else 0
    reported = False
    for item in _elements(text, begin, first_line, source, _BETWEEN_OR_CLOSING):
        reported = reported or isinstance(item, ReadError)
        yield item
    if not reported:  # every element is sound, so it is the brackets around them that are not
        yield broken


def _elements(
    text: str, position: int, first_line: int, source: str, between: re.Pattern[str]
) -> Iterator[Located | ReadError]:
    """The JSON values from `position` on, one after the other, until none begins.

    After a value that is broken, reading goes on at the next line that begins with a brace no
    further in than the broken value was: at the next element, that is, not inside this one.
    """
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    line, counted = first_line, 0
    while True:
        if gap := between.match(text, position):
            position = gap.end()
        if position >= len(text) or text[position] in "]}":
            return
        line, counted = line + text.count("\n", counted, position), position
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            at, why = position, str(error)
            if isinstance(error, json.JSONDecodeError):
                at, why = error.pos, error.msg
            bad = line + text.count("\n", position, at)
            yield ReadError(f"not JSON: {why}", source=source, line=bad)
            before = text[text.rfind("\n", 0, position) + 1 : position]
            position = _resume(text, position + 1, len(before) - len(before.lstrip()))
            continue
        for event in _events_of(value):
            yield Located(event, source, line)


def _resume(text: str, position: int, indent: int) -> int:
    for match in _NEXT_OBJECT.finditer(text, position):
        if len(match[1]) <= indent:
            return match.end() - 1
    return len(text)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
