"""The catalog's event types as JSON Schema (draft 2020-12)."""

from __future__ import annotations

from typing import Any

from ._conformance import MAX_TIME
from ._model import EventType, Field

__all__ = ["json_schema"]

_TYPES: dict[str, dict[str, Any]] = {
    "array<string>": {"type": "array", "items": {"type": "string"}},
}

#: Our formats that JSON Schema knows under a name of its own.
_FORMATS = {"uuid": "uuid", "uri": "uri", "email": "email", "date": "date"}


def json_schema(event_type: EventType, schema_version: int) -> dict[str, Any]:
    """A JSON Schema that an event meets if, and only if, its conformance shows no error.

    Fields the schema does not know are allowed, as a receiver must allow them. An optional field
    may be null; a closed set of values is given as `examples`, since Braze may widen it.
    """
    parts = {
        part: _part([field for field in event_type.fields.values() if field.part == part])
        for part in ("user", "properties")
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": event_type.name,
        "description": f"{event_type.description} Currents schema version {schema_version}.",
        "type": "object",
        "required": ["event_type", "id", "time"]
        + [part for part, schema in parts.items() if schema.get("required")],
        "properties": {
            "event_type": {"const": event_type.name},
            "id": {"type": "string", "minLength": 1, "format": "uuid"},
            "time": {
                "description": "When it happened, in whole seconds since the Unix epoch, UTC.",
                "type": "integer",
                "minimum": 1,
                "maximum": MAX_TIME,
            },
            **parts,
        },
    }


def _part(fields: list[Field]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"}
    if required := [field.name for field in fields if field.required]:
        schema["required"] = required
    schema["properties"] = {field.name: _field(field) for field in fields}
    return schema


def _field(field: Field) -> dict[str, Any]:
    schema = {"description": field.description} | _TYPES.get(
        field.json_type, {"type": field.json_type}
    )
    if not field.required:
        schema["type"] = [schema["type"], "null"]
    if field.rule.format in _FORMATS:
        schema["format"] = _FORMATS[field.rule.format]
    if field.rule.values:
        schema["examples"] = [
            int(value) if field.json_type == "integer" else value for value in field.rule.values
        ]
    return schema
