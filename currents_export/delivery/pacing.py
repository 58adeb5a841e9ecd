"""Events at the distances of their times."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from ..events import Event
from ._latch import Latch
from ._loop import run_async
from ._options import check_rates
from ._steps import Steps, Wait, run
from .clock import Clock, SystemClock

__all__ = ["AsRecorded"]


class AsRecorded:
    """An iterator that yields events when they are due: as far apart as their times are.

    The first event is due at once; an event that is older than the one before it is, too.
    `Sender.send` reads it as an iterator, and `AsyncSender.send` as an asynchronous one.

    Args:
        events: the events, such as those of a file.
        speed: how many times faster than they happened; 60 turns an hour into a minute.
        clock: the time; for tests.

    Raises:
        OptionError: the speed is not a number above 0.
    """

    def __init__(
        self, events: Iterable[Event], *, speed: float = 1.0, clock: Clock | None = None
    ) -> None:
        check_rates(speed=speed)
        self._events = iter(events)
        self._speed = speed
        self._clock = clock or SystemClock()
        self._stopped = Latch()
        self._began: tuple[float, int] | None = None
        # An event that was read stays here until it is yielded, in case its wait is interrupted.
        self._in_hand: Event | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        """Wait until the next event is due, and return it."""
        return run(self._next(next(self._events) if self._in_hand is None else None), self._clock)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """Wait until the next event is due, while other tasks run, and return it."""
        try:
            event = next(self._events) if self._in_hand is None else None
        except StopIteration:
            raise StopAsyncIteration from None
        return await run_async(self._next(event), self._clock)

    def stop(self) -> None:
        """Yield all other events without waits; may be called from any thread."""
        self._stopped.open()

    def _next(self, read: Event | None) -> Steps[Event]:
        event = self._in_hand = read if self._in_hand is None else self._in_hand
        assert event is not None  # noqa: S101 - one of the two is
        now = self._clock.now()
        if self._began is None:
            self._began = (now, event.time)
        began, first = self._began
        due = began + (event.time - first) / self._speed
        if due > now:
            yield Wait(self._stopped, due, lambda: False)
        self._in_hand = None
        return event
