"""The events of a journey, all at once or as they happen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence

from ..events import Event

__all__ = ["Told"]


class Told:
    """The events of a journey as an input that can be stopped.

    Args:
        events: the events, in order.
        waiting: whether each comes only when it happens.
        now: returns the time, in seconds since the epoch.
        wait: waits for some seconds, or until the input is stopped.

    Attributes:
        unfinished: nothing, because `rest` has what is left.
    """

    def __init__(
        self,
        events: Sequence[Event],
        *,
        waiting: bool,
        now: Callable[[], float] = time.time,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self.unfinished: list[str] = []
        self._events = events
        self._waiting = waiting
        self._now = now
        self._stopped = threading.Event()
        self._wait = wait or self._stopped.wait
        self._taken = 0

    def stop(self) -> None:
        """Yield no more events, even while one is being waited for; called from any thread."""
        self._stopped.set()

    def __iter__(self) -> Iterator[Event]:
        for event in self._events:
            if self._waiting and (early := event.time - self._now()) > 0:
                self._wait(early)
            if self._stopped.is_set():
                return
            self._taken += 1
            yield event

    def rest(self) -> Sequence[Event]:
        """Return the events that were not taken."""
        return self._events[self._taken :]
