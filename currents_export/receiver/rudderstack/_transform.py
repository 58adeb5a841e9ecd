"""`transform`: what RudderStack's Braze source makes of an event.

Source: RudderStack, the Braze source of rudder-transformer.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ..._codes import Code
from ...events import Event
from ._paths import UnsafeKeyError, by_paths, is_plain
from ._values import is_truthy, respelled, timestamp

__all__ = ["MOVED", "VanishReason", "transform", "transformed"]

#: Where the mapped fields of `user` go.
_OF_USER = {"device_id": ("device", "id"), "timezone": (None, "timezone")}
#: Where the mapped properties go in `context`, in order.
_TO_CONTEXT = {
    "device_model": ("device", "model"),
    "os_version": ("os", "version"),
    "platform": ("os", "name"),
    "user_agent": (None, "userAgent"),
    "ad_id": ("device", "advertisingId"),
    "ad_tracking_enabled": ("device", "adTrackingEnabled"),
}
_TO_TRAITS = {"email_address": "email", "to_phone_number": "phone"}
#: The properties that are never among the message's properties.
MOVED = frozenset({*_TO_CONTEXT, *_TO_TRAITS})

#: The types whose values need not be respelled.
_UNCHANGED = frozenset({str, bool, type(None)})

_is_plain = lru_cache(4096)(is_plain)


class VanishReason(Code):
    """Why the source makes no message of an event, without reporting it."""

    NOT_AN_OBJECT = "not_an_object", "the event is not a JSON object"
    NO_EVENT_TYPE = "no_event_type", "event_type is missing or empty"
    NO_USER = "no_user", "user_id and external_user_id are missing or empty"
    UNSAFE_PROPERTY = (
        "unsafe_property",
        "the name of a property has the part __proto__, constructor or prototype",
    )


def transform(event: Any, mapping: Mapping[str, str] | None = None) -> dict[str, Any] | None:
    """Return the message that RudderStack's Braze source makes of an event.

    Args:
        event: an `Event`, or any JSON value as it arrived; it is not changed.
        mapping: the source's custom mapping, from event types to event names.

    Returns:
        A track message; None if the event vanishes. The gateway adds more fields to it.
    """
    made = transformed(event, mapping)
    return None if isinstance(made, VanishReason) else made


def transformed(
    event: Any, mapping: Mapping[str, str] | None = None
) -> dict[str, Any] | VanishReason:
    """Return the message that the source makes of an event, or why it makes none.

    Args:
        event: an `Event`, or any JSON value as it arrived; it is not changed.
        mapping: the source's custom mapping, from event types to event names.
    """
    if isinstance(event, Event):
        event = event.to_dict()
    if not isinstance(event, dict):
        return VanishReason.NOT_AN_OBJECT
    event_type = event.get("event_type")
    if not is_truthy(event_type):
        return VanishReason.NO_EVENT_TYPE
    user = _object(event.get("user"))
    user_id, external_user_id = user.get("user_id"), user.get("external_user_id")
    if not is_truthy(user_id) and not is_truthy(external_user_id):
        return VanishReason.NO_USER
    properties = event.get("properties")
    try:
        others = _other_properties(properties)
    except UnsafeKeyError:
        return VanishReason.UNSAFE_PROPERTY
    mapped = mapping.get(event_type) if mapping and isinstance(event_type, str) else None
    context: dict[str, Any] = {
        "library": {"name": "unknown", "version": "unknown"},
        "integration": {"name": "Braze"},
    }
    message: dict[str, Any] = {
        "context": context,
        "integrations": {"Braze": False},
        "type": "track",
        "event": mapped or respelled(event_type),
    }
    ids = (("messageId", event.get("id")), ("anonymousId", user_id), ("userId", external_user_id))
    for name, value in ids:
        if value is not None:
            message[name] = respelled(value)
    properties = _object(properties)
    _fill_context(context, user, _OF_USER)
    _fill_context(context, properties, _TO_CONTEXT)
    if traits := _traits(properties):
        message["traits"] = traits
    if (when := timestamp(event.get("time"))) is not None:
        message["timestamp"] = when
    if others is not None:
        message["properties"] = others
    return message


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _fill_context(
    context: dict[str, Any], source: dict[str, Any], table: dict[str, tuple[str | None, str]]
) -> None:
    for field, (part, name) in table.items():
        value = source.get(field)
        if value is not None:
            target = context if part is None else context.setdefault(part, {})
            target[name] = value if type(value) is str else respelled(value)


def _traits(properties: dict[str, Any]) -> dict[str, Any]:
    traits = {}
    for source, name in _TO_TRAITS.items():
        value = properties.get(source)
        if value is not None:
            traits[name] = respelled(value)
    return traits


def _other_properties(properties: Any) -> Any:
    """Return what becomes of the properties that are not mapped; None if there are none.

    Raises:
        UnsafeKeyError: the event vanishes.
    """
    if isinstance(properties, list):  # its indexes are its names
        return respelled(properties) or None
    others = {
        name: value if type(value) in _UNCHANGED else respelled(value)
        for name, value in _object(properties).items()
        if name not in MOVED and isinstance(name, str)
    }
    return others or None if all(map(_is_plain, others)) else by_paths(others)
