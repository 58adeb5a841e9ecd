"""Does an event look as the catalog says? Findings, not exceptions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal

import attrs
import orjson

from .._redaction import shown
from .._suggestions import did_you_mean
from ..events import Event
from ._model import Catalog, EventType, Field

__all__ = ["Finding", "check_event"]

Level = Literal["error", "warning"]

#: Later than this, a `time` is surely milliseconds (it lies in the year 5138).
MAX_TIME = 99_999_999_999


@attrs.frozen
class Finding:
    """One thing about an event that is not as the catalog has it.

    Attributes:
        level: `error` when the event breaks the schema; `warning` when it holds something the
            schema does not know, or that real traffic does not show.
        event_type: the event's type, as far as it has one.
        event_id: the event's id, as far as it has one.
        field: the path of the field, such as `properties.price`; empty for the whole event.
        problem: what was wrong.
        expected: what is right.
    """

    level: Level
    event_type: str | None
    event_id: str | None
    field: str
    problem: str
    expected: str

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        who = " ".join(each for each in (self.event_type, self.event_id) if each)
        return f"{self.level}: {who + ': ' if who else ''}{where}{self.problem}; {self.expected}"

    def to_dict(self) -> dict[str, str | None]:
        """The finding as a JSON object."""
        return attrs.asdict(self)


_NO_POINT = "Braze writes whole numbers without a decimal point"

#: Of how many unknown names it is remembered what they are near to.
_REMEMBERED = 4096

#: What a check yields: the level, the field's path, what was wrong, what is right.
_Raw = tuple[Level, str, str, str]

_JSON_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    # As JSON Schema has it: 1.0 is the whole number 1.
    "integer": lambda value: (
        type(value) is int or (isinstance(value, float) and value.is_integer())
    ),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array<string>": lambda value: (
        isinstance(value, list) and all(isinstance(item, str) for item in value)
    ),
}


def _is_json_text(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


#: The formats that can be told from the value alone, with what a good value looks like.
FORMATS: dict[str, tuple[Callable[[str], object], str]] = {
    "uuid": (
        re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE).fullmatch,
        "a UUID, such as 1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
    ),
    "object_id": (
        re.compile(r"[0-9a-f]{24}", re.IGNORECASE).fullmatch,
        "24 hexadecimal digits (a BSON ObjectId)",
    ),
    "e164": (re.compile(r"\+[1-9][0-9]{1,14}").fullmatch, "E.164, such as +14155550123"),
    "wamid": (lambda text: text.startswith("wamid."), "a WhatsApp id, beginning with wamid."),
    "currency": (re.compile(r"[A-Z]{3}").fullmatch, "an ISO 4217 code, such as USD"),
    "timezone": (
        re.compile(r"[A-Za-z][A-Za-z0-9]*([/_+-][A-Za-z0-9]+)*").fullmatch,
        "an IANA time zone, such as America/New_York",
    ),
    "locale": (re.compile(r"[a-z]{2,3}-[a-z]{2}").fullmatch, "language-region, such as en-us"),
    "combination": (re.compile(r"[0-9]+(_[0-9]+)*").fullmatch, "indices, such as 0_0_0"),
    "json": (_is_json_text, "a string that contains JSON"),
}


def check_event(catalog: Catalog, event: Event | Mapping[str, Any] | Any) -> list[Finding]:
    """What about `event` is not as `catalog` says, in the order of its fields.

    `event` may be an `Event` or any JSON value, as it came off the wire. Missing required
    fields, wrong types and an impossible `time` are errors. Event types and fields the catalog
    does not know are warnings, since Braze may add them at any time; so are values outside a
    field's format or closed set, and ids of a campaign and of a Canvas on one event.
    """
    if not isinstance(event, Mapping):
        if not isinstance(event, Event):
            problem = f"the event is {_shown(event)}"
            return [Finding("error", None, None, "", problem, "it must be a JSON object")]
        event = event.to_dict()
    event_type, event_id = event.get("event_type"), event.get("id")
    return [
        Finding(
            level,
            event_type if isinstance(event_type, str) else None,
            event_id if isinstance(event_id, str) else None,
            path,
            problem,
            expected,
        )
        for level, path, problem, expected in _check(catalog, event)
    ]


def _check(catalog: Catalog, event: Mapping[str, Any]) -> Iterator[_Raw]:
    yield from _check_envelope(event)
    name = event.get("event_type")
    if not isinstance(name, str) or not name:
        return
    if name not in catalog:
        problem = f"{name!r} is not in schema version {catalog.schema_version}"
        yield "warning", "event_type", problem, _known_type(catalog, name)
        return
    yield from _check_fields(catalog[name], event)
    properties = event.get("properties")
    if (
        isinstance(properties, Mapping)
        and properties.get("campaign_id") is not None
        and properties.get("canvas_id") is not None
    ):
        yield (
            "warning",
            "properties.canvas_id",
            "the event has the ids of a campaign and of a Canvas",
            "a real event belongs to one of them, or to neither",
        )


def _check_envelope(event: Mapping[str, Any]) -> Iterator[_Raw]:
    for name in ("event_type", "id"):
        value = event.get(name)
        if not isinstance(value, str) or not value:
            yield "error", name, _absent_or(event, name), "it must be a string that is not empty"
    event_id = event.get("id")
    matches, right = FORMATS["uuid"]
    if isinstance(event_id, str) and event_id and not matches(event_id):
        yield "warning", "id", f"it is {_shown(event_id)}", f"Braze sends {right}"
    yield from _check_time(event)
    for part in ("user", "properties"):
        if part in event and not isinstance(event[part], Mapping):
            yield "error", part, f"it is {_shown(event[part])}", "it must be an object"
    for name in event:
        if name not in ("event_type", "id", "time", "user", "properties"):
            expected = "an event has event_type, id, time, user and properties"
            yield "warning", _key(name), "the key is not known", expected


def _check_time(event: Mapping[str, Any]) -> Iterator[_Raw]:
    time: Any = event.get("time")
    if not _JSON_TYPES["integer"](time):
        expected = "it must be whole seconds since the Unix epoch"
        yield "error", "time", _absent_or(event, "time"), expected
    elif time > MAX_TIME:
        expected = "it must be seconds"
        if time <= MAX_TIME * 1000:
            expected += f": {int(time) // 1000} if these are milliseconds"
        yield "error", "time", f"it is {_shown(time)}, far in the future", expected
    elif time <= 0:
        yield "error", "time", f"it is {_shown(time)}", "it must be after the Unix epoch"
    elif isinstance(time, float):
        yield "warning", "time", f"it is {_shown(time)}", _NO_POINT


def _check_fields(event_type: EventType, event: Mapping[str, Any]) -> Iterator[_Raw]:
    parts = {
        part: values if isinstance(values := event.get(part), Mapping) else {}
        for part in ("user", "properties")
    }
    for path, field in event_type.fields.items():
        values = parts[field.part]
        if field.name not in values:
            if field.required:
                yield "error", path, "the field is missing", f"it is a required {field.json_type}"
        else:
            yield from _check_value(field, values[field.name])
    for part, values in parts.items():
        for name in values:
            if f"{part}.{_key(name)}" not in event_type.fields:
                yield (
                    "warning",
                    f"{part}.{_key(name)}",
                    "the field is not known",
                    _known(event_type, _key(name)),
                )


# To look for the nearest names takes milliseconds, and what is unknown comes in every event.
@lru_cache(maxsize=_REMEMBERED)
def _known_type(catalog: Catalog, name: str) -> str:
    newest = Catalog.load()
    if name in newest:
        return f"it came with schema version {newest[name].since}"
    return "Braze's documentation does not have it" + did_you_mean(name, catalog)


@lru_cache(maxsize=_REMEMBERED)
def _known(event_type: EventType, name: str) -> str:
    newest = Catalog.load()[event_type.name]
    for field in newest.fields.values():
        if field.name == name:
            if field.path in event_type.fields:
                return f"it belongs in {field.part}"
            return f"it came with schema version {field.since}"
    known = [field.name for field in event_type.fields.values()]
    return f"{event_type.name} has no such field" + did_you_mean(name, known)


def _check_value(field: Field, value: Any) -> Iterator[_Raw]:
    if value is None:
        if field.required:
            expected = f"it is a required {field.json_type}"
            yield "error", field.path, "the field is null", expected
    elif not _JSON_TYPES[field.json_type](value):
        yield "error", field.path, f"it is {_shown(value)}", f"it must be of type {field.json_type}"
    elif problem := _unlike(field, value):
        yield "warning", field.path, f"it is {_shown(value)}", problem


def _unlike(field: Field, value: Any) -> str | None:
    """What a good value looks like, if this one is not like it."""
    rule = field.rule
    if field.json_type == "integer" and isinstance(value, float):
        return _NO_POINT
    if rule.values and not rule.open and str(value) not in rule.values:
        return f"it is one of {', '.join(rule.values)}"
    if isinstance(value, str) and rule.format in FORMATS:
        matches, right = FORMATS[rule.format]
        if not matches(value):
            return f"it is {right}"
    return None


def _absent_or(event: Mapping[str, Any], name: str) -> str:
    return f"it is {_shown(event[name])}" if name in event else "it is missing"


def _key(name: object) -> str:
    """A key as it goes into a path; one that is no text cannot have come out of JSON."""
    return name if isinstance(name, str) else shown(name)


def _shown(value: object) -> str:
    try:
        text = json.dumps(value, default=shown)
    except (TypeError, ValueError, RecursionError):
        return shown(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
