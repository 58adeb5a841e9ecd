"""Where callers put their requests, and how they wait."""

from __future__ import annotations

import queue

from ._latch import Latch
from ._requests import Request
from .clock import Clock

__all__ = ["Inbox"]

#: The longest wait of a caller, in seconds, before it looks again. A signal that arrives just
#: before a wait begins does not end the wait, and its handler runs after it.
_GLANCE = 0.25


class Inbox:
    """The requests of callers that the lead has not read yet.

    Any thread may use it, and a signal handler may, too: no lock is held between two steps.

    Args:
        clock: the time.

    Attributes:
        ended: whether all threads have ended, so that nobody reads what comes.
    """

    def __init__(self, clock: Clock) -> None:
        self.ended = False
        self._clock = clock
        self._requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._over = Latch()

    def put(self, request: Request) -> None:
        """Add a request, and wake the lead; None only wakes it."""
        self._requests.put(request)

    def read(self, timeout: float) -> list[Request]:
        """Wait some seconds for a request; return all that are there."""
        requests: list[Request] = []
        try:
            requests.append(self._requests.get(block=timeout > 0, timeout=timeout or None))
            while True:
                requests.append(self._requests.get_nowait())
        except queue.Empty:
            return requests

    def wait(self, latch: Latch | None, until: float | None) -> bool:
        """Wait for a latch, or for the end of all threads; return false if the time is up."""
        while not self.ended:
            seconds = min(self._clock.timeout(until), _GLANCE)
            if (latch or self._over).wait(seconds):
                return True
            if until is not None and self._clock.now() >= until:
                return False
        return True

    def end_waits(self) -> None:
        """End all waits for the end of the threads."""
        self._over.open()
