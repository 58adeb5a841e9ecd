"""Check whether an event conforms to the catalog, with findings instead of exceptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from .._redaction import shown
from .._suggestions import did_you_mean
from ..events import Event
from ._catalog import Catalog
from ._envelope import check_envelope, check_keys, check_shape
from ._finding import Finding, FindingCode
from ._model import EventType, Part
from ._values import Raw, ValueCheck, key_text, quoted, too_large

__all__ = ["check_event"]

_PARTS: tuple[Part, ...] = ("user", "properties")

#: How many unknown names to cache suggestions for, and how long such a name may be. Finding the
#: nearest names takes milliseconds, and an unknown name is often in every event.
_REMEMBERED, _LONGEST = 4096, 100


def check_event(catalog: Catalog, event: Event | Mapping[str, Any] | Any) -> list[Finding]:
    """Return the differences between an event and the catalog.

    Missing required fields, wrong types, an impossible `time` and whole numbers of more than 64
    bits are errors, and so is the shape of Braze's storage export. Event types and fields that
    the schema version does not have are warnings, since Braze may add them at any time; so are
    values that do not have the format of their field or are not in its closed set, and ids of both
    a campaign and a Canvas in one event.

    >>> from currents_export import Catalog, check_event
    >>> event = {"event_type": "users.messages.email.Open", "id": "x", "time": "noon"}
    >>> for finding in check_event(Catalog.load(), event):
    ...     print(finding.level, finding.field, finding.code)
    warning id bad_format
    error time wrong_type
    error user.user_id missing
    error properties.email_address missing

    Args:
        catalog: the event types to expect.
        event: an `Event`, or any JSON value that was received.

    Source: Braze, Custom Currents export (the event object); Braze's event glossaries.
    """
    if not isinstance(event, Mapping):
        if not isinstance(event, Event):
            problem, expected = f"the event is {quoted(event)}", "it must be a JSON object"
            return [_finding({}, (FindingCode.NOT_AN_OBJECT, "", problem, expected))]
        event = event.to_dict()
    return [_finding(event, raw) for raw in _check(catalog, event)]


def _finding(event: Mapping[str, Any], raw: Raw) -> Finding:
    code, path, problem, expected = raw
    event_type, event_id = event.get("event_type"), event.get("id")
    return Finding(
        level=code.level,
        event_type=event_type if isinstance(event_type, str) else None,
        event_id=event_id if isinstance(event_id, str) else None,
        field=path,
        problem=problem,
        expected=expected,
        code=code,
    )


def _check(catalog: Catalog, event: Mapping[str, Any]) -> Iterator[Raw]:
    if shape := check_shape(catalog, event):
        yield shape
        return
    yield from check_envelope(event)
    yield from check_keys(event)
    name = event.get("event_type")
    if isinstance(name, str) and name in catalog:
        yield from _check_fields(_plans(catalog, name), event)
        return
    if isinstance(name, str) and name:
        yield _unknown_type(catalog, name)
    for part in _PARTS:
        if large := too_large(event.get(part), part):
            yield large


class _Plan:
    """The checks for events of one type, made once and used for every event.

    Attributes:
        required: the required fields: part, name, and the finding if the field is missing.
        checks: the checks of the values, by part and name.
    """

    __slots__ = ("catalog", "checks", "event_type", "required")

    def __init__(self, catalog: Catalog, event_type: EventType) -> None:
        fields = event_type.fields.values()
        self.catalog, self.event_type = catalog, event_type
        self.required: list[tuple[Part, str, Raw]] = [
            (field.part, field.name, _missing(field.path, field.json_type))
            for field in fields
            if field.required
        ]
        self.checks = {
            part: {field.name: ValueCheck(field) for field in fields if field.part == part}
            for part in _PARTS
        }


def _missing(path: str, json_type: str) -> Raw:
    return FindingCode.MISSING, path, "the field is missing", f"it is a required {json_type}"


@lru_cache(maxsize=4096)
def _plans(catalog: Catalog, name: str) -> _Plan:
    return _Plan(catalog, catalog[name])


def _check_fields(plan: _Plan, event: Mapping[str, Any]) -> Iterator[Raw]:
    parts = {
        part: values if isinstance(values := event.get(part), Mapping) else {} for part in _PARTS
    }
    for part, name, missing in plan.required:
        if name not in parts[part]:
            yield missing
    for part, values in parts.items():
        checks = plan.checks[part]
        for name, value in values.items():
            check = checks.get(name)
            if check is None:
                yield from _unknown_field(plan, part, name, value)
            elif type(value) is not check.usual_type or (check.passes and not check.passes(value)):
                yield from check.find(value)
    properties = parts["properties"]
    if properties.get("campaign_id") is not None and properties.get("canvas_id") is not None:
        yield (
            FindingCode.CAMPAIGN_AND_CANVAS,
            "properties.canvas_id",
            "the event has the ids of a campaign and of a Canvas",
            "a real event belongs to one of them, or to neither",
        )


def _unknown_type(catalog: Catalog, name: str) -> Raw:
    problem = f"{shown(name, most=120)} is not in schema version {catalog.schema_version}"
    advise = _about_type if len(name) <= _LONGEST else _about_type.__wrapped__
    code, expected = advise(catalog, name)
    return code, "event_type", problem, expected


@lru_cache(maxsize=_REMEMBERED)
def _about_type(catalog: Catalog, name: str) -> tuple[FindingCode, str]:
    if found := catalog.newest().get(name):
        return (
            FindingCode.NOT_IN_SCHEMA_VERSION,
            f"it was introduced in schema version {found.since}",
        )
    near = did_you_mean(name, catalog) if len(name) <= _LONGEST else ""
    return FindingCode.UNKNOWN_EVENT_TYPE, f"no schema version has it{near}"


def _unknown_field(plan: _Plan, part: Part, name: str, value: Any) -> Iterator[Raw]:
    text = key_text(name)
    path = f"{part}.{text}"
    problem = f"the field is not in schema version {plan.catalog.schema_version}"
    advise = _about_field if len(text) <= _LONGEST else _about_field.__wrapped__
    code, expected = advise(plan.catalog, plan.event_type.name, part, text)
    yield code, path, problem, expected
    if large := too_large(value, path):
        yield large


@lru_cache(maxsize=_REMEMBERED)
def _about_field(
    catalog: Catalog, event_type: str, part: Part, name: str
) -> tuple[FindingCode, str]:
    fields = catalog[event_type].fields
    newest = catalog.newest()[event_type].fields
    other = f"{'properties' if part == 'user' else 'user'}.{name}"
    if other in fields:
        return FindingCode.WRONG_PART, f"it belongs in {fields[other].part}"
    for path in (f"{part}.{name}", other):
        if path in newest:
            came = f"it was introduced in schema version {newest[path].since}"
            return FindingCode.NOT_IN_SCHEMA_VERSION, came
    known = [field.name for field in fields.values()]
    near = did_you_mean(name, known) if len(name) <= _LONGEST else ""
    return FindingCode.UNKNOWN_FIELD, f"no schema version has it in {event_type}{near}"
