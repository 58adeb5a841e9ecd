"""Collect findings as they come, in bounded memory."""

from __future__ import annotations

from collections import Counter
from typing import Any

from .charts import Delays
from .findings import Example, Findings

__all__ = ["MAX_EXAMPLES", "AgeCounter", "Collector"]

#: How many examples a report has of each kind.
MAX_EXAMPLES = 20
#: The largest number of event types that are counted separately.
_MAX_TYPES = 1000


class Collector:
    """The findings of one kind."""

    def __init__(self) -> None:
        self._count = 0
        self._examples: list[Example] = []
        self._by_event_type: Counter[str] = Counter()

    def add(self, event_id: str, event_type: str, *, count: int = 1, **details: Any) -> None:
        """Add findings about an event."""
        self.add_count(event_type, count)
        self.add_example(event_id, event_type, **details)

    def add_count(self, event_type: str, count: int = 1) -> None:
        """Add findings without an example."""
        self._count += count
        name = event_type
        if name not in self._by_event_type and len(self._by_event_type) >= _MAX_TYPES:
            name = "other"
        self._by_event_type[name] += count

    def add_example(self, event_id: str, event_type: str, **details: Any) -> None:
        """Add an example, if there is room for it."""
        if len(self._examples) < MAX_EXAMPLES:
            self._examples.append(Example(event_id, event_type, **details))

    @property
    def count(self) -> int:
        """How many findings there are."""
        return self._count

    @property
    def findings(self) -> Findings:
        """The findings so far."""
        return Findings(
            self._count, tuple(self._examples), dict(sorted(self._by_event_type.items()))
        )


class AgeCounter:
    """Count ages, rounded to three digits, so that there are not many different ones."""

    def __init__(self) -> None:
        self._ages: Counter[float] = Counter()
        self._max = float("-inf")

    def add(self, age: float) -> None:
        """Add an age in seconds."""
        self._ages[float(f"{age:.3g}")] += 1
        self._max = max(self._max, age)

    @property
    def delays(self) -> Delays | None:
        """The ages so far; None if there are none."""
        if not self._ages:
            return None
        total = self._ages.total()
        return Delays(self._at(0.50), self._at(0.95), round(self._max, 3), total)

    def _at(self, share: float) -> float:
        left = share * self._ages.total()
        for age, count in sorted(self._ages.items()):
            left -= count
            if left <= 0:
                return age
        return self._max
