"""Count delays and events over time as they come, in bounded memory."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from .charts import Bar, Delays, Rates

__all__ = ["DelayCounter", "RateCounter"]

#: Delays are counted with this many binary digits, so that there are not many different ones.
_DIGITS = 10
_SCALE = 2**_DIGITS
#: The ends of the bars, in seconds: 0, then 1, 2, 5 in each decade from a millisecond.
_ENDS = (0.0, *(float(f"{n}e{exponent}") for exponent in range(-3, 10) for n in (1, 2, 5)))

#: The seconds of the finest step.
_FINEST = 1 / 16
#: How many steps that are not empty are counted.
_MAX_COUNTED = 4096
#: How many steps a chart has at most.
_MAX_STEPS = 120
_STEPS = (
    *(0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800),
)
#: The share of events at either end that may be outside of a chart, if they are far away.
_OUTSIDE = 0.002


class DelayCounter:
    """Count delays in seconds, rounded to three digits."""

    def __init__(self) -> None:
        self._delays: dict[int, int] = {}  # by the exponent and the mantissa
        self._max = -math.inf

    def add(self, delay: float) -> None:
        """Add a delay."""
        mantissa, exponent = math.frexp(delay)
        key = (exponent << _DIGITS + 1) + int(mantissa * _SCALE)
        try:
            self._delays[key] += 1
        except KeyError:
            self._delays[key] = 1
        self._max = max(self._max, delay)

    @property
    def delays(self) -> Delays | None:
        """The delays so far; None if there are none."""
        if not self._delays:
            return None
        values = sorted((_delay_of(key), count) for key, count in self._delays.items())
        total = sum(self._delays.values())
        return Delays(
            min(_at(values, 0.50 * total), self._max),
            min(_at(values, 0.95 * total), self._max),
            round(self._max, 3),
            total,
            tuple(_bars(values)),
        )


def _delay_of(key: int) -> float:
    exponent = (key + _SCALE) >> _DIGITS + 1
    return math.ldexp((key - (exponent << _DIGITS + 1)) / _SCALE, exponent)


def _at(values: list[tuple[float, int]], left: float) -> float:
    for value, count in values:
        left -= count
        if left <= 0:
            return float(f"{value:.3g}")
    return math.inf


def _bars(values: list[tuple[float, int]]) -> Iterator[Bar]:
    """Yield the bars from the first to the last that is not empty."""
    counts: Counter[int] = Counter()
    for value, count in values:
        place = next((at for at, end in enumerate(_ENDS) if value <= end), len(_ENDS))
        counts[place] += count
    for place in range(min(counts), max(counts) + 1):
        yield Bar(_ENDS[place] if place < len(_ENDS) else None, counts[place])


class RateCounter:
    """Count sent events and arrivals over time.

    The steps become wider when there are too many of them.
    """

    def __init__(self) -> None:
        self._width = _FINEST
        self._steps: tuple[dict[int, int], dict[int, int]] = ({}, {})

    def add(self, side: int, at: float) -> None:
        """Count a sent event (0) or an arrival (1) at a time in seconds since the epoch."""
        steps = self._steps[side]
        step = int(at // self._width)
        try:
            steps[step] += 1
        except KeyError:
            steps[step] = 1
            while len(steps) > _MAX_COUNTED:
                self._widen()
                steps = self._steps[side]

    def _widen(self) -> None:
        self._width *= 2
        wider: tuple[dict[int, int], dict[int, int]] = ({}, {})
        for before, after in zip(self._steps, wider, strict=True):
            for step, count in before.items():
                after[step // 2] = after.get(step // 2, 0) + count
        self._steps = wider

    @property
    def rates(self) -> Rates | None:
        """The rates so far; None if no times were counted."""
        both: Counter[int] = Counter(self._steps[0])
        both.update(self._steps[1])
        if not both:
            return None
        first, last = self._window(both)
        span = (last - first + 1) * self._width
        step_s = next((each for each in _STEPS if span / each < _MAX_STEPS), None)
        if step_s is None:
            step_s = 604_800 * math.ceil(span / 604_800 / (_MAX_STEPS - 1))
        start = first * self._width // step_s * step_s
        count = int((last * self._width - start) // step_s) + 1
        charts = ([0] * count, [0] * count)
        outside = 0
        for chart, steps in zip(charts, self._steps, strict=True):
            for step, number in steps.items():
                if first <= step <= last:
                    chart[int((step * self._width - start) // step_s)] += number
                else:
                    outside += number
        return Rates(start, step_s, tuple(charts[0]), tuple(charts[1]), outside)

    def _window(self, both: Counter[int]) -> tuple[int, int]:
        """Return the first and the last step of the chart, without what is far from all others."""
        steps = sorted(both)
        allowed = both.total() * _OUTSIDE
        inner_first, inner_last = (
            _inner(steps, both, allowed),
            -_inner(
                [-each for each in reversed(steps)],
                Counter({-k: n for k, n in both.items()}),
                allowed,
            ),
        )
        reach = 3 * (inner_last - inner_first + 1)
        within = [step for step in steps if inner_first - reach <= step <= inner_last + reach]
        return within[0], within[-1]


def _inner(steps: list[int], counts: Counter[int], allowed: float) -> int:
    """Return the first step before which there are not more than the allowed number."""
    before = 0
    for step in steps:
        before += counts[step]
        if before > allowed:
            return step
    return steps[-1]
