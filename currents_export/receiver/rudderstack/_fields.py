"""The fields that the gateway, and later a destination, add to a message.

Source: RudderStack, rudder-server (gateway and processor).
"""

from __future__ import annotations

import hashlib
import re
import uuid
from datetime import UTC, datetime
from typing import Any

__all__ = ["as_delivered", "as_received", "has_user", "milliseconds"]

#: A timestamp that the server can read; others are replaced.
_READABLE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


def milliseconds(seconds: float) -> str:
    """Return a time as the server writes it: RFC 3339 in UTC, with milliseconds."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def has_user(message: dict[str, Any]) -> bool:
    """Return whether a message has an `anonymousId` or a `userId` that is not blank."""
    return bool(_text(message.get("anonymousId")) or _text(message.get("userId")))


def as_received(message: dict[str, Any], *, received_at: str, ip: str) -> dict[str, Any]:
    """Return a message with the fields that the gateway adds.

    The `rudderId` follows from the ids of the user, so all messages of a user have the same one.
    """
    ids = f"{_text(message.get('userId'))}:{_text(message.get('anonymousId'))}"
    digest = hashlib.md5(ids.encode(errors="surrogatepass"), usedforsecurity=False).digest()
    message_id = message.get("messageId")
    return message | {
        "messageId": message_id if _text(message_id) else str(uuid.uuid4()),
        "rudderId": str(uuid.UUID(bytes=digest, version=4)),
        "receivedAt": received_at,
        "request_ip": ip,
    }


def as_delivered(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message of `as_received` as a webhook destination sends it."""
    received_at = message["receivedAt"]
    given = message.get("timestamp")
    is_readable = isinstance(given, str) and _READABLE.fullmatch(given)
    return message | {
        "context": message["context"] | {"ip": message["request_ip"]},
        "channel": "sources",
        "originalTimestamp": received_at,
        "sentAt": received_at,
        "timestamp": given if is_readable else received_at,
    }


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()
