"""`AsyncSender`: the face of delivery for asyncio."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Sequence
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

from ..catalog import EventType
from ..current import Current
from ..destinations import CredentialsCheck
from ..events import Event
from ._admission import chunks, is_large
from ._base_sender import BaseSender
from ._loop import LoopHooks, in_thread, run_async
from ._sending import Sending
from ._steps import Steps
from .hooks import Hooks
from .result import Result

__all__ = ["AsyncSender"]

T = TypeVar("T")

#: Seconds of work after which the sender lets other tasks run.
_SLICE = 0.001
#: Events whose JSON is longer than these bytes are encoded in another thread.
_LARGE = 128 * 1024


class AsyncSender(BaseSender):
    """Send events as `Sender` does, without blocking the event loop.

    The arguments are those of `Sender`. Use it as an asynchronous context manager, or await
    `close`. Its requests are sent by the same threads as those of a `Sender`; whatever has to wait
    is awaited. It belongs to the event loop that uses it first, until that is closed, and may be
    made before that loop runs. Certificates are read and the outbox is opened when it is used
    first; an error in them is raised then.

    Hooks run in the event loop, one at a time, in the order in which things happen. They may be
    coroutine functions, and may await the methods of the sender.

    When a task that awaits the sender is cancelled, the sender goes on: what was accepted is
    delivered.

    >>> import asyncio
    >>> from currents_export import AppTransport, AsyncSender, Current, Event, Receiver
    >>> async def send(current, events, transport):
    ...     async with AsyncSender(current, transport=transport) as sender:
    ...         await sender.send(events)
    ...         return await sender.flush()
    >>> current = Current(
    ...     integration_name="Orders", contact_email="qa@example.com", endpoint="http://localhost"
    ... )
    >>> user = {"user_id": "u1", "external_user_id": "customer-1"}
    >>> with AppTransport(Receiver().app) as transport:
    ...     event = Event("users.messages.email.Open", 1_782_907_200, user)
    ...     asyncio.run(send(current, [event], transport)).delivered
    1

    Raises:
        OptionError: an argument is out of range.
    """

    def _prepare(self) -> None:
        self._is_open = False
        self._opening = threading.Lock()  # of threads: a caller that is cancelled does not stop it
        self._yielded_at = 0.0

    def _wrap_hooks(self, hooks: Hooks) -> Hooks:
        self._hooks = LoopHooks()
        return self._hooks.wrap(hooks)

    async def __aenter__(self) -> Self:
        await self._open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self.close()
        except asyncio.CancelledError:
            # It is cancelled again: leave at once, but in order.
            await self.close(timeout=0.0)
            raise

    # Accept events

    async def send(
        self,
        events: Event | Iterable[Event] | AsyncIterable[Event],
        *,
        block: bool = True,
        timeout: float | None = None,
        source: str | None = None,
    ) -> None:
        """Accept one event, or many; see `Sender.send`.

        If there is no room, it waits while other tasks run. If it is cancelled, the events that it
        accepted stay accepted. Of a list, the others are not accepted. Of another iterable, the
        event that was read last is accepted even without room, so that all others are still in the
        iterable. With an outbox, all that were read are accepted.

        Args:
            events: an `Event`, or an iterable or asynchronous iterable of them. An iterable that
                blocks blocks the event loop.
            block: whether to wait for room when too much is pending.
            timeout: the longest time to wait for room, in seconds; None waits forever.
            source: the name of what the events are from, with an outbox; see `Sender.send`.

        Raises:
            EventError: the event cannot be written as JSON. If it is in an iterable, the other
                events are accepted, and `InvalidEventsError` is raised at the end.
            QueueFullError: there is no room, and `block` is false, `timeout` has passed, or nothing
                will make room, because the Current is paused or its quota is used up.
            NotStoredError: the outbox cannot store an event.
            SenderClosedError: the sender is closed.
        """
        await self._open()
        steps = self._sending(events, block=block, timeout=timeout, source=source)
        keep = not isinstance(events, Event | list | tuple)
        with await self._run(steps) as sending:
            try:
                if isinstance(events, AsyncIterable):
                    async for event in events:
                        await self._take(sending.select((event,)), sending, keep=True)
                else:
                    for chunk in chunks((events,) if isinstance(events, Event) else events):
                        await self._take(sending.select(chunk), sending, keep=keep)
                await self._take(sending.rest(), sending, keep=keep)
            except Exception:
                await self._run(sending.finish())  # the input may have failed: keep what it gave
                raise
            await self._run(sending.finish())

    async def _take(
        self, chunks: Iterable[Sequence[Event]], sending: Sending, *, keep: bool
    ) -> None:
        for chunk in chunks:
            for part in _parts(chunk):
                await self._take_part(part, sending, keep=keep)

    async def _take_part(self, chunk: Sequence[Event], sending: Sending, *, keep: bool) -> None:
        """Accept a part of the input; cancelled, all of it with `keep`."""
        try:
            if is_large(chunk, _LARGE):
                prepared = await in_thread(partial(sending.prepare, chunk))
            else:
                prepared = sending.prepare(chunk)
        except asyncio.CancelledError:
            if keep:
                interrupted = sending.accept(sending.prepare(chunk), keep=True)
                next(interrupted, None)
                interrupted.close()
            raise
        await run_async(sending.accept(prepared, keep=keep), self._clock)
        # Only now, when nothing is in hand, let others run.
        if time.monotonic() - self._yielded_at > _SLICE:
            await asyncio.sleep(0)
            self._yielded_at = time.monotonic()

    # Wait for events to leave

    async def flush(self, timeout: float | None = None) -> Result:
        """Send everything that is queued, and wait until it has left; see `Sender.flush`.

        Args:
            timeout: the longest time to wait, in seconds; None waits as long as necessary.
        """
        return await self._run(self._flush(timeout))

    async def close(self, timeout: float | None = 30.0) -> Result:
        """Accept no more events, flush, and end the threads; see `Sender.close`.

        If it is cancelled, the events that are pending are still sent as long as the program runs,
        and it can be called again.

        Args:
            timeout: the longest time to wait for events to leave, in seconds; None waits as long
                as necessary.
        """
        self._bind()
        if not self._is_open:
            await in_thread(self._close_unopened)
        return await run_async(self._close(timeout), self._clock)

    # Change the Current

    async def pause(self) -> None:
        """Send nothing until `resume`; see `Sender.pause`.

        Raises:
            SenderClosedError: the sender is closed.
        """
        await self._run(self._pause())

    async def edit(self, current: Current) -> None:
        """Replace the form of the Current while it runs; see `Sender.edit`.

        Args:
            current: the Current with its new settings.

        Raises:
            CurrentError: httpx cannot use the Current's URL.
            OutboxError: the outbox cannot store that it belongs to this Current now.
            SenderClosedError: the sender is closed.
        """
        await self._open()
        await in_thread(partial(self._use, current))
        await self._run(self._edit())

    async def resume(self, current: Current | None = None) -> None:
        """Enable a paused or disabled Current again, and send the events it kept.

        Args:
            current: the Current with corrected credentials, which `edit` puts in the place of the
                old one; None keeps that.

        Raises:
            SenderClosedError: the sender is closed.
        """
        await self._open()
        if current is not None:
            await in_thread(partial(self._use, current))
        await self._run(self._resume())

    # See what happened

    async def result(self) -> Result:
        """Return what happened to the events so far."""
        return await self._run(self._result())

    async def pending(self) -> Iterator[Event]:
        """Return the pending events, as they were before field transformations."""
        return await self._run(self._pending())

    # Ask the receiver

    async def check_credentials(self) -> CredentialsCheck:
        """Check the credentials with one request that has no events.

        The request is not counted as an attempt, and a bad response does not pause the Current.
        """
        await self._open()
        return await in_thread(self._check_credentials)

    async def send_test_events(
        self, sample: Callable[[EventType], Event], *, timeout: float | None = 30.0
    ) -> Result:
        """Send one event of each selected type, and wait until they have left.

        Args:
            sample: a function that makes an event of a type, such as `World().sample`.
            timeout: the longest time to wait, in seconds; None waits as long as necessary.

        Source: Braze, Set up Currents ("Send Test Events").
        """
        await self.send(map(sample, self._selected_types()))
        return await self.flush(timeout)

    # The event loop

    async def _run(self, steps: Steps[T]) -> T:
        await self._open()
        return await run_async(steps, self._clock)

    async def _open(self) -> None:
        """Bind the sender to the event loop, and make sure that requests can be sent."""
        self._bind()
        if not (self._is_open or self._engine.closed):
            await in_thread(self._prepare_once)

    def _prepare_once(self) -> None:
        with self._opening:
            if not (self._is_open or self._engine.closed):
                super()._prepare()
                self._is_open = True

    def _close_unopened(self) -> None:
        """Make sure that what is not open stays so; this waits while it is being opened."""
        with self._opening:
            if not self._is_open:
                self._engine.close()

    def _bind(self) -> None:
        self._engine.check_process()
        loop, bound = asyncio.get_running_loop(), self._hooks.loop
        if bound is loop:
            return
        if bound is not None and not bound.is_closed():
            raise RuntimeError("the sender belongs to another event loop; make one for this loop")
        self._hooks.bind(loop)
        self._engine.hook_calls.runs_elsewhere = self._hooks.is_inside


def _parts(chunk: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """Split a chunk so that each part is encoded quickly, or is one event."""
    if is_large(chunk, _LARGE):
        yield from ((each,) for each in chunk)
    else:
        yield chunk
