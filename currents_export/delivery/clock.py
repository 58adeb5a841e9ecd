"""Time as a parameter."""

from __future__ import annotations

import threading
import time
from typing import Protocol

__all__ = ["Clock", "ManualClock", "SystemClock"]


#: Seconds of real time between two looks at a clock that stands still.
_GLANCE = 0.005


class Clock(Protocol):
    """What the sender knows of time."""

    def now(self) -> float:
        """Seconds since the Unix epoch; never goes backwards."""
        ...

    def wait(self, condition: threading.Condition, until: float | None) -> None:
        """Wait on `condition`, whose lock the caller holds, until notified or until that time.

        Waking for no reason is allowed.
        """
        ...

    def pause(self, condition: threading.Condition, until: float) -> None:
        """Wait so before something is sent again: the one kind of waiting that a test may skip."""
        ...


class SystemClock:
    """The time of this machine, steadied: setting the machine's clock does not move it."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return time.monotonic() + self._offset

    def wait(self, condition: threading.Condition, until: float | None) -> None:
        """Wait on `condition` until notified or until that time."""
        if until is None:
            condition.wait()
        else:
            condition.wait(min(max(until - self.now(), 0.0), threading.TIMEOUT_MAX))

    def pause(self, condition: threading.Condition, until: float) -> None:
        """Wait on `condition` until notified or until that time."""
        self.wait(condition, until)


class ManualClock:
    """A clock that stands still until it is moved: days of outage in a moment, for tests.

    Args:
        now: seconds since the Unix epoch to begin at.
        skip: a pause of no more than this many seconds before something is sent again is over at
            once, and moves the clock to its end. 0 by default: nothing moves but by `advance`.
    """

    def __init__(self, now: float = 1_750_000_000.0, *, skip: float = 0.0) -> None:
        self._now = now
        self._skip = skip
        self._lock = threading.Lock()

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return self._now

    def wait(self, condition: threading.Condition, until: float | None) -> None:
        """Wait on `condition` until notified or until the clock was moved that far."""
        if until is None:
            condition.wait()
        elif until > self._now:
            # Whoever waits looks at the clock again by itself, so that moving it needs no lock.
            condition.wait(_GLANCE)

    def pause(self, condition: threading.Condition, until: float) -> None:
        """Wait on `condition`, or move the clock to `until`, if that is near enough to skip."""
        if until - self._now > self._skip:
            self.wait(condition, until)
        else:
            self.advance(until - self._now)

    def advance(self, seconds: float) -> None:
        """Move the clock on; never back."""
        with self._lock:
            self._now += max(seconds, 0.0)
