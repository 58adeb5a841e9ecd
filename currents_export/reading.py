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
from typing import Any, NamedTuple

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
    except (OSError, ValueError) as error:  # the latter for a name that no file can have
        raise ReadError(_why(error), source=str(path)) from error

    def values() -> Iterator[Located | ReadError]:
        with lines:
            yield from read_values(lines, source=str(path))

    return values()


def read_values(
    lines: Iterable[bytes], *, source: str = "<input>"
) -> Iterator[Located | ReadError]:
    """The event objects in `lines` (an open binary file will do), with their places.

    The input is JSON Lines or JSON documents that span lines. A line, and a document, is an event,
    an array of events, or a request body (`{"events": [...]}`); arrays may hold bodies and arrays,
    too. JSON Lines are read as a stream, in the memory of one line. Where an array or a body is
    broken in one place, the events before and behind that place survive.
    """
    numbered = enumerate(iter(lines), start=1)
    try:
        head = _head(numbered)
        if _are_json_lines([text for _, text in head]):
            for number, text in chain(head, numbered):
                yield from _line(text, number, source)
        elif head:
            rest = b"".join(text for _, text in chain(head[1:], numbered))
            yield from _document(head[0][1] + rest, head[0][0], source)
    except OSError as error:
        yield ReadError(_why(error), source=source)


