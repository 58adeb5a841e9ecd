"""Events as the input of a delivery, all at once or as they arrive."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator

from ..events import Event
from ..simulation.pacing import paced

__all__ = ["PacedEvents"]


class PacedEvents:
    """Events that are sent as they arrive, and that can be stopped at any time.

    Args:
        events: the events, in the order in which they arrive.
        start: when their stream begins, in seconds since the epoch.
        pace: how many seconds of the stream pass in a second; None for as fast as possible.
        arrival: returns when the event that was taken last arrives; by default when it happened.
        now: returns the seconds that have passed since some moment.
        wait: waits for some seconds, or until the input is stopped.

    Attributes:
        taken: how many events were taken.
        unfinished: nothing, because what was not taken can be made again.
    """

    def __init__(
        self,
        events: Iterable[Event],
        *,
        start: int,
        pace: float | None,
        arrival: Callable[[Event], float] = lambda event: event.time,
        now: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self.taken = 0
        self.unfinished: list[str] = []
        self._stopped = threading.Event()
        self._events = events
        if pace is not None:
            self._events = paced(
                events,
                start,
                pace,
                arrival=arrival,
                now=now,
                # Only a wait of its own can be interrupted.
                sleep=wait or self._stopped.wait,
            )

    def stop(self) -> None:
        """Yield no more events, even while one is being waited for; called from any thread."""
        self._stopped.set()

    def __iter__(self) -> Iterator[Event]:
        for event in self._events:
            if self._stopped.is_set():
                return
            self.taken += 1
            yield event
