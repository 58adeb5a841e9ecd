"""Share the events of a world among the workers of a load test, so that none is lost.

The users of a world are divided into shards. Each shard is with one worker at a time, and its
position is how many of its events need not be made again. A shard moves with its position: from a
worker that gives it back, nothing is sent twice; from one that has died, what it had not reported
as delivered is sent again.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from .events import Event
from .simulation import World

__all__ = ["SHARDS", "Assignment", "Moves", "ShardedEvents"]

#: How many shards a world has: they can be divided equally among 2, 3, 4, 6, 8 or 12 workers.
SHARDS = 24


class Moves(NamedTuple):
    """What workers are to do.

    Attributes:
        give_back: the shards that each worker is to give back.
        take: the positions of the shards that each worker is to take.
    """

    give_back: Mapping[str, list[int]]
    take: Mapping[str, dict[int, int]]


class Assignment:
    """Which worker has which shard, as the master sees it.

    Args:
        shards: how many there are.
    """

    def __init__(self, shards: int = SHARDS) -> None:
        self._shards = shards
        self._positions = dict.fromkeys(range(shards), 0)
        self._owners: dict[int, str] = {}
        self._leaving: set[int] = set()
        self._finished: set[int] = set()

    @property
    def finished(self) -> bool:
        """Whether all events of the world are settled."""
        return len(self._finished) == self._shards

    def report(
        self, worker: str, positions: Iterable[tuple[int, int]], *, finished: bool
    ) -> list[int]:
        """Keep what a worker reports, and return the shards that it has, but are not its own.

        Args:
            worker: the worker.
            positions: the positions of its shards.
            finished: whether all their events are settled.
        """
        others = []
        for shard, position in positions:
            if self._owners.get(shard) == worker:
                self._positions[shard] = position
                if finished:
                    self._finished.add(shard)
            else:
                others.append(shard)
        return others

    def release(self, worker: str, positions: Iterable[tuple[int, int]]) -> None:
        """Keep the positions of shards that a worker has given back."""
        for shard, position in positions:
            if self._owners.get(shard) == worker:
                self._positions[shard] = position
                self._forget(shard)

    def _forget(self, shard: int) -> None:
        del self._owners[shard]
        self._leaving.discard(shard)
        self._finished.discard(shard)

    def update(self, working: Collection[str], connected: Collection[str]) -> Moves:
        """Return what changes when these workers are there.

        Args:
            working: the workers that are to have shards.
            connected: all workers that answer.
        """
        for shard in [each for each, owner in self._owners.items() if owner not in connected]:
            self._forget(shard)
        give_back: dict[str, list[int]] = {}
        take: dict[str, dict[int, int]] = {}
        if not working:
            return Moves(give_back, take)
        held: dict[str, list[int]] = {worker: [] for worker in sorted(working)}
        most = -(-self._shards // len(held))
        for shard, owner in sorted(self._owners.items()):
            if shard in self._leaving:
                continue
            if owner in held and len(held[owner]) < most:
                held[owner].append(shard)
            else:
                self._leaving.add(shard)
                give_back.setdefault(owner, []).append(shard)
        for shard in range(self._shards):
            if shard not in self._owners:
                worker = min(held, key=lambda each: len(held[each]))
                held[worker].append(shard)
                self._owners[shard] = worker
                take.setdefault(worker, {})[shard] = self._positions[shard]
        return Moves(give_back, take)


class _Shard:
    """The events of a shard, and which of them were taken but are not settled yet."""

    def __init__(self, events: Iterator[tuple[tuple[float, ...], Event]], position: int) -> None:
        self.events = events
        self.taken = position
        self.open: dict[str, int] = {}

    @property
    def position(self) -> int:
        """How many events from the beginning are settled."""
        return next(iter(self.open.values()), self.taken)


class ShardedEvents:
    """The events of some shards of a world, in the order in which they arrive.

    Args:
        world: the world.
        start: when its events begin, in seconds since the epoch.
        shards: how many shards it has.
        event_types: the types of the events; by default those of the world's scenario.
    """

    def __init__(
        self,
        world: World,
        start: int,
        shards: int = SHARDS,
        event_types: Sequence[str] | None = None,
    ) -> None:
        self._world = world
        self._event_types = event_types
        self._start = start
        self._count = shards
        self._shards: dict[int, _Shard] = {}
        #: The next event of each shard: its place, the shard's number, and the event.
        self._next: list[tuple[tuple[float, ...], int, Event]] = []
        self._returned: deque[Event] = deque()
        self._open: dict[str, _Shard] = {}

    @property
    def finished(self) -> bool:
        """Whether all events of its shards, of which it has some, are settled."""
        return bool(self._shards) and not self._next and not self._returned and not self._open

    def add(self, number: int, position: int) -> Iterator[None]:
        """Add a shard without its first events; yield from time to time, since that takes a while.

        Args:
            number: the number of the shard.
            position: how many events are left out.
        """
        shard = _Shard(self._placed(number), position)
        left = position
        while left > 0:
            for _ in islice(shard.events, min(left, 500)):
                pass
            left -= 500
            yield
        self._shards[number] = shard
        self._push(number)
        yield

    def _placed(self, number: int) -> Iterator[tuple[tuple[float, ...], Event]]:
        place: list[Any] = [()]

        def keep(found: tuple[float, ...]) -> None:
            place[0] = found

        shard = (number, self._count)
        for event in self._world.events(
            start=self._start, shard=shard, event_types=self._event_types, place=keep
        ):
            yield place[0], event

    def _push(self, number: int) -> None:
        if (found := next(self._shards[number].events, None)) is not None:
            heapq.heappush(self._next, (found[0], number, found[1]))

    def remove(self, number: int) -> int | None:
        """Give a shard back, and return from where on it goes on; None if it is not here."""
        shard = self._shards.pop(number, None)
        if shard is None:
            return None
        # What users have given back may not be sent here any more.
        mine = (each.id for each in self._returned if self._open.get(each.id) is shard)
        returned = dict.fromkeys(mine)
        self._returned = deque(each for each in self._returned if each.id not in returned)
        self._next = [each for each in self._next if each[1] != number]
        heapq.heapify(self._next)
        return min((self._forget(each, shard) for each in returned), default=shard.taken)

    def _forget(self, event_id: str, shard: _Shard) -> int:
        del self._open[event_id]
        return shard.open.pop(event_id)

    def take(self, most: int, until: float = float("inf")) -> list[Event]:
        """Return the next events.

        Args:
            most: how many at most.
            until: the time before which they arrive, in seconds since the epoch.
        """
        taken: list[Event] = []
        while len(taken) < most and self._returned:
            taken.append(self._returned.popleft())
        while len(taken) < most and self._next and self._next[0][0][0] < until:
            _, number, event = heapq.heappop(self._next)
            shard = self._shards[number]
            shard.open[event.id] = shard.taken
            self._open[event.id] = shard
            shard.taken += 1
            taken.append(event)
            self._push(number)
        return taken

    def give_back(self, events: Iterable[Event]) -> None:
        """Return events that were taken, but are sent by somebody else."""
        self._returned.extend(events)

    def settle(self, event_ids: Iterable[str]) -> None:
        """Note that events were delivered, or will not be."""
        for each in event_ids:
            if (shard := self._open.pop(each, None)) is not None:
                shard.open.pop(each, None)

    def positions(self) -> list[tuple[int, int]]:
        """Return the position of each shard."""
        return [(number, shard.position) for number, shard in self._shards.items()]
