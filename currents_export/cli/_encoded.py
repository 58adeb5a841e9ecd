"""The events of a world as JSON, made in one process or several."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

import orjson

from ..events import Event
from ..payload import encode_event
from ..simulation import KeyRecord, World
from ..simulation.pacing import paced
from ._answer_key import KeyFile
from ._workers import Batch, WorkerError, batches_of

__all__ = ["Encoded", "WorkerError", "encode_single", "make_encoded"]

#: How many events are yielded together at most.
_MOST = 256

#: The types of some events, and the JSON of each.
Encoded = tuple[Sequence[str], Sequence[bytes]]


def make_encoded(
    world: World,
    workers: int,
    options: Mapping[str, Any],
    *,
    count: int | None,
    pace: float | None,
    key: KeyFile | None,
    is_wanted: Callable[[Event], bool] | None = None,
) -> Iterator[Encoded]:
    """Yield the events of a world; several processes give them in the same order as one.

    Args:
        world: the world.
        workers: how many processes make them.
        options: arguments of `World.events`.
        count: how many events are made; by default all.
        pace: how many seconds of the world pass in a second; by default as fast as possible.
        key: the file for the answer key.
        is_wanted: whether an event is wanted; by default all are.

    Raises:
        WorkerError: a process ended early; all events before were yielded.
    """
    if workers == 1:
        if key is not None or is_wanted is not None:
            events = islice(_single(world, options, pace, key, is_wanted), count)
            yield from map(encode_single, events if key is None else key.count(events))
            return
        encoded = islice(world.encoded_events(**options, pace=pace), count)
        # The first events come soon; later ones together, unless each has its time.
        size = 1
        while together := list(islice(encoded, size)):
            yield [each[0] for each in together], [each[1] for each in together]
            size = 1 if pace is not None else min(2 * size, _MOST)
        return
    most = count if is_wanted is None else None
    made = batches_of(world, workers, count=most, with_key=key is not None, **options)
    with closing(made):
        batches: Iterator[Batch] = made
        if is_wanted is not None:
            batches = _wanted(made, is_wanted, count)
        if pace is not None:
            batches = paced(_singles(batches), options["start"], pace, arrival=_arrival)
        for batch in batches:
            if key is not None:
                key.keep_encoded(batch.lines, batch.key)
            yield batch.event_types, batch.lines


def _single(
    world: World,
    options: Mapping[str, Any],
    pace: float | None,
    key: KeyFile | None,
    is_wanted: Callable[[Event], bool] | None,
) -> Iterator[Event]:
    """Yield the wanted events, and write the entry of each into the answer key before it."""
    latest: deque[KeyRecord] = deque(maxlen=1)
    keep = None if key is None else latest.append
    for event in world.events(**options, pace=pace, key=keep):
        if is_wanted is None or is_wanted(event):
            if key is not None:
                key.keep(latest[0])
            yield event


def _wanted(
    batches: Iterator[Batch], is_wanted: Callable[[Event], bool], count: int | None
) -> Iterator[Batch]:
    """Yield the wanted events of batches, at most as many as are asked for."""
    for batch in batches:
        kept = batch.where([is_wanted(Event(**orjson.loads(line))) for line in batch.lines])
        if count is not None:
            kept = kept.part(0, count)
            count -= len(kept.lines)
        if kept.lines:
            yield kept
        if count == 0:
            return


def encode_single(event: Event) -> Encoded:
    """Return the type and the JSON of an event of a world."""
    return (event.event_type,), (encode_event(event, known=True),)


def _singles(batches: Iterator[Batch]) -> Iterator[Batch]:
    for batch in batches:
        for number in range(len(batch.lines)):
            yield batch.part(number, number + 1)


def _arrival(batch: Batch) -> float:
    return batch.arrivals[0]
