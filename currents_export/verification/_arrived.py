"""Read what arrived into rows."""

from __future__ import annotations

from collections.abc import Iterator

from ._charting import RateCounter
from ._collect import Collector
from ._content import digest
from ._forms import Form
from ._rows import MAX_ID, Kinds, id_of, name_of
from ._store import Row
from ._values import Values

__all__ = ["ArrivalReader"]


class ArrivalReader:
    """Make rows of what arrived.

    Args:
        values: the values.
        form: how to read them.
        kinds: the event types.
        rates: counts when they arrived.
        unexpected: collects those without an id, which nobody can have sent.

    Attributes:
        count: how many values were read.
    """

    def __init__(
        self, values: Values, form: Form, *, kinds: Kinds, rates: RateCounter, unexpected: Collector
    ) -> None:
        self._values = values
        self._form = form
        self._kinds = kinds
        self._rates = rates
        self._unexpected = unexpected
        self.count = 0

    def rows(self) -> Iterator[Row]:
        """Yield the rows of arrivals, in order: the parts of `Arrival`."""
        form, kinds, add_time = self._form, self._kinds, self._rates.add
        id_name, (type_name, *others) = form.id_name, form.type_names
        content_of, arrived = form.content, form.arrival
        for number, value in self._values:
            self.count += 1
            event_id, name = value.get(id_name), value.get(type_name)
            for other in others:
                name = name or value.get(other)
            if type(event_id) is not str or len(event_id) > MAX_ID or not event_id:
                event_id = id_of(event_id)
                if not event_id:
                    self._unexpected.add("", name_of(name))
                    continue
            at = None
            if arrived is not None and (at := arrived(value)) is not None:
                add_time(1, at)
            content, timestamp = content_of(value)
            yield event_id, number, digest(content), timestamp, kinds.number(name), at
