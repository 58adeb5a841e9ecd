"""The content of events and messages: what is compared, and how it differs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson

__all__ = ["Content", "arrival", "differences", "digest", "expected_of", "message_content"]

#: What RudderStack adds to a message after its source has made it.
_ADDED = frozenset(
    {"rudderId", "receivedAt", "request_ip", "channel", "originalTimestamp", "sentAt"}
)
#: The length of a timestamp that RudderStack keeps, such as 2026-07-01T12:00:00.000Z.
_TIMESTAMP = 24
#: How many characters of a timestamp are compared.
_MAX_TIMESTAMP = 40
#: How many characters of a name are shown in a path.
_MAX_NAME = 200
#: Values nested more deeply differ as a whole.
_MAX_DEPTH = 100
_MISSING = object()


#: What is compared of an event or a message: everything except what RudderStack adds and the
#: timestamp of a message; and that timestamp, which is None for an event, for a message without
#: one, and for an expected one that RudderStack replaces. It is a plain tuple for speed.
Content = tuple[dict[str, Any], str | None]


def message_content(message: dict[str, Any]) -> Content:
    """Return what is compared of a message that arrived."""
    content = message.copy()
    for name in _ADDED.intersection(message):
        del content[name]
    timestamp = content.pop("timestamp", None)
    context = content.get("context")
    if type(context) is dict and "ip" in context:
        content["context"] = context = context.copy()
        del context["ip"]
    return content, None if timestamp is None else str(timestamp)[:_MAX_TIMESTAMP]


def expected_of(message: dict[str, Any]) -> Content:
    """Return what is compared of a message that `transform` made; it is changed."""
    timestamp = message.pop("timestamp", None)
    # RudderStack replaces others with the time of arrival: invalid ones, and years beyond 9999.
    is_kept = timestamp is not None and len(timestamp) == _TIMESTAMP
    return message, timestamp if is_kept else None


def arrival(message: dict[str, Any]) -> float | None:
    """Return when a message arrived at RudderStack, in seconds since the epoch, if it says so."""
    text = message.get("receivedAt")
    if type(text) is not str:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo else None


def digest(content: dict[str, Any]) -> int:
    """Return a number that stands for the content in this process."""
    try:
        return hash(orjson.dumps(content, option=orjson.OPT_SORT_KEYS))
    except TypeError:  # orjson does not write everything that it reads
        return hash(json.dumps(content, sort_keys=True))


def differences(expected: Content, got: Content) -> Iterator[tuple[str, Any, Any]]:
    """Yield the fields that differ: the path, and the two values, of which one may be None."""
    (expected_value, expected_time), (value, time) = expected, got
    if expected_time is not None and expected_time != time:
        yield "timestamp", expected_time, time
    yield from _differences("", expected_value, value)


def _differences(
    path: str, expected: Any, got: Any, depth: int = 0
) -> Iterator[tuple[str, Any, Any]]:
    if depth < _MAX_DEPTH and isinstance(expected, dict) and isinstance(got, dict):
        for name in dict.fromkeys((*expected, *got)):
            inner = f"{path}.{name[:_MAX_NAME]}" if path else name[:_MAX_NAME]
            before, after = expected.get(name, _MISSING), got.get(name, _MISSING)
            yield from _differences(inner, before, after, depth + 1)
    elif (
        depth < _MAX_DEPTH
        and isinstance(expected, list)
        and isinstance(got, list)
        and len(expected) == len(got)
    ):
        for one, other in zip(expected, got, strict=True):
            yield from _differences(f"{path}[]", one, other, depth + 1)
    # True equals 1 in Python, but not in JSON.
    elif expected != got or isinstance(expected, bool) is not isinstance(got, bool):
        yield path, _shown(expected), _shown(got)


def _shown(value: Any) -> Any:
    return None if value is _MISSING else value
