"""Disturb a stream of events."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from types import MappingProxyType

from ...catalog import Catalog
from ...events import Event
from .._draws import mix
from ..answer_key import KeyRecord
from ._base import Context, Disturbance, Item

__all__ = ["disturb"]

#: An event and its record.
Pair = tuple[Event, KeyRecord]

#: When an event arrives, its number in the order of the stream, the event, and its mark.
_Held = tuple[int, int, Item, tuple[int, int]]


def disturb(
    stream: Iterable[Pair],
    disturbances: Sequence[Disturbance],
    *,
    seed: int,
    catalog: Catalog,
    start: int | None = None,
    made: Mapping[str, int] = MappingProxyType({}),
    mark: Callable[[], tuple[int, int]] = lambda: (0, 0),
    place: Callable[[tuple[int, int, int]], object] | None = None,
) -> Iterator[Pair]:
    """Yield the events of a stream as they arrive, with their records in the answer key.

    Each event of the stream arrives once with its id, and each duplicate once more. Without
    disturbances, the stream stays as it is. What is held back is kept in memory; no more of the
    stream is taken than the next event, which shows how much time has passed.

    A disturbance depends only on the seed and the event, its campaign or its time. The events of a
    filter or a shard are therefore disturbed as in the whole stream, and arrive in the same order.

    Args:
        stream: the events in the order in which they happen, with their records.
        disturbances: what happens to them. The order of kinds does not matter: first
            contents change, then arrivals move, then duplicates are made, and at last bursts and
            gaps hold back what arrives.
        seed: what is drawn, as the seed of a world.
        catalog: the catalog of the stream's schema version.
        start: the time that durations after the start refer to; the first event's by default.
        made: when campaigns and Canvases were made, by their ids.
        mark: returns two numbers by which the events of the stream are ordered, those of the event
            that was taken last.
        place: called before each event that is yielded, with the time of its arrival and its mark.

    Raises:
        UnknownNameError: the schema version has no such event types.
    """
    steps = _Steps(disturbances, seed, catalog)
    if not disturbances:
        return iter(stream)
    held = _disturbed(stream, steps, partial(Context, catalog, made=made), start, mark)
    return _results(held, place)


def _results(
    held: Iterable[_Held], place: Callable[[tuple[int, int, int]], object] | None
) -> Iterator[Pair]:
    for arrival, _, item, mark in held:
        if place is not None:
            place((arrival, *mark))
        yield item.result()


class _Steps(dict[str, tuple[tuple[Disturbance, int], ...]]):
    """The disturbances that apply to each event type, each with the key of its draws."""

    def __init__(self, disturbances: Sequence[Disturbance], seed: int, catalog: Catalog) -> None:
        super().__init__()
        self._steps = []
        numbers: Counter[str] = Counter()
        for each in sorted(disturbances, key=lambda each: (each.rank, each.kind)):
            selected = {event_type.name for event_type in catalog.select(*each.event_types)}
            key = mix(seed, "disturbances", each.kind, numbers[each.kind])
            self._steps.append((each, key, selected))
            numbers[each.kind] += 1

    def __missing__(self, name: str) -> tuple[tuple[Disturbance, int], ...]:
        # Globs also select types that the catalog does not have.
        steps = self[name] = tuple(
            (each, key)
            for each, key, selected in self._steps
            if name in selected or any(fnmatchcase(name, glob) for glob in each.event_types)
        )
        return steps


def _disturbed(
    stream: Iterable[Pair],
    steps: _Steps,
    make: Callable[[int], Context],
    start: int | None,
    mark: Callable[[], tuple[int, int]],
) -> Iterator[_Held]:
    context = None if start is None else make(start)
    held: list[_Held] = []
    now = number = 0
    for event, record in stream:
        happened = event.time if record.arrival is None else record.arrival
        # A stream that is not sorted keeps its order.
        now = happened if happened > now or number == 0 else now
        context = context or make(now)
        for item in _items(event, record, now, steps[event.event_type], context):
            heapq.heappush(held, (item.arrival, number, item, mark()))
            number += 1
        # All later events arrive at this time at the earliest, and after those from before.
        while held and held[0][0] <= now:
            yield heapq.heappop(held)
    while held:
        yield heapq.heappop(held)


def _items(
    event: Event,
    record: KeyRecord,
    now: int,
    steps: tuple[tuple[Disturbance, int], ...],
    context: Context,
) -> list[Item]:
    """Return the event as it arrives, followed by its copies."""
    if not steps:
        return [Item(event, record, context, 0, now)]
    digest = hashlib.blake2b(record.id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    items = [Item(event, record, context, int.from_bytes(digest), now)]
    for disturbance, key in steps:
        for item in tuple(items):
            copy = disturbance.apply(item, key)
            if copy is not None:
                items.append(copy)
    return items
