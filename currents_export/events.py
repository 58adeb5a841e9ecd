"""`Event`: one thing that happened, as a Current carries it."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Mapping
from typing import Any, Self

import attrs

from ._redaction import shown
from .errors import EventError

__all__ = ["Event"]


_OWN_KEYS = frozenset({"event_type", "id", "time", "user", "properties"})


def _new_id() -> str:
    return str(uuid.uuid4())


@attrs.frozen
class Event:
    """One event of a Current.

    Attributes:
        event_type: the full name, such as `users.messages.email.Open`. Names the catalog does
            not hold are allowed: Braze adds new ones at any time.
        time: when it happened, in whole seconds since the Unix epoch, UTC.
        user: who it happened to: `user_id`, `external_user_id`, `device_id`, `timezone`.
        properties: everything else, by field name; values are JSON values.
        id: what receivers deduplicate on, a UUID; a fresh random one by default.
        extra: top-level keys other than these five, kept as they were read.

    Raises:
        EventError: an attribute has the wrong type or is empty, or `extra` holds one of the other
            five keys. The values inside `user` and `properties` are checked when the event is
            encoded.

    Source: Braze, Custom Currents export (the event object).
    """

    event_type: str
    time: int
    user: dict[str, Any] = attrs.field(factory=dict)
    properties: dict[str, Any] = attrs.field(factory=dict)
    id: str = attrs.field(factory=_new_id)
    extra: dict[str, Any] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        for name in ("event_type", "id"):
            value = getattr(self, name)
            if (type(value) is not str and not _is_text(value)) or not value:
                raise _wrong(name, value, "a string that is not empty")
        if type(self.time) is not int:
            raise _wrong("time", self.time, "whole seconds since the Unix epoch, as an int")
        for name in ("user", "properties", "extra"):
            if not isinstance(getattr(self, name), dict):
                raise _wrong(name, getattr(self, name), "a dict of field names to JSON values")
        if self.extra and (doubled := self.extra.keys() & _OWN_KEYS):
            names = ", ".join(sorted(doubled))
            raise EventError(f"extra holds {names}, which the event has itself", field="extra")

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """The event that a JSON object stands for.

        A missing `user` or `properties` is read as empty; unknown top-level keys go to `extra`.

        Raises:
            EventError: `value` is no object, or lacks `event_type`, `id` or `time`, or one of
                the five has the wrong type.
        """
        if not isinstance(value, Mapping):
            raise EventError(
                f"an event is a JSON object with event_type, id, time, user and properties; "
                f"this is {_described(value)}"
            )
        rest = dict(value)
        missing = [name for name in ("event_type", "id", "time") if name not in rest]
        if missing:
            raise EventError(f"the event lacks {', '.join(missing)}", field=missing[0])
        return cls(
            event_type=rest.pop("event_type"),
            id=rest.pop("id"),
            time=rest.pop("time"),
            user=rest.pop("user", {}),
            properties=rest.pop("properties", {}),
            extra=rest,
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON object a Current sends: the five keys in Braze's order, then `extra`.

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
