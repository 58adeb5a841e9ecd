"""`Event`: one event of a Current."""

from __future__ import annotations

import datetime
import enum
import uuid
from collections.abc import Mapping, Set
from typing import Any, Self

import attrs

from ._notebook import block, json_text, lines
from ._redaction import shown
from .errors import EventError

__all__ = ["FLAT", "PAYLOAD", "Event", "has_storage_shape"]

#: What is wrong with an event that has the shape of Braze's storage export, and what is right.
FLAT = "the event has the flat shape of Braze's storage export, with its fields at the top level"
PAYLOAD = (
    'the HTTP payload is {"event_type": ..., "id": ..., "time": ..., "user": {"user_id": ..., '
    '...}, "properties": {...}}'
)

#: Fields by which the storage shape is recognized without a catalog; nearly every event has one.
_TELLING = frozenset({"user_id", "external_user_id", "device_id", "agent_id", "app_group_id"})
_REQUIRED_KEYS = ("event_type", "id", "time")
_OWN_KEYS = frozenset({*_REQUIRED_KEYS, "user", "properties"})


def _new_id() -> str:
    return str(uuid.uuid4())


@attrs.frozen
class Event:
    """One event of a Current.

    >>> from currents_export import Event
    >>> event = Event(
    ...     "users.messages.email.Open",
    ...     1_782_907_200,
    ...     user={"user_id": "u1", "external_user_id": "customer-1"},
    ...     properties={"campaign_name": "Welcome"},
    ... )
    >>> Event.from_dict(event.to_dict()) == event
    True

    Attributes:
        event_type: the full name, such as `users.messages.email.Open`. Names that the catalog does
            not have are allowed, since Braze adds new ones at any time.
        time: when it happened, in whole seconds since the Unix epoch (UTC).
        user: who it happened to: `user_id`, `external_user_id`, `device_id`, `timezone`.
        properties: all other fields by name; the values are JSON values.
        id: the UUID by which receivers recognize duplicates; a new random one by default.
        extra: other top-level keys, kept as they were read.

    Raises:
        EventError: an attribute is empty or has the wrong type, or `extra` has one of the five keys
            above. The values in `user` and `properties` are checked when the event is encoded.

    Source: Braze, Custom Currents export (the event object).
    """

    event_type: str
    time: int
    user: dict[str, Any] = attrs.field(factory=dict)
    properties: dict[str, Any] = attrs.field(factory=dict)
    id: str = attrs.field(factory=_new_id)
    extra: dict[str, Any] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        # Events are made by the million, so one cheap test accepts the usual types.
        usual = (
            type(self.event_type) is type(self.id) is str
            and self.event_type
            and self.id
            and type(self.time) is int
            and type(self.user) is type(self.properties) is type(self.extra) is dict
            and not self.extra
        )
        if not usual:
            self._check()

    def _check(self) -> None:
        for name in ("event_type", "id"):
            value = getattr(self, name)
            if not _is_text(value) or not value:
                raise _wrong(name, value, "a non-empty string")
        if type(self.time) is not int:
            raise _wrong("time", self.time, "whole seconds since the Unix epoch, as an int")
        for name in ("user", "properties", "extra"):
            if not isinstance(getattr(self, name), dict):
                raise _wrong(name, getattr(self, name), "a dict of field names to JSON values")
        if doubled := self.extra.keys() & _OWN_KEYS:
            names = ", ".join(sorted(doubled))
            raise EventError(
                f"extra has {names}; pass it as an attribute of the event", field="extra"
            )

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Return the event in a JSON object.

        A missing `user` or `properties` is read as empty; other top-level keys go to `extra`.

        Raises:
            EventError: `value` is not an object, it has the flat shape of Braze's storage export,
                it lacks `event_type`, `id` or `time`, or one of the five keys has a value of the
                wrong type.
        """
        if type(value) is not dict and not isinstance(value, Mapping):
            raise EventError(
                f"an event is a JSON object with event_type, id, time, user and properties; "
                f"this is {_described(value)}"
            )
        rest = dict(value)
        try:
            event_type, time, event_id = rest.pop("event_type"), rest.pop("time"), rest.pop("id")
        except KeyError:
            if has_storage_shape(value):
                raise EventError(f"{FLAT}; {PAYLOAD}") from None
            missing = [name for name in _REQUIRED_KEYS if name not in value]
            raise EventError(f"the event lacks {', '.join(missing)}", field=missing[0]) from None
        user, properties = rest.pop("user", {}), rest.pop("properties", {})
        if rest and has_storage_shape(value):
            raise EventError(f"{FLAT}; {PAYLOAD}")
        return cls(event_type, time, user, properties, event_id, rest)

    def replace(
        self,
        *,
        event_type: str | None = None,
        time: int | None = None,
        user: Mapping[str, Any] | None = None,
        properties: Mapping[str, Any] | None = None,
        id: str | None = None,  # noqa: A002 - the name of the attribute
        extra: Mapping[str, Any] | None = None,
    ) -> Self:
        """Return a copy with other attributes, and a new random id unless one is given.

        A receiver recognizes duplicates by the id, so a changed event needs a new one. What is not
        given stays as it is; `event.replace()` is the same event with a new id. The dicts are
        copied, but not the values in them.

        >>> event = Event("users.messages.email.Open", 1_782_907_200, properties={"a": 1, "b": 2})
        >>> event.replace(properties=event.properties | {"b": 3}).properties
        {'a': 1, 'b': 3}

        Args:
            event_type: the full name of the type.
            time: when it happened, in whole seconds since the Unix epoch.
            user: all fields of the user.
            properties: all other fields.
            id: the UUID; by default, a new random one.
            extra: other top-level keys.

        Raises:
            EventError: an attribute is empty or has the wrong type.
        """
        return type(self)(
            self.event_type if event_type is None else event_type,
            self.time if time is None else time,
            dict(self.user if user is None else user),
            dict(self.properties if properties is None else properties),
            _new_id() if id is None else id,
            dict(self.extra if extra is None else extra),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object that a Current sends: Braze's five keys in order, then `extra`.

        The dicts inside are the event's own, not copies.
        """
        value = {
            "event_type": self.event_type,
            "id": self.id,
            "time": self.time,
            "user": self.user,
            "properties": self.properties,
        }
        return value | self.extra if self.extra else value

    def _repr_html_(self) -> str:
        """Return the event for a notebook: as it is, but a large one is cut."""
        return block(lines(self.event_type, _utc(self.time)), json_text(self.to_dict()))


def has_storage_shape(value: Mapping[str, Any], names: Set[str] = _TELLING) -> bool:
    """Return whether an object is an event in the shape of Braze's storage export.

    There, an event has no `user` and no `properties`: its fields are at the top level.

    Args:
        value: the object.
        names: the names of fields, of which the object must have at least one.
    """
    if isinstance(value.get("user"), Mapping) or isinstance(value.get("properties"), Mapping):
        return False
    return not names.isdisjoint(value)


def _utc(time: int) -> str:
    try:
        return f"{datetime.datetime.fromtimestamp(time, datetime.UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return ""


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, enum.Enum)


def _wrong(name: str, value: object, right: str) -> EventError:
    return EventError(f"{name} is {_described(value)}; it must be {right}", field=name)


def _described(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, dict | list):
        return f"a {type(value).__name__} of {len(value)}"
    return f"{shown(value)} ({type(value).__name__})"
