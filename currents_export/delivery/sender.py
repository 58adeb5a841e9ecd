"""`Sender`: the shell of threads, sockets and clocks around the pure parts of delivery."""

from __future__ import annotations

import atexit
import logging
import math
import os
import random
import ssl
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
from ..payload import BATCH_SIZE, EMPTY_BODY, MAX_EVENT_BYTES, encode_body
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
    """Send events as a Current does: queued by event type, in batches, at least once.

    The sender uses its own threads, and any number of threads may call `send`. Use it as
    a context manager, or call `close`: events that are pending when the process ends are lost,
    and an error is logged.

    Args:
        current: where events are sent to, and which ones.
        batch_size: the largest number of events in a request. Braze: 100.
        max_age: seconds after which a batch is sent even if it is not full. Braze: 300.
        max_pending_events: how many events may be pending before `send` blocks.
        max_pending_bytes: how many bytes of JSON may be pending before `send` blocks.
        backoff: how long to wait before a batch is sent again.
        concurrency: the largest number of requests in flight at once. A batch that waits to be sent
            again does not count; it occupies a sleeping thread, and delays the other batches of its
            event type.
        timeout: seconds allowed for a whole request: connecting, writing, and the response.
        max_retry_after: the longest wait, in seconds, that a `Retry-After` header can ask for.
        pause_after: seconds of failures after which the Current is paused. With None, the default,
            it is not paused but disabled after five days, as in Braze.
        hooks: functions to call when something happens.
        ssl_context: the TLS settings, such as the certificates to trust or a client certificate;
            those of httpx by default. A transport that is passed in has its own.
        transport: an httpx transport to use instead of the sender's own, for a test or another
            network. It gets `timeout` as httpx's clients pass it on, and whatever it raises in a
            worker is a failed attempt. The sender does not close it, so several senders may share
            it.
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
        batch_size: int = BATCH_SIZE,
        max_age: float = 300.0,
        max_pending_events: int = 10_000,
        max_pending_bytes: int = 64 * 2**20,
        backoff: Backoff | None = None,
        concurrency: int = 2,
        timeout: float = 30.0,
        max_retry_after: float = 3600.0,
        pause_after: float | None = None,
        hooks: Hooks | None = None,
        ssl_context: ssl.SSLContext | None = None,
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
        _check_seconds(max_age=max_age, timeout=timeout, max_retry_after=max_retry_after)
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
        self._endpoint = Endpoint(
            current,
            timeout=timeout,
            max_retry_after=max_retry_after,
            transport=transport,
            ssl_context=ssl_context,
        )
        self._began = self._clock.now()

        # One lock guards everything below. Each condition is named after what threads wait for.
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._again = threading.Condition(self._lock)
        self._room = threading.Condition(self._lock)
        self._settled = threading.Condition(self._lock)
        self._queues = Queues(batch_size=batch_size, max_age=max_age)
        self._status = Status(pause_after=pause_after)
        self._hook_calls = HookCalls()
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
        self._exit_check = partial(_check_at_exit, weakref.ref(self))
        atexit.register(self._exit_check)

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
        # Close immediately on an interrupt; after any other error, still deliver the accepted
        # events.
        interrupted = kind is not None and not issubclass(kind, Exception)
        self.close(timeout=0.0 if interrupted else 30.0)

    # Accept events

    def send(
        self,
        events: Event | Iterable[Event],
        *,
        block: bool = True,
        timeout: float | None = None,
    ) -> None:
        """Accept one event, or many.

        Events that the Current does not send are filtered: counted, but not accepted. Events
        larger than 900 KB are accepted and dropped. An iterable is read only as fast as there is
        room for its events.

        Args:
            events: an `Event`, or an iterable of them.
            block: whether to wait for room when too much is pending.
            timeout: the longest time to wait for room, in seconds; None waits forever.

        Raises:
            EventError: the event cannot be written as JSON. If it is in an iterable, the other
                events are accepted, and `InvalidEventsError` is raised at the end.
            QueueFullError: there is no room, and `block` is false, `timeout` has passed, or the
                Current is paused, so that nothing will make room.
            SenderClosedError: the sender is closed.
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
        """Accept a chunk of events under one lock, and add invalid ones to `problems`."""
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
            except BaseException:  # an interrupt may occur at any point
                self._queues.recount()
                raise
            finally:
                for index, why in others.items():
                    if index < done:
                        self._set_aside(chunk[index], why, problems)

    def _have_room(self, entries: list[Entry]) -> bool:
        """Return whether all entries can be queued at once, which is the usual case."""
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
            self._hook_calls.add(self._hooks.on_filtered, event, why)

    def _refuse_if_closed(self) -> None:
        if os.getpid() != self._process:
            raise SenderClosedError("the sender was made in another process; make a new one")
        if self._closed:
            raise SenderClosedError("the sender is closed; make a new one to send more events")

    def _reason_to_drop(self, size: int) -> DropReason | None:
        if size > MAX_EVENT_BYTES:
            return DropReason.TOO_LARGE
        return DropReason.DISABLED if self._status.state is State.DISABLED else None

    def _lacks_room(self, count: int, size: int) -> bool:
        """Return whether there is no room for `count` more events of `size` bytes in total.

        When nothing is pending, one event always has room, whatever its size.
        """
        pending = self._queues.pending
        return pending + count > self._max_pending_events or (
            self._queues.pending_bytes + size > self._max_pending_bytes and pending > 0
        )

    def _has_ample_room(self) -> bool:
        """Return whether to wake threads that wait for room; every batch would be too often."""
        return (
            self._queues.pending <= 0.75 * self._max_pending_events
            and self._queues.pending_bytes <= 0.75 * self._max_pending_bytes
        )

    def _wait_for_room(self, length: int, size: int, *, block: bool, until: float | None) -> None:
        """Return when there is room for an event, or when it will be dropped and needs none.

        Args:
            length: the bytes of JSON that would be sent.
            size: the bytes of JSON that would be kept.
            block: whether to wait.
            until: when to stop waiting.
        """
        while self._lacks_room(1, size) and self._reason_to_drop(length) is None:
            full = f"{self._queues.pending} events are pending"
            if self._status.state is State.PAUSED and not self._queues.in_flight:
                raise QueueFullError(
                    f"{full}, and the Current is paused ({self._status.reason}): "
                    "there will be no room until it is resumed"
                )
            if not block:
                raise QueueFullError(f"{full}, which is the limit")
            if until is not None and self._clock.now() >= until:
                raise QueueFullError(f"{full}, and there was no room in time")
            if not self._queues.in_flight and self._queues.next_due() != -math.inf:
                # Nothing is about to leave, so send the batches that are not full to make room.
                self._queues.start_flush()
                self._work.notify_all()
            self._clock.wait(self._room, until)
            self._refuse_if_closed()
            self._tick()

    # Wait for events to leave

    def flush(self, timeout: float | None = None) -> Result:
        """Send everything that is queued, and wait until it has left.

        It also waits for the hooks that are due. It returns early if the Current is paused or
        disabled, because then nothing leaves. It does not wait for events that other threads send
        meanwhile.

        Args:
            timeout: the longest time to wait, in seconds; None waits as long as necessary.
        """
        with self._lock:
            generation = self._queues.start_flush()
            self._work.notify_all()
            until = None if timeout is None else self._clock.now() + timeout
            while (
                self._queues.pending_before(generation) > 0
                and not self._stopped
                and os.getpid() == self._process
                and (self._status.state is State.ACTIVE or self._queues.in_flight)
                and (until is None or self._clock.now() < until)
            ):
                self._clock.wait(self._settled, until)
        self._hook_calls.wait(self._clock, until)
        return self.result

    def close(self, timeout: float | None = 30.0) -> Result:
        """Accept no more events, flush, and end the threads; a second call does nothing.

        When the time is up, waits between attempts end, and a request in flight gets one more
        second. The result and `pending` show the events that are still pending.

        Args:
            timeout: the longest time to wait for events to leave, in seconds; None waits as long
                as necessary.
        """
        end = None if timeout is None else self._clock.now() + timeout
        self._hook_calls.wait(self._clock, end)  # a hook that is due may still call send
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
        self._hook_calls.wait(self._clock, until)
        atexit.unregister(self._exit_check)
        result = self.result
        if result.pending:
            _log.warning("%r closed with %d events pending", self, result.pending)
        return result

    def _log_lost_events(self) -> None:
        if os.getpid() == self._process and (pending := self.result.pending):
            _log.error("%r was not closed; %d pending events are lost", self, pending)

    def resume(self, current: Current | None = None) -> None:
        """Enable a paused or disabled Current again, and send the events it kept.

        Args:
            current: the Current with corrected credentials; None keeps the old credentials.

        Raises:
            SenderClosedError: the sender is closed.
        """
        with self._lock:
            self._refuse_if_closed()
            if current is not None:
                self._endpoint.use(current)
                self._current = current
            self._resumes += 1
            if self._status.state is not State.ACTIVE:
                self._status = self._status.resumed()
                self._queues.clear_failures()
                self._notify(NoticeKind.RESUMED)
                self._wake_all()

    @property
    def result(self) -> Result:
        """What happened to the events so far."""
        with self._lock:
            by_event_type = self._queues.totals_by_type()
            sums = {
                name: sum(getattr(totals, name) for totals in by_event_type.values())
                for name in ("accepted", "delivered", "dropped", "filtered", "pending")
            }
            return Result(
                **sums,
                requests=self._requests,
                retries=self._retries,
                duration_s=self._clock.now() - self._began,
                by_event_type=by_event_type,
                drop_reasons=dict(self._queues.drop_reasons),
                filter_reasons=dict(self._queues.filter_reasons),
                state=self._status.state,
                reason=self._status.reason,
            )

    def pending(self) -> Iterator[Event]:
        """Return the pending events, as they were before field transformations."""
        with self._lock:
            queued = self._queues.pending_events()
        return (Event.from_dict(orjson.loads(each.original or each.body)) for each in queued)

    # Ask the receiver

    def check_credentials(self) -> CredentialsCheck:
        """Check the credentials with one request that has no events.

        The request is not counted as an attempt, and a bad response does not pause the Current.
        """
        response = self._endpoint.post(EMPTY_BODY)
        return self._current.destination.judge(response.status, response.text)

    def send_test_events(
        self, sample: Callable[[EventType], Event], *, timeout: float | None = 30.0
    ) -> Result:
        """Send one event of each selected type, and wait until they have left.

        Args:
            sample: a function that makes an event of a type, such as `World().sample`.
            timeout: the longest time to wait, in seconds; None waits as long as necessary.

        Source: Braze, Set up Currents ("Send Test Events").
        """
        current = self._current
        types = current.catalog.event_types
        self.send(sample(each) for each in types if each.name in current.selected)
        return self.flush(timeout)

    # The workers

    def _keep_a_worker(self) -> None:
        """Ensure that one worker is idle, to watch the time and to take the next batch."""
        if not self._idle and not self._stopped:
            thread = threading.Thread(target=self._run_worker, name="currents-export", daemon=True)
            thread.start()  # may fail; otherwise the new thread waits for the lock
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
        """Wait for a batch in an idle worker; None ends the worker."""
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
                    except RuntimeError as error:  # this worker continues without another
                        _log.warning("cannot start another thread: %s", error)
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
        """Retry with backoff until the response is final."""
        repeat = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda outcome: outcome.action is Action.RETRY),
            wait=self._pause,
            sleep=partial(self._back_off, batch),
        )
        # The attempt that was already made counts as the first one for tenacity.
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
        action = decide(response.status, size=len(batch.events), split_off=batch.split_off)
        with self._lock:
            if self._hooks.on_attempt is not None:
                attempt = Attempt(
                    batch.event_type, len(batch.events), number, response, action, now, now - began
                )
                self._hook_calls.add(self._hooks.on_attempt, attempt)
            if action is Action.PAUSE and resumes != self._resumes:
                # The request was sent before the Current was resumed, with the old credentials.
                return _HALTED
            if action in (Action.RETRY, Action.PAUSE):
                self._queues.record_failure(batch, str(response), now)
            before = self._status
            self._status = before.after_response(action, str(response), now)
            if self._status.state is not before.state:
                self._notify(NoticeKind.PAUSED)
                self._wake_all()
            self._tick()
        return _Outcome(response, action)

    def _pause(self, state: tenacity.RetryCallState) -> float:
        """Return the seconds to wait before the next attempt."""
        assert state.outcome is not None  # noqa: S101 - tenacity asks only after an attempt
        asked = state.outcome.result().response.retry_after
        return self._backoff.wait(state, self._rng, asked)

    def _back_off(self, batch: Batch, seconds: float) -> None:
        """Wait before the batch is sent again, and let other event types use its slot."""
        with self._lock:
            until = self._clock.now() + seconds
            self._queues.hold(batch)
            self._active -= 1
            self._wake_a_worker()
            while not self._halted and self._clock.now() < until:
                self._clock.pause(self._again, min(until, self._next_change() or until))
                self._tick()
            # From here on, this batch gets the next free slot before any new batch.
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
                self._hook_calls.add(self._hooks.on_delivered, batch.event_type, ids)
            if self._has_ample_room():
                self._room.notify_all()
            self._settled.notify_all()
            # This thread takes the next batch itself. Wake another only if there is more to do:
            # waking one for every batch would cost more than sending the batch.
            if self._returning:
                self._again.notify_all()
            if action in (Action.SPLIT_TO_ONES, Action.SPLIT_SMALLER):
                self._wake_a_worker()

    # The methods below are called with the lock held.

    @property
    def _halted(self) -> bool:
        return self._stopped or self._status.state is not State.ACTIVE

    def _stuck_since(self) -> float | None:
        stuck = self._queues.stuck
        return None if stuck is None else stuck.failing_since

    def _next_change(self) -> float | None:
        return self._status.next_change(self._stuck_since())

    def _tick(self) -> None:
        """Apply the changes of status that are due by now."""
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
            self._hook_calls.add(self._hooks.on_dropped, drop)

    def _notify(self, kind: NoticeKind) -> None:
        name, email = self._current.integration_name, self._current.contact_email
        stuck = self._queues.stuck
        reason = self._status.reason or (stuck.last_failure if stuck else "")
        notice = Notice(kind, name, email, reason, self._clock.now())
        _log.warning("%s (to %s)", notice.message, email)
        self._hook_calls.add(self._hooks.on_notice, notice)


def _check_counts(**options: object) -> None:
    for name, value in options.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise OptionError(f"{name} is {value!r}; it must be a whole number of 1 or more")


def _check_seconds(**options: object) -> None:
    for name, value in options.items():
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not 0 < value <= threading.TIMEOUT_MAX
        ):
            raise OptionError(
                f"{name} is {value!r}; it must be a number of seconds above 0 and up to "
                f"{threading.TIMEOUT_MAX:.0f}"
            )


def _check_at_exit(reference: weakref.ReferenceType[Sender]) -> None:
    # A function, because a bound method would keep the sender alive.
    if (sender := reference()) is not None:
        # A function of this module, so that atexit does not keep the sender alive.
        sender._log_lost_events()  # noqa: SLF001


def _earliest(*times: float | None) -> float | None:
    return min((time for time in times if time is not None), default=None)
