"""A queue of wake-ups, ordered by time, then person, then sequence."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import Any

__all__ = ["Queue", "Step", "WakeUp"]

#: What a wake-up does with a journey or a life.
Step = Callable[[Any], None]

#: The time in seconds since the epoch, the number of the person, the person's sequence number,
#: which makes the order unique, the step, and what the step is about.
WakeUp = tuple[int, int, int, Step, Any]

#: The width of a bucket in seconds: 1,024 of them, so that shifting a time gives its bucket.
_SHIFT = 10


class Queue:
    """Wake-ups in buckets of about a quarter of an hour, of which only the current one is a heap.

    A heap of everything that will happen would be large, and slow for that reason.
    """

    __slots__ = ("_buckets", "_current", "_heap", "_starts")

    def __init__(self) -> None:
        self._buckets: dict[int, list[WakeUp]] = {}
        self._starts: list[int] = []
        self._current = -1
        self._heap: list[WakeUp] = []

    def put(self, wake_up: WakeUp) -> None:
        """Add a wake-up, whose time is not before the last one that was taken."""
        bucket = wake_up[0] >> _SHIFT
        if bucket <= self._current:
            heappush(self._heap, wake_up)
            return
        try:
            self._buckets[bucket].append(wake_up)
        except KeyError:
            self._buckets[bucket] = [wake_up]
            heappush(self._starts, bucket)

    def take(self) -> WakeUp | None:
        """Remove and return the next wake-up; None if there is none."""
        if not self._heap:
            if not self._starts:
                return None
            self._current = heappop(self._starts)
            self._heap = self._buckets.pop(self._current)
            heapify(self._heap)
        return heappop(self._heap)
