"""The times that responses took, as a table and a histogram."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ..delivery import Attempt
from ._tables import print_table

__all__ = ["Durations"]

#: Durations are counted in steps of this ratio, about 7 percent, so memory does not grow.
_STEP = 1.07
_LEAST = 1e-5
#: The boundaries of the histogram, in seconds.
_BOUNDARIES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)
_WIDTH = 30


class Durations:
    """The times from requests to their responses, by what the response was."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[int, int]] = {}
        self._most: dict[str, float] = {}

    def add(self, attempt: Attempt) -> None:
        """Count an attempt."""
        status = attempt.response.status
        kind = "network error" if status is None else str(status)
        seconds = max(attempt.duration_s, _LEAST)
        counts = self._counts.setdefault(kind, {})
        step = math.ceil(math.log(seconds / _LEAST, _STEP))
        counts[step] = counts.get(step, 0) + 1
        self._most[kind] = max(self._most.get(kind, 0.0), seconds)

    def to_dict(self) -> dict[str, Any]:
        """Return the quantiles by status, in seconds, as a JSON object."""
        return {
            kind: {
                "requests": count,
                **{f"p{round(share * 100)}": round(self._at(kind, share), 6) for share in _SHARES},
                "max": round(self._most[kind], 6),
            }
            for kind, count in self._requests()
        }

    def print(self) -> None:
        """Print a table by status, and a histogram of all requests."""
        if not self._counts:
            return
        columns = {"response": "", "requests": "right"}
        columns |= dict.fromkeys([*(f"p{round(each * 100)}" for each in _SHARES), "max"], "right")
        rows = [
            (
                kind,
                count,
                *(shown_duration(self._at(kind, share)) for share in _SHARES),
                shown_duration(self._most[kind]),
            )
            for kind, count in self._requests()
        ]
        failed = {index for index, row in enumerate(rows) if not str(row[0]).startswith("2")}
        print_table(columns, rows, red=failed)
        bars = list(self._bars())
        if len(bars) > 1:
            most = max(count for _, count in bars)
            print_table(
                {"time": "right", "requests": "right", "": ""},
                (
                    (f"up to {shown_duration(to)}", count, "#" * math.ceil(_WIDTH * count / most))
                    for to, count in bars
                ),
            )

    def _requests(self) -> Iterator[tuple[str, int]]:
        for kind, counts in sorted(self._counts.items()):
            yield kind, sum(counts.values())

    def _at(self, kind: str, share: float) -> float:
        counts = self._counts[kind]
        left = math.ceil(share * sum(counts.values()))
        for step, count in sorted(counts.items()):
            left -= count
            if left <= 0:
                return min(_LEAST * _STEP**step, self._most[kind])
        raise AssertionError("the counts are not empty")

    def _bars(self) -> Iterator[tuple[float, int]]:
        """Yield the upper ends of the bars that matter, and their counts."""
        counts: dict[float, int] = {}
        for kind in self._counts.values():
            for step, count in kind.items():
                seconds = _LEAST * _STEP**step
                to = next((each for each in _BOUNDARIES if seconds <= each), math.inf)
                counts[to] = counts.get(to, 0) + count
        first, last = min(counts), max(counts)
        for to in (*_BOUNDARIES, math.inf):
            if first <= to <= last:
                yield to, counts.get(to, 0)


_SHARES = (0.5, 0.95, 0.99)


def shown_duration(seconds: float) -> str:
    """Return a duration with a fitting unit."""
    if seconds == math.inf:
        return "longer"
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    return f"{seconds:.3g} s"
