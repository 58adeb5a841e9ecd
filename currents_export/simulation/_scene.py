"""What is known about an event while it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

import attrs

from ._model import Device, Message, User, Workspace

__all__ = ["Drawn", "Scene", "pick"]

T = TypeVar("T")


@attrs.define
class Scene:
    """What is known about an event while it is made.

    Attributes:
        workspace: everything of the world but its users.
        random: a number in [0, 1).
        bits: so many random bits.
        whole: whether the event shall have every field that can hold together; otherwise it
            has those that one event of real traffic has.
        event_type: the name of the event's type.
        fields: the names of the fields it has in the world's schema version.
        time: when it happens, in seconds since the epoch.
        user: who it happens to.
        device: the device it happens on; None when it happens on none, or none is known.
        message: the message it belongs to; None when it belongs to none.
    """

    workspace: Workspace
    random: Callable[[], float]
    bits: Callable[[int], int]
    whole: bool
    event_type: str
    fields: frozenset[str]
    time: int
    user: User
    device: Device | None = None
    message: Message | None = None

    @property
    def the_device(self) -> Device:
        """The device, of types that always happen on one."""
        return cast("Device", self.device)

    @property
    def the_message(self) -> Message:
        """The message, of types that always belong to one."""
        return cast("Message", self.message)

    def chance(self, probability: float) -> bool:
        """Whether something that happens so often happens; in a whole event it always does."""
        return self.whole or self.random() < probability


@attrs.frozen
class Drawn:
    """Fields that are drawn together, for each event anew.

    Attributes:
        event_types: a glob of the event types they are drawn for.
        fields: their names.
        draw: a draw; it may leave out what does not apply.
    """

    event_types: str
    fields: frozenset[str]
    draw: Callable[[Scene], Mapping[str, Any]]

    @staticmethod
    def of(event_types: str, fields: str, draw: Callable[[Scene], Mapping[str, Any]]) -> Drawn:
        """A `Drawn` of fields named in one text, with spaces between them."""
        return Drawn(event_types, frozenset(fields.split()), draw)


def pick(scene: Scene, things: Sequence[T]) -> T:
    """One of `things`, all as likely."""
    return things[int(scene.random() * len(things))]
