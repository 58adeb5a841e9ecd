"""Events that several processes make for a command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import IO, Any

from ..simulation import World
from ..simulation._pace import paced
from ..simulation._workers import Batch, WorkerError, batches_of

__all__ = ["Encoded", "WorkerError", "make_encoded"]

#: The types of some events, and the JSON of each.
Encoded = tuple[Sequence[str], Sequence[bytes]]


def make_encoded(
    world: World,
    workers: int,
    options: Mapping[str, Any],
    *,
    count: int | None,
    pace: float | None,
    key: IO[bytes] | None,
) -> Iterator[Encoded]:
    """Yield events that several processes make, in the order of one.

    Args:
        world: the world.
        workers: how many processes make them.
        options: arguments of `World.events`.
        count: how many events are made; by default all.
        pace: how many seconds of the world pass in a second; by default as fast as possible.
        key: the file for the answer key.
    """
    made = batches_of(world, workers, count=count, with_key=key is not None, **options)
    with closing(made):
        batches: Iterator[Batch] = made
        if pace is not None:
            batches = paced(_singles(made), options["start"], pace, arrival=_arrival)
        for batch in batches:
            if key is not None:
                key.writelines(entry + b"\n" for entry in batch.key)
            yield batch.event_types, batch.lines


def _singles(batches: Iterator[Batch]) -> Iterator[Batch]:
    for batch in batches:
        for number in range(len(batch.lines)):
            yield batch.part(number, number + 1)


def _arrival(batch: Batch) -> float:
    return batch.arrivals[0]
