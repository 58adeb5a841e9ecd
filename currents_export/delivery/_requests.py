"""What callers ask of the engine's thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from ..errors import NotTakenError
from ..events import Event
from ._batches import Entry
from ._latch import Latch
from ._outbox import Progress
from .reasons import FilterReason

__all__ = ["Admission", "Filtered", "Flush", "Line", "Question", "Request"]

T = TypeVar("T")

#: A filtered event: how many entries come before it, the event, and the reason.
Filtered = tuple[int, Event, FilterReason]


class Question(Generic[T]):
    """A function to call with the engine's state, and its result.

    Args:
        function: the function; it must not wait.
    """

    def __init__(self, function: Callable[[], T]) -> None:
        self.answered = Latch()
        self.is_answered = False
        self._function = function
        self._value: T | None = None
        self._error: BaseException | None = None

    def answer(self) -> None:
        """Call the function; an exception is raised in the thread that asked."""
        try:
            self._value = self._function()
        except BaseException as error:  # noqa: BLE001 - raised in the other thread
            self._error = error
        self.is_answered = True
        self.answered.open()

    @property
    def value(self) -> T:
        """What the function returned."""
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]


class Flush:
    """A wait until everything that was accepted before has left.

    With an outbox, what was submitted before is accepted first, even if nobody waits for that.

    Args:
        urgent: whether it does not wait for calls of hooks, however many are due.
        sends: whether events leave; if not, it waits only until the outbox holds what happened.

    Attributes:
        done: opens when everything has left, or nothing more leaves.
        generation: the flush generation; 0 before it began.
        after: the admissions that were submitted before, until they are accepted.
    """

    def __init__(self, *, urgent: bool, sends: bool = True) -> None:
        self.done = Latch()
        self.urgent = urgent
        self.sends = sends
        self.generation = 0
        self.after: Sequence[Admission] = ()


class Line:
    """The admissions of one call of `send` that do not wait for each other.

    Attributes:
        error: why one of them was refused, and so all after it.
    """

    __slots__ = ("error",)

    def __init__(self) -> None:
        self.error: NotTakenError | None = None


class Admission:
    """Events that wait to be accepted.

    Args:
        entries: the entries for the queues.
        filtered: the filtered events between them.
        size: how many bytes of JSON the entries have.
        block: whether they may wait for room.
        from_hook: whether a hook waits for it.
        has_permit: whether room was promised to it, so that no one waits until it is accepted.
        revision: the number of the edit of the Current under which it was prepared.
        line: the admissions before and after it; only with an outbox.
        progress: up to where the source is accepted with it; only with an outbox.

    Attributes:
        done: opens when all are accepted, or no more will be; None if no one waits.
        taken: how many entries were accepted.
        error: why the others were not.
        resolved: whether nothing more happens to it.
        abandoned: whether its caller was interrupted, so that no more is to be accepted.
    """

    __slots__ = (
        "abandoned",
        "block",
        "done",
        "entries",
        "error",
        "filtered",
        "from_hook",
        "line",
        "progress",
        "resolved",
        "revision",
        "size",
        "taken",
    )

    def __init__(
        self,
        entries: Sequence[Entry],
        filtered: Sequence[Filtered],
        *,
        size: int,
        block: bool,
        from_hook: bool,
        has_permit: bool,
        revision: int,
        line: Line | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.entries = entries
        self.filtered = filtered
        self.size = size
        self.block = block
        self.from_hook = from_hook
        self.revision = revision
        self.line = line
        self.progress = progress
        self.done = None if has_permit else Latch()
        self.taken = 0
        self.error: NotTakenError | None = None
        self.resolved = False
        self.abandoned = False

    @property
    def wanted(self) -> str | None:
        """The type of the next event, if it waits."""
        return self.entries[self.taken][0] if self.taken < len(self.entries) else None


#: What the inbox holds; None only wakes the thread that reads it.
Request = Admission | Flush | Question[Any] | None
