"""When people are active: the hours of the day and the days of the week."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

__all__ = ["DAY", "HOUR", "Curve", "local_offset", "local_time", "universal_time"]

HOUR = 3600
DAY = 24 * HOUR
_WEEK = 7 * DAY
#: The epoch was a Thursday: three days after a Monday.
_MONDAY = 3 * DAY


class Curve:
    """How activity is spread over a week, in local time.

    Args:
        hours: the weight of each hour of the day.
        days: the weight of each day of the week, Monday first.
    """

    def __init__(self, hours: Sequence[float], days: Sequence[float]) -> None:
        weights = [hour * day for day in days for hour in hours]
        scale = 7 / sum(weights)
        self._sums = (0.0, *(total * scale for total in accumulate(weights)))

    def after(self, time: int, days: float) -> int:
        """Return the local time after which a number of days of average activity have passed."""
        week, rest = divmod(time + _MONDAY, _WEEK)
        hour, second = divmod(rest, HOUR)
        sums = self._sums
        goal = sums[hour] + (sums[hour + 1] - sums[hour]) * second / HOUR + days
        weeks, goal = divmod(goal, sums[-1])
        place = min(bisect_right(sums, goal), len(sums) - 1) - 1
        seconds = (place + (goal - sums[place]) / (sums[place + 1] - sums[place])) * HOUR
        return max(time, int((week + weeks) * _WEEK + seconds) - _MONDAY)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=65_536)
def _offset(name: str, time: int) -> int:
    moment = datetime.fromtimestamp(time, UTC)
    offset = moment.astimezone(_zone(name)).utcoffset()
    return int(offset.total_seconds()) if offset else 0


@lru_cache(maxsize=65_536)
def _offset_of_day(zone: str, day: int) -> int | None:
    """Return the offset on a day in UTC, or None if it changes on that day."""
    offset = _offset(zone, day * DAY)
    return offset if offset == _offset(zone, (day + 1) * DAY) else None


def local_offset(zone: str, time: int) -> int:
    """Return how many seconds local time is ahead of UTC."""
    day = time // DAY
    offset = _offset_of_day(zone, day)
    # Clocks change at a full hour or half hour, so the answer is the same for a quarter of an hour.
    return _offset(zone, time - time % 900) if offset is None else offset


def local_time(zone: str, time: int) -> int:
    """Return a time as the clocks in a zone show it, in seconds since 1970 there."""
    return time + local_offset(zone, time)


def universal_time(zone: str, time: int) -> int:
    """Return when the clocks in a zone show a time; the reverse of `local_time`."""
    # Near a change of the clocks, the offset at that moment counts.
    return time - local_offset(zone, time - local_offset(zone, time))
