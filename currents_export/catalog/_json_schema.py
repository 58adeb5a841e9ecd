"""The catalog's event types as JSON Schema (draft 2020-12)."""

from __future__ import annotations

from typing import Any

from ._conformance import MAX_TIME
from ._model import EventType, Field

__all__ = ["json_schema"]

#: Our formats that JSON Schema knows under a name of its own.
_FORMATS = {"uuid": "uuid", "email": "email"}


def json_schema(event_type: EventType, schema_version: int) -> dict[str, Any]:
    """A JSON Schema that an event meets if, and only if, its conformance shows no error.

    Fields the schema does not know are allowed, as a receiver must allow them. An optional field
    may be null. A format is an annotation, and the known values are given as `examples`, since
    Braze may widen them.
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
    is_array = field.json_type == "array<string>"
    json_type = "array" if is_array else field.json_type
    schema: dict[str, Any] = {
        "description": field.description,
        "type": json_type if field.required else [json_type, "null"],
    }
    if is_array:
        schema["items"] = {"type": "string"}
    if field.rule.format in _FORMATS:
        schema["format"] = _FORMATS[field.rule.format]
    if field.rule.values:
        schema["examples"] = [
            int(value) if field.json_type == "integer" else value for value in field.rule.values
        ]
    return schema
