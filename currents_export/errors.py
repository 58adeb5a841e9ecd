"""Every error this package raises on purpose, in one hierarchy.

Catch `CurrentsExportError` for all of them. Each message says what was wrong, where, and what
would be right; none of them carries a write key or a bearer token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = [
    "CatalogError",
    "CurrentError",
    "CurrentsExportError",
    "EventError",
    "InvalidEventsError",
    "NotTakenError",
    "OptionError",
    "QueueFullError",
    "ReadError",
    "ReceiverError",
    "ScriptError",
    "SenderClosedError",
    "UnknownNameError",
]

#: How many problems a message lists.
_MOST = 20


class CurrentsExportError(Exception):
    """The base of every error that currents-export raises on purpose."""


class OptionError(CurrentsExportError, ValueError):
    """An argument outside the values it may have."""


class UnknownNameError(CurrentsExportError, KeyError):
    """A name that is in no table.

    It is a `KeyError` too, since a catalog is a mapping.

    Attributes:
        name: the name as it was given.
        nearest: the valid names most like it, the likeliest first; empty when none is near.
    """

    def __init__(self, message: str, *, name: str, nearest: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.name = name
        self.nearest = tuple(nearest)

    # A KeyError would show the repr of the message.
    __str__ = Exception.__str__


class CatalogError(CurrentsExportError):
    """Tables of a catalog that cannot be used; the message lists every problem.

    Attributes:
        problems: a pair for each problem: the place, such as `event_types.tsv:12`, which is empty
            when the whole directory is at fault; and what is wrong with it.
        directory: the directory of the tables; None for the packaged ones.
    """

    def __init__(
        self, problems: Sequence[tuple[str, str]], *, directory: Path | str | None = None
    ) -> None:
        noun = "problem" if len(problems) == 1 else "problems"
        where = "the packaged catalog" if directory is None else f"the catalog in {directory}"
        lines = [f"{place}: {message}" if place else message for place, message in problems[:_MOST]]
        if len(problems) > _MOST:
            lines.append(f"and {len(problems) - _MOST} more")
        listed = "".join(f"\n  - {line}" for line in lines)
        super().__init__(f"{where} has {len(problems)} {noun}:{listed}")
        self.problems = tuple(problems)
        self.directory = directory


class EventError(CurrentsExportError):
    """An event that cannot be made, or cannot be written as JSON.

    Attributes:
        field: the path of the field at fault, such as `properties.price`; None when the whole
            event is.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class InvalidEventsError(EventError):
    """Some of the events given to `Sender.send` were invalid; all the others were taken.

    Attributes:
        problems: one `EventError` for each event that was refused, in the order of the input.
    """

    def __init__(self, problems: Sequence[EventError]) -> None:
        first = "; ".join(str(problem) for problem in problems[:3])
        more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
        noun = "event was" if len(problems) == 1 else "events were"
        super().__init__(f"{len(problems)} {noun} refused, the others were taken: {first}{more}")
        self.problems = tuple(problems)


class ReadError(CurrentsExportError):
    """Input that could not be read as events: a file, or one line of it.

    Attributes:
        source: the file's name, or `<stdin>`.
        line: the line, counted from 1; None when the whole file is at fault.
    """

    def __init__(self, message: str, *, source: str, line: int | None = None) -> None:
        where = source if line is None else f"{source}:{line}"
        super().__init__(f"{where}: {message}")
        self.source = source
        self.line = line


class CurrentError(CurrentsExportError):
    """A Current that is not valid; the message lists every problem at once.

    Attributes:
        problems: a pair for each problem: the field's name, and what is wrong with it and what
            would be right.
        source: the file the Current was read from, if it was.
    """

    def __init__(
        self,
        problems: Sequence[tuple[str, str]],
        *,
        source: str | None = None,
        places: Mapping[str, str] | None = None,
    ) -> None:
        places = places or {}
        noun = "problem" if len(problems) == 1 else "problems"
        head = f"{source}: " if source else ""
        lines = "".join(
            f"\n  - {places.get(field, '')}{field}: {message}" for field, message in problems
        )
        super().__init__(f"{head}the Current has {len(problems)} {noun}:{lines}")
        self.problems = tuple(problems)
        self.source = source


class NotTakenError(CurrentsExportError):
    """`Sender.send` ended early; what it had taken by then it keeps.

    Attributes:
        taken: how many events of the input were dealt with before; of a list, `events[taken:]`
            is what is left to send.
        event: the `Event` at which it ended, None if the input was empty; of an iterator, it and
            what the iterator still has are what is left.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.taken = 0
        self.event: Any = None


class QueueFullError(NotTakenError):
    """There was no room for an event, and waiting was not asked for or cannot help."""


class SenderClosedError(NotTakenError):
    """The sender was closed; it takes no more events."""


class ReceiverError(CurrentsExportError):
    """A receiver that cannot listen, or cannot write what it captures."""


class ScriptError(CurrentsExportError):
    """A scripted answer for the receiver that cannot be understood."""
