"""The requests of callers that wait, and the state that they wait for.

The engine calls all of this with its turn held: nothing here waits or calls foreign code.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import QueueFullError, SenderClosedError
from ._batches import Batch
from ._core import Core
from ._hook_calls import HookCalls
from ._reports import Reports
from ._requests import Admission, Flush, Question, Request
from ._status import State

__all__ = ["CHUNK", "CHUNK_BYTES", "Desk", "closed_error"]

#: The most events and bytes of an admission that does not wait for its result.
CHUNK = 100
CHUNK_BYTES = 256 * 1024
#: How many such admissions may be under way.
_MOST_UNASKED = 16


class Desk:
    """Admissions, flushes and questions, and the core that they are about.

    Args:
        core: the state of the delivery.
        hook_calls: the calls of hooks that are due.
        reports: what calls hooks and loggers.

    Attributes:
        core: the state of the delivery.
        closed: whether no more events are accepted.
        credit: an admission with a lower ticket than this surely finds room, and need not wait.
    """

    def __init__(self, core: Core, hook_calls: HookCalls, reports: Reports) -> None:
        self.core = core
        self.closed = False
        self.credit = 0
        self._hook_calls = hook_calls
        self._reports = reports
        self._handled = 0
        self._waiting: list[Admission] = []
        self._flushes: list[Flush] = []

    @property
    def short_of_room(self) -> bool:
        """Whether events wait for room."""
        return bool(self._waiting)

    def handle(self, requests: Iterable[Request], now: float) -> None:
        """Handle new requests, and those that wait."""
        self.core.tick(now)
        for request in requests:
            match request:
                case Admission():
                    self._waiting.append(request)
                    self._handled = max(self._handled, request.ticket + 1)
                case Flush():
                    self._admit(now)
                    request.generation = self.core.scheduler.start_flush()
                    self._flushes.append(request)
                case Question():
                    self._admit(now)
                    request.answer()
        self._admit(now)
        events, size = self.core.scheduler.room()
        free = 0 if self._hook_calls.too_many else min(events // CHUNK, size // CHUNK_BYTES) // 2
        self.credit = self._handled + max(min(free, _MOST_UNASKED), 0)

    def _admit(self, now: float) -> None:
        """Accept what there is room for, of each admission that waits."""
        if not self._waiting:
            return
        crowded = self._hook_calls.too_many
        for each in self._waiting:
            if each.done is None:
                self.core.accept(each.entries, now, size=each.size, room=False)
                each.taken = len(each.entries)
                self._resolve(each)
            elif each.abandoned:
                continue  # a request to give it up follows
            elif self.closed:
                each.error = closed_error()
                self._resolve(each)
            elif not crowded or each.from_hook or not each.block:
                self._try(each, now)
        self._waiting = [each for each in self._waiting if not each.resolved]

    def _try(self, each: Admission, now: float) -> None:
        if each.taken:
            each.taken += self.core.accept(each.entries[each.taken :], now)
        else:
            each.taken = self.core.accept(each.entries, now, size=each.size)
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
            each.error = QueueFullError(f"{full}, which is the limit")
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

    def _resolve(self, each: Admission) -> None:
        for before, event, reason in each.filtered:
            if each.error is None or (each.entries and before <= each.taken):
                self.core.ledger.filter(event.event_type, reason)
                self._reports.filtered(event, reason)
        each.resolved = True
        if each.done is not None:
            each.done.open()

    def take(self, now: float) -> Batch | None:
        """Return the next batch, unless too many calls of hooks are due."""
        if self._hooks_hold():
            return None
        return self.core.take(now, short_of_room=self.short_of_room)

    def _hooks_hold(self) -> bool:
        # A hook that waits for the sender must not hold it up, nor may hooks eat the time of close.
        waits = any(each.from_hook for each in self._waiting) or any(
            each.urgent for each in self._flushes
        )
        return not (self.closed or waits) and self._hook_calls.too_many

    def can_take(self, now: float) -> bool:
        """Return whether `take` would return a batch."""
        return not self._hooks_hold() and self.core.can_take(now, short_of_room=self.short_of_room)

    def settle(self) -> None:
        """End the waits that are over, and report what happened."""
        core = self.core
        if self._flushes:
            halted = core.halted and not core.scheduler.in_flight
            for each in self._flushes:
                if core.stopped or halted or not core.scheduler.pending_before(each.generation):
                    each.done.open()
                    each.generation = -1
            self._flushes = [each for each in self._flushes if each.generation >= 0]
        if core.happenings:
            self._reports.happened(core.happenings)
            core.happenings.clear()

    def next_time(self, now: float) -> float | None:
        """Return when the next thing happens by itself.

        A batch that may leave already waits for something else, which will wake the lead.
        """
        times = (self.core.next_due(), self.core.next_change())
        return min((each for each in times if each is not None and each > now), default=None)


def closed_error() -> SenderClosedError:
    """Return the error of a closed sender."""
    return SenderClosedError("the sender is closed; make a new one to send more events")
