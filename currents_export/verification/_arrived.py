"""Read what arrived into rows: events, or messages of RudderStack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ._charting import RateCounter
from ._collect import Collector
from ._content import Content, arrival, digest, message_content
from ._rows import Kinds, id_of, name_of
from ._shapes import Shape
from ._store import Row
from ._values import Values

__all__ = ["ArrivalReader", "content_of"]


def content_of(value: dict[str, Any], shape: Shape) -> Content:
    """Return what is compared of what arrived."""
    return Content(value, None) if shape is Shape.EVENT else message_content(value)


def _no_time(_: dict[str, Any]) -> float | None:
    return None


class ArrivalReader:
    """Make rows of what arrived.

    Args:
        values: the values.
        kinds: the event types.
        rates: counts when they arrived.
        unexpected: collects those without an id, which nobody can have sent.

    Attributes:
        count: how many values were read.
    """

    def __init__(
        self, values: Values, kinds: Kinds, rates: RateCounter, unexpected: Collector
    ) -> None:
        self._values = values
        self._kinds = kinds
        self._rates = rates
        self.count = 0
        self._unexpected = unexpected

    def rows(self) -> Iterator[Row]:
        """Yield the rows of arrivals, in order: the parts of `Arrival`."""
        shape = self._values.shape
        id_name, type_name = (
            ("id", "event_type") if shape is Shape.EVENT else ("messageId", "event")
        )
        arrived: Callable[[dict[str, Any]], float | None] = (
            _no_time if shape is Shape.EVENT else arrival
        )
        kinds, rates = self._kinds, self._rates
        for number, value in self._values:
            self.count += 1
            event_id, name = id_of(value.get(id_name)), name_of(value.get(type_name))
            if not event_id:
                self._unexpected.add("", name)
                continue
            at = arrived(value)
            if at is not None:
                rates.add(1, at)
            content, timestamp = content_of(value, shape)
            yield event_id, number, digest(content), timestamp, kinds[name], at
