"""Events of a world as the input of a delivery."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Literal

from ..events import Event
from ..simulation import KeyRecord, World

__all__ = ["GeneratedEvents"]


class GeneratedEvents:
    """The events of a world, made while they are sent; they can be stopped at any time.

    Args:
        world: the world, with its scenario.
        start: when the stream begins, in seconds since the epoch.
        until: when it ends; as in the scenario by default.
        pace: how many seconds of the world pass in a second; None for as fast as possible.

    Attributes:
        unfinished: nothing, because what was not made can be made again.
    """

    def __init__(
        self,
        world: World,
        *,
        start: int,
        until: int | Literal["quiet"] | None,
        pace: float | None,
    ) -> None:
        self.unfinished: list[str] = []
        self._start = start
        self._pace = pace
        self._stopped = threading.Event()
        self._arrival: int | None = None
        # Only a wait of its own can be interrupted, so the world does not wait.
        key = None if pace is None else self._note
        self._events = world.events(start=start, until=until, key=key)

    def stop(self) -> None:
        """Make no more events, and do not wait for the next one; called from any thread."""
        self._stopped.set()

    def __iter__(self) -> Iterator[Event]:
        began = time.monotonic()
        for event in self._events:
            if self._pace is not None:
                arrival = event.time if self._arrival is None else self._arrival
                due = (arrival - self._start) / self._pace
                self._stopped.wait(max(0.0, due - (time.monotonic() - began)))
            if self._stopped.is_set():
                return
            yield event

    def _note(self, record: KeyRecord) -> None:
        self._arrival = record.arrival
