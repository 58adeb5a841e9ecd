"""Mask personal data: each value by a tag that is the same for the same value."""

from __future__ import annotations

import hashlib
import re
import secrets
from functools import lru_cache

from ...catalog import Catalog

__all__ = ["Masks"]

#: Names besides those that the catalog marks as personal, and those of RudderStack's messages.
_NAMES = frozenset(
    {"device_id", "email", "ip", "ip_address", "message_body", "phone", "push_token"}
    | {"push_token_device_id", "user_agent", "quick_reply_text", "raw_response"}
    | {"advertisingId", "anonymousId", "rudderId", "request_ip", "userAgent", "userId", "traits"}
)
#: Parts of RudderStack's messages in which `id` identifies a device.
_DEVICE_IDS = frozenset({"context.device.id", "context.device.token"})
_EMAIL = re.compile(r"[^\s@<>\"',;:]{1,64}@[^\s@<>\"',;:]{1,190}\.[^\s@<>\"',;:]{2,24}")
_PHONE = re.compile(r"(?<![\w.+-])\+[1-9][0-9 ()./-]{6,18}[0-9](?!\w)")
_MASK = "•••"


class Masks:
    """Replace personal values by tags such as `•••1f3a9c`.

    The tags follow from the values and a random key, so nobody who sees a tag can find the value
    by trying.

    Args:
        catalog: marks the fields that are personal.
    """

    def __init__(self, catalog: Catalog) -> None:
        key = secrets.token_bytes(16)
        personal = {
            field.name
            for event_type in catalog.event_types
            for field in event_type.fields.values()
            if field.personal
        }
        self._names = personal | _NAMES

        @lru_cache(100_000)
        def tag(value: str) -> str:
            raw = value.encode(errors="surrogatepass")
            return f"{_MASK}{hashlib.blake2b(raw, key=key, digest_size=4).hexdigest()}"

        self.tag = tag

    def is_personal(self, path: str | None, name: str) -> bool:
        """Return whether the value at a path, whose last part is the name, is personal."""
        return name in self._names or path in _DEVICE_IDS

    def text(self, text: str) -> str:
        """Return a text with the email addresses and phone numbers in it masked."""
        if "@" in text:
            text = _EMAIL.sub(lambda found: self.tag(found[0]), text)
        if "+" in text:
            text = _PHONE.sub(lambda found: self.tag(found[0]), text)
        return text
