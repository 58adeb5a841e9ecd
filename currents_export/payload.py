"""Encode events as the Custom HTTP payload, without I/O.

The body of every request is `{"events": [event, ...]}`, and contains only JSON. A value that JSON
cannot represent is refused here, with the name of its field, before it can reach a queue.

Source: Braze, Custom Currents export.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import hashlib
import math
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from types import NoneType
from typing import Any

import attrs
import orjson

from ._codes import Code
from ._json import AS_STRING, LARGEST_INT, SMALLEST_INT, field_path, large_number, shown_path
from ._redaction import shown
from ._unicode import is_unicode
from .errors import EventError
from .events import Event

__all__ = [
    "BATCH_SIZE",
    "EMPTY_BODY",
    "MAX_EVENT_BYTES",
    "Transformation",
    "encode_array",
    "encode_bodies",
    "encode_body",
    "encode_event",
    "encode_events",
    "gather_bodies",
    "transform",
]

#: The maximum number of events in a request (Braze: 100).
BATCH_SIZE = 100

#: An event whose JSON is larger than this many bytes is not sent (Braze: 900 KB).
MAX_EVENT_BYTES = 900_000

#: The body of the request with which Braze checks the credentials.
EMPTY_BODY = b'{"events":[]}'

_SCALARS = frozenset({str, int, bool, NoneType})
_MAX_DEPTH = 200
_NOT_UNICODE = "contains half of a surrogate pair, which is not valid Unicode text"


class Transformation(Code):
    """What a field transformation does to a string (Braze: Currents field transformations)."""

    REMOVE = "remove", "replaced with [REDACTED]"
    HASH = "hash", "replaced with its SHA-256"


_TRANSFORM: dict[Transformation, Callable[[str], str]] = {
    Transformation.REMOVE: lambda _: "[REDACTED]",
    Transformation.HASH: lambda text: hashlib.sha256(text.encode()).hexdigest(),
}


def transform(event: Event, transformations: Mapping[str, Transformation]) -> Event:
    """Return the event with `transformations` (by field name) applied.

    Only string values in `user` and `properties` change: *remove* replaces them with `[REDACTED]`,
    *hash* with the lower-case hexadecimal SHA-256 of their UTF-8. An event that has none of the
    fields is returned unchanged.

    Raises:
        EventError: a string to be hashed is not valid Unicode; the message names the field.
    """
    user = _transform_part("user", event.user, transformations)
    properties = _transform_part("properties", event.properties, transformations)
    if user is event.user and properties is event.properties:
        return event
    return attrs.evolve(event, user=user, properties=properties)


def _transform_part(
    part: str, values: dict[str, Any], transformations: Mapping[str, Transformation]
) -> dict[str, Any]:
    changed = {}
    for name in transformations.keys() & values.keys():
        if isinstance(values[name], str):
            try:
                changed[name] = _TRANSFORM[transformations[name]](values[name])
            except UnicodeEncodeError as error:
                path = f"{part}.{name}"
                raise EventError(f"{path} {_NOT_UNICODE}", field=path) from error
    return values | changed if changed else values


def encode_event(event: Event, *, known: bool = False) -> bytes:
    """Return the event's JSON.

    Args:
        event: the event.
        known: whether its values are known to be JSON, as those of a world's events are; then they
            are not checked.

    Raises:
        EventError: a value is not JSON (NaN and the infinities are not), a key is not a string, a
            whole number needs more than 64 bits, or text is not valid Unicode; the message names
            the field.
    """
    value = event.to_dict()
    if known:
        return _dump(value)
    # Most values are scalars, which the encoder itself checks. It would silently accept a NaN, a
    # UUID or a date, so everything else is checked first.
    if (
        event.extra
        or not _SCALARS.issuperset(map(type, event.properties.values()))
        or not _SCALARS.issuperset(map(type, event.user.values()))
    ) and not _are_plain((event,)):
        _refuse_non_json(value)
    try:
        return _dump(value)
    except (TypeError, ValueError) as error:
        _refuse_non_json(value)
        raise EventError(f"event {event.id!r} cannot be written as JSON: {error}") from error


def encode_events(events: Sequence[Event]) -> list[bytes] | None:
    """Return the JSON of each event, or None if one of them cannot be written.

    This is faster than `encode_event` for each, because it checks all values together. It is not
    faster to encode all events in one call, because the JSON must be split afterwards.
    """
    if not _are_plain(events):
        return None
    try:
        return [_dump(each.to_dict()) for each in events]
    except (TypeError, ValueError):
        return None


def _dump(value: dict[str, Any]) -> bytes:
    # Copy to the exact size: orjson shrinks the block of the bytes that it returns, and a long
    # queue of such blocks costs the allocator more time than everything else takes.
    return b"".join((orjson.dumps(value), b""))


def _are_plain(events: Sequence[Event]) -> bool:
    """Return whether the encoder writes the events as they are, or refuses them.

    It checks scalars and keys, but writes a NaN, a UUID or an enum as something else. False means
    that a closer look is necessary.
    """
    parts = [each.properties.values() for each in events]
    parts += [each.user.values() for each in events]
    parts += [each.extra.values() for each in events if each.extra]
    # Most values are scalars.
    return _SCALARS.issuperset(map(type, chain.from_iterable(parts))) or all(
        _is_plain(each, 2) for each in parts
    )


def _is_plain(values: Collection[Any], depth: int) -> bool:
    if _SCALARS.issuperset(map(type, values)):
        return True
    if depth > _MAX_DEPTH:
        return False
    for each in values:
        kind = type(each)
        if kind in _SCALARS:
            continue
        if kind is float:
            if not math.isfinite(each):
                return False
        elif kind is list or kind is tuple:
            if not _is_plain(each, depth + 1):
                return False
        elif kind is not dict or not _is_plain(each.values(), depth + 1):
            return False
    return True


def encode_body(events: Iterable[bytes]) -> bytes:
    """Return the request body for events that `encode_event` wrote."""
    parts = list(events) or [b""]
    # One copy: of a large body, a copy takes milliseconds, and only `join` lets other threads run.
    parts[0] = b'{"events":[' + parts[0]
    parts[-1] += b"]}"
    return b",".join(parts)


def encode_bodies(
    events: Iterable[Event], batch_size: int = BATCH_SIZE, *, known: bool = False
) -> Iterator[bytes]:
    """Yield request bodies of up to `batch_size` events, each of one event type.

    A body is yielded as soon as it is full. The others follow at the end, in the order in which
    their types first occurred after their last full body. `known` is as for `encode_event`.

    Raises:
        EventError: see `encode_event`.
    """
    encoded = ((each.event_type, encode_event(each, known=known)) for each in events)
    yield from gather_bodies(encoded, batch_size)


def gather_bodies(
    events: Iterable[tuple[str, bytes]], batch_size: int = BATCH_SIZE
) -> Iterator[bytes]:
    """Yield request bodies as `encode_bodies` does, for event types and events already encoded."""
    waiting: dict[str, list[bytes]] = {}
    for event_type, encoded in events:
        batch = waiting.setdefault(event_type, [])
        batch.append(encoded)
        if len(batch) == batch_size:
            yield encode_body(waiting.pop(event_type))
    yield from map(encode_body, waiting.values())


def encode_array(items: Iterable[bytes]) -> Iterator[bytes]:
    """Yield a JSON array, piece by piece, of values that are already JSON; one value per line."""
    yield b"["
    separator = b"\n"
    for item in items:
        yield separator + item
        separator = b",\n"
    yield b"\n]\n"


_HINTS: tuple[tuple[type, str], ...] = (
    (enum.Enum, "use its .value"),
    (datetime.date, "use .isoformat(), or whole seconds since the Unix epoch"),
    (uuid.UUID, "use str()"),
    (decimal.Decimal, "use float() or str()"),
    (bytes, "decode it to text"),
    (set, "use a list"),
    (frozenset, "use a list"),
    (tuple, "use a list or a plain tuple"),
)


def _refuse_non_json(event: dict[str, Any]) -> None:
    """Raise an `EventError` for the first value in an event that JSON cannot represent."""
    fault = _fault(event)
    if fault is None:
        return
    problem, parts = fault
    path = field_path(reversed(parts))
    raise EventError(f"{shown_path(path) or 'the event'} {problem}", field=path or None)


def _fault(value: object, depth: int = 0) -> tuple[str, list[str | int]] | None:
    """Return what is wrong and, from the inside out, the keys and indices that lead there."""
    if depth > _MAX_DEPTH:
        return f"is nested over {_MAX_DEPTH} levels deep", []
    inner: Iterable[tuple[str | int, object]]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str) or _scalar_problem(key):
                return f"has the key {shown(key)}; JSON keys are text", []
        inner = value.items()
    elif isinstance(value, list) or type(value) is tuple:
        inner = enumerate(value)
    else:
        problem = _scalar_problem(value)
        return (problem, []) if problem else None
    for part, each in inner:
        if fault := _fault(each, depth + 1):
            fault[1].append(part)
            return fault
    return None


def _scalar_problem(value: object) -> str | None:
    match value:
        case None | bool():
            return None
        case float() if not math.isfinite(value):
            return f"is {value}, which JSON cannot represent; leave it out or use null"
        case float() if type(value) is float:
            return None
        case int() if not isinstance(value, enum.Enum):
            fits = SMALLEST_INT <= value <= LARGEST_INT
            return None if fits else f"is {large_number(value)}; {AS_STRING}"
        case str() if not isinstance(value, enum.Enum):
            return None if value.isascii() or is_unicode(value) else _NOT_UNICODE
    kind = type(value)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    return f"is of type {name}, which is not JSON{_hint(value)}"


def _hint(value: object) -> str:
    for kind, hint in _HINTS:
        if isinstance(value, kind):
            return f"; {hint}"
    # Recognize numpy and similar packages without importing them.
    if hasattr(type(value), "item"):
        return "; use .tolist()" if hasattr(type(value), "__len__") else "; use .item()"
    return "; use float()" if isinstance(value, float) else ""
