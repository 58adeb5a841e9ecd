"""A queue of wake-ups, ordered by time, then person, then sequence."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._life import Life

__all__ = ["Queue", "Step", "WakeUp"]

#: What a wake-up does with a journey or a life.
Step = Callable[[Any], None]

#: The time in seconds since the epoch, the number of the person, the person's sequence number,
#: which makes the order unique, the life, the step, and what the step is about.
WakeUp = tuple[int, int, int, "Life", Step, Any]

#: The width of a bucket in seconds, as a power of two, so that shifting a time gives its bucket.
_SHIFT = 8


class Queue:
    """Wake-ups in buckets of some minutes, of which only the current one is a heap.

    A heap of everything that will happen would be large, and slow for that reason.

    Args:
        until: what would happen from this time on is left out.

    Attributes:
        heap: the wake-ups of the current bucket; always the same list.
    """

    __slots__ = ("_buckets", "_current", "_starts", "_until", "heap")

    def __init__(self, until: int) -> None:
        self._until = until
        self.heap: list[WakeUp] = []
        self._buckets: dict[int, list[WakeUp]] = {}
        self._starts: list[int] = []
        self._current = -1

    def put(self, wake_up: WakeUp) -> None:
        """Add a wake-up, unless it comes after the end; not before the last one that was taken."""
        time = wake_up[0]
        if time >= self._until:
            return
        bucket = time >> _SHIFT
        if bucket <= self._current:
            heappush(self.heap, wake_up)
        elif bucket in self._buckets:
            self._buckets[bucket].append(wake_up)
        else:
            self._buckets[bucket] = [wake_up]
            heappush(self._starts, bucket)

    def advance(self) -> bool:
        """Go on to the next bucket when the heap is empty; return whether there is one."""
        if not self._starts:
            return False
        self._current = heappop(self._starts)
        self.heap += self._buckets.pop(self._current)
        heapify(self.heap)
        return True
