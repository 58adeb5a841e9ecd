"""From queues to batches: which batch leaves next, without threads.

These rules keep the event types from holding up each other:

- **Room.** A type that fails never takes all the room for pending events; see `_room.py`. While
  events wait for room, batches that are not full leave early if that makes the room they need.
- **Turns.** Among the types with a batch that may leave, the one that used the least time in flight
  is next; with equal times, the one that was served longest ago. So a type that may send waits for
  no more than an equal share of the others, however slow their responses are.
- **Rate.** If there is a rate, batches leave evenly: each takes the time that its events take at
  that rate, retries included, and has no more events than a second's.
- **Quota.** A Test Current sends a limited number of events in a day. A batch that is larger than
  what is left is cut; then nothing leaves until the quota resets.
- **Retries.** A type whose batch failed sends one request at a time until it succeeds, and all such
  types together use no more than half of the requests in flight, but at least one.

A batch that waits to be sent again has a time, `retry_at`; nothing sleeps. Time is an argument.

Source: Braze, Custom Currents export (batches) and Currents FAQ (queues and their age).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Iterable

from ._batches import Batch, Lane, Queued, bytes_of, retry_at
from ._queues import Queues
from ._quota import Allowance
from ._room import Room

__all__ = ["Scheduler"]

_NOW = float("-inf")
_NEVER = float("inf")
#: How many seconds late a batch may leave without lowering the average rate.
_LATENESS = 0.1


class Scheduler(Queues):
    """The queues, and the batches in flight.

    Args:
        batch_size: the largest number of events in a batch.
        max_age: seconds after which the events of a queue may leave in a batch that is not full,
            counted from its oldest event.
        room: the room for pending events.
        concurrency: the largest number of batches in flight.
        rate: how many events leave in a second, on average; None for no limit.
        allowance: what is left of the quota of a Test Current; None if it is not one.

    Attributes:
        allowance: the same.
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
        allowance: Allowance | None = None,
    ) -> None:
        super().__init__(
            batch_size=batch_size if rate is None else min(batch_size, math.ceil(rate)), room=room
        )
        self.allowance = allowance
        self._rate = rate
        self._free_at = _NOW  # when the rate lets the next batch leave
        self._max_age = max_age
        self._concurrency = concurrency
        self._max_probes = max(1, concurrency // 2)
        self._probes = 0
        self._turn = 0
        self._virtual = 0.0
        # The failing batches, in the order in which they began to fail; a dict as an ordered set.
        self._failing: dict[Batch, None] = {}
        self.in_flight: set[Batch] = set()

    # An edited form

    def mark_outdated(self, event_types: Iterable[str] | None = None) -> None:
        """Mark what was never in a batch as outdated: that of some types, or of all."""
        for event_type in self._lanes if event_types is None else event_types:
            lane = self._lanes[event_type]
            lane.outdated = len(lane.waiting)

    def replace(
        self, batch: Batch, kept: tuple[Queued, ...], dropped: tuple[Queued, ...], now: float
    ) -> None:
        """Replace the events of a batch in flight with others, without those that are dropped."""
        before = bytes_of(batch.events) - bytes_of(dropped)
        if dropped:
            self._forget(batch.event_type, dropped)
            self._settle_quota(len(dropped), batch, now, delivered=False)
        self.room.add(batch.event_type, 0, bytes_of(kept) - before)
        batch.events, batch.outdated = kept, 0

    # Turns

    def take(self, now: float, *, wanted: Collection[str] = ()) -> Batch | None:
        """Return the next batch that may leave at `now`, or None.

        Args:
            now: the time.
            wanted: the types of events that wait for room. For them, a batch that is not full may
                leave before its time.
        """
        most = self._most(now)
        event_type = self._next_type(now, wanted) if most else None
        if event_type is None:
            return None
        lane = self._lanes[event_type]
        self._turn += 1
        lane.served = self._turn
        lane.used = self._virtual = max(lane.used, self._virtual)
        return self._leave(self._next_of(event_type, lane, most), now)

    def can_take(self, now: float, *, wanted: Collection[str] = ()) -> bool:
        """Return whether `take` would return a batch."""
        return self._most(now) > 0 and self.is_due(now, wanted=wanted)

    def is_due(self, now: float, *, wanted: Collection[str] = ()) -> bool:
        """Return whether `take` would return a batch if there was enough left of the quota."""
        return self._next_type(now, wanted) is not None

    def _most(self, now: float) -> int:
        return sys.maxsize if self.allowance is None else self.allowance.may_leave(now)

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

    def _next_of(self, event_type: str, lane: Lane, most: int) -> Batch:
        if lane.failed:
            batch = lane.first_failed()
            lane.failed.remove(batch)
            lane.probe = batch
            self._probes += 1
            return lane.cut(batch, most)
        if lane.returned:
            return lane.cut(lane.returned.popleft(), most)
        waiting = lane.waiting
        size = min(len(waiting), self._batch_size, most)
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
        if self.allowance is not None:
            self.allowance.leave(len(batch.events), now)
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
        opens_at = None if self.allowance is None else self.allowance.opens_at
        first = max(min(times, default=_NEVER), self._free_at, opens_at or _NOW)
        return None if first == _NEVER else first

    def next_retry(self) -> float | None:
        """Return when the next batch that waits after a failure may leave; None for never."""
        if len(self.in_flight) >= self._concurrency:
            return None
        if self.allowance is not None and self.allowance.opens_at is not None:
            return None
        times = [self._due_at(lane) for lane in self._lanes.values() if lane.failed]
        first = max(min(times, default=_NEVER), self._free_at)
        return None if first == _NEVER else first

    # What becomes of a batch

    def settle(self, batch: Batch, now: float, *, delivered: bool = False) -> None:
        """End the flight of a batch; `remove`, `retry`, `put_back` or `split` says what follows."""
        self.in_flight.remove(batch)
        self._settle_quota(len(batch.events), batch, now, delivered=delivered)
        batch.settled_at = now
        lane = self._lanes[batch.event_type]
        lane.used += max(now - batch.sent_at, 0.0)
        if lane.probe is batch:
            lane.probe = None
            self._probes -= 1

    def _settle_quota(self, count: int, batch: Batch, now: float, *, delivered: bool) -> None:
        if self.allowance is not None:
            self.allowance.settle(count, batch.sent_at, now, delivered=delivered)

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
