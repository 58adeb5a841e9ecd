"""Placeholders: values that match only the data type."""

from __future__ import annotations

from typing import Any

from ..catalog import EventType, Field
from ..events import Event

__all__ = ["make_placeholder"]


def make_placeholder(event_type: EventType, *, time: int, event_id: str) -> Event:
    """Make an event of a type, with placeholders in all fields.

    A text is the name of its field. The event has the ids of both a campaign and a Canvas.

    Source: Braze, "Send Test Events" of a Current.
    """
    parts: dict[str, dict[str, Any]] = {"user": {}, "properties": {}}
    for field in event_type.fields.values():
        parts[field.part][field.name] = _value(field)
    return Event(event_type.name, time, parts["user"], parts["properties"], event_id)


def _value(field: Field) -> Any:
    match field.json_type:
        case "string":
            return field.name
        case "integer":
            return 1
        case "number":
            return 1.5
        case "boolean":
            return True
        case "object":
            return {field.name: field.name}
        case _:
            return [field.name]
