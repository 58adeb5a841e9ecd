"""`Sender`: the face of delivery for threads."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self

import attrs

from ..catalog import EventType
from ..current import Current
from ..destinations import CredentialsCheck
from ..errors import OptionError
from ..events import Event
from ._admission import chunks
from ._base_sender import BaseSender
from ._sending import Sending
from ._steps import run
from .hooks import Hooks
from .result import Result

__all__ = ["Sender"]


class Sender(BaseSender):
    """Send events as a Current does: queued by event type, in batches, at least once.

    The sender uses its own threads: one for each request in flight, one that watches the time, one
    for hooks, and one while it looks up the address of a host. Any number of threads may call it,
    and signal handlers may, too. Use it as a context manager, or call `close`: without an outbox,
    events that are pending when the process ends are lost, and an error is logged. After a fork, it
    belongs to the parent; in the child, each method raises `SenderClosedError`.

    Of a Test Current, at most 1,500 events leave in a day in UTC. They count when they leave, and
    what is not delivered is given back. Then nothing leaves until the next day, and nothing is
    lost. They are counted in the outbox, or in the file of the Current's workspace; otherwise, each
    sender counts by itself.

    >>> from currents_export import AppTransport, Current, Event, Receiver, Sender
    >>> current = Current(
    ...     integration_name="Orders", contact_email="qa@example.com", endpoint="http://localhost"
    ... )
    >>> user = {"user_id": "u1", "external_user_id": "customer-1"}
    >>> transport = AppTransport(Receiver().app)  # without it, the endpoint gets the requests
    >>> with transport, Sender(current, transport=transport) as sender:
    ...     sender.send(Event("users.messages.email.Open", 1_782_907_200, user))
    ...     sender.flush().delivered
    1

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
        rate: how many events leave in a second, on average, retries included; None for no limit.
            They leave evenly, so a batch has no more events than a second's.
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
        WorkspaceError: the file of the workspace cannot be used, or the workspace has ten other
            Test Currents on this day.

    Source: Braze, Custom Currents export, Event delivery semantics, Currents FAQ.
    """

    def _wrap_hooks(self, hooks: Hooks) -> Hooks:
        for name, hook in attrs.asdict(hooks, recurse=False).items():
            if inspect.iscoroutinefunction(hook):
                raise OptionError(f"{name} is a coroutine function; AsyncSender can await it")
        return hooks

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
            QueueFullError: there is no room, and `block` is false, `timeout` has passed, or nothing
                will make room, because the Current is paused or its quota is used up.
            NotStoredError: the outbox cannot store an event.
            SenderClosedError: the sender is closed.
        """
        steps = self._sending(events, block=block, timeout=timeout, source=source)
        with run(steps, self._clock) as sending:
            try:
                for chunk in chunks((events,) if isinstance(events, Event) else events):
                    self._accept(sending, sending.select(chunk))
                self._accept(sending, sending.rest())
            except Exception:
                run(sending.finish(), self._clock)  # the input may have failed: keep what it gave
                raise
            run(sending.finish(), self._clock)

    def _accept(self, sending: Sending, chunks: Iterable[Sequence[Event]]) -> None:
        for chunk in chunks:
            run(sending.accept(sending.prepare(chunk)), self._clock)

    # Wait for events to leave

    def flush(self, timeout: float | None = None) -> Result:
        """Send everything that is queued, and wait until it has left.

        It also waits for the hooks that are due. It returns early if the Current is paused or
        disabled, or the quota of a Test Current is used up, because then nothing leaves. It does
        not wait for events that other threads send meanwhile.

        Args:
            timeout: the longest time to wait, in seconds; None waits as long as necessary.
        """
        return run(self._flush(timeout), self._clock)

    def close(self, timeout: float | None = 30.0) -> Result:
        """Accept no more events, flush, and end the threads; a second call does nothing.

        Events leave first; the time that remains is for the hooks that are due, which may still
        send. When the time is up, waits between attempts end, and a request in flight gets one more
        second. The result and `pending` show the events that are still pending.

        Args:
            timeout: the longest time to wait for events to leave, in seconds; None waits as long
                as necessary.
        """
        return run(self._close(timeout), self._clock)

    # Change the Current

    def pause(self) -> None:
        """Send nothing until `resume`; events are still accepted as long as there is room.

        Requests in flight are not stopped. A Current that is disabled stays so.

        Raises:
            SenderClosedError: the sender is closed.
        """
        run(self._pause(), self._clock)

    def edit(self, current: Current) -> None:
        """Replace the form of the Current while it runs.

        Requests go to the new URL, with the new credentials, from now on. Event types, field
        transformations and `include_anonymous` apply to events that were not in a batch before:
        those that the Current no longer sends are dropped, as `deselected`. A paused Current stays
        paused.

        Args:
            current: the Current with its new settings.

        Raises:
            CurrentError: httpx cannot use the Current's URL, or the Current has another quota.
            OutboxError: the outbox cannot store that it belongs to this Current now.
            SenderClosedError: the sender is closed.

        Source: Braze, Set up Currents (editing a Current).
        """
        self._use(current)
        run(self._edit(), self._clock)

    def resume(self, current: Current | None = None) -> None:
        """Enable a paused or disabled Current again, and send the events it kept.

        Args:
            current: the Current with corrected credentials, which `edit` puts in the place of the
                old one; None keeps that.

        Raises:
            SenderClosedError: the sender is closed.
        """
        if current is not None:
            self._use(current)
        run(self._resume(), self._clock)

    # See what happened

    @property
    def result(self) -> Result:
        """What happened to the events so far."""
        return run(self._result(), self._clock)

    def pending(self) -> Iterator[Event]:
        """Return the pending events, as they were before field transformations."""
        return run(self._pending(), self._clock)

    # Ask the receiver

    def check_credentials(self) -> CredentialsCheck:
        """Check the credentials with one request that has no events.

        The request is not counted as an attempt, and a bad response does not pause the Current.
        """
        return self._check_credentials()

    def send_test_events(
        self, sample: Callable[[EventType], Event], *, timeout: float | None = 30.0
    ) -> Result:
        """Send one event of each selected type, and wait until they have left.

        Args:
            sample: a function that makes an event of a type, such as `World().sample`.
            timeout: the longest time to wait, in seconds; None waits as long as necessary.

        Source: Braze, Set up Currents ("Send Test Events").
        """
        self.send(map(sample, self._selected_types()))
        return self.flush(timeout)
