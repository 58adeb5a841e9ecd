"""The quota of a Test Current: how many events may leave on a day, with time as an argument.

Events count on the day in UTC on which their batch leaves. Those that are not delivered, for
whatever reason, are given back, so the quota is exceeded at no moment, and no event counts twice. A
batch that is larger than what is left is cut.

Source: Braze, Set up Currents (Test Currents).
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping

import attrs

__all__ = ["DAILY_EVENTS", "MOST_TEST_CURRENTS", "Allowance", "Quota", "day_of"]

#: How many events the Test Currents of a workspace send in a day in UTC.
DAILY_EVENTS = 1_500
#: How many Test Currents a workspace has.
MOST_TEST_CURRENTS = 10

_DAY = 86_400
#: Seconds after which a workspace is asked again for events that another Current gave back.
_ASK_AGAIN = 60.0
_NOW = float("-inf")


def day_of(now: float) -> str:
    """Return the day in UTC, such as `2026-11-25`."""
    return time.strftime("%Y-%m-%d", time.gmtime(now))


@attrs.frozen
class Quota:
    """How many events a Test Current, or its workspace, may send on this day in UTC.

    Attributes:
        limit: the most events in a day.
        used: events that left today and were delivered or are in flight. In a workspace, those of
            all its Currents when the sender last looked.
        resets_at: when the next day begins, in seconds since the Unix epoch.
        workspace: the name of the workspace; None if the sender or its outbox counts by itself.
    """

    limit: int
    used: int
    resets_at: float
    workspace: str | None = None

    @property
    def left(self) -> int:
        """How many more events may leave today."""
        return max(self.limit - self.used, 0)

    @property
    def text(self) -> str:
        """The quota in words."""
        whose = "" if self.workspace is None else f" in the workspace {self.workspace}"
        at = datetime.datetime.fromtimestamp(self.resets_at, datetime.UTC)
        return (
            f"{self.used:,} of {self.limit:,} events are used today{whose}; "
            f"the quota resets at {at:%Y-%m-%d %H:%M} UTC"
        )


class Allowance:
    """What is left of the quota, as far as this sender knows.

    Without a workspace, all of the quota is its own. In a workspace, it reserves as much as its
    next batch needs before that leaves, and gives back what it does not need: `to_reserve` says
    how much, and `reserved` what came of it.

    Args:
        batch_size: the largest number of events in a batch.
        workspace: the name of the workspace, if there is one.
        limit: the most events in a day.
    """

    def __init__(
        self, *, batch_size: int, workspace: str | None = None, limit: int = DAILY_EVENTS
    ) -> None:
        self._batch_size = batch_size
        self._workspace = workspace
        self._limit = limit
        self._before: Mapping[str, int] = {}
        self._noticed: int | None = None
        self._day = -1
        self._total = 0  # what is used or reserved today, by all that share the quota
        self._free = 0  # what of it this sender may still use
        self._complete = False  # whether no more is to be had for now
        self._ask_at = _NOW

    def count_before(self, days: Mapping[str, int], now: float) -> None:
        """Count what was used before this sender was made, by the day in UTC."""
        self._before, self._day = days, -1
        self._begin_day(now)

    def _begin_day(self, now: float) -> None:
        day = int(now // _DAY)
        if day <= self._day:
            return
        self._day, self._ask_at = day, _NOW
        used, shared = self._before.get(day_of(now), 0), self._workspace is not None
        self._total = used if shared else max(used, self._limit)
        self._free = self._total - used
        self._complete = not shared

    # What leaves

    def may_leave(self, now: float) -> int:
        """Return how many events the next batch may have."""
        self._begin_day(now)
        # Less than a batch may only leave if no more is to be had.
        return self._free if self._complete or self._free >= self._batch_size else 0

    def is_spent(self, now: float) -> bool:
        """Return whether nothing may leave until the quota resets, or another Current gives back.

        Events in flight count as delivered.
        """
        self._begin_day(now)
        may_ask = self._workspace is not None and now >= self._ask_at
        return self._complete and not self._free and not may_ask

    @property
    def opens_at(self) -> float | None:
        """When something may leave again if nothing does now; None if something may."""
        if not self._complete or self._free:
            return None
        resets_at = float((self._day + 1) * _DAY)
        return resets_at if self._workspace is None else min(resets_at, self._ask_at)

    def leave(self, count: int, now: float) -> None:
        """Count events that leave in a batch; `settle` follows."""
        self._begin_day(now)
        self._free -= count

    def settle(self, count: int, left_at: float, now: float, *, delivered: bool) -> None:
        """Count the end of a batch's flight.

        Args:
            count: how many events it has.
            left_at: when it left.
            now: the time.
            delivered: whether it was delivered.
        """
        self._begin_day(now)
        if not delivered and int(left_at // _DAY) == self._day:
            self._free += count

    def reaches_limit(self, now: float) -> bool:
        """Return whether the quota is spent, once a day."""
        if not self.is_spent(now) or self._noticed == self._day:
            return False
        self._noticed = self._day
        return True

    def quota(self, now: float) -> Quota:
        """Return the quota of the day."""
        self._begin_day(now)
        resets_at = float((self._day + 1) * _DAY)
        return Quota(self._limit, self._total - self._free, resets_at, self._workspace)

    # A workspace

    def to_reserve(self, now: float, *, needed: bool) -> int:
        """Return how many events to reserve in the workspace; fewer than 0 are given back.

        Args:
            now: the time.
            needed: whether a batch is to leave.
        """
        if self._workspace is None:
            return 0
        self._begin_day(now)
        if not needed:
            return -self._free
        asks = not self._complete or now >= self._ask_at
        return max(self._batch_size - self._free, 0) if asks else 0

    def reserved(self, asked: int, granted: int, total: int, at: float) -> None:
        """Count what was reserved in the workspace.

        Args:
            asked: how many events were asked for.
            granted: how many were reserved.
            total: how many are used or reserved there now.
            at: when they were asked for.
        """
        self._begin_day(at)
        if int(at // _DAY) == self._day:
            self._free += granted
            self._total = total
            self._complete, self._ask_at = granted < asked, at + _ASK_AGAIN

    def take_back(self) -> int:
        """Return what is to be given back to the workspace, and forget it."""
        count, self._free = self._free, 0
        self._total -= count
        self._complete = False
        return count
