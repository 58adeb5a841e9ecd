"""Numbers for charts of a comparison: stages, delays and rates, whatever the number of events."""

from __future__ import annotations

from typing import Any

import attrs

__all__ = ["Bar", "Delays", "Rates", "Stages"]


@attrs.frozen
class Stages:
    """How far the events of one type came.

    Attributes:
        sent: events that were sent, duplicates included. Those that the Current filters are among
            them.
        accepted: those whose request got a 2XX; None if no record says so.
        transformed: those that should arrive: not filtered, dropped or vanished by rule.
        arrived: those of them that arrived, whatever their content.
    """

    sent: int = 0
    accepted: int | None = None
    transformed: int = 0
    arrived: int = 0

    def to_dict(self) -> dict[str, int | None]:
        """Return the stages as a JSON object."""
        return attrs.asdict(self)


@attrs.frozen
class Bar:
    """A bar of a histogram.

    Attributes:
        up_to: the largest delay it counts, in seconds; the bar before it ends there. None for the
            last one, if it has no end.
        count: how many delays there are.
    """

    up_to: float | None
    count: int


@attrs.frozen
class Delays:
    """How many seconds events took to arrive, where that is known.

    Attributes:
        p50: half of the events did not take longer.
        p95: 95 of 100 events did not take longer.
        max: the longest.
        count: how many there are.
        histogram: the bars from the shortest to the longest delay, at most 60. Their ends grow as
            1, 2, 5, 10 and so on.
    """

    p50: float
    p95: float
    max: float
    count: int = 0
    histogram: tuple[Bar, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the delays as a JSON object."""
        return attrs.asdict(self)


@attrs.frozen
class Rates:
    """How many events there were in each of some equal steps of time.

    Attributes:
        start: when the first step begins, in seconds since the epoch.
        step_s: the seconds of a step.
        sent: sent events of each step, by when they were sent, or else by their `time`; at most
            200.
        arrived: arrivals of each step, by when they arrived; as many as `sent`, all of them 0 if
            arrivals have no times.
        outside: events and arrivals whose time is far from all others, in no step.
    """

    start: float
    step_s: float
    sent: tuple[int, ...]
    arrived: tuple[int, ...]
    outside: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the rates as a JSON object."""
        return attrs.asdict(self)
