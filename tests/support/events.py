"""The event factory, and good events built from the catalog."""

from __future__ import annotations

from typing import Any

from currents_export.catalog import EventType, Field
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


def bare_event(**attributes: Any) -> Event:
    """Make an event that has only its type, time and id, and the attributes given here."""
    usual: dict[str, Any] = {"event_type": OPEN, "time": 1_700_000_000}
    return Event(**usual | attributes)


def make_events(count: int, event_type: str = OPEN) -> list[Event]:
    """Make `count` events of one type."""
    return [event(number, event_type) for number in range(count)]


_LIKE: dict[str, Any] = {
    "uuid": EVENT_ID,
    "object_id": "5f3c0e1a9b8d7c6e5f4a3b2c",
    "e164": "+14155550123",
    "wamid": "wamid.abc",
    "currency": "USD",
    "timezone": "America/Argentina/Buenos_Aires",
    "locale": "en-us",
    "combination": "0_0_0",
    "json": '{"a": 1}',
}

_OF_TYPE: dict[str, Any] = {
    "string": "text",
    "integer": 3,
    "number": 1.5,
    "boolean": True,
    "object": {"a key": 1},
    "array<string>": ["a"],
}


def value_for(field: Field) -> Any:
    """A value of the right type, and like what Braze sends."""
    if field.rule.values:
        value = field.rule.values[0]
        return int(value) if field.json_type == "integer" else value
    if field.json_type == "string":
        return _LIKE.get(field.rule.format, "text")
    return _OF_TYPE[field.json_type]


def good_event(event_type: EventType, *, optional: bool = False) -> dict[str, Any]:
    """An event with the required fields of its type alone, or with the optional ones too."""
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
