"""The catalog's event types as JSON Schema (draft 2020-12)."""

from __future__ import annotations

from typing import Any

from .._json import LARGEST_INT, SMALLEST_INT
from ._formats import MAX_TIME
from ._model import EventType, Field

__all__ = ["json_schema"]

#: The names in JSON Schema of our formats that it also has.
_FORMATS = {"uuid": "uuid", "email": "email"}


def json_schema(event_type: EventType, schema_version: int) -> dict[str, Any]:
    """Return a JSON Schema that accepts the events without a conformance error.

    Unknown fields are allowed, as a receiver must allow them. An optional field may be null.
    Formats are annotations, and known values are given as `examples`, since Braze may add more.

    JSON Schema cannot express two rules that `check_event` enforces: that `time` must
    be written without a decimal point (to JSON Schema, 1.0 and 1 are the same), and that whole
    numbers must fit into 64 bits in places other than fields of type `integer`.

    >>> from currents_export import Catalog, json_schema
    >>> catalog = Catalog.load()
    >>> schema = json_schema(catalog["users.messages.email.Open"], catalog.schema_version)
    >>> schema["properties"]["user"]["required"]
    ['user_id']

    Args:
        event_type: the event type, from the catalog of the schema version.
        schema_version: the version to name in the description.

    Source: Braze, Custom Currents export (the event object); Braze's event glossaries.
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
                "description": (
                    "When it happened, in whole seconds since the Unix epoch, UTC, without a "
                    "decimal point."
                ),
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
        schema["items"] = {"type": ["string", "null"]}
    if json_type == "integer":
        schema |= {"minimum": SMALLEST_INT, "maximum": LARGEST_INT}
    if field.rule.format in _FORMATS:
        schema["format"] = _FORMATS[field.rule.format]
    if field.rule.values:
        schema["examples"] = [
            int(value) if json_type == "integer" else value for value in field.rule.values
        ]
    return schema
