"""What a life remembers of devices, of channels, and of messages that may convert."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from ..people.model import Device

if TYPE_CHECKING:
    from ._life import Cause, Journey

__all__ = ["Awaited", "OwnedDevice", "Reach"]


@attrs.define(eq=False)
class OwnedDevice:
    """A device of a user, as it is now.

    Attributes:
        device: its properties; a push token that is refreshed changes them.
        used: whether a session was ever started on it.
        installed: whether the app is on it.
        push: whether its push token is valid, and the user allows push on it.
        allows_push: whether the user allows push when the app is first opened.
        session_ends: when its latest session ends.
    """

    device: Device
    used: bool
    installed: bool
    push: bool
    allows_push: bool = False
    session_ends: int = 0


@attrs.define(eq=False)
class Reach:
    """On which channels a user can be reached.

    Attributes:
        states: the subscription state by channel (`email`, `push`), and by the id of a
            subscription group.
        undeliverable: whether email is not sent any more, because it bounced, or the user reported
            spam.
        sent: the local days on which messages of a capped channel were sent, by channel, the latest
            last.
    """

    states: Mapping[str, str] = attrs.field(factory=dict)
    undeliverable: bool = False
    sent: dict[str, list[int]] = attrs.field(factory=dict)


#: A conversion event of a message or a Canvas entry that the user can still perform: when it is too
#: late, the journey that converts, the type of its conversion events, the event since which the
#: time counts, the index of the conversion event, and the behavior that converts, as JSON. A tuple,
#: because most of the many never convert.
Awaited = tuple[int, "Journey", str, "Cause", int, str]
