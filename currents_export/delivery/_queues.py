"""Events to batches: a queue per event type, and the account of what became of every event.

No thread, clock or socket in here: the time is an argument, and the caller holds the lock.

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
    """An event that was accepted and waits.

    Attributes:
        id: the event's id.
        body: its JSON as it goes out.
        original: its JSON before field transformations; None when they changed nothing.
        at: when it was accepted.
        round: the number of flushes before it was accepted.
    """

    id: str
    body: bytes
    original: bytes | None
    at: float
    round: int


@attrs.define(eq=False)
class Batch:
    """Events of one type that go out in one request.

    Attributes:
        event_type: their type.
        events: the events, in the order they were accepted.
        alone: whether a 400 split this event off.
        attempts: how often it was sent.
        failing_since: when it began to be sent in vain, if it is.
        trouble: the last response that left it waiting.
    """

    event_type: str
    events: tuple[Queued, ...]
    alone: bool = False
    attempts: int = 0
    failing_since: float | None = None
    trouble: str = ""


class Drop(NamedTuple):
    """An event that was accepted, but will not be delivered.

    Attributes:
        event_type: the event's type.
        id: the event's id.
        reason: why.
        response: what the receiver said to the event, if it was sent; no secrets.
    """

    event_type: str
    id: str
    reason: DropReason
    response: str = ""


@attrs.frozen
class Totals:
    """What became of the events of one type.

    Attributes:
        accepted: taken by `send`; always `delivered + dropped + pending`.
        delivered: answered 2XX.
        dropped: given up for a reason Braze gives events up for.
        filtered: not taken, since a Current does not send them.
        pending: queued, or on their way.
    """

    accepted: int = 0
    delivered: int = 0
    dropped: int = 0
    filtered: int = 0
    pending: int = 0


#: An event for a queue: its type, its id, its JSON, and its JSON before field transformations
#: where those changed it.
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
    """A queue per event type.

    Args:
        batch_size: the most events a batch has.
        max_age: seconds after which the oldest event takes its queue along, full or not.
    """

    def __init__(self, *, batch_size: int, max_age: float) -> None:
        self._batch_size = batch_size
        self._max_age = max_age
        self._queues: dict[str, _Queue] = {}
        # Batches that were out already, first in, first out.
        self._returned: deque[Batch] = deque()
        # The batches that fail, by when they began to: a dict for its order.
        self._failing: dict[Batch, None] = {}
        self._turn = False
        self._round = 0
        self._pending_by_round: Counter[int] = Counter()
        self.out: set[Batch] = set()
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
        """Accept events; True when that changes what `take` or `next_due` will say."""
        # Written for speed: every event passes here.
        number, size, changed = self._round, 0, False
        new, batch_size = tuple.__new__, self._batch_size
        for event_type, event_id, body, original in entries:
            queue = self._queues.get(event_type) or self._queue(event_type)
            waiting = queue.waiting
            waiting.append(new(Queued, (event_id, body, original, now, number)))
            queue.accepted += 1
            size += len(body) if original is None else len(body) + len(original)
            length = len(waiting)
            if length == 1 or length % batch_size == 0:
                changed = True
        self.pending += len(entries)
        self.pending_bytes += size
        self._pending_by_round[number] += len(entries)
        return changed

    def refuse(self, event_type: str, event_id: str, reason: DropReason) -> Drop:
        """Accept an event and drop it at once."""
        queue = self._queue(event_type)
        queue.accepted += 1
        queue.dropped += 1
        self.drop_reasons[reason] += 1
        return Drop(event_type, event_id, reason)

    def filter(self, event_type: str, reason: FilterReason) -> None:
        """Count an event that is not taken."""
        self._queue(event_type).filtered += 1
        self.filter_reasons[reason] += 1

    def start_round(self) -> int:
        """Let all that is queued leave now; the number to ask `pending_of` about."""
        self._round += 1
        return self._round

    def pending_of(self, number: int) -> int:
        """How many of the events accepted before `start_round` gave `number` are pending."""
        return sum(count for each, count in self._pending_by_round.items() if each < number)

    def take(self, now: float) -> Batch | None:
        """The next batch that may leave at `now`, or None.

        Batches that came back and those that wait take turns, lest one type's trouble hold up the
        others; of those that wait, the queue whose oldest event is oldest goes first. Within a
        type, what came back goes first, and nothing goes while it is held (one of its batches
        waits to be sent again).
        """
        self._turn = not self._turn
        if self._turn:
            batch = self._take_returned() or self._take_waiting(now)
        else:
            batch = self._take_waiting(now) or self._take_returned()
        if batch is not None:
            self.out.add(batch)
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
        """When what waits in it may leave; never, while it is empty, held, or others go first."""
        if queue.held or queue.returned or not queue.waiting:
            return float("inf")
        oldest = queue.waiting[0]
        if len(queue.waiting) >= self._batch_size or oldest.round < self._round:
            return float("-inf")
        return oldest.at + self._max_age

    def next_due(self) -> float | None:
        """When `take` will next have a batch if nothing else happens; None for never."""
        times = [self._due_at(queue) for queue in self._queues.values()]
        times += [
            float("-inf") for batch in self._returned if not self._queues[batch.event_type].held
        ]
        first = min(times, default=float("inf"))
        return None if first == float("inf") else first

    def hold(self, batch: Batch) -> None:
        """Keep the batch's event type back while the batch waits to be sent again."""
        self._queues[batch.event_type].held += 1

    def release(self, batch: Batch) -> None:
        """End what `hold` began."""
        self._queues[batch.event_type].held -= 1

    def fails(self, batch: Batch, trouble: str, now: float) -> None:
        """Note a response that leaves the batch waiting."""
        batch.trouble = trouble
        if batch.failing_since is None:
            batch.failing_since = now
            self._failing[batch] = None

    @property
    def stuck(self) -> Batch | None:
        """The batch that has been failing for longest."""
        return next(iter(self._failing), None)

    def forgive(self) -> None:
        """Begin anew to note what fails."""
        for batch in self._failing:
            batch.failing_since = None
        self._failing.clear()

    def recount(self) -> None:
        """Make the account agree with what is there, after a break in the middle of accepting."""
        events = self.pending_events()
        self.pending = len(events)
        self.pending_bytes = _bytes_of(events)
        self._pending_by_round = Counter(each.round for each in events)
        pending = Counter(batch.event_type for batch in self.out for _ in batch.events)
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
        """Account for a batch that `take` gave, by what its response led to.

        `None`, `RETRY` and `PAUSE` put it back as it is. The list is of what was dropped, with
        the reason and the response given here.
        """
        self.out.remove(batch)
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
                    Batch(batch.event_type, (each,), alone=True) for each in batch.events
                )
            case Action.SPLIT_SMALLER:
                half = len(batch.events) // 2
                parts = (batch.events[:half], batch.events[half:])
                self._put_back(Batch(batch.event_type, part, batch.alone) for part in parts)
            case _:
                self._put_back(iter((batch,)))
        return []

    def _put_back(self, batches: Iterator[Batch]) -> None:
        for batch in batches:
            self._returned.append(batch)
            self._queues[batch.event_type].returned += 1

    def expire(self, reason: DropReason) -> list[Drop]:
        """Drop everything that is queued; what is out is left to its response."""
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
        # They are in the order they were accepted, so mostly the first and the last tell of all.
        if events and events[0].round == events[-1].round:
            rounds = {events[0].round: len(events)}
        else:
            rounds = Counter([each.round for each in events])
        for number, count in rounds.items():
            self._pending_by_round[number] -= count
            if not self._pending_by_round[number]:
                del self._pending_by_round[number]

    def totals_by_type(self) -> dict[str, Totals]:
        """The account, by event type in alphabetical order."""
        return {name: queue.totals for name, queue in sorted(self._queues.items())}

    def pending_events(self) -> list[Queued]:
        """Everything that is pending, what is out included."""
        batches = [*self.out, *self._returned]
        events = [each for batch in batches for each in batch.events]
        return events + [each for queue in self._queues.values() for each in queue.waiting]


def _bytes_of(events: Sequence[Queued]) -> int:
    """How many bytes of JSON are kept for them."""
    originals = [each.original for each in events if each.original is not None]
    return sum([len(each.body) for each in events]) + sum(map(len, originals))
