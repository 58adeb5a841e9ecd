"""The event factory, and valid events built from the catalog."""

from __future__ import annotations

from typing import Any

from currents_export.catalog import FORMATS, Catalog, EventType, Field
from currents_export.events import Event

OPEN = "users.messages.email.Open"
CLICK = "users.messages.email.Click"
SEND = "users.messages.email.Send"
EVENT_ID = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"


def event(number: int = 0, event_type: str = OPEN, **properties: Any) -> Event:
    """Make a conforming event whose id, time and user follow from its number."""
    return Event(
        event_type=event_type,
        time=1_750_000_000 + number,
        user={"user_id": f"{number:024x}", "external_user_id": f"user-{number}"},
        properties={"email_address": f"user{number}@example.com", **properties},
        id=f"00000000-0000-4000-8000-{number:012x}",
    )


def make_events(count: int, event_type: str = OPEN) -> list[Event]:
    """Make `count` events of one type."""
    return [event(number, event_type) for number in range(count)]


_OF_TYPE: dict[str, Any] = {
    "string": "text",
    "integer": 3,
    "number": 1.5,
    "boolean": True,
    "object": {"a key": 1},
    "array<string>": ["a"],
}


def value_for(field: Field) -> Any:
    """Return a value of the right type, format and set."""
    if field.rule.values:
        value = field.rule.values[0]
        return int(value) if field.json_type == "integer" else value
    if field.rule.format:
        return FORMATS[field.rule.format].example
    return _OF_TYPE[field.json_type]


def good_event(event_type: EventType, *, optional: bool = False) -> dict[str, Any]:
    """Make an event with the required fields of its type, or with all its fields."""
    event: dict[str, Any] = {
        "event_type": event_type.name,
        "id": EVENT_ID,
        "time": 1_700_000_000,
        "user": {},
        "properties": {},
    }
    for field in event_type.fields.values():
        if field.required or (optional and field.name != "canvas_id"):
            event[field.part][field.name] = value_for(field)
    return event


def event_with(path: str, value: Any, event_type: str = OPEN) -> dict[str, Any]:
    """Make a valid event with the given value at a path."""
    made = good_event(Catalog.load()[event_type])
    part, _, name = path.partition(".")
    made[part][name] = value
    return made
