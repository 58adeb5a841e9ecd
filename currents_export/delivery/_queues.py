"""The queues of the event types, and how many events they hold."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import repeat

from ._batches import Entry, Lane, Queued, bytes_of
from ._outbox import Loaded
from ._room import Room

__all__ = ["NO_KEYS", "Queues"]

#: The keys of events that are in no outbox.
NO_KEYS = repeat(0)


class Queues:
    """One queue for each event type.

    Args:
        batch_size: the largest number of events in a batch.
        room: the room for pending events.

    Attributes:
        room: the room for pending events.
        stored: how many accepted events are only in the outbox.
        generation: the flush generation: how many times `start_flush` was called.
    """

    def __init__(self, *, batch_size: int, room: Room) -> None:
        self.room = room
        self._batch_size = batch_size
        self._lanes: dict[str, Lane] = {}
        self._pending_by_generation: Counter[int] = Counter()
        self._stored_types: dict[str, None] = {}  # those with more events in the outbox, in order
        self.stored = 0
        self.generation = 0

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

    # Flush

    def start_flush(self) -> int:
        """Let everything that is queued leave now, and return the new flush generation."""
        self.generation += 1
        return self.generation

    def pending_before(self, generation: int) -> int:
        """Count the pending events that were accepted before this flush generation."""
        counts = self._pending_by_generation.items()
        return sum(count for each, count in counts if each < generation)

    # What has left

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
