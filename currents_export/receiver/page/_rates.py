"""Count what arrives per second, and how long responses take."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

__all__ = ["SECONDS", "Latencies", "Rates"]

#: How many seconds the charts show.
SECONDS = 120
#: How many of the last response times the percentiles are of.
_LATEST = 2000
#: How many event types have a chart.
_MOST_TYPES = 8
#: How many seconds a rate is the mean of; the current second is not complete, so it does not count.
_WINDOW = 5


@attrs.define
class _Second:
    number: int
    requests: int = 0
    failed: int = 0
    events: int = 0
    types: Counter[str] = attrs.field(factory=Counter)


class Rates:
    """Count requests and events in each of the last `SECONDS` seconds."""

    def __init__(self) -> None:
        self._seconds: deque[_Second] = deque(maxlen=SECONDS + 1)

    def add(self, now: float, *, failed: bool, types: Iterable[str]) -> None:
        """Count a request with events of these types, at a time in seconds.

        A time before that of an earlier request counts as the same second.
        """
        number = int(now)
        if not self._seconds or self._seconds[-1].number < number:
            self._seconds.append(_Second(number))
        second = self._seconds[-1]
        second.requests += 1
        second.failed += failed
        before = second.types.total()
        second.types.update(types)
        second.events += second.types.total() - before

    def to_dict(self, now: float) -> dict[str, Any]:
        """Return the series of the charts, oldest second first, and the present rates."""
        last = int(now)
        if self._seconds:
            last = max(last, self._seconds[-1].number)
        known = {each.number: each for each in self._seconds}
        empty = _Second(0)
        seconds = [known.get(last - back, empty) for back in reversed(range(SECONDS))]
        totals: Counter[str] = Counter()
        for each in seconds:
            totals.update(each.types)
        events = [each.events for each in seconds]
        requests = [each.requests for each in seconds]
        return {
            "seconds": SECONDS,
            "events": events,
            "requests": requests,
            "failed": [each.failed for each in seconds],
            "events_per_second": _rate(events),
            "requests_per_second": _rate(requests),
            "types": [_of_type(name, seconds) for name, _ in totals.most_common(_MOST_TYPES)],
        }


def _of_type(name: str, seconds: Iterable[_Second]) -> Mapping[str, Any]:
    series = [each.types[name] for each in seconds]
    return {"type": name, "per_second": _rate(series), "series": series}


def _rate(series: list[int]) -> float:
    complete = series[-1 - _WINDOW : -1]
    return round(sum(complete) / len(complete), 1)


class Latencies:
    """Keep the last response times, in milliseconds, for percentiles of them."""

    def __init__(self) -> None:
        self._latest: deque[float] = deque(maxlen=_LATEST)

    def add(self, milliseconds: float) -> None:
        """Add a response time."""
        self._latest.append(milliseconds)

    def to_dict(self) -> dict[str, float | None]:
        """Return the percentiles; None before the first response."""
        ordered = sorted(self._latest)
        return {name: _percentile(ordered, part) for name, part in _PERCENTILES.items()}


_PERCENTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def _percentile(ordered: list[float], part: float) -> float | None:
    """Return the smallest value that is at least as large as this part of all values."""
    if not ordered:
        return None
    return round(ordered[max(0, -int(-part * len(ordered) // 1) - 1)], 2)
