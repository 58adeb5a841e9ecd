"""One call of `send`: how much of its input was handled, and what was wrong with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from ..errors import EventError, InvalidEventsError, NotTakenError
from ..events import Event
from ._admission import prepare
from ._batches import Entry
from ._connections import Connections
from ._engine import Engine
from ._outbox import Progress
from ._requests import Admission, Filtered, Line
from ._sources import Unaccepted
from ._steps import Steps
from .reasons import FilterReason

__all__ = ["Sending", "StoredSending"]

#: How many events, and bytes of JSON, an outbox may be given that it has not stored yet.
_MOST_EVENTS = 1_000
_MOST_BYTES = 4 * 2**20


class Prepared(NamedTuple):
    """Events that are accepted together.

    Attributes:
        events: the events.
        entries: the entries for the queues.
        others: why the other events have none, by index.
        revision: the number of the edit of the Current under which they were prepared.
    """

    events: Sequence[Event]
    entries: list[Entry]
    others: dict[int, EventError | FilterReason]
    revision: int

    def problems(self, done: int) -> list[EventError]:
        """Return the errors of the first `done` events."""
        return [why for at, why in self.others.items() if at < done and isinstance(why, EventError)]

    def done(self, error: NotTakenError) -> int:
        """Return how many events were handled before the first one that was not accepted."""
        places = [index for index in range(len(self.events)) if index not in self.others]
        return places[error.taken] if places else 0

    @property
    def filtered(self) -> list[Filtered]:
        """The filtered events."""
        return [
            # Each of the others before it is not an entry.
            (at - number, self.events[at], why)
            for number, (at, why) in enumerate(self.others.items())
            if isinstance(why, FilterReason)
        ]


class Sending:
    """The progress of one call of `send`, as a context that ends with its errors.

    Args:
        engine: what accepts the events.
        connections: the connections to the Current.
        single: whether the input is one event.
        block: whether to wait for room.
        until: when to stop waiting; None for never.
    """

    def __init__(
        self,
        engine: Engine,
        connections: Connections,
        *,
        single: bool,
        block: bool,
        until: float | None,
    ) -> None:
        self._engine = engine
        self._connections = connections
        self._single = single
        self._block = block
        self._until = until
        self._problems: list[EventError] = []
        self._taken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        problems = self._problems
        if isinstance(error, Exception) and problems:
            error.add_note(str(InvalidEventsError(problems)))
        if error is None and problems:
            raise problems[0] if self._single else InvalidEventsError(problems)

    def select(self, chunk: Sequence[Event]) -> Iterator[Sequence[Event]]:
        """Yield what of a chunk of the input is to be accepted now; `rest` yields the rest."""
        yield chunk

    def rest(self) -> Iterator[Sequence[Event]]:
        """Yield what is to be accepted when the input has ended."""
        yield from ()

    def prepare(self, events: Sequence[Event]) -> Prepared:
        """Filter, transform and encode events."""
        current, revision = self._connections.form
        return Prepared(events, *prepare(current, events), revision)

    def accept(self, prepared: Prepared, *, keep: bool = False) -> Steps[None]:
        """Accept events; see `Engine.admit` for `keep`."""
        done = len(prepared.events)
        try:
            yield from self._engine.admit(
                prepared.entries,
                prepared.filtered,
                block=self._block,
                until=self._until,
                keep=keep,
                revision=prepared.revision,
            )
        except NotTakenError as error:
            self._connections.raise_failure()
            done = prepared.done(error)
            error.taken, error.event = self._taken + done, prepared.events[done]
            raise
        finally:
            self._problems += prepared.problems(done)
        self._taken += done

    def finish(self) -> Steps[None]:
        """Wait until all events are accepted, unless one was refused."""
        yield from ()


class StoredSending(Sending):
    """One call of `send` with an outbox, which stores events while the next ones are prepared.

    Args:
        engine: what accepts the events.
        connections: the connections to the Current.
        single: whether the input is one event.
        block: whether to wait for hooks when too many of their calls are due.
        rereads: whether the caller still has the events that are read ahead.
        unaccepted: what finds the events of a named source that were not accepted before.
        skip: called at the end with the number of events that were accepted before.
    """

    def __init__(
        self,
        engine: Engine,
        connections: Connections,
        *,
        single: bool,
        block: bool,
        rereads: bool,
        unaccepted: Unaccepted | None,
        skip: Callable[[int], None],
    ) -> None:
        super().__init__(engine, connections, single=single, block=block, until=None)
        self._rereads = rereads
        self._skip = skip
        self._unaccepted = unaccepted
        self._progress: Progress | None = None
        self._line = Line()
        self._waiting: deque[tuple[Admission, Prepared, int]] = deque()
        self._unsubmitted: Sequence[Event] = ()
        self._events = self._bytes = 0
        self._refused = False

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, NotTakenError) and not self._rereads:
            held = () if self._unaccepted is None else self._unaccepted.held
            error.read_ahead = (*self._after_refused(), *held)
        if skipped := self._skipped:
            self._engine.request(lambda: self._skip(skipped))
        super().__exit__(kind, error, traceback)

    @property
    def _skipped(self) -> int:
        return 0 if self._unaccepted is None else self._unaccepted.skipped

    def select(self, chunk: Sequence[Event]) -> Iterator[Sequence[Event]]:
        """Yield what of a chunk of the input was not accepted before, as far as that is known."""
        if self._unaccepted is None:
            yield chunk
            return
        for each in chunk:
            for event, progress in self._unaccepted.take(each):
                self._progress = progress
                yield (event,)

    def rest(self) -> Iterator[Sequence[Event]]:
        """Yield the other events that were not accepted before."""
        if self._unaccepted is not None:
            for event, progress in self._unaccepted.release():
                self._progress = progress
                yield (event,)

    def accept(self, prepared: Prepared, *, keep: bool = False) -> Steps[None]:  # noqa: ARG002 - see below
        """Submit events, and wait if too many are not stored yet.

        What is submitted is stored, even if the wait is interrupted, with or without `keep`.
        """
        skipped, events = self._skipped, prepared.events
        try:
            admission = self._engine.submit(
                prepared.entries,
                prepared.filtered,
                block=self._block,
                revision=prepared.revision,
                line=self._line,
                progress=self._progress,
            )
        except NotTakenError as error:
            self._unsubmitted = events
            yield from self.finish()
            self._refused, self._unsubmitted = True, events[1:]
            error.taken, error.event = self._taken + skipped, events[0]
            raise
        self._waiting.append((admission, prepared, skipped))
        self._events += len(events)
        self._bytes += admission.size
        while self._waiting and self._waiting[0][0].resolved:
            yield from self._finish_first()
        if self._events > _MOST_EVENTS or self._bytes > _MOST_BYTES:
            # Half of it, so that there is always something to store, and waits are few.
            while self._events > _MOST_EVENTS // 2 or self._bytes > _MOST_BYTES // 2:
                yield from self._finish_first()

    def finish(self) -> Steps[None]:
        """Wait until all events are stored, unless one was refused."""
        while self._waiting and not self._refused:
            yield from self._finish_first()

    def _finish_first(self) -> Steps[None]:
        admission, prepared, skipped = self._waiting[0]
        done = len(prepared.events)
        try:
            yield from self._engine.finish(admission)
        except NotTakenError as error:
            self._refused = True
            self._connections.raise_failure()
            done = prepared.done(error)
            error.taken, error.event = self._taken + skipped + done, prepared.events[done]
            raise
        self._problems += prepared.problems(done)
        self._waiting.popleft()
        self._taken += done
        self._events -= done
        self._bytes -= admission.size

    def _after_refused(self) -> Iterator[Event]:
        """Yield the submitted events after the first one that was refused."""
        for number, (_, prepared, _) in enumerate(self._waiting):
            yield from prepared.events[0 if number else 1 :]
        yield from self._unsubmitted
