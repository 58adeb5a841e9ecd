"""Queues that turn events into batches, one per event type, with the totals of each.

This module has no threads, clocks or sockets: time is an argument, and the caller holds the lock.

Source: Braze, Custom Currents export (batches) and Currents FAQ (queues and their age).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import attrs

from ._responses import Action
from .reasons import DropReason, FilterReason

__all__ = ["Batch", "Drop", "Entry", "Queued", "Queues", "Totals"]


class Queued(NamedTuple):
    """An accepted event that waits to be sent.

    Attributes:
        id: the event's id.
        body: its JSON as it is sent.
        original: its JSON before field transformations; None if they changed nothing.
        at: when it was accepted.
        generation: the flush generation in which it was accepted.
    """

    id: str
    body: bytes
    original: bytes | None
    at: float
    generation: int


@attrs.define(eq=False)
class Batch:
    """Events of one type that are sent in one request.

    Attributes:
        event_type: their type.
        events: the events, in the order in which they were accepted.
        split_off: whether the batch is one event that was split off after a 400.
        attempts: how many times it was sent.
        failing_since: when its current streak of failures began, if there is one.
        last_failure: the last response that left it waiting.
    """

    event_type: str
    events: tuple[Queued, ...]
    split_off: bool = False
    attempts: int = 0
    failing_since: float | None = None
    last_failure: str = ""


class Drop(NamedTuple):
    """An event that was accepted but will not be delivered.

    Attributes:
        event_type: the event's type.
        id: the event's id.
        reason: why it was dropped.
        response: the response that led to the drop, without secrets; empty if there was none.
    """

    event_type: str
    id: str
    reason: DropReason
    response: str = ""


@attrs.frozen
class Totals:
    """What happened to the events of one type.

    Attributes:
        accepted: accepted by `send`; always `delivered + dropped + pending`.
        delivered: sent in a request that got a 2XX response.
        dropped: will not be delivered.
        filtered: not accepted, because the Current does not send them.
        pending: queued or in flight.
    """

    accepted: int = 0
    delivered: int = 0
    dropped: int = 0
    filtered: int = 0
    pending: int = 0


#: An event for a queue: its type, its id, its JSON, and its JSON before field transformations if
#: they changed it.
Entry = tuple[str, str, bytes, bytes | None]


@attrs.define
class _Queue:
    waiting: deque[Queued] = attrs.field(factory=deque)
    held: int = 0
    returned: int = 0
    accepted: int = 0
    delivered: int = 0
    dropped: int = 0
    filtered: int = 0

    @property
    def totals(self) -> Totals:
        pending = self.accepted - self.delivered - self.dropped
        return Totals(self.accepted, self.delivered, self.dropped, self.filtered, pending)


class Queues:
    """One queue for each event type.

    Args:
        batch_size: the largest number of events in a batch.
        max_age: seconds after which the events of a queue may leave in a batch that is not full,
            counted from its oldest event.

    Attributes:
        generation: the flush generation: how many times `start_flush` was called.
        in_flight: the batches that `take` returned and that are not settled yet.
        pending: how many accepted events are neither delivered nor dropped.
        pending_bytes: how many bytes of JSON they take.
        drop_reasons: how many events were dropped, by reason.
        filter_reasons: how many events were filtered, by reason.
    """

    def __init__(self, *, batch_size: int, max_age: float) -> None:
        self._batch_size = batch_size
        self._max_age = max_age
        self._queues: dict[str, _Queue] = {}
        # Batches that were put back after a request, first in, first out.
        self._returned: deque[Batch] = deque()
        # The failing batches, in the order in which they began to fail; a dict as an ordered set.
        self._failing: dict[Batch, None] = {}
        self._returned_next = False
        self._pending_by_generation: Counter[int] = Counter()
        self.generation = 0
        self.in_flight: set[Batch] = set()
        self.pending = 0
        self.pending_bytes = 0
        self.drop_reasons: Counter[DropReason] = Counter()
        self.filter_reasons: Counter[FilterReason] = Counter()

    def _queue(self, event_type: str) -> _Queue:
        queue = self._queues.get(event_type)
        if queue is None:
            queue = self._queues[event_type] = _Queue()
        return queue

    def add(self, entries: Sequence[Entry], now: float) -> bool:
        """Accept events; return whether that changes what `take` or `next_due` will return."""
        # Written for speed: every event passes through here.
        generation, size, changed = self.generation, 0, False
        new, batch_size = tuple.__new__, self._batch_size
        for event_type, event_id, body, original in entries:
            queue = self._queues.get(event_type) or self._queue(event_type)
            waiting = queue.waiting
            waiting.append(new(Queued, (event_id, body, original, now, generation)))
            queue.accepted += 1
            size += len(body) if original is None else len(body) + len(original)
            length = len(waiting)
            if length == 1 or length % batch_size == 0:
                changed = True
        self.pending += len(entries)
        self.pending_bytes += size
        self._pending_by_generation[generation] += len(entries)
        return changed

    def refuse(self, event_type: str, event_id: str, reason: DropReason) -> Drop:
        """Accept an event and drop it immediately."""
        queue = self._queue(event_type)
        queue.accepted += 1
        queue.dropped += 1
        self.drop_reasons[reason] += 1
        return Drop(event_type, event_id, reason)

    def filter(self, event_type: str, reason: FilterReason) -> None:
        """Count an event that is not accepted."""
        self._queue(event_type).filtered += 1
        self.filter_reasons[reason] += 1

    def start_flush(self) -> int:
        """Let everything that is queued leave now, and return the new flush generation."""
        self.generation += 1
        return self.generation

    def pending_before(self, generation: int) -> int:
        """Count the pending events that were accepted before this flush generation."""
        counts = self._pending_by_generation.items()
        return sum(count for each, count in counts if each < generation)

    def take(self, now: float) -> Batch | None:
        """Return the next batch that may leave at `now`, or None.

        Returned batches and queued events take turns, so that failures of one type do not delay
        the others. The queue with the oldest event is next. Within a type, returned
        batches come first, and nothing leaves while one of its batches is held.
        """
        self._returned_next = not self._returned_next
        if self._returned_next:
            batch = self._take_returned() or self._take_waiting(now)
        else:
            batch = self._take_waiting(now) or self._take_returned()
        if batch is not None:
            self.in_flight.add(batch)
        return batch

    def _take_returned(self) -> Batch | None:
        for index, batch in enumerate(self._returned):
            if not self._queues[batch.event_type].held:
                del self._returned[index]
                self._queues[batch.event_type].returned -= 1
                return batch
        return None

    def _take_waiting(self, now: float) -> Batch | None:
        due = [
            (queue.waiting[0].at, event_type)
            for event_type, queue in self._queues.items()
            if self._due_at(queue) <= now
        ]
        if not due:
            return None
        _, event_type = min(due)
        waiting = self._queues[event_type].waiting
        size = min(len(waiting), self._batch_size)
        return Batch(event_type, tuple([waiting.popleft() for _ in range(size)]))

    def _due_at(self, queue: _Queue) -> float:
        """Return when the queued events may leave; infinity if something else must happen first."""
        if queue.held or queue.returned or not queue.waiting:
            return float("inf")
        oldest = queue.waiting[0]
        if len(queue.waiting) >= self._batch_size or oldest.generation < self.generation:
            return float("-inf")
        return oldest.at + self._max_age

    def next_due(self) -> float | None:
        """Return when `take` will next have a batch if nothing else happens; None for never."""
        times = [self._due_at(queue) for queue in self._queues.values()]
        times += [
            float("-inf") for batch in self._returned if not self._queues[batch.event_type].held
        ]
        first = min(times, default=float("inf"))
        return None if first == float("inf") else first

    def hold(self, batch: Batch) -> None:
        """Hold the batch's event type while the batch waits to be sent again."""
        self._queues[batch.event_type].held += 1

    def release(self, batch: Batch) -> None:
        """Undo `hold`."""
        self._queues[batch.event_type].held -= 1

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
        """Forget which batches are failing."""
        for batch in self._failing:
            batch.failing_since = None
        self._failing.clear()

    def recount(self) -> None:
        """Count everything again, after an interrupt in the middle of accepting events."""
        events = self.pending_events()
        self.pending = len(events)
        self.pending_bytes = _bytes_of(events)
        self._pending_by_generation = Counter(each.generation for each in events)
        pending = Counter(batch.event_type for batch in self.in_flight for _ in batch.events)
        pending.update(batch.event_type for batch in self._returned for _ in batch.events)
        for name, queue in self._queues.items():
            left = queue.delivered + queue.dropped
            queue.accepted = left + pending[name] + len(queue.waiting)

    def settle(
        self,
        batch: Batch,
        action: Action | None,
        reason: DropReason | None = None,
        response: str = "",
    ) -> list[Drop]:
        """Record what happened to a batch from `take`, and return the events that it drops.

        Args:
            batch: the batch.
            action: what its response led to; None, `RETRY` and `PAUSE` put the batch back.
            reason: the reason of a drop.
            response: the response that led to a drop.
        """
        self.in_flight.remove(batch)
        if action not in (None, Action.RETRY, Action.PAUSE):
            self._failing.pop(batch, None)
        match action:
            case Action.DELIVERED:
                self._queues[batch.event_type].delivered += len(batch.events)
                self._forget(batch.events)
                return []
            case Action.DROP:
                why = reason or DropReason.REJECTED_ALONE
                return self._drop(batch.event_type, batch.events, why, response)
            case Action.SPLIT_TO_ONES:
                self._put_back(
                    Batch(batch.event_type, (each,), split_off=True) for each in batch.events
                )
            case Action.SPLIT_SMALLER:
                half = len(batch.events) // 2
                parts = (batch.events[:half], batch.events[half:])
                self._put_back(Batch(batch.event_type, part, batch.split_off) for part in parts)
            case _:
                self._put_back(iter((batch,)))
        return []

    def _put_back(self, batches: Iterator[Batch]) -> None:
        for batch in batches:
            self._returned.append(batch)
            self._queues[batch.event_type].returned += 1

    def expire(self, reason: DropReason) -> list[Drop]:
        """Drop everything that is queued; batches in flight wait for their response."""
        drops: list[Drop] = []
        for batch in self._returned:
            drops += self._drop(batch.event_type, batch.events, reason)
            self._failing.pop(batch, None)
            self._queues[batch.event_type].returned -= 1
        self._returned.clear()
        for event_type, queue in self._queues.items():
            drops += self._drop(event_type, tuple(queue.waiting), reason)
            queue.waiting.clear()
        return drops

    def _drop(
        self, event_type: str, events: tuple[Queued, ...], reason: DropReason, response: str = ""
    ) -> list[Drop]:
        self._queues[event_type].dropped += len(events)
        if events:
            self.drop_reasons[reason] += len(events)
        self._forget(events)
        return [Drop(event_type, each.id, reason, response) for each in events]

    def _forget(self, events: tuple[Queued, ...]) -> None:
        self.pending -= len(events)
        self.pending_bytes -= _bytes_of(events)
        # Events are in the order of acceptance: if the first and the last have the same generation,
        # so have the others.
        if events and events[0].generation == events[-1].generation:
            counts = {events[0].generation: len(events)}
        else:
            counts = Counter([each.generation for each in events])
        for generation, count in counts.items():
            self._pending_by_generation[generation] -= count
            if not self._pending_by_generation[generation]:
                del self._pending_by_generation[generation]

    def totals_by_type(self) -> dict[str, Totals]:
        """Return the totals of each event type, in alphabetical order."""
        return {name: queue.totals for name, queue in sorted(self._queues.items())}

    def pending_events(self) -> list[Queued]:
        """Return everything that is pending, the events in flight included."""
        batches = [*self.in_flight, *self._returned]
        events = [each for batch in batches for each in batch.events]
        return events + [each for queue in self._queues.values() for each in queue.waiting]


def _bytes_of(events: Sequence[Queued]) -> int:
    """Count the bytes of JSON that the queues keep for these events."""
    originals = [each.original for each in events if each.original is not None]
    return sum([len(each.body) for each in events]) + sum(map(len, originals))
