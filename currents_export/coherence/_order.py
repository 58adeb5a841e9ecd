"""Sort events by time within a window, and leave out repeated ones."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from ._seen import Seen

__all__ = ["MAX_HELD", "MAX_REMEMBERED", "Order"]

#: How many events to hold at most; beyond that, the window is shorter.
MAX_HELD = 50_000

#: How many ids to remember at least; up to twice as many are remembered.
MAX_REMEMBERED = 250_000


class Order:
    """A buffer that releases events in order of time.

    Currents promise no order and deliver at least once, so events arrive late and repeatedly. An
    event is held until one arrives that is `window` seconds newer. Events of the same second come
    out with causes before effects, and otherwise in order of their ids, so that the order of
    arrival does not matter.

    Attributes:
        late: how many events came after newer ones had been released.
        repeated: how many events were left out because their id was known.

    Source: Braze, Event delivery semantics.
    """

    def __init__(self, window: int) -> None:
        self.late = 0
        self.repeated = 0
        self.released = 0
        self._window = window
        self._newest = 0
        self._count = 0
        self._heap: list[tuple[int, int, str, int, Seen]] = []
        self._ids: set[str] = set()
        self._older_ids: set[str] = set()

    def is_repeated(self, event: Seen) -> bool:
        """Return whether an event with the same id came before, and remember the id."""
        if event.id is None:
            return False
        if event.id in self._ids or event.id in self._older_ids:
            self.repeated += 1
            return True
        if len(self._ids) >= MAX_REMEMBERED:
            self._ids, self._older_ids = set(), self._ids
        self._ids.add(event.id)
        return False

    def is_late(self, event: Seen) -> bool:
        """Return whether newer events were released already, and count it."""
        if event.time >= self.released:
            return False
        self.late += 1
        return True

    def push(self, event: Seen) -> Iterator[Seen]:
        """Take an event, and yield those that are due."""
        self._count += 1
        heap = self._heap
        heapq.heappush(heap, (event.time, event.kind.rank, event.id or "", self._count, event))
        self._newest = max(self._newest, event.time)
        due = self._newest - self._window
        while heap[0][0] < due or len(heap) > MAX_HELD:
            yield self._pop()
            if not heap:
                return

    def rest(self) -> Iterator[Seen]:
        """Yield the events that are still held."""
        while self._heap:
            yield self._pop()

    def _pop(self) -> Seen:
        event = heapq.heappop(self._heap)[-1]
        self.released = event.time
        return event
