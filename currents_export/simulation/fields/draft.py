"""What is known about an event while it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

import attrs

from ...catalog import EventType
from ..people.model import Device, User
from ..workspace.model import Message, Workspace

__all__ = ["Draft", "pick", "pick_early"]

T = TypeVar("T")


@attrs.define
class Draft:
    """What is known about an event while it is made.

    Attributes:
        event_type: the event's type, as the world's schema version has it.
        names: the names of its fields.
        workspace: everything in the world except its users.
        random: returns a number in [0, 1).
        bits: returns that many random bits.
        whole: whether the event is a sample, which has every field that can occur together;
            otherwise it has the fields of one event in real traffic.
        canvas_side: whether it is the Canvas-side sample, which has what the first sample cannot
            have.
        time: when it happens, in seconds since the epoch.
        user: who it happens to.
        device: the device it happens on; None if there is none, or none is known.
        message: the message it belongs to, or None.
        facts: the properties that are already known.
    """

    event_type: EventType
    names: frozenset[str]
    workspace: Workspace
    random: Callable[[], float]
    bits: Callable[[int], int]
    whole: bool
    canvas_side: bool
    time: int
    user: User
    device: Device | None = None
    message: Message | None = None
    facts: Mapping[str, Any] = MappingProxyType({})

    @property
    def the_device(self) -> Device:
        """The device, or the user's first device if none is known."""
        return self.device or self.user.devices[0]

    @property
    def the_message(self) -> Message:
        """The message, or the workspace's first message if the event belongs to none."""
        return self.message or self.workspace.messages[0]

    def chance(self, probability: float) -> bool:
        """Return True with the given probability; in a sample, always."""
        return self.whole or self.random() < probability


def pick(draft: Draft, things: Sequence[T]) -> T:
    """Return one of `things`, all with the same probability."""
    return things[int(draft.random() * len(things))]


def pick_early(draft: Draft, things: Sequence[T], power: float = 2.0) -> T:
    """Return one of `things`; earlier ones are more likely."""
    return things[int(draft.random() ** power * len(things))]
