"""Stand-ins for RudderStack."""

from __future__ import annotations

from typing import Any

from currents_export.receiver import RudderStack
from tests.support.currents import WRITE_KEY
from tests.support.events import event

__all__ = ["NOW", "RECEIVED_AT", "WEBHOOK", "gateway", "without_user"]

#: The path of requests, with the write key.
WEBHOOK = f"/v1/webhook?writeKey={WRITE_KEY}"
#: When a gateway receives everything.
NOW = 1_800_000_000.25
RECEIVED_AT = "2027-01-15T08:00:00.250Z"


def gateway(**options: Any) -> RudderStack:
    """Make a stand-in that knows one write key, and does not wait for other requests."""
    defaults: dict[str, Any] = {
        "write_keys": [WRITE_KEY],
        "group_seconds": 0.0,
        "now": lambda: NOW,
    }
    return RudderStack(**defaults | options)


def without_user() -> dict[str, Any]:
    """Return an event that vanishes."""
    return event().to_dict() | {"user": {}}
