"""Accept the events of one call of `send`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from ..current import Current
from ..errors import EventError, InvalidEventsError, NotTakenError
from ..events import Event
from ._admission import chunks, prepare
from ._engine import Engine
from ._outbox import Outbox, Progress
from ._requests import Admission, Filtered, Line
from ._sources import Unaccepted
from .reasons import FilterReason

__all__ = ["accept", "accept_into_outbox"]

#: How many events, and bytes of JSON, an outbox may be given that it has not stored yet.
_MOST_EVENTS = 1_000
_MOST_BYTES = 4 * 2**20


class _Chunk(NamedTuple):
    """Events that are admitted together.

    Attributes:
        events: the events.
        places: the index of each entry.
        others: why the other events have no entry, by index.
    """

    events: Sequence[Event]
    places: Sequence[int]
    others: dict[int, EventError | FilterReason]

    def problems(self, done: int) -> list[EventError]:
        """Return the errors of the first so many events."""
        return [why for at, why in self.others.items() if at < done and isinstance(why, EventError)]

    def done(self, error: NotTakenError) -> int:
        """Return how many events were handled before the first one that was not accepted."""
        return self.places[error.taken] if self.places else 0

    @property
    def filtered(self) -> list[Filtered]:
        """The filtered events."""
        return [
            # Each of the others before it is not an entry.
            (at - number, self.events[at], why)
            for number, (at, why) in enumerate(self.others.items())
            if isinstance(why, FilterReason)
        ]


def accept(
    engine: Engine,
    current: Current,
    events: Event | Iterable[Event],
    *,
    block: bool,
    until: float | None,
) -> None:
    """Accept one event, or many; see `Sender.send`."""
    problems: list[EventError] = []
    taken = 0
    try:
        for each in chunks((events,) if isinstance(events, Event) else events):
            entries, others = prepare(current, each)
            chunk = _Chunk(each, _places(each, others), others)
            done = len(each)
            try:
                engine.admit(entries, chunk.filtered, block=block, until=until)
            except NotTakenError as error:
                done = chunk.done(error)
                error.taken, error.event = taken + done, each[done]
                raise
            finally:
                problems += chunk.problems(done)
            taken += done
    except Exception as error:
        _note(error, problems)
        raise
    _raise(problems, events)


def accept_into_outbox(
    engine: Engine,
    outbox: Outbox,
    current: Current,
    events: Event | Iterable[Event],
    *,
    block: bool,
    source: str | None,
    skip: Callable[[int], object],
) -> None:
    """Accept one event, or many, and return when all are stored; see `Sender.send`.

    Args:
        engine: the engine.
        outbox: the outbox.
        current: the Current.
        events: the events.
        block: whether to wait for hooks when too many of their calls are due.
        source: the name of what the events are from.
        skip: called with the number of events that were accepted before.
    """
    engine.check_open()
    pipeline = _Pipeline(engine, block=block)
    one = (events,) if isinstance(events, Event) else events
    unaccepted = None
    try:
        if source is None:
            for chunk in chunks(one):
                pipeline.add(current, chunk)
        else:
            unaccepted = Unaccepted(one, source, engine.ask(lambda: outbox.blocks(source)))
            for event, progress in unaccepted:
                pipeline.add(current, (event,), progress, skipped=unaccepted.skipped)
        pipeline.finish()
    except NotTakenError as error:
        if not isinstance(one, list | tuple):
            error.read_ahead = (*pipeline.refused(), *(unaccepted.held if unaccepted else ()))
        _note(error, pipeline.problems)
        raise
    except Exception as error:
        pipeline.finish()  # the events before it are accepted
        _note(error, pipeline.problems)
        raise
    finally:
        if unaccepted is not None and (skipped := unaccepted.skipped):
            skip(skipped)
    _raise(pipeline.problems, events)


class _Pipeline:
    """Events that the outbox is to store while the next ones are prepared.

    Args:
        engine: the engine.
        block: whether to wait for hooks when too many of their calls are due.

    Attributes:
        problems: the errors of events that are invalid.
        taken: how many events were handled.
    """

    def __init__(self, engine: Engine, *, block: bool) -> None:
        self.problems: list[EventError] = []
        self.taken = 0
        self._engine = engine
        self._block = block
        self._line = Line()
        self._waiting: deque[tuple[Admission, _Chunk, int]] = deque()
        self._unsubmitted: Sequence[Event] = ()
        self._events = self._bytes = 0

    def add(
        self,
        current: Current,
        events: Sequence[Event],
        progress: Progress | None = None,
        *,
        skipped: int = 0,
    ) -> None:
        """Submit events, and wait if too many are not stored yet.

        Args:
            current: the Current.
            events: the events.
            progress: up to where the source is accepted with them.
            skipped: how many events of the source before them were skipped.
        """
        entries, others = prepare(current, events)
        chunk = _Chunk(events, _places(events, others), others)
        try:
            admission = self._engine.submit(
                entries, chunk.filtered, block=self._block, line=self._line, progress=progress
            )
        except NotTakenError as error:
            self._unsubmitted = events
            self.finish()
            self._unsubmitted = events[1:]
            error.taken, error.event = self.taken + skipped, events[0]
            raise
        self._waiting.append((admission, chunk, skipped))
        self._events += len(events)
        self._bytes += admission.size
        # Not more than necessary, so that there is always something to store.
        while self._waiting and (
            self._waiting[0][0].resolved or self._events > _MOST_EVENTS or self._bytes > _MOST_BYTES
        ):
            self._finish_first()

    def finish(self) -> None:
        """Wait until all events are stored."""
        while self._waiting:
            self._finish_first()

    def _finish_first(self) -> None:
        admission, chunk, skipped = self._waiting[0]
        done = len(chunk.events)
        try:
            self._engine.finish(admission)
        except NotTakenError as error:
            done = chunk.done(error)
            error.taken, error.event = self.taken + skipped + done, chunk.events[done]
            raise
        finally:
            self.problems += chunk.problems(done)
        self._waiting.popleft()
        self.taken += done
        self._events -= done
        self._bytes -= admission.size

    def refused(self) -> Iterator[Event]:
        """Yield the events after the first one that was refused; they were refused as well."""
        for number, (_, chunk, _) in enumerate(self._waiting):
            yield from chunk.events[0 if number else 1 :]
        yield from self._unsubmitted


def _places(events: Sequence[Event], others: dict[int, EventError | FilterReason]) -> list[int]:
    return [index for index in range(len(events)) if index not in others]


def _note(error: Exception, problems: Sequence[EventError]) -> None:
    if problems:
        error.add_note(str(InvalidEventsError(problems)))


def _raise(problems: Sequence[EventError], events: object) -> None:
    if problems:
        raise problems[0] if isinstance(events, Event) else InvalidEventsError(problems)
