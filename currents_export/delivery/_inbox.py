"""Where callers put their requests, and what they wait for."""

from __future__ import annotations

import queue

from ._latch import Latch
from ._requests import Request
from ._steps import Steps, Wait

__all__ = ["Inbox"]


class Inbox:
    """The requests of callers that the lead has not read yet.

    Any thread may use it, and a signal handler may, too: no lock is held between two steps.

    Attributes:
        ended: whether all threads have ended, so that nobody reads what comes.
    """

    def __init__(self) -> None:
        self.ended = False
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

    def wait(self, latch: Latch | None, until: float | None) -> Steps[bool]:
        """Wait for a latch, or for the end of all threads; return false if the time is up."""
        return (yield Wait(latch or self._over, until, self._has_ended))

    def _has_ended(self) -> bool:
        return self.ended

    def end_waits(self) -> None:
        """End all waits for the end of the threads."""
        self._over.open()
