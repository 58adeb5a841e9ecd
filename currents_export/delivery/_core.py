"""What becomes of every accepted event: the scheduler, the ledger and the status together.

Nothing here waits, calls foreign code or reads a clock: each method takes the time, changes the
state, and adds to `happenings` what hooks and logs should learn of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from ..payload import MAX_EVENT_BYTES
from ._batches import Batch, Entry, Queued, Revise, size_of
from ._happenings import Attempted, Delivered, Dropped, Happening, Noticed
from ._ledger import Drop, Ledger
from ._outbox import Loaded, Notes
from ._queues import NO_KEYS
from ._responses import Action, Response
from ._scheduler import Scheduler
from ._status import NoticeKind, State, Status
from .reasons import DropReason

__all__ = ["Core"]


class Core:
    """The state of a delivery.

    Args:
        scheduler: the empty queues.
        pause_after: seconds of failures after which the Current is paused; None for never.

    Attributes:
        scheduler: the queues and the batches in flight.
        ledger: the totals.
        status: whether the Current is active, paused or disabled.
        resumes: how many times the Current was resumed.
        revision: the number of the last edit that changed which events are sent, or what is in
            them.
        stopped: whether no batch leaves any more.
        happenings: what hooks and logs should learn; the caller empties it.
        carried_over: how many events were pending in the outbox at the beginning.
    """

    def __init__(self, scheduler: Scheduler, *, pause_after: float | None) -> None:
        self.scheduler = scheduler
        self.ledger = Ledger()
        self.status = Status(pause_after=pause_after)
        self.carried_over = 0
        self._notes: Notes | None = None  # None without an outbox
        self._noted = self.status
        self.resumes = 0
        self.stopped = False
        self.happenings: list[Happening] = []
        self.revision = 0
        self._revise: Revise | None = None
        self._revises_stored = False  # whether events in the outbox are from before an edit

    @property
    def halted(self) -> bool:
        """Whether no batch leaves until something changes."""
        return self.stopped or self.status.state is not State.ACTIVE

    # Accept

    def accept(
        self,
        entries: Sequence[Entry],
        now: float,
        *,
        size: int | None = None,
        room: bool = True,
        revision: int | None = None,
    ) -> int:
        """Accept events until there is no room for one; return how many were accepted.

        Args:
            entries: the events.
            now: the time.
            size: how many bytes of JSON they have, if that is known.
            room: whether they need room; if not, it was promised to them, and all are accepted.
            revision: the number of the edit under which they were prepared; None for the last.
        """
        if size is None:
            size = size_of(entries)
        # What is small together has no part that is too large.
        if (
            size <= MAX_EVENT_BYTES
            and self.scheduler.room.fits_any(len(entries), size)
            and self.status.state is not State.DISABLED
        ):
            self._queue(entries, now, revision)
            return len(entries)
        for taken, entry in enumerate(entries):
            event_type, event_id, body, original = entry
            kept = len(body) + len(original or b"")
            if (reason := self._reason_to_drop(len(body))) is not None:
                self.ledger.accept(event_type)
                self._drop(Drop(event_type, event_id, reason))
            elif not room or self.scheduler.room.fits(event_type, kept):
                self._queue([entry], now, revision)
            else:
                return taken
        return len(entries)

    def accept_stored(
        self,
        entries: Sequence[Entry],
        keys: Sequence[int],
        now: float,
        *,
        revision: int | None = None,
    ) -> None:
        """Accept events that the outbox holds; those without room stay only there.

        Args:
            entries: the events.
            keys: their keys in the outbox.
            now: the time.
            revision: the number of the edit under which they were prepared; None for the last.
        """
        scheduler, size = self.scheduler, size_of(entries)
        if (
            size <= MAX_EVENT_BYTES
            and not scheduler.stored
            and scheduler.room.fits_any(len(entries), size)
            and self.status.state is not State.DISABLED
        ):
            self._queue(entries, now, revision, keys)
            return
        for entry, key in zip(entries, keys, strict=True):
            event_type, event_id, body, original = entry
            if (reason := self._reason_to_drop(len(body))) is not None:
                self.ledger.accept(event_type)
                self._drop(Drop(event_type, event_id, reason), key)
            elif not scheduler.is_stored(event_type) and scheduler.room.fits(
                event_type, len(body) + len(original or b"")
            ):
                self._queue([entry], now, revision, [key])
            else:
                self.ledger.accept(event_type)
                scheduler.store(event_type, 1)

    def _queue(
        self,
        entries: Sequence[Entry],
        now: float,
        revision: int | None,
        keys: Iterable[int] = NO_KEYS,
    ) -> None:
        counts = self.scheduler.add(entries, now, keys)
        for event_type, count in counts.items():
            self.ledger.accept(event_type, count)
        if revision is not None and revision < self.revision:
            self.scheduler.mark_outdated(counts)

    def _reason_to_drop(self, size: int) -> DropReason | None:
        if size > MAX_EVENT_BYTES:
            return DropReason.TOO_LARGE
        return DropReason.DISABLED if self.status.state is State.DISABLED else None

    # Use an outbox

    def use_outbox(
        self, pending: Mapping[str, int], status: Status, now: float, *, revise: Revise | None
    ) -> None:
        """Continue with what an outbox holds, and collect notes for it from now on.

        Args:
            pending: how many events are pending there, by type.
            status: the status that was noted last.
            now: the time.
            revise: applies the form to the events, if they were stored under another form.
        """
        self._revise, self._revises_stored = revise, revise is not None
        self._notes = Notes()
        self._noted = status
        self.status = status.continued(now, pause_after=self.status.pause_after)
        for event_type, count in pending.items():
            self.ledger.accept(event_type, count)
            self.scheduler.store(event_type, count)
            self.carried_over += count

    def load(self, event_type: str, count: int, loaded: Sequence[Loaded]) -> None:
        """Queue events from the outbox as far as there is room.

        Args:
            event_type: their type.
            count: how many the outbox was asked for.
            loaded: what it returned. What is missing was removed by another program.
        """
        expired = DropReason.EXPIRED if self.status.expired else None
        for each in loaded:
            if (reason := each.problem or expired) is not None:
                self.scheduler.unstore(event_type, each.key)
                self._drop(Drop(event_type, each.id, reason), each.key)
            elif not self.scheduler.load(event_type, each):
                return
            elif self._revises_stored:
                self.scheduler.mark_outdated((event_type,))
        for _ in range(count - len(loaded)):
            self.scheduler.unstore(event_type, 0)
            self._drop(Drop(event_type, "", DropReason.DAMAGED))

    @property
    def has_notes(self) -> bool:
        """Whether there is something to note in the outbox."""
        return self._notes is not None and (bool(self._notes) or self.status != self._noted)

    def take_notes(self) -> Notes:
        """Return what is to be noted in the outbox, and begin again."""
        notes = self._notes or Notes()
        if self.status != self._noted:
            notes.status = self._noted = self.status
        self._notes = Notes()
        return notes

    # Send

    def take(self, now: float, *, wanted: Collection[str] = ()) -> Batch | None:
        """Return the next batch to send, or None; see `Scheduler.take`."""
        if self.halted:
            return None
        while (batch := self.scheduler.take(now, wanted=wanted)) is not None:
            if not batch.outdated or self._update(batch, now):
                self.ledger.requests += 1
                self.ledger.retries += batch.attempts > 1
                return batch
        return None

    def _update(self, batch: Batch, now: float) -> bool:
        """Apply the last edit to a new batch, and return whether anything is left of it."""
        assert self._revise is not None  # noqa: S101 - there was an edit
        kept, dropped = batch.revised(self._revise)
        for each, reason in dropped:
            self._drop(Drop(batch.event_type, each.id, reason), each.key)
        if kept:
            self.scheduler.replace(batch, kept, tuple([each for each, _ in dropped]), now)
            return True
        self.scheduler.settle(batch, now)
        self.scheduler.remove(batch)
        return False

    def respond(
        self,
        batch: Batch,
        response: Response,
        action: Action,
        now: float,
        *,
        resumes: int,
        wait: float = 0.0,
        stop: bool = False,
    ) -> None:
        """Record the response to a batch in flight, and decide what becomes of the batch.

        Args:
            batch: the batch.
            response: its response.
            action: what the response means.
            now: the time.
            resumes: the number of resumes when the batch was sent. A response to older credentials
                does not pause the Current.
            wait: for a retry, how many seconds to wait.
            stop: for a retry, whether to pause the Current instead.
        """
        scheduler = self.scheduler
        scheduler.settle(batch, now, delivered=action is Action.DELIVERED)
        duration = max(now - batch.sent_at, 0.0)
        self.happenings.append(Attempted(batch, batch.attempts, response, action, now, duration))
        outdated = action is Action.PAUSE and resumes != self.resumes
        text = str(response)
        if not outdated:
            if action in (Action.RETRY, Action.PAUSE):
                scheduler.record_failure(batch, text, now)
            self._follow(Action.PAUSE if stop else action, text, now, gave_up=stop)
        match action:
            case Action.DELIVERED:
                scheduler.remove(batch)
                self.ledger.deliver(batch.event_type, len(batch.events))
                if self._notes is not None:
                    self._notes.keys += [each.key for each in batch.events]
                    self._notes.delivered[batch.event_type] += len(batch.events)
                self.happenings.append(Delivered(batch))
            case Action.DROP:
                scheduler.remove(batch)
                self._drop_all(batch.event_type, batch.events, DropReason.REJECTED_ALONE, text)
            case Action.SPLIT_TO_ONES | Action.SPLIT_SMALLER:
                scheduler.split(batch, to_ones=action is Action.SPLIT_TO_ONES)
            case Action.RETRY if not stop:
                scheduler.retry(batch, now + wait)
            case _:
                scheduler.put_back(batch)
        self.tick(now)
        if self.status.expired:
            self._expire()

    def _follow(self, action: Action, text: str, now: float, *, gave_up: bool) -> None:
        before = self.status
        self.status = before.after_response(action, text, now, gave_up=gave_up)
        if self.status.state is not before.state:
            self._notice(NoticeKind.PAUSED, now)

    # Time and state

    def tick(self, now: float) -> None:
        """Apply the changes of status that are due by now."""
        since, allowance = self._stuck_since, self.scheduler.allowance
        if allowance and not self.scheduler.in_flight and allowance.reaches_limit(now):
            text = allowance.quota(now).text
            self.happenings.append(Noticed(NoticeKind.QUOTA, text, now, None))
        if since is None and self.status.is_calm:
            return
        self.status, kinds = self.status.at(now, since)
        for kind in kinds:
            self._notice(kind, now)
            if kind is NoticeKind.EXPIRED:
                self._expire()

    def next_change(self) -> float | None:
        """Return when `tick` will next change something unless a response does."""
        return self.status.next_change(self._stuck_since)

    def next_due(self) -> float | None:
        """Return when `take` will next have a batch, unless something else happens."""
        return None if self.halted else self.scheduler.next_due()

    def can_take(self, now: float, *, wanted: Collection[str] = ()) -> bool:
        """Return whether `take` would return a batch."""
        return not self.halted and self.scheduler.can_take(now, wanted=wanted)

    def next_retry(self) -> float | None:
        """Return when the next batch that waits after a failure may leave."""
        return None if self.halted else self.scheduler.next_retry()

    def edit(self, revise: Revise, *, revision: int, types: int) -> None:
        """Apply an edited form to what was never in a batch.

        Args:
            revise: applies the form to an event.
            revision: the number of the edit.
            types: how many event types the Current has now.
        """
        if revision > self.revision:
            self.revision, self._revise, self._revises_stored = revision, revise, True
            self.scheduler.room.divide(types)
            self.scheduler.mark_outdated()

    def halt(self, reason: str, now: float, *, gave_up: bool = False) -> None:
        """Send nothing more until the Current is resumed, unless it is paused or disabled.

        Args:
            reason: why.
            now: the time.
            gave_up: whether the sender cannot continue, and the user did not ask for it.
        """
        if self.status.state is State.ACTIVE:
            self.status = self.status.halted(now, reason, gave_up=gave_up)
            self._notice(NoticeKind.PAUSED, now)

    def resume(self, now: float, *, types: int) -> None:
        """Enable a paused or disabled Current again; `types` is how many event types it has now."""
        self.resumes += 1
        self.scheduler.room.divide(types)
        if self.status.state is not State.ACTIVE:
            self.status = self.status.resumed()
            self.scheduler.clear_failures()
            self._notice(NoticeKind.RESUMED, now)

    @property
    def _stuck_since(self) -> float | None:
        stuck = self.scheduler.stuck
        return None if stuck is None else stuck.failing_since

    def _notice(self, kind: NoticeKind, now: float) -> None:
        status, stuck = self.status, self.scheduler.stuck
        reason = status.reason or (stuck.last_failure if stuck else "")
        since = status.disabled_at if kind is NoticeKind.EXPIRED else status.failing_since
        if kind is NoticeKind.ALARM:
            since = self._stuck_since
        self.happenings.append(Noticed(kind, reason, now, since))

    def _expire(self) -> None:
        for event_type, events in self.scheduler.withdraw():
            self._drop_all(event_type, events, DropReason.EXPIRED)

    def _drop_all(
        self, event_type: str, events: Sequence[Queued], reason: DropReason, response: str = ""
    ) -> None:
        for each in events:
            self._drop(Drop(event_type, each.id, reason, response), each.key)

    def _drop(self, drop: Drop, key: int = 0) -> None:
        self.ledger.drop(drop.event_type, drop.reason)
        if self._notes is not None:
            self._notes.drops.append(drop)
            self._notes.keys.append(key)
        self.happenings.append(Dropped(drop))
