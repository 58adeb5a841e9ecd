"""Read from an event, or a message of RudderStack's, what the page lists of it."""

from __future__ import annotations

from typing import Any

import orjson

from ..._redaction import shown
from ...catalog import Finding
from ._lines import visible
from ._personal import Masks
from ._store import EventRow

__all__ = ["encoded", "id_of", "row_of"]

_USER_IDS = ("external_user_id", "user_id", "device_id")
#: The most findings of an event that are kept.
_MOST_FINDINGS = 200
_MESSAGE_USER_IDS = ("userId", "anonymousId")


def encoded(value: Any) -> bytes:
    """Return a value that came as JSON as JSON again."""
    try:
        # orjson's own result keeps its buffer, which has a few times the size of an event.
        return bytes(memoryview(orjson.dumps(value)))
    except TypeError:  # orjson reads deeper than it writes, and no numbers beyond 64 bits
        return orjson.dumps(f"the event cannot be kept: {visible(shown(value))}")


def id_of(event: Any) -> str:
    """Return the id of an event or of a message; an empty text if it has none."""
    if not isinstance(event, dict):
        return ""
    event_id = event.get("id", event.get("messageId"))
    return event_id if isinstance(event_id, str) else ""


def row_of(
    event: Any,
    findings: tuple[Finding, ...],
    *,
    number: int,
    request: int,
    index: int,
    at: float,
    taken: bool,
    masks: Masks,
) -> EventRow:
    """Return the row of an event."""
    value = event if isinstance(event, dict) else {}
    event_type = value.get("event_type", value.get("event"))
    users = _users(value)
    properties = value.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    campaign, name = _campaign(properties)
    return EventRow(
        number=number,
        request=request,
        index=index,
        at=at,
        time=_time(value.get("time")),
        event_id=visible(id_of(event)),
        event_type=visible(event_type) if isinstance(event_type, str) and event_type else "?",
        users=users,
        tag=(tag := masks.tag(users[0]) if users else ""),
        users_text="\n".join((*users, tag)),
        campaign=campaign,
        campaign_name=name,
        data=encoded(event),
        findings=findings[:_MOST_FINDINGS],
        taken=taken,
    )


def _users(value: dict[str, Any]) -> tuple[str, ...]:
    user = value.get("user")
    found = [user.get(name) for name in _USER_IDS] if isinstance(user, dict) else []
    found += [value.get(name) for name in _MESSAGE_USER_IDS]
    return tuple(visible(each) for each in found if isinstance(each, str) and each)


def _campaign(properties: dict[str, Any]) -> tuple[str, str]:
    for kind in ("canvas", "campaign"):
        found = properties.get(f"{kind}_id")
        if isinstance(found, str) and found:
            name = properties.get(f"{kind}_name")
            return visible(found), visible(name) if isinstance(name, str) else ""
    return "", ""


def _time(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # The year 9999: beyond it, no calendar has a date for it.
    return float(value) if is_number and 0 <= value < 253_402_300_800 else None
