"""Collect findings as they come, in bounded memory."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any

from .findings import Example, Findings

__all__ = ["MAX_EXAMPLES", "Collector", "found_by_code"]

#: How many examples a report has of each kind.
MAX_EXAMPLES = 20

_id_of = attrgetter("id")


class Collector:
    """The findings of one kind.

    The examples are those with the smallest ids, so that they do not depend on the order in which
    findings come.
    """

    def __init__(self) -> None:
        self._count = 0
        self._examples: list[Example] = []
        self._by_event_type: Counter[str] = Counter()

    def add(self, event_id: str, event_type: str, *, count: int = 1, **details: Any) -> None:
        """Add findings about an event."""
        self._count += count
        self._by_event_type[event_type] += count
        self.add_example(event_id, event_type, **details)

    def add_example(self, event_id: str, event_type: str, **details: Any) -> None:
        """Add an example without counting it, if there is room for it."""
        if len(self._examples) < MAX_EXAMPLES:
            insort(self._examples, Example(event_id, event_type, **details), key=_id_of)
        elif event_id < self._examples[-1].id:
            self._examples.pop()
            insort(self._examples, Example(event_id, event_type, **details), key=_id_of)

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


def found_by_code(
    collectors: Mapping[Any, Collector], codes: Iterable[Any] | None = None
) -> dict[str, Findings]:
    """Return the findings by code, where there are any.

    Args:
        collectors: the findings by a `Code`.
        codes: which of them to return, all by default.
    """
    wanted = collectors if codes is None else codes
    return {str(code): found for code in wanted if (found := collectors[code].findings).count}
