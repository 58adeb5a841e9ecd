"""The content of events and messages: what is compared, and how it differs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from .report import Through

__all__ = ["Content", "arrival", "content_of", "differences", "digest", "shape"]

#: What RudderStack adds to a message after its source has made it.
_ADDED = ("rudderId", "receivedAt", "request_ip", "channel", "originalTimestamp", "sentAt")
#: A timestamp that RudderStack keeps. It replaces others with the time of arrival.
_READABLE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_MISSING = object()


class Content(NamedTuple):
    """What is compared of an event or a message.

    Attributes:
        value: everything except what RudderStack adds, and the timestamp of a message.
        timestamp: the timestamp of a message; None for an event, and for a message without one.
    """

    value: dict[str, Any]
    timestamp: str | None

    def is_met_by(self, timestamp: str | None) -> bool:
        """Return whether a timestamp that arrived is the expected one."""
        is_kept = self.timestamp is not None and _READABLE.fullmatch(self.timestamp)
        return not is_kept or self.timestamp == timestamp


def shape(value: Any) -> Through | None:
    """Return whether a received value is an event or a message of RudderStack's source."""
    if not isinstance(value, dict):
        return None
    if "event_type" in value:
        return Through.CURRENTS
    return Through.RUDDERSTACK if "messageId" in value and "event" in value else None


def content_of(value: dict[str, Any], through: Through) -> Content:
    """Return what is compared of an event or a message."""
    if through is Through.CURRENTS:
        return Content(value, None)
    content = value.copy()
    for name in _ADDED:
        content.pop(name, None)
    timestamp = content.pop("timestamp", None)
    context = content.get("context")
    if isinstance(context, dict) and "ip" in context:
        content["context"] = {name: each for name, each in context.items() if name != "ip"}
    return Content(content, None if timestamp is None else str(timestamp))


def arrival(message: Any) -> float | None:
    """Return when a message arrived at RudderStack, in seconds since the epoch, if it says so."""
    text = message.get("receivedAt") if isinstance(message, dict) else None
    if not isinstance(text, str):
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
    if not expected.is_met_by(got.timestamp):
        yield "timestamp", expected.timestamp, got.timestamp
    yield from _differences("", expected.value, got.value)


def _differences(path: str, expected: Any, got: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(expected, dict) and isinstance(got, dict):
        for name in dict.fromkeys((*expected, *got)):
            inner = f"{path}.{name}" if path else name
            yield from _differences(inner, expected.get(name, _MISSING), got.get(name, _MISSING))
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        for one, other in zip(expected, got, strict=True):
            yield from _differences(f"{path}[]", one, other)
    # True equals 1 in Python, but not in JSON.
    elif expected != got or isinstance(expected, bool) is not isinstance(got, bool):
        yield path, _shown(expected), _shown(got)


def _shown(value: Any) -> Any:
    return None if value is _MISSING else value
