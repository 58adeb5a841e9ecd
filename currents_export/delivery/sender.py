"""`Sender`: the face of delivery."""

from __future__ import annotations

import atexit
import logging
import os
import ssl
import weakref
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import orjson

from ..catalog import EventType
from ..current import Current
from ..destinations import CredentialsCheck
from ..events import Event
from ..payload import BATCH_SIZE, EMPTY_BODY
from ._acceptance import accept, accept_into_outbox
from ._backoff import Policy, Stop, Wait
from ._connections import Connections
from ._core import Core
from ._endpoint import Endpoint
from ._engine import Engine
from ._options import Durability, check_counts, check_durability, check_seconds, check_strategies
from ._outbox import Outbox
from ._reports import Reports
from ._room import Room
from ._scheduler import Scheduler
from .clock import Clock, SystemClock
from .hooks import Hooks
from .result import Result

__all__ = ["Sender"]

_log = logging.getLogger("currents_export.delivery")

#: Seconds that requests in flight still get when a sender is closed.
_LAST_CHANCE = 1.0


class Sender:
    """Send events as a Current does: queued by event type, in batches, at least once.

    The sender uses its own threads: one for each request in flight, one that watches the time, one
    for hooks, and one while it looks up the address of a host. Any number of threads may call it,
    and signal handlers may, too. Use it as a context manager, or call `close`: without an outbox,
    events that are pending when the process ends are lost, and an error is logged. After a fork, it
    belongs to the parent; in the child, each method raises `SenderClosedError`.

    Args:
        current: where events are sent to, and which ones.
        batch_size: the largest number of events in a request. Braze: 100.
        max_age: seconds after which a batch is sent even if it is not full. Braze: 300. When events
            wait for room, batches that are not full are sent earlier.
        max_pending_events: the largest number of pending events; if there is no room, `send`
            blocks. Half of the room is divided equally among the event types of the Current, so
            that no type can block the others; the first to come takes the other half.
        max_pending_bytes: the largest number of bytes of JSON that are pending, divided in the same
            way. A larger event fits if no other event of its type is pending.
        wait: how long to wait before a batch is sent again: any wait strategy of tenacity. The
            default is `Backoff()`, exponential with jitter. `Retry-After` sets the minimum.
        stop: when to stop sending a batch again: any stop strategy of tenacity. When it says so,
            the Current is paused, with a notice, and the batch is kept. The default is never.
        concurrency: the largest number of requests in flight at once. A batch that waits to be sent
            again does not count. Batches that failed use at most half of them, but at least one.
        timeout: seconds allowed for a whole request: for connecting, writing, and the response.
        max_retry_after: the longest wait, in seconds, that a `Retry-After` header can ask for.
        pause_after: seconds of failures, without a success of any event type, after which the
            Current is paused. With None, the default, it is not paused but disabled after five
            days, as in Braze.
        hooks: functions to call when something happens.
        ssl_context: the TLS settings, such as the certificates to trust or a client certificate;
            those of httpx by default. A transport that is passed in has its own.
        transport: an httpx transport to use instead of the sender's own, for a test or another
            network. It must allow `concurrency` requests at once, from different threads, and keeps
            to `timeout` as httpx's clients pass it on. Whatever it raises is a failed attempt. The
            sender does not close it, so several senders may share it. The sender's own transports
            are never used by two requests at once.
        clock: the time; for tests.
        outbox: a file that keeps accepted events, what became of them, and the state of the
            Current, so that another sender continues after the end of the process. It is made if it
            does not exist; one sender at a time can use it. `send` returns when the events are
            stored, and never waits for room: `max_pending_events` and `max_pending_bytes` limit
            only what is in memory.
        durability: what the outbox survives: `process`, the end of the process, however it ends;
            or `power`, a power failure as well, which is slower.

    Raises:
        OptionError: an argument is out of range.
        OutboxError: the outbox cannot be used, is in use, or belongs to another Current.

    Source: Braze, Custom Currents export, Event delivery semantics, Currents FAQ.
    """

    def __init__(
        self,
        current: Current,
        *,
        batch_size: int = BATCH_SIZE,
        max_age: float = 300.0,
        max_pending_events: int = 20_000,
        max_pending_bytes: int = 64 * 2**20,
        wait: Wait | None = None,
        stop: Stop | None = None,
        concurrency: int = 2,
        timeout: float = 30.0,
        max_retry_after: float = 3600.0,
        pause_after: float | None = None,
        hooks: Hooks | None = None,
        ssl_context: ssl.SSLContext | None = None,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        outbox: Path | str | None = None,
        durability: Durability | str = Durability.PROCESS,
    ) -> None:
        check_counts(
            batch_size=batch_size,
            max_pending_events=max_pending_events,
            max_pending_bytes=max_pending_bytes,
            concurrency=concurrency,
        )
        check_seconds(max_age=max_age, timeout=timeout, max_retry_after=max_retry_after)
        if pause_after is not None:
            check_seconds(pause_after=pause_after)
        check_strategies(wait=wait, stop=stop)
        durability = check_durability(durability)
        self._clock = clock or SystemClock()
        self._began = self._clock.now()
        self._connections = Connections(
            current,
            partial(
                Endpoint,
                timeout=timeout,
                max_retry_after=max_retry_after,
                transport=transport,
                ssl_context=ssl_context,
            ),
        )
        self._core = Core(
            Scheduler(
                batch_size=batch_size,
                max_age=max_age,
                room=Room(max_pending_events, max_pending_bytes, len(current.selected)),
                concurrency=concurrency,
            ),
            pause_after=pause_after,
        )
        self._outbox = _open_outbox(outbox, current, durability)
        connections, hooks = self._connections, hooks or Hooks()
        self._engine = Engine(
            self._core,
            connections,
            Policy(wait, stop),
            self._clock,
            concurrency=concurrency,
            reports=lambda calls: Reports(calls, hooks, lambda: connections.current),
            outbox=self._outbox,
        )
        self._exit_check = partial(
            _check_at_exit, weakref.ref(self._engine), repr(self), os.getpid(), self._kept_in
        )
        atexit.register(self._exit_check)

    def __repr__(self) -> str:
        current = self._connections.current
        return f"<Sender of {current.integration_name!r} to {current.shown_url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Only an interrupt by the user does not wait for events to leave; the end of the program,
        # of a generator or of a task does.
        interrupted = kind is not None and issubclass(kind, KeyboardInterrupt)
        self.close(timeout=0.0 if interrupted else 30.0)

    # Accept events

    def send(
        self,
        events: Event | Iterable[Event],
        *,
        block: bool = True,
        timeout: float | None = None,
        source: str | None = None,
    ) -> None:
        """Accept one event, or many.

        Events that the Current does not send are filtered: counted, but not accepted. Events
        larger than 900 KB are accepted and dropped. An iterable is read only as fast as there is
        room for its events.

        Args:
            events: an `Event`, or an iterable of them.
            block: whether to wait for room when too much is pending.
            timeout: the longest time to wait for room, in seconds; None waits forever.
            source: the name of what the events are from, such as a file. If all its events are
                sent again with the same outbox and name, those that were accepted before are
                skipped: those at the same position with the same id. Without an outbox, the name
                has no effect.

        Raises:
            EventError: the event cannot be written as JSON. If it is in an iterable, the other
                events are accepted, and `InvalidEventsError` is raised at the end.
            QueueFullError: there is no room, and `block` is false, `timeout` has passed, or the
                Current is paused, so that nothing will make room.
            NotStoredError: the outbox cannot store an event.
            SenderClosedError: the sender is closed.
        """
        self._engine.check_process()
        current = self._connections.current
        if self._outbox is None:
            until = None if timeout is None else self._clock.now() + timeout
            accept(self._engine, current, events, block=block, until=until)
        else:
            accept_into_outbox(
                self._engine,
                self._outbox,
                current,
                events,
                block=block,
                source=source,
                skip=lambda count: self._engine.ask(lambda: self._core.ledger.skip(count)),
            )

    # Wait for events to leave

    def flush(self, timeout: float | None = None) -> Result:
        """Send everything that is queued, and wait until it has left.

        It also waits for the hooks that are due. It returns early if the Current is paused or
        disabled, because then nothing leaves. It does not wait for events that other threads send
        meanwhile.

        Args:
            timeout: the longest time to wait, in seconds; None waits as long as necessary.
        """
        self._engine.check_process()
        until = None if timeout is None else self._clock.now() + timeout
        self._engine.flush(until)
        self._engine.hook_calls.wait(self._clock, until)
        return self.result

    def close(self, timeout: float | None = 30.0) -> Result:
        """Accept no more events, flush, and end the threads; a second call does nothing.

        Events leave first; the time that remains is for the hooks that are due, which may still
        send. When the time is up, waits between attempts end, and a request in flight gets one more
        second. The result and `pending` show the events that are still pending.

        Args:
            timeout: the longest time to wait for events to leave, in seconds; None waits as long
                as necessary.
        """
        engine, clock = self._engine, self._clock
        engine.check_process()
        until = None if timeout is None else clock.now() + timeout
        if timeout is None or timeout > 0:
            engine.flush(until, urgent=True)
            engine.hook_calls.wait(clock, until)
            engine.close()
            engine.flush(until)
        engine.stop(_LAST_CHANCE)
        last = clock.now() + _LAST_CHANCE
        engine.hook_calls.wait(clock, None if until is None else max(until, last))
        atexit.unregister(self._exit_check)
        result = self.result
        if result.pending:
            kept = f", {self._kept_in}" if self._kept_in else ""
            _log.warning("%r closed with %d events pending%s", self, result.pending, kept)
        return result

    def resume(self, current: Current | None = None) -> None:
        """Enable a paused or disabled Current again, and send the events it kept.

        Args:
            current: the Current with corrected credentials; None keeps the old credentials.

        Raises:
            SenderClosedError: the sender is closed.
        """
        self._engine.check_process()
        self._engine.check_open()
        if current is not None:
            self._connections.use(current)
            if (outbox := self._outbox) is not None:
                self._engine.ask(lambda: outbox.use(current))
        now, types = self._clock.now(), len(self._connections.current.selected)
        self._engine.ask(lambda: self._core.resume(now, types=types))

    @property
    def result(self) -> Result:
        """What happened to the events so far."""
        self._engine.check_process()
        now = self._clock.now()
        return self._engine.ask(lambda: self._result(now))

    def _result(self, now: float) -> Result:
        ledger, status = self._core.ledger, self._core.status
        by_event_type = ledger.totals_by_type()
        sums = {
            name: sum(getattr(totals, name) for totals in by_event_type.values())
            for name in ("accepted", "delivered", "dropped", "filtered", "pending")
        }
        return Result(
            **sums,
            requests=ledger.requests,
            retries=ledger.retries,
            duration_s=now - self._began,
            by_event_type=by_event_type,
            drop_reasons=dict(ledger.drop_reasons),
            filter_reasons=dict(ledger.filter_reasons),
            state=status.state,
            reason=status.reason,
            hook_failures=self._engine.hook_calls.failures,
            carried_over=self._core.carried_over,
            skipped=ledger.skipped,
        )

    def pending(self) -> Iterator[Event]:
        """Return the pending events, as they were before field transformations."""
        self._engine.check_process()
        scheduler = self._core.scheduler
        queued, keys = self._engine.ask(
            lambda: (scheduler.pending_events(), scheduler.loaded_keys())
        )
        texts = [each.original or each.body for each in queued]
        stored = self._outbox.pending_after(keys) if self._outbox is not None and keys else ()
        return (Event.from_dict(orjson.loads(each)) for each in chain(texts, stored))

    @property
    def _kept_in(self) -> str:
        return "" if self._outbox is None else f"kept in {self._outbox}"

    # Ask the receiver

    def check_credentials(self) -> CredentialsCheck:
        """Check the credentials with one request that has no events.

        The request is not counted as an attempt, and a bad response does not pause the Current.
        """
        self._engine.check_process()
        response = self._connections.post(EMPTY_BODY)
        destination = self._connections.current.destination
        return destination.judge(response.status, response.text)

    def send_test_events(
        self, sample: Callable[[EventType], Event], *, timeout: float | None = 30.0
    ) -> Result:
        """Send one event of each selected type, and wait until they have left.

        Args:
            sample: a function that makes an event of a type, such as `World().sample`.
            timeout: the longest time to wait, in seconds; None waits as long as necessary.

        Source: Braze, Set up Currents ("Send Test Events").
        """
        current = self._connections.current
        types = current.catalog.event_types
        self.send(sample(each) for each in types if each.name in current.selected)
        return self.flush(timeout)


def _open_outbox(
    path: Path | str | None, current: Current, durability: Durability
) -> Outbox | None:
    if path is None:
        return None
    from .outbox import SqliteOutbox  # noqa: PLC0415 - SQLite is loaded only where it is used

    return SqliteOutbox(path, current, power=durability is Durability.POWER)


def _check_at_exit(
    reference: weakref.ReferenceType[Engine], name: str, process: int, kept_in: str
) -> None:
    # A weak reference, because the interpreter would otherwise keep every sender alive.
    engine = reference()
    if engine is None or os.getpid() != process:
        return
    if pending := engine.count_pending():
        where = kept_in or "lost"
        _log.error("%s was not closed; %d pending events are %s", name, pending, where)
