"""Clocks: the time as a parameter."""

from __future__ import annotations

import threading
import time
from typing import Protocol

__all__ = ["Clock", "ManualClock", "SystemClock"]


#: Seconds of real time after which a wait on a manual clock checks the clock again.
_GLANCE = 0.005


class Clock(Protocol):
    """The time, as the sender sees it."""

    def now(self) -> float:
        """Return the seconds since the Unix epoch; they never decrease."""
        ...

    def wait(self, condition: threading.Condition, until: float | None) -> None:
        """Wait until `condition` is notified or until the given time.

        The caller holds the lock of `condition`. The wait may end early.
        """
        ...

    def pause(self, condition: threading.Condition, until: float) -> None:
        """Wait like `wait`, before a batch is sent again; a clock for tests may skip this wait."""
        ...


class SystemClock:
    """The time of this machine; later changes of the machine's clock do not affect it."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Return the seconds since the Unix epoch."""
        return time.monotonic() + self._offset

    def wait(self, condition: threading.Condition, until: float | None) -> None:
        """Wait until `condition` is notified or until the given time."""
        if until is None:
            condition.wait()
        else:
            condition.wait(min(max(until - self.now(), 0.0), threading.TIMEOUT_MAX))

    def pause(self, condition: threading.Condition, until: float) -> None:
        """Wait until `condition` is notified or until the given time."""
        self.wait(condition, until)


class ManualClock:
    """A clock that stands still until `advance` moves it, so that tests need not wait.

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

    def wait(self, condition: threading.Condition, until: float | None) -> None:
        """Wait until `condition` is notified or until the clock has moved that far."""
        if until is None:
            condition.wait()
        elif until > self._now:
            # The waiting thread checks the clock itself, so moving the clock needs no lock.
            condition.wait(_GLANCE)

    def pause(self, condition: threading.Condition, until: float) -> None:
        """Wait like `wait`, or move the clock to `until` if `skip` allows it."""
        if until - self._now > self._skip:
            self.wait(condition, until)
        else:
            self.advance(until - self._now)

    def advance(self, seconds: float) -> None:
        """Move the clock forward; a negative number does not move it."""
        with self._lock:
            self._now += max(seconds, 0.0)
