"""The rows that stand for sent events, arrivals and lines of an answer key."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

from ..delivery import DropReason, FilterReason
from ..receiver.rudderstack import VanishReason

__all__ = [
    "DROPPED",
    "MAX_ID",
    "REASONS",
    "Arrival",
    "Kinds",
    "Known",
    "Sent",
    "id_of",
    "name_of",
    "reason_number",
    "user_of",
]

#: Why an event should not arrive.
REASONS: tuple[FilterReason | VanishReason | DropReason, ...] = (
    *FilterReason,
    *VanishReason,
    *DropReason,
)
#: The numbers of the reasons of drops begin here.
DROPPED = len(FilterReason) + len(VanishReason)
_NUMBERS = {(type(each), each.value): number for number, each in enumerate(REASONS)}
#: The largest number of event types that are counted separately.
_MAX_TYPES = 1000
#: The most characters of an id; a longer one is abbreviated.
MAX_ID = 200


class Sent(NamedTuple):
    """An event that was sent, or an attempt to send it.

    Attributes:
        id: the event's id.
        number: its number in its input.
        digest: the digest of what should arrive; None if that is not known.
        timestamp: the timestamp that should arrive; None for any.
        kind: the number of its event type.
        reason: why it should not arrive, as a number; None for others.
        user: a number that stands for its user; None if it has none.
        time: the event's time; None if it is not known.
        at: when the request was sent; None if no record says so.
        is_accepted: whether it got a 2XX; None if no record says so.
    """

    id: str
    number: int
    digest: int | None
    timestamp: str | None
    kind: int
    reason: int | None
    user: int | None
    time: float | None
    at: float | None = None
    is_accepted: bool | None = None


class Arrival(NamedTuple):
    """An event or a message that arrived.

    Attributes:
        id: the event's id.
        number: its number in its input.
        digest: the digest of its content.
        timestamp: the timestamp of the message.
        kind: the number of its event type, or of the name of the message.
        at: when it arrived; None if it is not known.
    """

    id: str
    number: int
    digest: int
    timestamp: str | None
    kind: int
    at: float | None


class Known(NamedTuple):
    """A line of an answer key.

    Attributes:
        id: the event's id.
        disturbance: the kinds of disturbances, separated by commas; None if there are none.
        arrival: when it was meant to arrive, in seconds since the epoch, if not at its time.
    """

    id: str
    disturbance: str | None
    arrival: float | None


class Kinds:
    """The event types, by number; those after the first thousand have one number in common."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}

    def number(self, name: Any) -> int:
        """Return the number of an event type, which may be any JSON value."""
        found = self._numbers.get(name) if type(name) is str else None
        if found is not None:
            return found
        name = name_of(name)
        if name in self._numbers:
            return self._numbers[name]
        if len(self.names) >= _MAX_TYPES:
            if len(self.names) == _MAX_TYPES:
                self.names.append("other")
            return _MAX_TYPES
        number = self._numbers[name] = len(self.names)
        self.names.append(name)
        return number


def reason_number(reason: FilterReason | VanishReason | DropReason) -> int:
    """Return the number of a reason."""
    return _NUMBERS[type(reason), reason.value]


def id_of(value: Any) -> str:
    """Return an id as text; empty if there is none. A very long one is abbreviated."""
    text = value if type(value) is str else "" if value is None else str(value)
    if len(text) <= MAX_ID:
        return text
    known = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{text[:100]}... ({known})"


def name_of(value: Any) -> str:
    """Return the name of an event type as text; "?" if there is none."""
    return id_of(value) or "?"


def user_of(value: Any) -> int | None:
    """Return a number that stands for the user of an event; None if it has none."""
    if type(value) is not dict:
        return None
    who = value.get("user_id") or value.get("external_user_id")
    return hash(who) if type(who) is str else None
