"""From queues to batches: which batch leaves next, without threads.

These rules keep the event types from holding up each other:

- **Room.** A type that fails never takes all the room for pending events; see `_room.py`. While
  events wait for room, batches that are not full leave early if that makes the room they need.
- **Turns.** Among the types with a batch that may leave, the one that used the least time in flight
  is next; with equal times, the one that was served longest ago. So a type that may send waits for
  no more than an equal share of the others, however slow their responses are.
- **Rate.** If there is a rate, batches leave evenly: each takes the time that its events take at
  that rate, retries included, and has no more events than a second's.
- **Retries.** A type whose batch failed sends one request at a time until it succeeds, and all such
  types together use no more than half of the requests in flight, but at least one.

A batch that waits to be sent again has a time, `retry_at`; nothing sleeps. Time is an argument.

Source: Braze, Custom Currents export (batches) and Currents FAQ (queues and their age).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import repeat

from ._batches import Batch, Entry, Lane, Queued, bytes_of, retry_at
from ._outbox import Loaded
from ._room import Room

__all__ = ["NO_KEYS", "Scheduler"]

_NOW = float("-inf")
_NEVER = float("inf")
#: The keys of events that are in no outbox.
NO_KEYS = repeat(0)
#: How many seconds late a batch may leave without lowering the average rate.
_LATENESS = 0.1


class Scheduler:
    """One queue for each event type, and the batches in flight.

    Args:
        batch_size: the largest number of events in a batch.
        max_age: seconds after which the events of a queue may leave in a batch that is not full,
            counted from its oldest event.
        room: the room for pending events.
        concurrency: the largest number of batches in flight.
        rate: how many events leave in a second, on average; None for no limit.

    Attributes:
        room: the room for pending events.
        stored: how many accepted events are only in the outbox.
        generation: the flush generation: how many times `start_flush` was called.
        in_flight: the batches that `take` returned and that are not settled yet.
    """

    def __init__(
        self,
        *,
        batch_size: int,
        max_age: float,
        room: Room,
        concurrency: int,
        rate: float | None = None,
    ) -> None:
        self._batch_size = batch_size if rate is None else min(batch_size, math.ceil(rate))
        self._rate = rate
        self._free_at = _NOW  # when the rate lets the next batch leave
        self._max_age = max_age
        self.room = room
        self._concurrency = concurrency
        self._max_probes = max(1, concurrency // 2)
        self._lanes: dict[str, Lane] = {}
        self._probes = 0
        self._turn = 0
        self._virtual = 0.0
        # The failing batches, in the order in which they began to fail; a dict as an ordered set.
        self._failing: dict[Batch, None] = {}
        self._pending_by_generation: Counter[int] = Counter()
        self._stored_types: dict[str, None] = {}  # those with more events in the outbox, in order
        self.stored = 0
        self.generation = 0
        self.in_flight: set[Batch] = set()

    # Queues

    @property
    def pending(self) -> int:
        """How many accepted events are neither delivered nor dropped."""
        return self.room.events.used + self.stored

    def add(
        self, entries: Sequence[Entry], now: float, keys: Iterable[int] = NO_KEYS
    ) -> dict[str, int]:
        """Add accepted events to the queues of their types; return how many of each type.

        Args:
            entries: the events.
            now: the time.
            keys: their keys in the outbox, if they are there.
        """
        # Written for speed: every event passes through here.
        generation, new = self.generation, tuple.__new__
        by_type: defaultdict[str, list[Queued]] = defaultdict(list)
        for (event_type, event_id, body, original), key in zip(entries, keys, strict=False):
            by_type[event_type].append(
                new(Queued, (event_id, body, original, now, generation, key))
            )
        for event_type, events in by_type.items():
            lane = self._lane(event_type)
            lane.waiting.extend(events)
            lane.loaded = events[-1].key
            self.room.add(event_type, len(events), bytes_of(events))
        self._pending_by_generation[generation] += len(entries)
        return {event_type: len(events) for event_type, events in by_type.items()}

    def _lane(self, event_type: str) -> Lane:
        lane = self._lanes.get(event_type)
        if lane is None:
            lane = self._lanes[event_type] = Lane()
        return lane

    # Events that are only in the outbox

    def store(self, event_type: str, count: int) -> None:
        """Leave accepted events of a type in the outbox until there is room for them."""
        self._lane(event_type).store(self.generation, count)
        self._stored_types[event_type] = None
        self.stored += count
        self._pending_by_generation[self.generation] += count

    def is_stored(self, event_type: str) -> bool:
        """Return whether events of the type wait in the outbox; later ones come after them."""
        return event_type in self._stored_types

    def to_load(self) -> list[tuple[str, int, int]]:
        """Return the types whose queues are short, with the last key and how many to load."""
        wanted = []
        for event_type in self._stored_types:
            lane = self._lanes[event_type]
            waiting, free = len(lane.waiting), self.room.free(event_type)
            short = waiting < self._batch_size or (
                waiting < 2 * self._batch_size and free >= self._batch_size
            )
            if short and self.room.fits(event_type, lane.next_size):
                count = min(free, 4 * self._batch_size, lane.count_stored)
                wanted.append((event_type, lane.loaded, count))
        return wanted

    def loaded_keys(self) -> dict[str, int]:
        """Return the key after which the events begin that are only in the outbox, by type."""
        return {event_type: self._lanes[event_type].loaded for event_type in self._stored_types}

    def starved(self) -> list[str]:
        """Return the types for whose events in the outbox there is no room."""
        return [
            event_type
            for event_type in self._stored_types
            if len((lane := self._lanes[event_type]).waiting) < self._batch_size
            and not self.room.fits(event_type, lane.next_size)
        ]

    def load(self, event_type: str, entry: Loaded) -> bool:
        """Add an event from the outbox to the queue of its type, if there is room."""
        lane, size = self._lanes[event_type], len(entry.body or b"") + len(entry.original or b"")
        if not self.room.fits(event_type, size):
            lane.next_size = size
            return False
        generation = self.unstore(event_type, entry.key)
        lane.waiting.append(
            Queued(entry.id, entry.body or b"", entry.original, entry.at, generation, entry.key)
        )
        self.room.add(event_type, 1, size)
        self._pending_by_generation[generation] += 1
        return True

    def unstore(self, event_type: str, key: int) -> int:
        """Forget the next event of a type in the outbox; return its flush generation."""
        lane = self._lanes[event_type]
        lane.loaded, lane.next_size = max(key, lane.loaded), 0
        generation = lane.unstore()
        self.stored -= 1
        if not lane.stored:
            del self._stored_types[event_type]
        self._count_gone(generation, 1)
        return generation

    def mark_outdated(self, event_types: Iterable[str] | None = None) -> None:
        """Mark what was never in a batch as outdated: that of some types, or of all."""
        for event_type in self._lanes if event_types is None else event_types:
            lane = self._lanes[event_type]
            lane.outdated = len(lane.waiting)

    def replace(self, batch: Batch, kept: tuple[Queued, ...], dropped: tuple[Queued, ...]) -> None:
        """Replace the events of a batch in flight with others, without those that are dropped."""
        before = bytes_of(batch.events) - bytes_of(dropped)
        if dropped:
            self._forget(batch.event_type, dropped)
        self.room.add(batch.event_type, 0, bytes_of(kept) - before)
        batch.events, batch.outdated = kept, 0

    # Flush

    def start_flush(self) -> int:
        """Let everything that is queued leave now, and return the new flush generation."""
        self.generation += 1
        return self.generation

    def pending_before(self, generation: int) -> int:
        """Count the pending events that were accepted before this flush generation."""
        counts = self._pending_by_generation.items()
        return sum(count for each, count in counts if each < generation)

    # Turns

    def take(self, now: float, *, wanted: Collection[str] = ()) -> Batch | None:
        """Return the next batch that may leave at `now`, or None.

        Args:
            now: the time.
            wanted: the types of events that wait for room. For them, a batch that is not full may
                leave before its time.
        """
        event_type = self._next_type(now, wanted)
        if event_type is None:
            return None
        lane = self._lanes[event_type]
        self._turn += 1
        lane.served = self._turn
        lane.used = self._virtual = max(lane.used, self._virtual)
        return self._leave(self._next_of(event_type, lane), now)

    def can_take(self, now: float, *, wanted: Collection[str] = ()) -> bool:
        """Return whether `take` would return a batch."""
        return self._next_type(now, wanted) is not None

    def _next_type(self, now: float, wanted: Collection[str]) -> str | None:
        """Return the type whose turn it is, or None if no batch may leave."""
        if len(self.in_flight) >= self._concurrency or now < self._free_at:
            return None
        due = [
            (max(lane.used, self._virtual), lane.served, self._oldest(lane), event_type)
            for event_type, lane in self._lanes.items()
            if self._due_at(lane) <= now or (event_type in wanted and lane.may_leave_early)
        ]
        if due:
            return min(due)[-1]
        # Nothing else may leave: make common room for those that wait, as much as possible.
        lengths = [
            (len(lane.waiting), event_type)
            for event_type, lane in self._lanes.items()
            if wanted and lane.may_leave_early and self.room.is_over_part(event_type)
        ]
        return max(lengths)[-1] if lengths else None

    def _oldest(self, lane: Lane) -> float:
        return lane.waiting[0].at if lane.waiting else _NOW

    def _next_of(self, event_type: str, lane: Lane) -> Batch:
        if lane.failed:
            batch = lane.first_failed()
            lane.failed.remove(batch)
            lane.probe = batch
            self._probes += 1
            return batch
        if lane.returned:
            return lane.returned.popleft()
        waiting = lane.waiting
        size = min(len(waiting), self._batch_size)
        batch = Batch(event_type, tuple([waiting.popleft() for _ in range(size)]))
        batch.outdated = min(size, lane.outdated)
        lane.outdated -= batch.outdated
        return batch

    def _leave(self, batch: Batch, now: float) -> Batch:
        if batch.retry_at is not None:
            batch.waited += max(now - batch.settled_at, 0.0)
            batch.retry_at = None
        batch.began_at = batch.began_at if batch.attempts else now
        batch.attempts += 1
        batch.sent_at = now
        self.in_flight.add(batch)
        if self._rate is not None:
            seconds = len(batch.events) / self._rate
            self._free_at = max(self._free_at, now - _LATENESS) + seconds
        return batch

    def _due_at(self, lane: Lane) -> float:
        """Return when the lane's next batch may leave; infinity if something else comes first."""
        if lane.probe is not None:
            return _NEVER
        if lane.failed:
            if self._probes >= self._max_probes:
                return _NEVER
            return retry_at(lane.first_failed())
        if lane.returned:
            return _NOW
        waiting = lane.waiting
        if not waiting:
            return _NEVER
        oldest = waiting[0]
        if len(waiting) >= self._batch_size or oldest.generation < self.generation:
            return _NOW
        return oldest.at + self._max_age

    def next_due(self) -> float | None:
        """Return when `take` will next have a batch if nothing else happens; None for never."""
        if len(self.in_flight) >= self._concurrency:
            return None
        times = [self._due_at(lane) for lane in self._lanes.values()]
        first = max(min(times, default=_NEVER), self._free_at)
        return None if first == _NEVER else first

    def next_retry(self) -> float | None:
        """Return when the next batch that waits after a failure may leave; None for never."""
        if len(self.in_flight) >= self._concurrency:
            return None
        times = [self._due_at(lane) for lane in self._lanes.values() if lane.failed]
        first = max(min(times, default=_NEVER), self._free_at)
        return None if first == _NEVER else first

    # What becomes of a batch

    def settle(self, batch: Batch, now: float) -> None:
        """End the flight of a batch; `remove`, `retry`, `put_back` or `split` says what follows."""
        self.in_flight.remove(batch)
        batch.settled_at = now
        lane = self._lanes[batch.event_type]
        lane.used += max(now - batch.sent_at, 0.0)
        if lane.probe is batch:
            lane.probe = None
            self._probes -= 1

    def remove(self, batch: Batch) -> None:
        """Forget a settled batch that was delivered or dropped."""
        self._failing.pop(batch, None)
        self._forget(batch.event_type, batch.events)

    def retry(self, batch: Batch, at: float) -> None:
        """Keep a settled batch until the given time."""
        batch.retry_at = at
        self._lanes[batch.event_type].failed.append(batch)

    def put_back(self, batch: Batch) -> None:
        """Keep a settled batch that may be sent again at once."""
        self._lanes[batch.event_type].returned.append(batch)

    def split(self, batch: Batch, *, to_ones: bool) -> None:
        """Keep the events of a settled batch as smaller batches."""
        self._failing.pop(batch, None)
        events, kind = batch.events, batch.event_type
        if to_ones:
            parts = [Batch(kind, (each,), split_off=True) for each in events]
        else:
            half = len(events) // 2
            parts = [Batch(kind, part, batch.split_off) for part in (events[:half], events[half:])]
        self._lanes[kind].returned.extend(parts)

    def withdraw(self) -> list[tuple[str, tuple[Queued, ...]]]:
        """Forget everything that is queued, and return it; batches in flight stay."""
        taken: list[tuple[str, tuple[Queued, ...]]] = []
        for event_type, lane in self._lanes.items():
            batches = [*lane.returned, *lane.failed]
            lane.returned.clear()
            lane.failed.clear()
            for batch in batches:
                self._failing.pop(batch, None)
            groups = [batch.events for batch in batches] + [tuple(lane.waiting)]
            lane.waiting.clear()
            lane.outdated = 0
            for events in groups:
                if events:
                    self._forget(event_type, events)
                    taken.append((event_type, events))
        return taken

    def _forget(self, event_type: str, events: tuple[Queued, ...]) -> None:
        self.room.add(event_type, -len(events), -bytes_of(events))
        # Events are in the order of acceptance: if the first and the last have the same generation,
        # so have the others.
        if events[0].generation == events[-1].generation:
            counts = {events[0].generation: len(events)}
        else:
            counts = Counter([each.generation for each in events])
        for generation, count in counts.items():
            self._count_gone(generation, count)

    def _count_gone(self, generation: int, count: int) -> None:
        self._pending_by_generation[generation] -= count
        if not self._pending_by_generation[generation]:
            del self._pending_by_generation[generation]

    # Failures

    def record_failure(self, batch: Batch, response: str, now: float) -> None:
        """Record a response that leaves the batch waiting."""
        batch.last_failure = response
        if batch.failing_since is None:
            batch.failing_since = now
            self._failing[batch] = None

    @property
    def stuck(self) -> Batch | None:
        """The batch that has been failing longest, or None."""
        return next(iter(self._failing), None)

    def clear_failures(self) -> None:
        """Forget which batches are failing, and let those that wait leave at once."""
        for batch in self._failing:
            batch.failing_since = None
        self._failing.clear()
        for lane in self._lanes.values():
            for batch in lane.failed:
                batch.retry_at = None
            lane.returned.extend(lane.failed)
            lane.failed.clear()

    def pending_events(self) -> list[Queued]:
        """Return what is pending, in flight or queued, but not what is only in the outbox."""
        batches: list[Batch] = list(self.in_flight)
        for lane in self._lanes.values():
            batches += [*lane.returned, *lane.failed]
        events = [each for batch in batches for each in batch.events]
        return events + [each for lane in self._lanes.values() for each in lane.waiting]
