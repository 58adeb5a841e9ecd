"""A one-time event that is safe to use from signal handlers."""

from __future__ import annotations

import _thread
import threading

__all__ = ["Latch"]


class Latch:
    """A latch that opens once.

    `threading.Event` guards itself with a lock that a signal handler could find held by the code it
    interrupted. A latch is one lock of the interpreter; each operation is one call.
    """

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._lock.acquire()

    def open(self) -> None:
        """End all waits, those that begin later included."""
        try:
            self._lock.release()
        except RuntimeError:  # it is open already
            return

    def wait(self, seconds: float) -> bool:
        """Wait until the latch is open, for a limited time; return whether it is open."""
        if self._lock.acquire(timeout=min(max(seconds, 0.0), threading.TIMEOUT_MAX)):
            self.open()
            return True
        return False
