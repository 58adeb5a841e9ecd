"""Time as a parameter."""

from __future__ import annotations

import threading
import time
from typing import Protocol

__all__ = ["Clock", "ManualClock", "SystemClock"]


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


class ManualClock:
    """A clock that stands still until it is moved: days of outage in a moment, for tests.

    Args:
        now: seconds since the Unix epoch to begin at.
    """

    def __init__(self, now: float = 1_750_000_000.0) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._waiting: dict[threading.Condition, list[float]] = {}

    def now(self) -> float:
        """Seconds since the Unix epoch."""
        return self._now

    def wait(self, condition: threading.Condition, until: float | None) -> None:
        """Wait on `condition` until notified or until the clock was moved that far."""
        deadline = float("inf") if until is None else until
        with self._lock:
            self._waiting.setdefault(condition, []).append(deadline)
        try:
            if deadline > self._now:
                condition.wait()
        finally:
            with self._lock:
                self._waiting[condition].remove(deadline)

    @property
    def deadlines(self) -> tuple[float, ...]:
        """The times until which somebody waits now, the earliest first."""
        with self._lock:
            waiting = [each for deadlines in self._waiting.values() for each in deadlines]
        return tuple(sorted(each for each in waiting if each != float("inf")))

    def advance(self, seconds: float) -> None:
        """Move the clock on and wake everybody who waits on it to look at it."""
        self._now += seconds
        with self._lock:
            conditions = list(self._waiting)
        for condition in conditions:
            with condition:
                condition.notify_all()
