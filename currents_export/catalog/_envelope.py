"""Check what every event has: its shape, type, id and time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from ..events import FLAT, PAYLOAD, has_storage_shape
from ._catalog import Catalog
from ._finding import FindingCode
from ._formats import FORMATS, MAX_TIME
from ._values import Raw, key_text, quoted, too_large

__all__ = ["check_envelope", "check_keys", "check_shape"]

_KEYS = frozenset({"event_type", "id", "time", "user", "properties"})
_UUID = FORMATS["uuid"]
_NO_TEXT = "it must be a non-empty string"


def check_shape(catalog: Catalog, event: Mapping[str, Any]) -> Raw | None:
    """Return a finding if an event has the shape of Braze's storage export."""
    if has_storage_shape(event, _field_names(catalog)):
        return FindingCode.STORAGE_SHAPE, "", FLAT, PAYLOAD
    return None


@lru_cache(maxsize=16)
def _field_names(catalog: Catalog) -> frozenset[str]:
    return frozenset(catalog.fields)


def check_envelope(event: Mapping[str, Any]) -> Iterator[Raw]:
    """Check the five keys of an event, but not the contents of `user` and `properties`."""
    for name in ("event_type", "id"):
        value = event.get(name)
        if not isinstance(value, str) or not value:
            missing = value is None or value == ""
            code = FindingCode.MISSING if missing else FindingCode.WRONG_TYPE
            yield code, name, _absent_or(event, name), _NO_TEXT
    event_id = event.get("id")
    if isinstance(event_id, str) and event_id and _UUID.matches and not _UUID.matches(event_id):
        expected = f"Braze sends {_UUID.right}"
        yield FindingCode.BAD_FORMAT, "id", f"it is {quoted(event_id)}", expected
    time = event.get("time")
    if type(time) is not int or not 0 < time <= MAX_TIME:
        yield _bad_time(event, time)
    for part in ("user", "properties"):
        if part in event and not isinstance(event[part], Mapping):
            problem = f"it is {quoted(event[part])}"
            yield FindingCode.NOT_AN_OBJECT, part, problem, "it must be an object"


def check_keys(event: Mapping[str, Any]) -> Iterator[Raw]:
    """Check that an event has only the five keys."""
    if _KEYS.issuperset(event):
        return
    for name, value in event.items():
        if name not in _KEYS:
            expected = "an event has event_type, id, time, user and properties"
            yield FindingCode.UNKNOWN_KEY, key_text(name), "the key is not known", expected
            if large := too_large(value, key_text(name)):
                yield large


def _bad_time(event: Mapping[str, Any], time: Any) -> Raw:
    if type(time) is not int and not (isinstance(time, float) and time.is_integer()):
        code = FindingCode.MISSING if time is None else FindingCode.WRONG_TYPE
        expected = "it must be whole seconds since the Unix epoch"
        return code, "time", _absent_or(event, "time"), expected
    problem = f"it is {quoted(time)}"
    if time > MAX_TIME:
        expected = "it must be seconds"
        if time <= MAX_TIME * 1000:
            expected += f": {int(time) // 1000} if these are milliseconds"
        return FindingCode.IMPOSSIBLE_TIME, "time", f"{problem}, far in the future", expected
    if time <= 0:
        return FindingCode.IMPOSSIBLE_TIME, "time", problem, "it must be after the Unix epoch"
    expected = "it must be whole seconds, written without a decimal point"
    return FindingCode.WRONG_TYPE, "time", problem, expected


def _absent_or(event: Mapping[str, Any], name: str) -> str:
    return f"it is {quoted(event[name])}" if name in event else "it is missing"
