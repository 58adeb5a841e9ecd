"""The default makers, which fill the fields that `sources.tsv` does not name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...catalog import FORMATS, Field
from .._ids import object_id, uuid4, wamid
from .draft import Draft, pick

__all__ = ["convert_listed", "default_maker"]

_Make = Callable[[Draft], Any]


def default_maker(field: Field) -> _Make:
    """Return the default maker of a field.

    Its values follow from the format, then the listed values, then the JSON type. Listed values
    come first if no others are allowed.
    """
    known = FORMATS.get(field.rule.format)
    if known and field.json_type in known.json_types and (field.rule.open or not field.rule.values):
        return _OF_FORMAT.get(known.name) or (lambda _: known.example)
    if field.rule.values and field.json_type in _CONVERT:
        return _one_of(field)
    if field.json_type == "string":
        return _text(field.name)
    return _OF_TYPE[field.json_type]


def _phone(draft: Draft) -> str:
    # A user without a number gets one from a range reserved for fiction.
    return draft.user.phone or f"+1212555{100 + int(100 * draft.random()):04d}"


def _json(draft: Draft) -> str:
    return f'{{"value":{int(100 * draft.random())}}}'


def _email(draft: Draft) -> str:
    return draft.user.email or f"{draft.user.id}@example.com"


_OF_FORMAT: Mapping[str, _Make] = {
    "uuid": lambda draft: uuid4(draft.bits),
    "object_id": lambda draft: object_id(draft.time, f"{draft.bits(64):016x}"),
    "ascii64": lambda draft: object_id(draft.time, f"{draft.bits(64):016x}"),
    "e164": _phone,
    "wamid": lambda draft: wamid(draft.bits, _phone(draft)),
    "currency": lambda draft: draft.user.place.currency,
    "timezone": lambda draft: draft.user.place.timezone,
    "locale": lambda draft: draft.user.place.locale_key,
    "combination": lambda draft: "_".join(str(int(3 * draft.random())) for _ in range(3)),
    "email": _email,
    "iso_date": lambda draft: draft.user.dob or "1996-04-13T00:00:00.000+00:00",
    "json": _json,
    "json_object": _json,
    "seconds": lambda draft: 1 + int(600 * draft.random() ** 2),
    "milliseconds": lambda draft: 1 + int(5000 * draft.random() ** 2),
    "unix_seconds": lambda draft: draft.time,
    "unix_milliseconds": lambda draft: draft.time * 1000 + int(1000 * draft.random()),
}

_CONVERT: Mapping[str, Callable[[str], Any]] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": lambda text: text == "true",
}


def convert_listed(field: Field, values: Iterable[str]) -> tuple[Any, ...]:
    """Convert listed values to the JSON type of their field; none if one of them does not fit."""
    convert = _CONVERT.get(field.json_type)
    try:
        return tuple(map(convert, values)) if convert else ()
    except ValueError:
        return ()


def _one_of(field: Field) -> _Make:
    values = convert_listed(field, field.rule.values)
    return (lambda draft: pick(draft, values)) if values else _OF_TYPE[field.json_type]


def _text(name: str) -> _Make:
    """Return a maker of text that the field's name suggests."""
    if name.endswith("_id"):
        return lambda draft: uuid4(draft.bits)
    if name == "url" or name.endswith("_url"):
        path = name.replace("_", "-")
        return lambda draft: f"https://www.{draft.workspace.domain}/{path}"
    words = name.replace("_", " ").capitalize()
    return lambda draft: f"{words} {1 + int(9 * draft.random())}"


_OF_TYPE: Mapping[str, _Make] = {
    "integer": lambda draft: 1 + int(99 * draft.random()),
    "number": lambda draft: round(100 * draft.random(), 2),
    "boolean": lambda draft: draft.random() < 0.5,
    "object": lambda draft: {"value": int(100 * draft.random())},
    "array<string>": lambda draft: [f"item {1 + int(9 * draft.random())}"],
}
