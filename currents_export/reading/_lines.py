"""Read open input, as JSON Lines or as JSON documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

import orjson

from .._json import parse
from ..errors import ReadError
from ._documents import read_document
from ._formats import foreign_format
from ._values import Located, located

__all__ = ["read_values", "why_unreadable"]


def read_values(
    lines: Iterable[bytes], *, source: str = "<input>"
) -> Iterator[Located | ReadError]:
    """Yield the event objects in `lines` (such as an open binary file), with their places.

    The input is JSON Lines, or JSON documents that span lines. A line or a document is an event,
    an array of events, or a request body (`{"events": [...]}`); an array may also contain bodies
    and arrays. JSON Lines are read as a stream, one line at a time. In an array or a body that is
    broken in one place, the events before and after that place survive.

    An event with a number that does not fit into 64 bits is a `ReadError`, since JSON parsers would
    change it.

    >>> from currents_export import read_values
    >>> for each in read_values([b'{"event_type": "a"}', b"{broken"]):
    ...     print(type(each).__name__, each.line)
    Located 1
    ReadError 2
    """
    numbered = enumerate(iter(lines), start=1)
    try:
        head = _head(numbered)
        if _are_json_lines([text for _, text in head]):
            yield from _read_lines(chain(head, numbered), source)
        elif head:
            raw = b"".join(text for _, text in chain(head, numbered))
            yield from read_document(raw, source, head[0][0])
    except OSError as error:
        yield ReadError(why_unreadable(error), source=source)


def why_unreadable(error: Exception) -> str:
    """Return the message about a file that cannot be opened or read."""
    return f"cannot be read: {getattr(error, 'strerror', None) or error}"


def _read_lines(
    numbered: Iterable[tuple[int, bytes]], source: str
) -> Iterator[Located | ReadError]:
    for number, raw in numbered:
        try:
            value, suspect = parse(raw)
        except ValueError:
            if raw.strip():
                yield from read_document(raw, source, number)
            continue
        # Only an object with `events` may be a body.
        if suspect or type(value) is not dict or "events" in value:
            yield from located(value, suspect, source, number)
        else:
            yield Located(value, source, number)


def _head(numbered: Iterator[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Return the lines up to the first one that is not blank, or the second if that is not JSON."""
    head: list[tuple[int, bytes]] = []
    wanted = 1
    for number, line in numbered:
        if number == 1 and (what := foreign_format(line)):
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


def _are_json_lines(head: list[bytes]) -> bool:
    """Return whether the input is JSON Lines, by its first line or, if that is broken, its second.

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


def _is_json(text: bytes) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True
