"""`Sender`: the thin shell of threads, sockets and clocks around the pure parts of delivery."""

from __future__ import annotations

import atexit
import logging
import math
import os
import random
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from types import TracebackType
from typing import NamedTuple, Self

import httpx
import orjson
import tenacity

from ..catalog import EventType
from ..current import Current
from ..destinations import CredentialsCheck
from ..errors import (
    EventError,
    InvalidEventsError,
    NotTakenError,
    OptionError,
    QueueFullError,
    SenderClosedError,
)
from ..events import Event
from ..payload import EMPTY_BODY, MAX_EVENT_BYTES, encode_body
from ._admission import chunks, prepare
from ._backoff import Backoff
from ._endpoint import Endpoint
from ._hook_calls import HookCalls
from ._queues import Batch, Drop, Entry, Queues
from ._responses import Action, Response, decide
from ._status import NoticeKind, State, Status
from .clock import Clock, SystemClock
from .hooks import Attempt, Hooks, Notice
from .reasons import DropReason, FilterReason
from .result import Result

__all__ = ["Sender"]

_log = logging.getLogger("currents_export.delivery")


class _Outcome(NamedTuple):
    response: Response
    action: Action | None


_HALTED = _Outcome(Response(None), None)


class Sender:
    """Sends events as a Current does: queued by type, in batches, at least once.

    Threads do the sending; `send` may be called from any number of threads. Use it as a context
    manager, or call `close`: what is pending when the process ends is lost, and said to be.

    Args:
        current: where the events go, and which.
        batch_size: the most events in a request. Braze: 100.
        max_age: seconds after which a batch leaves though it is not full. Braze: 300.
        max_pending_events: how many events may wait; `send` blocks at that. 10,000 by default.
        max_pending_bytes: how many bytes of JSON may wait. 64 MiB by default.
        backoff: how long to wait before a batch is sent again.
        concurrency: the most requests on their way at once. A batch that waits to be sent again
            takes none of it, only a thread that sleeps, and holds back the other batches of its
            event type.
        timeout: seconds for each of connecting, writing, and waiting for a response.
        pause_after: seconds of unbroken trouble after which the Current is paused, rather than
            disabled after five days. None, the default, is what Braze does.
        hooks: functions to call as things happen.
        transport: an httpx transport to use in place of httpx's own: a proxy, mTLS, a test. It is
            not closed with the sender, so that several may share it.
        clock: the time; for tests.
        rng: the randomness of the backoff; for tests.

    Raises:
        OptionError: an argument is out of range.

    Source: Braze, Custom Currents export, Event delivery semantics, Currents FAQ.
    """

    def __init__(
        self,
        current: Current,
        *,
        batch_size: int = 100,
        max_age: float = 300.0,
        max_pending_events: int = 10_000,
        max_pending_bytes: int = 64 * 2**20,
        backoff: Backoff | None = None,
        concurrency: int = 2,
        timeout: float = 30.0,
        pause_after: float | None = None,
        hooks: Hooks | None = None,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
    ) -> None:
        _check_counts(
            batch_size=batch_size,
            max_pending_events=max_pending_events,
            max_pending_bytes=max_pending_bytes,
            concurrency=concurrency,
        )
        _check_seconds(max_age=max_age, timeout=timeout)
        if pause_after is not None:
            _check_seconds(pause_after=pause_after)
        self._current = current
        self._max_pending_events = max_pending_events
        self._max_pending_bytes = max_pending_bytes
        self._backoff = backoff or Backoff()
        self._concurrency = concurrency
        self._hooks = hooks or Hooks()
        self._clock = clock or SystemClock()
        self._rng = rng or random.Random()
        self._endpoint = Endpoint(current, timeout=timeout, transport=transport)
        self._began = self._clock.now()

        # One lock guards all below. Who waits for what, waits on the condition of that name.
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._again = threading.Condition(self._lock)
        self._room = threading.Condition(self._lock)
        self._settled = threading.Condition(self._lock)
        self._queues = Queues(batch_size=batch_size, max_age=max_age)
        self._status = Status(pause_after=pause_after)
        self._calls = HookCalls()
        self._requests = 0
        self._retries = 0
        self._resumes = 0
        self._threads: set[threading.Thread] = set()
        self._idle = 0
        self._active = 0
        self._returning = 0
        self._closed = False
        self._stopped = False
        self._process = os.getpid()
        self._last_words = partial(_warn_at_exit, weakref.ref(self))
        atexit.register(self._last_words)

    def __repr__(self) -> str:
        return f"<Sender of {self._current.integration_name!r} to {self._current.shown_url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # An interrupt means now; any other error is no reason to lose what was accepted.
        interrupted = kind is not None and not issubclass(kind, Exception)
        self.close(timeout=0.0 if interrupted else 30.0)

    # Taking events

    def send(
        self,
        events: Event | Iterable[Event],
        *,
        block: bool = True,
        timeout: float | None = None,
    ) -> None:
        """Take one event, or many.

        Events of types that are not selected are filtered: counted, not taken. So are, in a
        RudderStack Current, events of users without an `external_user_id`. Events over 900 KB are
        taken and dropped. An iterable is drawn from only as fast as there is room.

        Args:
            events: an `Event`, or an iterable of them.
            block: whether to wait for room when too much is pending.
            timeout: seconds to wait for room, at most; None waits for ever.

        Raises:
            EventError: the event is not JSON. Of an iterable, the other events are taken, and
                `InvalidEventsError` is raised at the end.
            QueueFullError: there was no room: at once if not `block`, after `timeout`, or because
                the Current is paused or disabled and nothing will make room.
            SenderClosedError: the sender was closed.
        """
        until = None if timeout is None else self._clock.now() + timeout
        problems: list[EventError] = []
        taken = 0
        try:
            for chunk in chunks((events,) if isinstance(events, Event) else events):
                self._take(chunk, problems, block=block, until=until)
                taken += len(chunk)
        except Exception as error:
            if isinstance(error, NotTakenError):
                error.taken += taken
            if problems:
                error.add_note(str(InvalidEventsError(problems)))
            raise
        if problems:
            raise problems[0] if isinstance(events, Event) else InvalidEventsError(problems)

    def _take(
        self,
        chunk: Sequence[Event],
        problems: list[EventError],
        *,
        block: bool,
        until: float | None,
    ) -> None:
        """Take the events of a chunk under one lock; what is not JSON goes to `problems`."""
        entries, others = prepare(self._current, chunk)
        done = len(chunk)
        with self._lock:
            try:
                self._refuse_if_closed()
                self._tick()
                self._keep_a_worker()
                if self._have_room(entries):
                    self._add(entries)
                else:
                    self._add_one_by_one(entries, block=block, until=until)
            except NotTakenError as error:
                places = [index for index in range(len(chunk)) if index not in others]
                done = places[error.taken] if entries else 0
                error.taken, error.event = done, chunk[done]
                raise
            except BaseException:  # an interrupt, between any two steps
                self._queues.recount()
                raise
            finally:
                for index, why in others.items():
                    if index < done:
                        self._set_aside(chunk[index], why, problems)

    def _have_room(self, entries: list[Entry]) -> bool:
        """Whether all of them can be queued at once, as is the rule."""
        sizes = [len(entry[2]) for entry in entries]
        originals = sum([len(entry[3]) for entry in entries if entry[3] is not None])
        return not self._lacks_room(len(entries), sum(sizes) + originals) and (
            self._reason_to_drop(max(sizes, default=0)) is None
        )

    def _add(self, entries: list[Entry]) -> None:
        if self._queues.add(entries, self._clock.now()):
            self._wake_a_worker()

    def _add_one_by_one(self, entries: list[Entry], *, block: bool, until: float | None) -> None:
        for index, entry in enumerate(entries):
            event_type, event_id, body, original = entry
            try:
                size = len(body) + len(original or b"")
                self._wait_for_room(len(body), size, block=block, until=until)
            except NotTakenError as error:
                error.taken = index
                raise
            if (reason := self._reason_to_drop(len(body))) is not None:
                self._dropped([self._queues.refuse(event_type, event_id, reason)])
            else:
                self._add([entry])

    def _set_aside(
        self, event: Event, why: EventError | FilterReason, problems: list[EventError]
    ) -> None:
        if isinstance(why, EventError):
            problems.append(why)
        else:
            self._queues.filter(event.event_type, why)
            self._calls.add(self._hooks.on_filtered, event, why)

    def _refuse_if_closed(self) -> None:
        if os.getpid() != self._process:
            raise SenderClosedError("the sender belongs to another process; make one in each")
        if self._closed:
            raise SenderClosedError("the sender is closed; make a new one to send more")

    def _reason_to_drop(self, size: int) -> DropReason | None:
        if size > MAX_EVENT_BYTES:
            return DropReason.TOO_LARGE
        return DropReason.DISABLED if self._status.state is State.DISABLED else None

    def _lacks_room(self, count: int, size: int) -> bool:
        """Whether `count` more events of `size` bytes in all are too many; one alone never is."""
        pending = self._queues.pending
        return pending + count > self._max_pending_events or (
            self._queues.pending_bytes + size > self._max_pending_bytes and pending > 0
        )

    def _has_ample_room(self) -> bool:
        """Whether to wake who waits for room: not for every batch, which would be threads' work."""
        return (
            self._queues.pending <= 0.75 * self._max_pending_events
            and self._queues.pending_bytes <= 0.75 * self._max_pending_bytes
        )

    def _wait_for_room(self, length: int, size: int, *, block: bool, until: float | None) -> None:
        """Return once there is room, or once the event is to be dropped and needs none.

        Args:
            length: how many bytes would go out.
            size: how many would be kept.
            block: whether to wait.
            until: until when.
        """
        while self._lacks_room(1, size) and self._reason_to_drop(length) is None:
            full = f"{self._queues.pending} events are pending"
            if self._status.state is State.PAUSED and not self._queues.out:
                raise QueueFullError(
                    f"{full}, and the Current is paused ({self._status.reason}): "
                    "nothing makes room until it is resumed"
                )
            if not block:
                raise QueueFullError(f"{full}, which is the limit")
            if until is not None and self._clock.now() >= until:
                raise QueueFullError(f"{full}, and none left in time")
            if not self._queues.out and self._queues.next_due() != -math.inf:
                # Nothing is about to leave: what waits for its batch to fill makes the room.
                self._queues.start_round()
                self._work.notify_all()
            self._clock.wait(self._room, until)
            self._refuse_if_closed()
            self._tick()

    # Waiting for events to leave

    def flush(self, timeout: float | None = None) -> Result:
        """Send what is queued now, full batches or not, and wait until it has left.

        Hooks that are due by then have been called, too. Returns early when the Current is paused
        or disabled, since nothing leaves then. Events that other threads send meanwhile are not
        waited for.

        Args:
            timeout: seconds to wait, at most; None waits for as long as it takes.
        """
        with self._lock:
            number = self._queues.start_round()
            self._work.notify_all()
            until = None if timeout is None else self._clock.now() + timeout
            while (
                self._queues.pending_of(number) > 0
                and not self._stopped
                and os.getpid() == self._process
                and (self._status.state is State.ACTIVE or self._queues.out)
                and (until is None or self._clock.now() < until)
            ):
                self._clock.wait(self._settled, until)
        self._calls.wait(self._clock, until)
        return self.result

    def close(self, timeout: float | None = 30.0) -> Result:
        """Take no more events, flush, and end the threads; harmless when done already.

        A wait before another attempt ends at once when the time is up. What is pending then is
        told by the result and by `pending`; a request that is under way gets another second.

        Args:
            timeout: seconds to wait for events to leave; None waits for as long as it takes.
        """
        end = None if timeout is None else self._clock.now() + timeout
        self._calls.wait(self._clock, end)  # a hook that is due may still send
        with self._lock:
            self._closed = True
            self._room.notify_all()
        self.flush(None if end is None else max(end - self._clock.now(), 0.0))
        with self._lock:
            self._stopped = True
            self._wake_all()
            until = self._clock.now() + 1.0
            while self._threads and self._clock.now() < until:
                self._clock.wait(self._settled, until)
            if not self._threads:
                self._endpoint.close()
        self._calls.wait(self._clock, until)
        atexit.unregister(self._last_words)
        result = self.result
        if result.pending:
            _log.warning("%r closed with %d events pending", self, result.pending)
        return result

    def _at_exit(self) -> None:
        if os.getpid() == self._process and (pending := self.result.pending):
            _log.error("%r was not closed; %d pending events are lost", self, pending)

    def resume(self, current: Current | None = None) -> None:
        """Enable a paused or disabled Current again; what was kept goes on being sent.

        Args:
            current: the Current with its credentials mended; None goes on with those there are.

        Raises:
            SenderClosedError: the sender was closed.
        """
        with self._lock:
            self._refuse_if_closed()
            if current is not None:
                self._endpoint.use(current)
                self._current = current
            self._resumes += 1
            if self._status.state is not State.ACTIVE:
                self._status = self._status.resumed()
                self._queues.forgive()
                self._notify(NoticeKind.RESUMED)
                self._wake_all()

    @property
    def result(self) -> Result:
        """The account so far."""
        with self._lock:
            totals_by_type = self._queues.totals_by_type()
            totals = {
                name: sum(getattr(totals, name) for totals in totals_by_type.values())
                for name in ("accepted", "delivered", "dropped", "filtered", "pending")
            }
            return Result(
                **totals,
                requests=self._requests,
                retries=self._retries,
                duration_s=self._clock.now() - self._began,
                by_event_type=totals_by_type,
                drop_reasons=dict(self._queues.drop_reasons),
                filter_reasons=dict(self._queues.filter_reasons),
                state=self._status.state,
                reason=self._status.reason,
            )

    def pending(self) -> Iterator[Event]:
        """The events that are pending, as they were before field transformations."""
        with self._lock:
            queued = self._queues.pending_events()
        return (Event.from_dict(orjson.loads(each.original or each.body)) for each in queued)

    # Asking the receiver

    def check_credentials(self) -> CredentialsCheck:
        """Ask whether the credentials hold, with a request that has no events; sent once.

        It counts as no attempt: the Current is not paused by what it finds.
        """
        response = self._endpoint.post(EMPTY_BODY)
        return self._current.destination.judge(response.status, response.text)

    def send_test_events(
        self, sample: Callable[[EventType], Event], *, timeout: float | None = 30.0
    ) -> Result:
        """Send one event of each selected type, and wait until they have left.

        Args:
            sample: makes an event of a type; `World().sample` does.
            timeout: seconds to wait, at most.

        Source: Braze, Set up Currents ("Send Test Events").
        """
        current = self._current
        types = current.catalog.event_types
        self.send(sample(each) for each in types if each.name in current.selected)
        return self.flush(timeout)

    # The workers

    def _keep_a_worker(self) -> None:
        """See to it that a thread is idle: it watches the time, and takes the next batch."""
        if not self._idle and not self._stopped:
            thread = threading.Thread(target=self._run_worker, name="currents-export", daemon=True)
            thread.start()  # which may fail, and waits for the lock otherwise
            self._threads.add(thread)
            self._idle += 1

    def _has_slot(self) -> bool:
        return self._active + self._returning < self._concurrency

    def _wake_a_worker(self) -> None:
        if self._has_slot():
            self._work.notify()

    def _run_worker(self) -> None:
        try:
            while (batch := self._next_batch()) is not None:
                self._deliver(batch)
                with self._lock:
                    self._idle += 1
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())
                if self._stopped and not self._threads:
                    self._endpoint.close()
                self._settled.notify_all()

    def _next_batch(self) -> Batch | None:
        """Wait for a batch, as a thread that counts as idle; None ends the thread."""
        with self._lock:
            while not self._stopped:
                self._tick()
                free = self._has_slot() and not self._halted
                batch = self._queues.take(self._clock.now()) if free else None
                if batch is not None:
                    self._active += 1
                    self._idle -= 1
                    try:
                        self._keep_a_worker()
                    except RuntimeError as error:  # this one goes on alone, for the time being
                        _log.warning("no other thread can be started: %s", error)
                    self._wake_a_worker()
                    return batch
                self._room.notify_all()
                if self._idle > self._concurrency + 1:
                    self._work.notify()
                    break
                due = self._queues.next_due() if free else None
                self._clock.wait(self._work, _earliest(due, self._next_change()))
            self._idle -= 1
            return None

    def _deliver(self, batch: Batch) -> None:
        outcome = _HALTED
        try:
            body = encode_body([each.body for each in batch.events])
            outcome = self._attempt(batch, body)
            if outcome.action is Action.RETRY:
                outcome = self._repeat(batch, body, outcome)
        finally:
            self._finish(batch, outcome)

    def _repeat(self, batch: Batch, body: bytes, first: _Outcome) -> _Outcome:
        """Send again, and wait before, until that leads to something else."""
        repeat = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda outcome: outcome.action is Action.RETRY),
            wait=self._pause,
            sleep=partial(self._back_off, batch),
        )
        # To tenacity, the attempt that was made is the first of those it makes.
        attempts = chain((first,), iter(partial(self._attempt, batch, body), None))
        last: _Outcome = repeat(next, attempts)
        return last

    def _attempt(self, batch: Batch, body: bytes) -> _Outcome:
        with self._lock:
            if self._halted:
                return _HALTED
            self._requests += 1
            self._retries += batch.attempts > 0
            batch.attempts += 1
            number, resumes = batch.attempts, self._resumes
        began = self._clock.now()
        response = self._endpoint.post(body)
        now = self._clock.now()
        action = decide(response.status, size=len(batch.events), alone=batch.alone)
        with self._lock:
            if self._hooks.on_attempt is not None:
                attempt = Attempt(
                    batch.event_type, len(batch.events), number, response, action, now, now - began
                )
                self._calls.add(self._hooks.on_attempt, attempt)
            if action is Action.PAUSE and resumes != self._resumes:
                # It was asked before the credentials were mended, so it says nothing of them.
                return _HALTED
            if action in (Action.RETRY, Action.PAUSE):
                self._queues.fails(batch, str(response), now)
            before = self._status
            self._status = before.answered(action, str(response), now)
            if self._status.state is not before.state:
                self._notify(NoticeKind.PAUSED)
                self._wake_all()
            self._tick()
        return _Outcome(response, action)

    def _pause(self, state: tenacity.RetryCallState) -> float:
        """The seconds before the next attempt."""
        assert state.outcome is not None  # noqa: S101 - tenacity asks after an attempt alone
        asked = state.outcome.result().response.retry_after
        return self._backoff.wait(state, self._rng, asked)

    def _back_off(self, batch: Batch, seconds: float) -> None:
        """Wait before the batch is sent again, leaving its place to other event types."""
        with self._lock:
            until = self._clock.now() + seconds
            self._queues.hold(batch)
            self._active -= 1
            self._wake_a_worker()
            while not self._halted and self._clock.now() < until:
                self._clock.pause(self._again, min(until, self._next_change() or until))
                self._tick()
            # From here on the next free place is this batch's, before any new one's.
            self._returning += 1
            while not self._halted and self._active >= self._concurrency:
                self._clock.wait(self._again, self._next_change())
                self._tick()
            self._returning -= 1
            self._active += 1
            self._queues.release(batch)

    def _finish(self, batch: Batch, outcome: _Outcome) -> None:
        with self._lock:
            self._active -= 1
            action, reason = outcome.action, DropReason.REJECTED_ALONE
            if action in (None, Action.RETRY, Action.PAUSE) and self._status.expired:
                action, reason = Action.DROP, DropReason.EXPIRED
            response = "" if outcome is _HALTED else str(outcome.response)
            self._dropped(self._queues.settle(batch, action, reason, response))
            if action is Action.DELIVERED and self._hooks.on_delivered is not None:
                ids = tuple(each.id for each in batch.events)
                self._calls.add(self._hooks.on_delivered, batch.event_type, ids)
            if self._has_ample_room():
                self._room.notify_all()
            self._settled.notify_all()
            # This thread takes the next batch itself. Another is woken only if there is more to do
            # than that: waking one for every batch would cost more than sending it.
            if self._returning:
                self._again.notify_all()
            if action in (Action.SPLIT_TO_ONES, Action.SPLIT_SMALLER):
                self._wake_a_worker()

    # The rest is called with the lock held.

    @property
    def _halted(self) -> bool:
        return self._stopped or self._status.state is not State.ACTIVE

    def _stuck_since(self) -> float | None:
        stuck = self._queues.stuck
        return None if stuck is None else stuck.failing_since

    def _next_change(self) -> float | None:
        return self._status.next_change(self._stuck_since())

    def _tick(self) -> None:
        """Let the time that has passed have its effect."""
        if self._status.failing_since is None and not (self._queues.stuck or self._status.alarmed):
            return
        self._status, kinds = self._status.at(self._clock.now(), self._stuck_since())
        for kind in kinds:
            self._notify(kind)
            if kind is NoticeKind.EXPIRED:
                self._dropped(self._queues.expire(DropReason.EXPIRED))
        if kinds:
            self._wake_all()

    def _wake_all(self) -> None:
        for condition in (self._work, self._again, self._room, self._settled):
            condition.notify_all()

    def _dropped(self, drops: list[Drop]) -> None:
        for drop in drops:
            _log.debug(
                "dropped %s (%s): %s %s", drop.id, drop.event_type, drop.reason, drop.response
            )
            self._calls.add(self._hooks.on_dropped, drop)

    def _notify(self, kind: NoticeKind) -> None:
        name, email = self._current.integration_name, self._current.contact_email
        stuck = self._queues.stuck
        reason = self._status.reason or (stuck.trouble if stuck else "")
        notice = Notice(kind, name, email, reason, self._clock.now())
        _log.warning("%s (to %s)", notice.message, email)
        self._calls.add(self._hooks.on_notice, notice)


def _check_counts(**options: object) -> None:
    for name, value in options.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise OptionError(f"{name} is {value!r}; it must be a whole number, 1 or more")


def _check_seconds(**options: object) -> None:
    for name, value in options.items():
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not 0 < value <= threading.TIMEOUT_MAX
        ):
            raise OptionError(
                f"{name} is {value!r}; it must be seconds, above 0 and up to "
                f"{threading.TIMEOUT_MAX:.0f}"
            )


def _warn_at_exit(reference: weakref.ReferenceType[Sender]) -> None:
    if (sender := reference()) is not None:
        sender._at_exit()  # noqa: SLF001 - a function only so as not to keep the sender alive


def _earliest(*times: float | None) -> float | None:
    return min((time for time in times if time is not None), default=None)
