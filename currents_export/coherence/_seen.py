"""`Seen`: an event as the rules see it, whatever shape its values have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from ..events import Event
from ._finding import IncoherenceCode, IncoherenceFinding

__all__ = ["DAY", "HOUR", "MINUTE", "Kind", "Seen", "see"]

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

#: The first second of the year 2100. A later time is in milliseconds or was made up, and would move
#: the window in which events are sorted.
_LATEST: Final = 4_102_444_800

#: Types that come first or last among events of the same second; the others follow their causes.
_RANKS: Final = {
    "users.behaviors.subscription.GlobalStateChange": -1,
    "users.behaviors.subscriptiongroup.StateChange": -1,
    "users.behaviors.app.FirstSession": -1,
    "users.campaigns.Conversion": 80,
    "users.canvas.Conversion": 80,
    "users.canvas.experimentstep.Conversion": 80,
    "users.behaviors.app.SessionEnd": 90,
    "users.UserOrphan": 98,
    "users.UserDeleteRequest": 99,
}

#: How much later among them what stops a message comes.
_LATER: Final = 40

_EMPTY: Final[Mapping[str, Any]] = {}


class Kind:
    """What is known of an event type by its name.

    Attributes:
        name: the full name.
        channel: the part before the last one, such as `email` in `users.messages.email.Open`.
        last: the last part, such as `Open`.
        is_message: whether the name begins with `users.messages.`.
        rank: the place among events of the same second; causes precede their effects.
    """

    __slots__ = ("channel", "is_message", "last", "name", "rank")

    def __init__(self, name: str, depth: int = 0) -> None:
        self.name = name
        parts = name.split(".")
        self.last = parts[-1]
        self.channel = parts[-2] if len(parts) > 1 else ""
        self.is_message = name.startswith("users.messages.")
        # What a cap counts precedes the message that it stops.
        self.rank = _RANKS.get(name, depth) + (_LATER if self.last == "Abort" else 0)


@attrs.define(eq=False)
class Seen:
    """An event, of which only the values of the expected type are visible.

    Attributes:
        kind: its type.
        id: its id; None if it has none.
        time: its time.
        user: the user's `user_id`, or `external_user_id` if there is no other id.
        device: the `device_id`.
        properties: the properties.
        where: the place that was given for it.
    """

    kind: Kind
    id: str | None
    time: int
    user: str | None
    device: str | None
    properties: Mapping[str, Any]
    where: str | None

    def text(self, field: str) -> str | None:
        """Return the text of a property; None if it is missing, empty or not text."""
        value = self.properties.get(field)
        # Most properties that are asked for are missing, and this is asked a dozen times an event.
        return value if value and isinstance(value, str) else None

    def number(self, field: str) -> float | None:
        """Return the number in a property; None if it is missing, not a number or huge."""
        value = self.properties.get(field)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if -1e15 < value < 1e15 else None

    def value(self, field: str) -> str | None:
        """Return the text of a property, of `device_id`, or of `message`.

        `message` is what a message belongs to: its campaign, Canvas step or Canvas, and for other
        messages the dispatch.
        """
        if field == "message":
            return self.message
        return self.device if field == "device_id" else self.text(field)

    @property
    def message(self) -> str | None:
        """The campaign, the Canvas step, the Canvas or the dispatch that a message belongs to."""
        text = self.text
        return (
            text("campaign_id")
            or text("canvas_step_id")
            or text("canvas_id")
            or text("dispatch_id")
        )

    def bare(self) -> Seen:
        """Return the event without its properties, to be kept for a later finding."""
        return Seen(self.kind, self.id, self.time, self.user, self.device, _EMPTY, self.where)

    def finding(
        self, code: IncoherenceCode, problem: str, expected: str, other_id: str | None = None
    ) -> IncoherenceFinding:
        """Return a finding about this event."""
        return IncoherenceFinding(
            code=code,
            event_type=self.kind.name,
            event_id=self.id,
            time=self.time,
            user_id=self.user,
            problem=problem,
            expected=expected,
            other_id=other_id,
            where=self.where,
        )


def see(
    event: Event | Mapping[str, Any] | Any, kinds: Mapping[str, Kind], where: str | None
) -> Seen | None:
    """Return an event as the rules see it; None if it has no type or no possible time.

    Args:
        event: an `Event`, or any JSON value that was received.
        kinds: the kinds of event types; missing ones are made.
        where: the place of the event, for findings.
    """
    if isinstance(event, Event):
        name: Any = event.event_type
        event_id: Any = event.id
        time: Any = event.time
        user: Any = event.user
        properties: Any = event.properties
    elif isinstance(event, Mapping):
        name, event_id, time = event.get("event_type"), event.get("id"), event.get("time")
        user, properties = event.get("user"), event.get("properties")
    else:
        return None
    if not isinstance(name, str) or isinstance(time, bool) or not isinstance(time, int | float):
        return None
    if not 0 < time < _LATEST:
        return None
    if not isinstance(user, Mapping):
        user = _EMPTY
    who, device = _text(user.get("user_id")), _text(user.get("device_id"))
    return Seen(
        kinds[name],
        _text(event_id),
        int(time),
        who or _text(user.get("external_user_id")),
        device,
        properties if isinstance(properties, Mapping) else _EMPTY,
        where,
    )


def _text(value: Any) -> str | None:
    return value if value and isinstance(value, str) else None
