"""What all disturbances share: the events on their way, and which of them are disturbed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import ClassVar, NewType

import attrs

from ...catalog import Catalog
from ...errors import OptionError
from ...events import Event
from .._draws import mix, unit
from .._settings import Share, to_share
from .._structure import Checked
from ..answer_key import KeyRecord

__all__ = ["Context", "Disturbance", "Item", "Patterns", "to_patterns"]

#: Names, families or globs of event types.
Patterns = NewType("Patterns", tuple[str, ...])


def to_patterns(value: Iterable[str]) -> Patterns:
    """Convert names, families or globs to a tuple."""
    patterns = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else ()
    if not patterns or not all(isinstance(each, str) for each in patterns):
        raise OptionError("it must be a list of names, families or globs")
    return Patterns(patterns)


@attrs.frozen
class Context:
    """What disturbances need to know about the stream.

    Attributes:
        catalog: the catalog of its schema version.
        start: what times after the start refer to.
        made: when campaigns and Canvases were made, by their ids; most were made long ago.
    """

    catalog: Catalog
    start: int
    made: Mapping[str, int] = MappingProxyType({})


@attrs.define(eq=False)
class Item:
    """An event on its way.

    Attributes:
        event: the event.
        record: its record, as it was before the disturbances.
        context: the stream.
        key: what its draws are keyed by.
        arrival: when it arrives.
        kinds: the kinds of disturbances so far.
    """

    event: Event
    record: KeyRecord
    context: Context
    key: int
    arrival: int
    kinds: tuple[str, ...] = ()

    def result(self) -> tuple[Event, KeyRecord]:
        """Return the event and its record."""
        if not self.kinds:
            return self.event, self.record
        record = attrs.evolve(
            self.record,
            disturbance=",".join((*self.record.disturbances, *self.kinds)),
            arrival=None if self.arrival == self.event.time else self.arrival,
        )
        return self.event, record


@attrs.frozen(kw_only=True)
class Disturbance(Checked):
    """A kind of disturbance, and which events it happens to.

    Attributes:
        share: the share of these events to which it happens, from 0 to 1. It is drawn for each
            event, so a small stream can have a few more or less.
        event_types: the names, families or globs of their event types.
    """

    kind: ClassVar[str]
    #: The rank among the kinds: first what changes an event, then what moves it, then its copies,
    #: then what holds back everything that arrives.
    rank: ClassVar[int] = 0

    share: Share = attrs.field(converter=to_share)
    event_types: Patterns = attrs.field(default=Patterns(("*",)), converter=to_patterns)

    def apply(self, item: Item, key: int) -> Item | None:
        """Disturb an event, if it is drawn, and return its copy, if there is one.

        Args:
            item: the event.
            key: what all draws of this disturbance are keyed by.
        """
        own = mix(key, item.key)
        return self.disturb(item, mix(own, 1)) if unit(own) < self.share else None

    def disturb(self, item: Item, key: int) -> Item | None:
        """Disturb an event that was drawn, and return its copy, if there is one.

        Args:
            item: the event.
            key: what further draws are keyed by.
        """
        raise NotImplementedError

    def mark(self, item: Item) -> None:
        """Record that an event was disturbed."""
        item.kinds += (self.kind,)
