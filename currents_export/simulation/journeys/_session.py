"""A session on a device."""

from __future__ import annotations

from .._ids import uuid_from
from ._life import Cause, Journey, Life
from ._state import OwnedDevice

__all__ = ["Session"]


class Session(Journey):
    """A session on a device.

    Attributes:
        owned: the device.
        began: when it began.
        ends: when it ends.
        started: the event of its start.
        flags: the feature flags that the app has reported in it.
    """

    __slots__ = ("began", "ends", "flags", "owned", "started")

    def __init__(self, life: Life, owned: OwnedDevice, cause: Cause) -> None:
        life.sessions += 1
        super().__init__(life, "session", owned.device.session_key ^ life.now, cause=cause)
        self.owned = owned
        self.began = life.now
        self.ends = life.now
        self.started: Cause = 0
        self.flags: set[str] = set()
        self.facts = {"session_id": uuid_from(self.key)}

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.now < self.ends
