"""Queued events, batches of them, and the queue of one event type."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

import attrs

from .reasons import DropReason

__all__ = ["Batch", "Entry", "Lane", "Queued", "Revise", "bytes_of", "retry_at", "size_of"]


class Queued(NamedTuple):
    """An accepted event that waits to be sent.

    Attributes:
        id: the event's id.
        body: its JSON as it is sent.
        original: its JSON before field transformations; None if they changed nothing.
        at: when it was accepted.
        generation: the flush generation in which it was accepted.
        key: its key in the outbox; 0 if it is not there.
    """

    id: str
    body: bytes
    original: bytes | None
    at: float
    generation: int
    key: int = 0


@attrs.define(eq=False)
class Batch:
    """Events of one type that are sent in one request.

    Attributes:
        event_type: their type.
        events: the events, in the order in which they were accepted.
        split_off: whether the batch is one event that was split off after a 400.
        attempts: how many times it was sent.
        began_at: when it was sent for the first time.
        sent_at: when it was sent last.
        settled_at: when the last response arrived.
        retry_at: when it may be sent again after a failure; None if it does not wait.
        waited: how many seconds it has waited between attempts.
        failing_since: when its current streak of failures began, if there is one.
        last_failure: the last response that left it waiting.
        outdated: how many of its first events were accepted before the Current was edited.
    """

    event_type: str
    events: tuple[Queued, ...]
    split_off: bool = False
    attempts: int = 0
    began_at: float = 0.0
    sent_at: float = 0.0
    settled_at: float = 0.0
    retry_at: float | None = None
    waited: float = 0.0
    failing_since: float | None = None
    last_failure: str = ""
    outdated: int = 0

    def revised(self, revise: Revise) -> tuple[tuple[Queued, ...], list[tuple[Queued, DropReason]]]:
        """Return its events after an edit, and those that are not sent any more, with reasons."""
        kept, dropped = [], []
        for each in self.events[: self.outdated]:
            revised = revise(each)
            if isinstance(revised, DropReason):
                dropped.append((each, revised))
            else:
                kept.append(revised)
        return (*kept, *self.events[self.outdated :]), dropped


#: Applies an edited form to an event: the event as it is sent now, or why it is not sent.
Revise = Callable[[Queued], Queued | DropReason]
#: An event for a queue: its type, its id, its JSON, and its JSON before field transformations if
#: they changed it.
Entry = tuple[str, str, bytes, bytes | None]


@attrs.define
class Lane:
    """The queue of one event type.

    Attributes:
        waiting: events that were never sent.
        outdated: how many of the first of them were accepted before the Current was edited.
        returned: batches that may be sent again at once.
        failed: batches that wait until their `retry_at`.
        probe: the batch in flight that failed before, if there is one.
        used: the time its requests were in flight, in the scheduler's virtual time.
        served: the number of the turn it had last.
        stored: how many more events the outbox holds, as runs of events with the same flush
            generation: the generation and how many.
        loaded: the key of the last event that was not left in the outbox.
        next_size: how many bytes of JSON the next event in the outbox has, if that is known.
    """

    waiting: deque[Queued] = attrs.field(factory=deque)
    outdated: int = 0
    returned: deque[Batch] = attrs.field(factory=deque)
    failed: list[Batch] = attrs.field(factory=list)
    probe: Batch | None = None
    used: float = 0.0
    served: int = 0
    stored: deque[list[int]] = attrs.field(factory=deque)
    loaded: int = 0
    next_size: int = 0

    @property
    def may_leave_early(self) -> bool:
        """Whether its next batch was never sent, and might wait only to become full."""
        return bool(self.waiting) and not (self.failed or self.returned or self.probe)

    def cut(self, batch: Batch, most: int) -> Batch:
        """Return a batch of the first `most` events; the others are returned."""
        if len(batch.events) > most:
            self.returned.appendleft(Batch(batch.event_type, batch.events[most:]))
            batch.events = batch.events[:most]
        return batch

    def store(self, generation: int, count: int) -> None:
        """Leave more events in the outbox."""
        if self.stored and self.stored[-1][0] == generation:
            self.stored[-1][1] += count
        else:
            self.stored.append([generation, count])

    def unstore(self) -> int:
        """Leave one event less in the outbox; return its flush generation."""
        run = self.stored[0]
        run[1] -= 1
        if not run[1]:
            self.stored.popleft()
        return run[0]

    @property
    def count_stored(self) -> int:
        """How many more events the outbox holds."""
        return sum([count for _, count in self.stored])

    def first_failed(self) -> Batch:
        """Return the failed batch that may be sent again first."""
        return min(self.failed, key=retry_at)


def retry_at(batch: Batch) -> float:
    """Return when the batch may be sent again."""
    return float("-inf") if batch.retry_at is None else batch.retry_at


def size_of(entries: Iterable[Entry]) -> int:
    """Count the bytes of JSON that the queues would keep for these entries."""
    return sum([len(body) + len(original or b"") for _, _, body, original in entries])


def bytes_of(events: Iterable[Queued]) -> int:
    """Count the bytes of JSON that the queues keep for these events."""
    return sum([len(body) + len(original or b"") for _, body, original, _, _, _ in events])
