"""The requests of callers that wait, and the state that they wait for.

The engine calls all of this but `take_permit` with its turn held: nothing here waits or calls
foreign code.
"""

from __future__ import annotations

import queue
from collections.abc import Iterable

from ..errors import QueueFullError, SenderClosedError
from ._batches import Batch
from ._core import Core
from ._hook_calls import HookCalls
from ._reports import Reports
from ._requests import Admission, Flush, Question, Request
from ._status import State

__all__ = ["Desk", "closed_error"]

#: The most events and bytes that a permit covers.
_CHUNK = 100
_CHUNK_BYTES = 256 * 1024
#: The largest number of permits.
_MOST_PERMITS = 16


class Desk:
    """Admissions, flushes and questions, and the core that they are about.

    Args:
        core: the state of the delivery.
        hook_calls: the calls of hooks that are due.
        reports: what calls hooks and loggers.

    Attributes:
        core: the state of the delivery.
        closed: whether no more events are accepted.
    """

    def __init__(self, core: Core, hook_calls: HookCalls, reports: Reports) -> None:
        self.core = core
        self.closed = False
        # Promises of room: an admission that takes one need not wait until it is accepted.
        self._permits: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._promised = 0  # the permits in the queue, and those of admissions under way
        self._hook_calls = hook_calls
        self._reports = reports
        self._waiting: list[Admission] = []
        self._flushes: list[Flush] = []

    def handle(self, requests: Iterable[Request], now: float) -> None:
        """Handle new requests; `settle` must follow."""
        self.core.tick(now)
        for request in requests:
            match request:
                case Admission(done=None):
                    self.core.accept(
                        request.entries,
                        now,
                        size=request.size,
                        room=False,
                        revision=request.revision,
                    )
                    request.taken = len(request.entries)
                    self._promised -= 1
                    self._resolve(request)
                case Admission():
                    self._waiting.append(request)
                case Flush():
                    self._admit(now)
                    request.generation = self.core.scheduler.start_flush()
                    self._flushes.append(request)
                case Question():
                    self._admit(now)
                    request.answer()

    def settle(self, now: float) -> None:
        """End the waits that are over, and report what happened."""
        self._admit(now)
        self._promise()
        core = self.core
        # First the calls of hooks: whoever waits for a flush then waits for these.
        if core.happenings:
            self._reports.happened(core.happenings)
            core.happenings.clear()
        if self._flushes:
            halted = core.halted and not core.scheduler.in_flight
            for each in self._flushes:
                if core.stopped or halted or not core.scheduler.pending_before(each.generation):
                    each.done.open()
                    each.generation = -1
            self._flushes = [each for each in self._flushes if each.generation >= 0]

    def take_permit(self, count: int, size: int) -> bool:
        """Take a promise of room for so many events and bytes, if there is one.

        Any thread may do this without the turn.
        """
        if count > _CHUNK or size > _CHUNK_BYTES:
            return False
        try:
            self._permits.get_nowait()
        except queue.Empty:
            return False
        return True

    # Admissions

    def _admit(self, now: float) -> None:
        """Accept what there is room for, of each admission that waits."""
        if not self._waiting:
            return
        self._withdraw_permits()
        crowded = self._hook_calls.too_many
        for each in self._waiting:
            if each.abandoned:
                continue  # a request to give it up follows
            if self.closed:
                each.error = closed_error()
                self._resolve(each)
            elif not crowded or each.from_hook or not each.block:
                self._try(each, now)
        self._waiting = [each for each in self._waiting if not each.resolved]

    def _try(self, each: Admission, now: float) -> None:
        rest, size = each.entries[each.taken :], None if each.taken else each.size
        each.taken += self.core.accept(rest, now, size=size, revision=each.revision)
        full = f"{self.core.scheduler.pending} events are pending"
        status = self.core.status
        if each.taken == len(each.entries):
            pass
        elif status.state is State.PAUSED and not self.core.scheduler.in_flight:
            each.error = QueueFullError(
                f"{full}, and the Current is paused ({status.reason}): "
                "there will be no room until it is resumed"
            )
        elif not each.block:
            each.error = QueueFullError(f"{full}, and there is no room for another {each.wanted}")
        else:
            return
        self._resolve(each)

    def give_up(self, each: Admission, why: str) -> None:
        """End the wait of an admission, unless it has ended."""
        if not each.resolved:
            pending = self.core.scheduler.pending
            each.error = QueueFullError(f"{pending} events are pending, and {why}")
            self._resolve(each)
            self._waiting = [other for other in self._waiting if other is not each]

    def interrupt(self, each: Admission, now: float) -> None:
        """End an admission whose caller waits no more: accept all of it, or no more of it."""
        if each.abandoned:
            self.give_up(each, "interrupted")
            return
        if not self.closed:
            rest = each.entries[each.taken :]
            self.core.accept(rest, now, room=False, revision=each.revision)
            each.taken = len(each.entries)
        if not each.resolved:
            self._resolve(each)
            self._waiting = [other for other in self._waiting if other is not each]

    def _resolve(self, each: Admission) -> None:
        for before, event, reason in each.filtered:
            if each.error is None or (each.entries and before <= each.taken):
                self.core.ledger.filter(event.event_type, reason)
                self._reports.filtered(event, reason)
        each.resolved = True
        if each.done is not None:
            each.done.open()

    def _promise(self) -> None:
        """Hand out permits for up to half of the common room, if no admission waits."""
        room = self.core.scheduler.room
        room.promise(0, 0)
        chunks = min(room.events.common // _CHUNK, room.bytes.common // _CHUNK_BYTES)
        held_up = self.closed or self._waiting or self._hook_calls.too_many
        for _ in range(0 if held_up else min(chunks // 2, _MOST_PERMITS) - self._promised):
            self._promised += 1
            self._permits.put(None)
        room.promise(self._promised * _CHUNK, self._promised * _CHUNK_BYTES)

    def _withdraw_permits(self) -> None:
        try:
            while True:
                self._permits.get_nowait()
                self._promised -= 1
        except queue.Empty:
            self.core.scheduler.room.promise(self._promised * _CHUNK, self._promised * _CHUNK_BYTES)

    # Batches

    def take(self, now: float) -> Batch | None:
        """Return the next batch, unless too many calls of hooks are due."""
        if self._hooks_hold():
            return None
        batch = self.core.take(now, wanted=self._wanted())
        if self.core.happenings:  # it dropped events
            self.settle(now)
        return batch

    def can_take(self, now: float) -> bool:
        """Return whether `take` would return a batch."""
        return not self._hooks_hold() and self.core.can_take(now, wanted=self._wanted())

    def _wanted(self) -> set[str]:
        """Return the types of events that wait for room."""
        return {each.wanted for each in self._waiting if each.wanted is not None}

    def _hooks_hold(self) -> bool:
        # A hook that waits for the sender must not hold it up, nor may hooks eat the time of close.
        waits = any(each.from_hook for each in self._waiting) or any(
            each.urgent for each in self._flushes
        )
        return not (self.closed or waits) and self._hook_calls.too_many

    def next_time(self, now: float) -> float | None:
        """Return when the next thing happens by itself.

        What may happen by now already waits for something else.
        """
        times = (self.core.next_due(), self.core.next_change())
        return min((each for each in times if each is not None and each > now), default=None)


def closed_error() -> SenderClosedError:
    """Return the error of a closed sender."""
    return SenderClosedError("the sender is closed; make a new one to send more events")