def _head(numbered: Iterator[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """The lines up to the first one that is not blank; up to the second, if that is not JSON."""
    head: list[tuple[int, bytes]] = []
    wanted = 1
    for number, line in numbered:
        if number == 1 and (what := _MAGIC.get(line[:2])):
            raise OSError(what)
        text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if not text.strip() and not head:
            continue
        head.append((number, text))
        if text.strip():
            if wanted == 2 or _is_json(text):
                break
            wanted = 2
    return head


#: What other things than text in UTF-8 begin with.
_MAGIC = {
    b"\x1f\x8b": "it is compressed by gzip; decompress it first",
    b"PK": "it is a zip archive; unpack it first",
    b"\xff\xfe": "it is UTF-16; it must be UTF-8",
    b"\xfe\xff": "it is UTF-16; it must be UTF-8",
}


def _are_json_lines(head: list[bytes]) -> bool:
    """Whether the input is JSON Lines, by its first line, or by its second if that is broken.

    In a document that spans lines, a line can begin with an object or an array only if the line
    before it ends with a bracket, a comma or a colon.
    """
    if not head:
        return False
    if _is_json(head[0]):
        return True
    second = head[-1].strip()
    return (
        second[:1] in (b"{", b"[")
        and _is_json(second)
        and not head[0].rstrip().endswith((b"[", b",", b":"))
    )


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


def _why(error: Exception) -> str:
    return f"cannot be read: {getattr(error, 'strerror', None) or error}"


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
        yield from _broken(raw, error, number, source)
        return
    for event in _events_of(value):
        yield Located(event, source, number)


def _events_of(value: Any) -> Iterator[Any]:
    """The events in a JSON value: those of a body or of an array, or the value itself."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if _is_body(each):
            each = each["events"]
        if isinstance(each, list):
            waiting.extend(reversed(each))
        else:
            yield each


def _is_body(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and "event_type" not in value
        and isinstance(value.get("events"), list)
    )


_OPENING = re.compile(r'\s*(?:\{\s*"events"\s*:\s*)?\[')
# The same around events inside a document; what is broken is then looked for in there.
_INNER_OPENING = re.compile(r'(?:\{\s*"events"\s*:\s*)?\[(?=\s*\{)')
_NOT_BLANK = re.compile(r"\S")
_BETWEEN = re.compile(r"[\s,]*")
_BETWEEN_OR_CLOSING = re.compile(r"[\s,\]}]*")
_MARK = re.compile(r'"(?:[^"\\\n]|\\.)*"|[\[\]{}"]|,\s*(?=\{\s*"event_type")')
_AT_LINE_START = re.compile(r"\n([ \t]*)(?=[\[{])")
_VALUE_BEHIND_COMMA = re.compile(r",\s*(?=[\[{])")
_EVENT_BEHIND_COMMA = re.compile(r',\s*(?=\{\s*"event_type")')
# It finds where a value ends; whether the value is JSON, orjson decides, as it does for a line.
# Numbers stay text, since some are too long for an int.
_EXTENT = json.JSONDecoder(parse_int=str, parse_float=str)
_CLOSING = {"{": "}", "[": "]"}


def _document(raw: bytes, first_line: int, source: str) -> Iterator[Located | ReadError]:
    """The events in a JSON document that spans lines, whether it is sound or broken."""
    try:
        whole = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        yield from _broken(raw, error, first_line, source)
        return
    text = raw.decode()
    opening = _OPENING.match(text)
    if opening and (isinstance(whole, list) or _is_body(whole)):
        yield from _elements(text, opening.end(), first_line, source, _BETWEEN)
    else:
        yield from (Located(event, source, first_line) for event in _events_of(whole))


def _broken(
    raw: bytes, error: orjson.JSONDecodeError, first_line: int, source: str
) -> Iterator[Located | ReadError]:
    """The events that survive in broken JSON, and where it is broken."""
    # Bytes that are not UTF-8 become halves of surrogate pairs, which orjson refuses in its turn.
    text = raw.rstrip().decode(errors="surrogateescape")
    begin = opening.end() if (opening := _OPENING.match(text)) else 0
    reported = False
    for item in _elements(text, begin, first_line, source, _BETWEEN_OR_CLOSING):
        reported = reported or isinstance(item, ReadError)
        yield item
    # When every element is sound, it is the brackets around them that are not.
    if not reported and not _is_sequence(text):
        at = first_line + min(error.lineno - 1, text.count("\n"))
        yield ReadError(f"not JSON: {error.msg}", source=source, line=at)


def _is_sequence(text: str) -> bool:
    """Whether it is values one behind the other with nothing around them, as jq writes them."""
    position = 0
    while found := _NOT_BLANK.search(text, position):
        try:
            _, position = _EXTENT.raw_decode(text, found.start())
        except (ValueError, RecursionError):
            return False
    return True


def _elements(
    text: str, position: int, first_line: int, source: str, between: re.Pattern[str]
) -> Iterator[Located | ReadError]:
    """The JSON values from `position` on, one after the other, until none begins."""
    line, counted = first_line, 0
    while True:
        gap = between.match(text, position)
        position = gap.end() if gap else position
        if position >= len(text) or text[position] in "]}":
            return
        line, counted = line + text.count("\n", counted, position), position
        begin, at = position, position
        try:
            _, position = _EXTENT.raw_decode(text, begin)
            value = orjson.loads(text[begin:position])
        except (ValueError, RecursionError) as error:
            why = str(error)
            if isinstance(error, json.JSONDecodeError):
                at, why = error.pos + (begin if position > begin else 0), error.msg
            bad = line + text.count("\n", begin, at)
            if inner := _INNER_OPENING.match(text, begin):
                position = inner.end()
            else:
                yield ReadError(f"not JSON: {why}", source=source, line=bad)
                position = _resume(text, begin)
            continue
        for event in _events_of(value):
            yield Located(event, source, line)


def _resume(text: str, begin: int) -> int:
    """Where to go on reading, when the value that starts at `begin` is broken.

    That is behind the value, if its brackets match. If they do not, it is where the next line
    begins with a bracket no further in than the value was: at the next element, that is, not
    inside this one; or, in the same line, at the next comma and event.
    """
    before = text[text.rfind("\n", 0, begin) + 1 : begin]
    indent = len(before) - len(before.lstrip())
    is_scalar = text[begin] not in _CLOSING
    lines = _AT_LINE_START.finditer(text, begin)
    ends = (found.end() for found in lines if is_scalar or len(found[1]) <= indent)
    end = next(ends, len(text))
    if not is_scalar:
        end = _behind(text, begin, end) or end
    # A string without an end makes text of what is none. But no text that is well written holds
    # an event, since its quotes are escaped there.
    behind_comma = _VALUE_BEHIND_COMMA if is_scalar else _EVENT_BEHIND_COMMA
    found = behind_comma.search(text, begin, end)
    return found.end() if found else end


def _behind(text: str, begin: int, end: int) -> int | None:
    """Behind the bracket that closes the one at `begin`, or at an event that comes before it.

    None when there is neither up to `end`.
    """
    open_brackets: list[str] = []
    for found in _MARK.finditer(text, begin, end):
        mark = found[0]
        if mark in _CLOSING:
            open_brackets.append(_CLOSING[mark])
        elif mark in ("]", "}"):
            if open_brackets.pop() != mark:
                return None
            if not open_brackets:
                return found.end()
        elif mark == '"':  # of a string that does not end
            return None
        elif mark[0] == ",":
            return found.end()
    return None
