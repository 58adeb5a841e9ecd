"""Messages as rows of a warehouse's table, which cannot hold everything exactly.

Names are in snake case, nested objects are split into columns or are text, text and numbers and
booleans may be each other, and what is null, empty or missing is the same. Both sides are brought
to one form, and compared in that.

Source: RudderStack, warehouse schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson

from ._content import Content, expected_of

__all__ = ["Columns"]

#: Columns that RudderStack and the warehouse add, or that repeat another one.
_ADDED = frozenset(
    {
        *("id", "sentat", "receivedat", "originaltimestamp", "uuidts", "loadedat", "channel"),
        *("rudderid", "requestip", "contextip", "contextrequestip", "contextpassedip"),
    }
)
_ADDED_PREFIXES = ("contextsource", "contextdestination", "rudder")
#: Where each part of a message goes; parts that are not named here have no columns.
_PLAIN = {"userId": "userid", "anonymousId": "anonymousid"}
_NESTED = {
    "context": ("context",),
    "traits": ("traits", "contexttraits"),
    "properties": ("properties", ""),
}
#: Names that a property without a prefix cannot have.
_RESERVED = frozenset({*_ADDED, *_PLAIN.values(), "event", "eventtext", "timestamp", "type"})
_NULLS = frozenset({"", "\\N"})
_BOOLEANS = {"true": "true", "t": "true", "false": "false", "f": "false"}
_FRACTION = re.compile(r"[-+]?\d+(\.\d+([eE][-+]?\d+)?|[eE][-+]?\d+)", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?( ?(Z|UTC|[-+]\d\d(:?\d\d)?))?", re.ASCII
)
_TOO_DEEP = "(nested too deeply)"
_NOT_A_LETTER = re.compile(r"[^a-z0-9]")
#: How many columns that are lacking are named.
_MAX_ABSENT = 1000


class Columns:
    """The columns of a table, which grow as rows are read.

    Attributes:
        absent: the paths of fields of messages that the table has no column for.
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}  # by the key that both sides have in common
        self._keys: dict[str, str | None] = {}  # by the name of the column
        self.absent: set[str] = set()

    def content(self, row: dict[str, Any]) -> Content:
        """Return what is compared of a row."""
        found: dict[str, Any] = {}
        for name, value in row.items():
            key = self._keys[name] if name in self._keys else self._learn(name)
            if key is not None and (normal := _normal(value)) is not None:
                found[key] = normal
        # The text of the name says more than its form in snake case.
        if "eventtext" in self._names:
            found.pop("event", None)
        elif "event" in found:
            found["event"] = _key(found["event"])
        timestamp = found.pop("timestamp", None)
        return found, timestamp

    def _learn(self, name: str) -> str | None:
        key: str | None = _key(name)
        self._names.setdefault(key or "", name)
        if key in _ADDED or not key or key.startswith(_ADDED_PREFIXES):
            key = None
        self._keys[name] = key
        return key

    def expected(self, message: dict[str, Any]) -> Content:
        """Return what is compared of a message that `transform` made; it is changed."""
        value, timestamp = expected_of(message)
        found: dict[str, Any] = {}
        for path, keys, each in _fields(value):
            known = next((key for key in keys if key in self._names), None)
            if known is None:
                self._flatten(path, keys, each, found)
            elif (normal := _normal(each)) is not None:
                found[known] = normal
        if "event" in found:
            found["event"] = _key(found["event"])
        if "timestamp" not in self._names or timestamp is None:
            return found, None
        return found, _normal(timestamp)

    def _flatten(self, path: str, keys: tuple[str, ...], value: Any, found: dict[str, Any]) -> None:
        """Add what an object without a column of its own has columns for."""
        if not isinstance(value, dict):
            if value not in (None, "") and len(self.absent) < _MAX_ABSENT:
                self.absent.add(path)
            return
        for name, each in value.items():
            inner = tuple(key + _key(name) for key in keys)
            known = next((key for key in inner if key in self._names), None)
            if known is None:
                self._flatten(f"{path}.{name}", inner, each, found)
            elif (normal := _normal(each)) is not None:
                found[known] = normal

    def name(self, key: str) -> str:
        """Return the name of a column."""
        return self._names.get(key, key)

    def arrival(self, row: dict[str, Any]) -> float | None:
        """Return when the message of a row arrived, in seconds since the epoch, if it says so."""
        normal = _normal(row.get("received_at"))
        return _seconds(normal) if normal else None


def _key(name: str) -> str:
    """Return a name as both sides have it in common: its letters and digits in lower case."""
    return _NOT_A_LETTER.sub("", name.lower())


def _fields(message: dict[str, Any]) -> Iterator[tuple[str, tuple[str, ...], Any]]:
    """Yield the fields of a message: the path, the keys of the column it may be in, the value."""
    yield "event", ("eventtext", "event"), message.get("event")
    for name, key in _PLAIN.items():
        yield name, (key,), message.get(name)
    for part, prefixes in _NESTED.items():
        inner = message.get(part)
        if not isinstance(inner, dict):
            continue
        for name, value in inner.items():
            key = _key(name)
            keys = tuple(prefix + key for prefix in prefixes if prefix or key not in _RESERVED)
            yield f"{part}.{name}", keys, value


def _normal(value: Any) -> str | None:
    """Return a value in the form that both sides have in common; None for nothing."""
    kind = type(value)
    if kind is str:
        return _normal_text(value)
    if value is None:
        return None
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        return str(value)
    if kind is float or kind is Decimal:
        return _number(float(value))
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if kind is list or kind is tuple or kind is dict:
        return _json(value)
    return str(value)


def _json(value: Any) -> str:
    try:
        return orjson.dumps(_inner(value), option=orjson.OPT_SORT_KEYS).decode()
    except (RecursionError, TypeError):
        return _TOO_DEEP


def _normal_text(text: str) -> str | None:
    if text in _NULLS:
        return None
    if (boolean := _BOOLEANS.get(text.lower())) is not None:
        return boolean
    first = text[0]
    if first in "0123456789+-":
        if _FRACTION.fullmatch(text):
            return _number(float(text))
        if _MOMENT.fullmatch(text):
            return _moment_of(text)
    elif first in "[{":
        try:
            return _json(orjson.loads(text))
        except orjson.JSONDecodeError:
            return text
    return text


def _inner(value: Any) -> Any:
    """Return a value inside an object or an array in the form that both sides have in common."""
    if isinstance(value, dict):
        found = ((str(name), _inner(each)) for name, each in value.items())
        return {name: each for name, each in found if each is not None}
    if isinstance(value, list | tuple):
        return [_inner(each) for each in value]
    return _normal(value)


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _moment_of(text: str) -> str:
    try:
        return _moment(datetime.fromisoformat(text.replace("UTC", "").rstrip()))
    except (ValueError, OverflowError):
        return text


def _moment(moment: datetime) -> str:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _seconds(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
