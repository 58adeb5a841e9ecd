"""Read what was sent into rows: events, a sender's record, or an answer key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from ..delivery import DropReason, FilterReason
from ..receiver.rudderstack import Loss
from ._charting import RateCounter
from ._collect import Collector
from ._content import digest
from ._expected import Expectation
from ._rows import MAX_ID, Kinds, Known, Sent, id_of, name_of, reason_number, user_of
from ._shapes import Shape
from ._store import Row
from ._values import Values

__all__ = ["LossCounter", "SentReader", "event_of", "known_of"]

#: Times beyond this are not times.
_MAX_TIME = 2**53


def event_of(value: dict[str, Any], shape: Shape) -> dict[str, Any]:
    """Return the event in a sent value."""
    if shape is Shape.RECORD:
        event = value.get("event")
        return event if type(event) is dict else value
    return value


def known_of(value: dict[str, Any]) -> Known:
    """Return what a line of an answer key says about the disturbances of an event."""
    disturbance = value.get("disturbance")
    return Known(
        id_of(value["id"]),
        disturbance if type(disturbance) is str else None,
        _time(value.get("arrival")),
    )


class SentReader:
    """Make rows of what was sent.

    Args:
        values: the values.
        expected: what should arrive of an event.
        kinds: the event types.
        rates: counts when events were sent.
        on_known: called with each line of an answer key.

    Attributes:
        count: how many values were read.
        without_id: how many of them have no id.
    """

    def __init__(
        self,
        values: Values,
        expected: Expectation,
        kinds: Kinds,
        rates: RateCounter,
        *,
        on_known: Callable[[Known], object],
    ) -> None:
        self._values = values
        self._expected = expected
        self._kinds = kinds
        self._rates = rates
        self._on_known = on_known
        self.count = 0
        self.without_id: Counter[str] = Counter()

    def rows(self) -> Iterator[Row]:
        """Yield the rows of what was sent, in order: the parts of `Sent`."""
        match self._values.shape:
            case Shape.RECORD:
                return self._of_record()
            case Shape.KEY:
                return self._of_key()
            case _:
                return self._of_events()

    def _of_events(self) -> Iterator[Row]:
        add_time = self._rates.add
        for number, value in self._values:
            self.count += 1
            if (row := self._row(number, value)) is not None:
                if (time := row[7]) is not None:
                    add_time(0, time)
                yield row

    def _row(self, number: int, event: dict[str, Any]) -> Row | None:
        """Return the row of an event; None if it has no id."""
        event_id = event.get("id")
        if type(event_id) is not str or len(event_id) > MAX_ID or not event_id:
            event_id = id_of(event_id)
            if not event_id:
                self.without_id[name_of(event.get("event_type"))] += 1
                return None
        made = self._expected(event)
        kind = self._kinds.number(event.get("event_type"))
        user, time = user_of(event.get("user")), event.get("time")
        if type(time) is not int or abs(time) >= _MAX_TIME:
            time = None
        if isinstance(made, tuple):
            content, timestamp = made
            known = digest(content)
            return event_id, number, known, timestamp, kind, None, user, time, None, None
        reason = reason_number(made)
        return event_id, number, None, None, kind, reason, user, time, None, None

    def _of_record(self) -> Iterator[Row]:
        for number, value in self._values:
            event = value.get("event")
            if type(event) is not dict:
                yield from self._without_event(number, value)
                continue
            self.count += 1
            at, status = _moment(value.get("sent_at")), value.get("status")
            row = self._row(number, event)
            if row is None:
                continue
            if at is not None:
                self._rates.add(0, at)
            yield (*row[:8], at, type(status) is int and 200 <= status < 300)

    def _without_event(self, number: int, value: dict[str, Any]) -> Iterator[Row]:
        event_id = id_of(value.get("id"))
        try:
            reason: DropReason | FilterReason = (
                DropReason(value["dropped"])
                if "dropped" in value
                else FilterReason(value["filtered"])
            )
        except ValueError as error:
            self._values.report(number, f"has an unknown reason: {error}")
            return
        if event_id:
            self.count += 1
            kind = self._kinds.number(value.get("event_type"))
            yield tuple(Sent(event_id, number, None, None, kind, reason_number(reason), None, None))

    def _of_key(self) -> Iterator[Row]:
        for number, value in self._values:
            self.count += 1
            self._on_known(known_of(value))
            kind = self._kinds.number(value["event_type"])
            yield tuple(Sent(id_of(value["id"]), number, None, None, kind, None, None, None))


class LossCounter:
    """Count what RudderStack's source is known to lose, while the sent values are read."""

    def __init__(self) -> None:
        self.found = {lost: Collector() for lost in Loss}
        self.is_over = False

    def add(self, event: dict[str, Any], lost: Loss) -> None:
        """Count a loss, unless the event was counted before."""
        if not self.is_over:
            self.found[lost].add(id_of(event.get("id")), name_of(event.get("event_type")))


def _time(value: Any) -> float | None:
    return value if type(value) is int and abs(value) < _MAX_TIME else None


def _moment(value: Any) -> float | None:
    kind = type(value)
    is_time = (kind is int or kind is float) and abs(value) < _MAX_TIME
    return float(value) if is_time else None
