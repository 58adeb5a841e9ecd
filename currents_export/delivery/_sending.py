"""One call of `send`: how much of its input was handled, and what was wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from ..errors import EventError, InvalidEventsError, NotTakenError
from ..events import Event
from ._admission import prepare
from ._batches import Entry
from ._connections import Connections
from ._engine import Engine
from ._steps import Steps
from .reasons import FilterReason

__all__ = ["Sending"]

#: The entries for the queues; why the other events have none, by index; and the number of the
#: edit of the Current.
Prepared = tuple[list[Entry], dict[int, EventError | FilterReason], int]


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
        if isinstance(error, NotTakenError):
            error.taken += self._taken
        if isinstance(error, Exception) and problems:
            error.add_note(str(InvalidEventsError(problems)))
        if error is None and problems:
            raise problems[0] if self._single else InvalidEventsError(problems)

    def prepare(self, chunk: Sequence[Event]) -> Prepared:
        """Filter, transform and encode a chunk of the input."""
        current, revision = self._connections.form
        return *prepare(current, chunk), revision

    def accept(
        self, chunk: Sequence[Event], prepared: Prepared, *, keep: bool = False
    ) -> Steps[None]:
        """Accept a chunk of the input; see `Engine.admit` for `keep`."""
        entries, others, revision = prepared
        filtered = [
            # Each of the others before it is not an entry.
            (index - number, chunk[index], why)
            for number, (index, why) in enumerate(others.items())
            if isinstance(why, FilterReason)
        ]
        done = len(chunk)
        try:
            yield from self._engine.admit(
                entries,
                filtered,
                block=self._block,
                until=self._until,
                keep=keep,
                revision=revision,
            )
            self._taken += done
        except NotTakenError as error:
            self._connections.raise_failure()
            places = [index for index in range(len(chunk)) if index not in others]
            done = places[error.taken] if entries else 0
            error.taken, error.event = done, chunk[done]
            raise
        finally:
            self._problems += [
                why for index, why in others.items() if index < done and isinstance(why, EventError)
            ]
