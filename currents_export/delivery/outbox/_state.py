"""What an outbox stores besides events, as JSON: totals, the status, and where events are sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Self

import attrs
import orjson

from ...current import Current
from .._outbox import Notes
from .._quota import day_of
from .._status import State, Status

__all__ = ["Destination", "Totals", "read_status", "status_json"]


@attrs.frozen
class Totals:
    """What became of all events that an outbox has accepted.

    Attributes:
        by_type: accepted and delivered events, by type.
        drops: dropped events, by type and reason.
        days: events delivered on the last day in UTC on which there were any, by that day.
    """

    by_type: Mapping[str, tuple[int, int]] = attrs.field(factory=dict)
    drops: Mapping[str, Mapping[str, int]] = attrs.field(factory=dict)
    days: Mapping[str, int] = attrs.field(factory=dict)

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Return the totals in JSON.

        Raises:
            ValueError, KeyError, TypeError: it is damaged.
        """
        value = orjson.loads(text)
        totals = cls(
            {name: (int(each[0]), int(each[1])) for name, each in value.get("types", {}).items()},
            value.get("drops", {}),
            value.get("days", {}),
        )
        totals.pending()
        return totals

    def to_json(self) -> bytes:
        """Return them as JSON."""
        return orjson.dumps({"types": self.by_type, "drops": self.drops, "days": self.days})

    def accepted(self, event_type: str) -> int:
        """Return how many events of a type were accepted."""
        return self.by_type.get(event_type, (0, 0))[0]

    def dropped(self, event_type: str) -> int:
        """Return how many events of a type were dropped."""
        return sum(self.drops.get(event_type, {}).values())

    def pending(self) -> dict[str, int]:
        """Return how many events of each type are pending, if there are any."""
        pending = {
            name: accepted - delivered - self.dropped(name)
            for name, (accepted, delivered) in self.by_type.items()
        }
        if min(pending.values(), default=0) < 0:
            raise ValueError("there are more events delivered and dropped than accepted")
        return {name: count for name, count in pending.items() if count}

    def after_accepting(self, counts: Counter[str]) -> Totals:
        """Return the totals after more events were accepted."""
        by_type = dict(self.by_type)
        for name, count in counts.items():
            accepted, delivered = by_type.get(name, (0, 0))
            by_type[name] = (accepted + count, delivered)
        return attrs.evolve(self, by_type=by_type)

    def after_noting(self, notes: Notes, now: float) -> Totals:
        """Return the totals after events left."""
        by_type, drops, days = dict(self.by_type), dict(self.drops), self.days
        for name, count in notes.delivered.items():
            accepted, delivered = by_type[name]
            by_type[name] = (accepted, delivered + count)
        for each in notes.drops:
            counts = Counter(drops.get(each.event_type, {}))
            counts[each.reason.value] += 1
            drops[each.event_type] = dict(counts)
        if left := notes.delivered.total():
            day = day_of(now)
            days = {day: days.get(day, 0) + left}
        return Totals(by_type, drops, days)


@attrs.frozen
class Destination:
    """Where the events of an outbox are sent, without secrets.

    Attributes:
        kind: the kind of destination.
        url: the URL; its secrets are masked.
        integration_name: the name of the Current.
    """

    kind: str
    url: str
    integration_name: str

    @classmethod
    def of(cls, current: Current) -> Self:
        """Return the destination of a Current."""
        return cls(current.destination.name, current.shown_url, current.integration_name)

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Return the destination in JSON.

        Raises:
            ValueError, TypeError: it is damaged.
        """
        return cls(**orjson.loads(text))

    def to_json(self) -> bytes:
        """Return it as JSON."""
        return orjson.dumps(attrs.asdict(self))

    def is_same(self, other: Destination) -> bool:
        """Return whether events go to the same place; names and secrets may change."""
        return (self.kind, self.url) == (other.kind, other.url)


def status_json(status: Status) -> bytes:
    """Return a status as JSON."""
    return orjson.dumps(attrs.asdict(status) | {"state": status.state.value})


def read_status(text: bytes | None) -> Status:
    """Return the status in JSON; without one, that of a new Current.

    Raises:
        ValueError, KeyError, TypeError: it is damaged.
    """
    if text is None:
        return Status()
    value: dict[str, Any] = orjson.loads(text)
    known = {each.name for each in attrs.fields(Status)}
    values = {name: each for name, each in value.items() if name in known}
    return Status(**values | {"state": State(value["state"])})
