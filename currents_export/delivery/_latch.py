"""A one-time event that is safe to use from signal handlers, and a lock that knows its owner."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable

__all__ = ["Latch", "Turn"]


class Latch:
    """A latch that opens once.

    `threading.Event` guards itself with a lock that a signal handler could find held by the code it
    interrupted. A latch is one lock of the interpreter; each operation is one call.
    """

    __slots__ = ("_lock", "_then")

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._lock.acquire()
        self._then: tuple[Callable[[], object], ...] = ()

    def open(self) -> None:
        """End all waits, those that begin later included."""
        try:
            self._lock.release()
        except RuntimeError:  # it is open already
            return
        for call in self._then:
            call()

    def then(self, call: Callable[[], object]) -> None:
        """Call a function when the latch opens, in the thread that opens it, or now if it is open.

        It may be called twice, and must neither wait nor raise.
        """
        self._then = (*self._then, call)
        if self.wait(0.0):
            call()

    def wait(self, seconds: float) -> bool:
        """Wait until the latch is open, for a limited time; return whether it is open."""
        if self._lock.acquire(timeout=min(max(seconds, 0.0), threading.TIMEOUT_MAX)):
            self.open()
            return True
        return False


class Turn:
    """A lock that knows its owner.

    The garbage collector may run a finalizer in the thread that holds it. Only that thread can
    know.
    """

    __slots__ = ("_lock", "_owner")

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._owner: int | None = None

    def __enter__(self) -> None:
        self._lock.acquire()
        self._owner = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        self._owner = None
        self._lock.release()

    @property
    def is_mine(self) -> bool:
        """Whether this thread holds it."""
        return self._owner == threading.get_ident()
