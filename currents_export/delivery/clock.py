"""Clocks: the time as a parameter."""

from __future__ import annotations

import threading
import time
from typing import Protocol

__all__ = ["Clock", "ManualClock", "SystemClock"]


#: Seconds of real time after which a wait on a manual clock checks the clock again.
_GLANCE = 0.005


class Clock(Protocol):
    """The time, as the sender sees it.

    The sender never waits on a clock; it asks how long to wait before it looks at the clock again.
    """

    def now(self) -> float:
        """Return the seconds since the Unix epoch; they never decrease."""
        ...

    def timeout(self, until: float | None) -> float:
        """Return the longest real time to wait before looking again, in seconds.

        Args:
            until: the time that is waited for; None if it is only something other than time.
        """
        ...

    def skip(self, until: float) -> None:
        """Move to a given time, if the clock can: nothing happens before a batch is sent again."""
        ...


class SystemClock:
    """The time of this machine; later changes of the machine's clock do not affect it."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Return the seconds since the Unix epoch."""
        return time.monotonic() + self._offset

    def timeout(self, until: float | None) -> float:
        """Return the seconds until the given time."""
        if until is None:
            return threading.TIMEOUT_MAX
        return min(max(until - self.now(), 0.0), threading.TIMEOUT_MAX)

    def skip(self, until: float) -> None:
        """Do nothing: time passes by itself."""


class ManualClock:
    """A clock that stands still until `advance` moves it, so that tests need not wait.

    >>> from currents_export import ManualClock
    >>> clock = ManualClock(now=100.0)
    >>> clock.advance(60)
    >>> clock.now()
    160.0

    Args:
        now: the time to start at, in seconds since the Unix epoch.
        skip: a wait between two attempts of up to this many seconds ends immediately and moves the
            clock to its end. With 0, the default, only `advance` moves the clock.
    """

    def __init__(self, now: float = 1_750_000_000.0, *, skip: float = 0.0) -> None:
        self._now = now
        self._skip = skip
        self._lock = threading.Lock()

    def now(self) -> float:
        """Return the seconds since the Unix epoch."""
        return self._now

    def timeout(self, until: float | None) -> float:
        """Return a short time, unless the clock is already there or time does not matter."""
        if until is None:
            return threading.TIMEOUT_MAX
        return _GLANCE if until > self._now else 0.0

    def skip(self, until: float) -> None:
        """Move the clock to `until`, if `skip` allows it."""
        if until - self._now <= self._skip:
            self.advance(until - self._now)

    def advance(self, seconds: float) -> None:
        """Move the clock forward; a negative number does not move it."""
        with self._lock:
            self._now += max(seconds, 0.0)
