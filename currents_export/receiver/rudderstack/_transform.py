"""`transform`: what RudderStack's Braze source makes of an event.

Source: RudderStack, the Braze source of rudder-transformer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from ..._codes import Code
from ...events import Event
from ._paths import UnsafeKeyError, by_paths, is_plain
from ._values import is_truthy, respelled, timestamp

__all__ = ["KEPT", "MOVED", "VanishReason", "plan_of", "transform", "transformed"]

#: A field, the part of the context it goes to if it is one, and its name there.
_Place = tuple[str, str | None, str]

#: Where the mapped fields of `user` go.
_OF_USER: tuple[_Place, ...] = (("device_id", "device", "id"), ("timezone", None, "timezone"))
#: Where the mapped properties go in `context`, in order.
_TO_CONTEXT: tuple[_Place, ...] = (
    ("device_model", "device", "model"),
    ("os_version", "os", "version"),
    ("platform", "os", "name"),
    ("user_agent", None, "userAgent"),
    ("ad_id", "device", "advertisingId"),
    ("ad_tracking_enabled", "device", "adTrackingEnabled"),
)
_TO_TRAITS = {"email_address": "email", "to_phone_number": "phone"}
#: The properties that are never among the message's properties.
MOVED = frozenset({*(field for field, _, _ in _TO_CONTEXT), *_TO_TRAITS})

#: The types whose values are kept as they are.
KEPT = frozenset({str, bool, type(None)})


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

    >>> from currents_export import Event
    >>> from currents_export.receiver.rudderstack import transform
    >>> event = Event("users.messages.email.Open", 1_782_907_200, {"user_id": "u1"}, id="e1")
    >>> transform(event)["event"], transform(event)["messageId"]
    ('users.messages.email.Open', 'e1')
    >>> transform(Event("users.messages.email.Open", 1_782_907_200)) is None
    True

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
    if not (is_truthy(external_user_id) or is_truthy(user_id)):
        return VanishReason.NO_USER
    properties = event.get("properties")
    plan = plan_of(tuple(properties)) if isinstance(properties, dict) else _NOTHING
    try:
        others = _other_properties(properties, plan)
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
            message[name] = value if type(value) is str else respelled(value)
    _fill_context(context, user, _OF_USER)
    fields = _object(properties)
    _fill_context(context, fields, plan.to_context)
    if plan.to_traits and (traits := _traits(fields, plan.to_traits)):
        message["traits"] = traits
    if (when := timestamp(event.get("time"))) is not None:
        message["timestamp"] = when
    if others is not None:
        message["properties"] = others
    return message


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


class _Plan(NamedTuple):
    """Where properties with some names go.

    Attributes:
        to_context: those that go to the context.
        to_traits: those that become traits.
        others: the others, which stay properties.
        are_plain: whether all of these keep their names.
    """

    to_context: tuple[_Place, ...]
    to_traits: tuple[str, ...]
    others: tuple[str, ...]
    are_plain: bool


_NOTHING = _Plan((), (), (), True)


# Events of a type have the same names.
@lru_cache(512)
def plan_of(names: tuple[Any, ...]) -> _Plan:
    """Return where properties with these names go."""
    others = tuple(name for name in names if isinstance(name, str) and name not in MOVED)
    return _Plan(
        tuple(place for place in _TO_CONTEXT if place[0] in names),
        tuple(name for name in _TO_TRAITS if name in names),
        others,
        all(map(is_plain, others)),
    )


def _fill_context(
    context: dict[str, Any], source: dict[str, Any], places: Iterable[_Place]
) -> None:
    for field, part, name in places:
        value = source.get(field)
        if value is not None:
            target = context if part is None else context.setdefault(part, {})
            target[name] = value if type(value) is str else respelled(value)


def _traits(properties: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    found = ((_TO_TRAITS[name], properties[name]) for name in names)
    return {name: respelled(value) for name, value in found if value is not None}


def _other_properties(properties: Any, plan: _Plan) -> Any:
    """Return what becomes of the properties that are not mapped; None if there are none.

    Raises:
        UnsafeKeyError: the event vanishes.
    """
    if isinstance(properties, list):  # its indexes are its names
        return respelled(properties) or None
    if not isinstance(properties, dict):
        return None
    others = {name: properties[name] for name in plan.others}
    if not KEPT.issuperset(map(type, others.values())):
        for name, value in others.items():
            if type(value) not in KEPT:
                others[name] = respelled(value)
    return (others or None) if plan.are_plain else by_paths(others)
