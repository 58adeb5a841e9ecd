"""Events to the Custom HTTP payload, as bytes; no I/O.

The body of every request is `{"events": [event, ...]}`, and nothing but JSON goes into it. What
JSON cannot hold is refused here, with the field named, before it can reach a queue.

Source: Braze, Custom Currents export.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import hashlib
import math
import uuid
from collections.abc import Callable, Iterable, Mapping
from types import NoneType
from typing import Any

import attrs
import orjson

from ._redaction import shown
from .errors import EventError
from .events import Event

__all__ = [
    "EMPTY_BODY",
    "MAX_EVENT_BYTES",
    "Transformation",
    "encode_body",
    "encode_event",
    "transform",
]

#: An event whose JSON is larger than this many bytes is not sent (Braze: 900 KB).
MAX_EVENT_BYTES = 900_000

#: The body of the request with which Braze sees whether the credentials hold.
EMPTY_BODY = b'{"events":[]}'

_SCALARS = frozenset({str, int, bool, NoneType})
_MAX_DEPTH = 200
_NOT_UNICODE = "holds half of a surrogate pair, which is not valid Unicode text"
_SMALLEST_INT, _LARGEST_INT = -(2**63), 2**64 - 1


class Transformation(enum.Enum):
    """What a field transformation does to a string (Braze: Currents field transformations)."""

    REMOVE = "remove"
    HASH = "hash"


_TRANSFORM: dict[Transformation, Callable[[str], str]] = {
    Transformation.REMOVE: lambda _: "[REDACTED]",
    Transformation.HASH: lambda text: hashlib.sha256(text.encode()).hexdigest(),
}


def transform(event: Event, transformations: Mapping[str, Transformation]) -> Event:
    """The event with `transformations` (field name to what is done to it) applied.

    String values in `user` and `properties` alone are changed: *remove* puts `[REDACTED]` in
    their place, *hash* the lower-case hexadecimal SHA-256 of their UTF-8. An event that holds
    none of the fields is returned as it is.

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


def encode_event(event: Event) -> bytes:
    """The event's JSON.

    Raises:
        EventError: a value is not JSON (NaN and the infinities included), a key is not a string,
            a whole number needs more than 64 bits, or text is not valid Unicode; the message
            names the field.
    """
    value = event.to_dict()
    # Most values are plain scalars, and the encoder judges those; it would take a NaN, a UUID or a
    # date in silence, so all else is looked at first.
    if (
        event.extra
        or not _SCALARS.issuperset(map(type, event.properties.values()))
        or not _SCALARS.issuperset(map(type, event.user.values()))
    ):
        _refuse_non_json(value)
    try:
        # A copy of the exact size: what orjson returns lies in a block that it cut down, and a long
        # queue of those costs the allocator more time than all the rest together.
        return b"".join((orjson.dumps(value), b""))
    except (TypeError, ValueError) as error:
        _refuse_non_json(value)
        raise EventError(f"event {event.id!r} cannot be written as JSON: {error}") from error


def encode_body(events: Iterable[bytes]) -> bytes:
    """The request body for events that `encode_event` wrote."""
    return b'{"events":[' + b",".join(events) + b"]}"


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


def _refuse_non_json(value: object, path: str = "", depth: int = 0) -> None:
    """Raise an `EventError` for the first thing in `value` that JSON cannot hold."""
    if depth > _MAX_DEPTH:
        raise EventError(f"{path[:60]}... is nested over {_MAX_DEPTH} levels deep", field=path)
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str) or _scalar_problem(key):
                owner = path or "the event"
                raise EventError(
                    f"{owner} has the key {shown(key)}; JSON keys are text", field=path or None
                )
            _refuse_non_json(inner, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(value, list) or type(value) is tuple:
        for index, inner in enumerate(value):
            _refuse_non_json(inner, f"{path}[{index}]", depth + 1)
    elif problem := _scalar_problem(value):
        raise EventError(f"{path} {problem}", field=path)


def _scalar_problem(value: object) -> str | None:
    match value:
        case None | bool():
            return None
        case float() if not math.isfinite(value):
            return f"is {value}, which JSON cannot hold; leave it out or use null"
        case float() if type(value) is float:
            return None
        case int() if not isinstance(value, enum.Enum):
            if _SMALLEST_INT <= value <= _LARGEST_INT:
                return None
            return "is a whole number of more than 64 bits"
        case str() if not isinstance(value, enum.Enum):
            if value.isascii() or _is_unicode(value):
                return None
            return _NOT_UNICODE
    hint = next((f"; {hint}" for kind, hint in _HINTS if isinstance(value, kind)), "")
    return f"is a {type(value).__name__}, which is not JSON{hint}"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
