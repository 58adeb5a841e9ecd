"""The requests of callers that wait, and the state that they wait for.

The engine calls all of this but `make_admission` with its turn held: nothing here waits or calls
foreign code.
"""

from __future__ import annotations

import queue
from collections.abc import Iterable, Sequence
from typing import Any

from ..errors import NotTakenError, QueueFullError, SenderClosedError
from ._batches import Batch, Entry, size_of
from ._core import Core
from ._hook_calls import HookCalls
from ._outbox import Notes
from ._quota import Quota
from ._reports import Reports
from ._requests import Admission, Filtered, Flush, Question, Request
from ._status import State

__all__ = ["Desk", "closed_error"]

#: The most events and bytes that a permit covers.
_CHUNK = 100
_CHUNK_BYTES = 256 * 1024
#: About how many bytes are stored in the outbox together.
_GROUP_BYTES = 4 * 2**20
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
        has_outbox: whether events are stored in an outbox before they are accepted.
        ended: whether nothing more is stored there.
    """

    def __init__(self, core: Core, hook_calls: HookCalls, reports: Reports) -> None:
        self.core = core
        self.closed = False
        self.has_outbox = self.ended = False
        self._noting = 0  # how many threads are writing notes
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
                    if request.sends:
                        request.generation = self.core.scheduler.start_flush()
                        request.after = tuple(self._waiting) if self.has_outbox else ()
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
            halted = not core.scheduler.in_flight and (core.halted or self._spent_quota(now))
            noted = not self._noting and not core.has_notes
            for each in self._flushes:
                if each.after and all(before.resolved for before in each.after):
                    each.generation, each.after = core.scheduler.start_flush(), ()
                left = core.scheduler.pending_before(each.generation)
                if core.stopped or (noted and not each.after and (halted or not left)):
                    each.done.open()
                    each.generation = -1
            self._flushes = [each for each in self._flushes if each.generation >= 0]

    def make_admission(
        self, entries: Sequence[Entry], filtered: Sequence[Filtered], **options: Any
    ) -> Admission:
        """Return an admission, with a promise of room if there is one.

        Any thread may do this without the turn.
        """
        size = size_of(entries)
        return Admission(
            entries,
            filtered,
            size=size,
            from_hook=self._hook_calls.inside,
            has_permit=self._take_permit(len(entries), size),
            **options,
        )

    def _take_permit(self, count: int, size: int) -> bool:
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
        if self.has_outbox:
            # What was submitted before the sender was closed is stored.
            for each in self._waiting if self.ended else ():
                self._refuse(each, closed_error())
            self._waiting = [each for each in self._waiting if not each.resolved]
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
        elif not self.core.scheduler.in_flight and (quota := self._spent_quota(now)):
            each.error = QueueFullError(
                f"{full}, and {quota.text}, and there will be no room before"
            )
        else:
            return
        self._resolve(each)

    def _refuse(self, each: Admission, error: NotTakenError) -> None:
        each.error = type(error)(str(error))  # each caller adds to its own
        if each.line is not None and each.line.error is None:
            each.line.error = error
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
        if self.has_outbox:
            return
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

    # An outbox

    @property
    def can_store(self) -> bool:
        """Whether `to_store` has something to do."""
        if not self.has_outbox or not self._waiting:
            return False
        crowded = self._is_crowded()
        return any(_may_be_stored(each, crowded) or _is_refused(each) for each in self._waiting)

    def _is_crowded(self) -> bool:
        urgent = self.closed or any(each.urgent for each in self._flushes)
        return not urgent and self._hook_calls.too_many

    def to_store(self, most: int) -> list[Admission]:
        """Return admissions that are to be stored in the outbox together; `stored` must follow.

        Args:
            most: about how many events they may have.
        """
        crowded, size, count, chosen = self._is_crowded(), 0, 0, []
        for each in self._waiting:
            if each.line is not None and each.line.error is not None:
                self._refuse(each, each.line.error)
            elif _may_be_stored(each, crowded) and size < _GROUP_BYTES and count < most:
                size += each.size
                count += len(each.entries)
                chosen.append(each)
        left = set(map(id, chosen))
        self._waiting = [e for e in self._waiting if not e.resolved and id(e) not in left]
        return chosen

    def stored(
        self, admissions: Sequence[Admission], stored: Sequence[int] | NotTakenError, now: float
    ) -> None:
        """Accept what was stored with these keys, or refuse what was not; `settle` must follow."""
        if not isinstance(stored, NotTakenError):
            entries = [entry for each in admissions for entry in each.entries]
            revision = min(each.revision for each in admissions)
            self.core.accept_stored(entries, stored, now, revision=revision)
        for each in admissions:
            if isinstance(stored, NotTakenError):
                self._refuse(each, stored)
            else:
                each.taken = len(each.entries)
                self._resolve(each)

    def begin_notes(self) -> Notes | None:
        """Return what is to be noted in the outbox, if there is something; `end_notes` follows."""
        if not self.core.has_notes:
            return None
        self._noting += 1
        return self.core.take_notes()

    def end_notes(self) -> None:
        """Record that notes are written; `settle` must follow."""
        self._noting -= 1

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

    # The quota of a Test Current

    def _spent_quota(self, now: float) -> Quota | None:
        """Return the quota if nothing leaves until it resets."""
        allowance = self.core.scheduler.allowance
        return allowance.quota(now) if allowance and allowance.is_spent(now) else None

    def needs_quota(self, now: float) -> bool:
        """Return whether a batch is to leave, whatever is left of the quota."""
        held = self._hooks_hold() or self.core.halted
        return not held and self.core.scheduler.is_due(now, wanted=self._wanted())

    def _wanted(self) -> set[str]:
        """Return the types of events that wait for room."""
        if self.has_outbox:
            return set(self.core.scheduler.starved())
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


def _may_be_stored(each: Admission, crowded: bool) -> bool:
    return not crowded or each.from_hook or not each.block


def _is_refused(each: Admission) -> bool:
    return each.line is not None and each.line.error is not None


def closed_error() -> SenderClosedError:
    """Return the error of a closed sender."""
    return SenderClosedError("the sender is closed; make a new one to send more events")
