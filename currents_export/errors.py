"""Every error that this package raises on purpose.

- CurrentsExportError
  - OptionError (also a ValueError)
  - UnknownNameError (also a KeyError)
  - CatalogError
  - EventError
    - InvalidEventsError
  - ReadError
  - CurrentError
  - ScenarioError
  - NotTakenError
    - QueueFullError
    - SenderClosedError
    - NotStoredError
  - OutboxError
  - WorkspaceError
  - ReceiverError
  - ScriptError

Each message says what is wrong, where, and what would be right. No message contains a write key or
a bearer token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .events import Event

__all__ = [
    "CatalogError",
    "CurrentError",
    "CurrentsExportError",
    "EventError",
    "InvalidEventsError",
    "NotStoredError",
    "NotTakenError",
    "OptionError",
    "OutboxError",
    "QueueFullError",
    "ReadError",
    "ReceiverError",
    "ScenarioError",
    "ScriptError",
    "SenderClosedError",
    "UnknownNameError",
    "WorkspaceError",
]

#: How many problems a message lists.
_MAX_PROBLEMS = 20


class CurrentsExportError(Exception):
    """The base class of all errors that currents-export raises on purpose."""


class OptionError(CurrentsExportError, ValueError):
    """An argument has an invalid value."""


class UnknownNameError(CurrentsExportError, KeyError):
    """A name is not in its table.

    It is also a `KeyError`, because a catalog is a mapping.

    Attributes:
        name: the name as it was given.
        nearest: the valid names closest to it, the closest first; empty if none is close.
    """

    def __init__(self, message: str, *, name: str, nearest: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.name = name
        self.nearest = tuple(nearest)

    # A KeyError would show the repr of the message.
    __str__ = Exception.__str__


class CatalogError(CurrentsExportError):
    """The tables of a catalog cannot be used; the message lists their problems.

    Attributes:
        problems: one pair for each problem: its place, such as `event_types.tsv:12`, which is
            empty if it concerns the whole directory; and a sentence that says what is wrong.
        directory: the directory of the tables; None for the packaged ones.
    """

    def __init__(
        self, problems: Sequence[tuple[str, str]], *, directory: Path | str | None = None
    ) -> None:
        noun = "problem" if len(problems) == 1 else "problems"
        where = "the packaged catalog" if directory is None else f"the catalog in {directory}"
        lines = [
            f"{place}: {message}" if place else message
            for place, message in problems[:_MAX_PROBLEMS]
        ]
        if len(problems) > _MAX_PROBLEMS:
            lines.append(f"and {len(problems) - _MAX_PROBLEMS} more")
        listed = "".join(f"\n  - {line}" for line in lines)
        super().__init__(f"{where} has {len(problems)} {noun}:{listed}")
        self.problems = tuple(problems)
        self.directory = directory


class EventError(CurrentsExportError):
    """An event cannot be made, or cannot be written as JSON.

    Attributes:
        field: the path of the invalid field, such as `properties.price`; None if the error
            concerns the whole event.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class InvalidEventsError(EventError):
    """Some of the events given to `Sender.send` were invalid; all the others were accepted.

    Attributes:
        problems: one `EventError` for each refused event, in the order of the input.
    """

    def __init__(self, problems: Sequence[EventError]) -> None:
        first = "; ".join(str(problem) for problem in problems[:3])
        more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
        noun = "event was" if len(problems) == 1 else "events were"
        super().__init__(f"{len(problems)} {noun} refused; the others were accepted: {first}{more}")
        self.problems = tuple(problems)


class ReadError(CurrentsExportError):
    """A file, or one line of it, cannot be read as events.

    Attributes:
        source: the file's name, or `<stdin>`.
        line: the line number, starting at 1; None if the error concerns the whole file.
    """

    def __init__(self, message: str, *, source: str, line: int | None = None) -> None:
        where = source if line is None else f"{source}:{line}"
        super().__init__(f"{where}: {message}")
        self.source = source
        self.line = line


class CurrentError(CurrentsExportError):
    """A Current is not valid; the message lists all its problems.

    Attributes:
        problems: one pair for each problem: the name of the field, which is empty if it concerns
            the whole file; and a sentence that says what is wrong and what would be right.
        source: the file that the Current was read from, if any.
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
        text = f"{head}the Current has {len(problems)} {noun}:{lines}"
        if len(problems) == 1 and not problems[0][0]:
            text = f"{head}{problems[0][1]}"
        super().__init__(text)
        self.problems = tuple(problems)
        self.source = source


class ScenarioError(CurrentsExportError):
    """A scenario file is not valid; the message lists all its problems.

    Attributes:
        problems: one pair for each problem: the path of the setting, such as
            `disturbances[0].share`, which is empty if it concerns the whole file; and a sentence
            that says what is wrong and what would be right.
        source: the file.
    """

    def __init__(
        self,
        problems: Sequence[tuple[str, str]],
        *,
        source: str,
        lines: Sequence[int | None] = (),
    ) -> None:
        noun = "problem" if len(problems) == 1 else "problems"
        listed = [
            f"{f'line {line}: ' if line else ''}{f'{path}: ' if path else ''}{message}"
            for (path, message), line in zip(problems, lines or [None] * len(problems), strict=True)
        ]
        text = f"{source}: the scenario has {len(problems)} {noun}:"
        text += "".join(f"\n  - {each}" for each in listed)
        if len(problems) == 1 and not problems[0][0]:
            text = f"{source}: {listed[0]}"
        super().__init__(text)
        self.problems = tuple(problems)
        self.source = source


class NotTakenError(CurrentsExportError):
    """`Sender.send` stopped before the end of its input; events it accepted before stay accepted.

    Attributes:
        taken: how many events of the input it handled. For a list, `events[taken:]` remains to be
            sent.
        event: the event at which it stopped; None if the input was empty. For an iterator, this
            event, those in `read_ahead` and the rest of the iterator remain to be sent.
        read_ahead: events that it had read from an iterator after `event`; only with an outbox.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.taken: int = 0
        self.event: Event | None = None
        self.read_ahead: tuple[Event, ...] = ()


class QueueFullError(NotTakenError):
    """There was no room for an event, and waiting was not allowed or would not help."""


class SenderClosedError(NotTakenError):
    """The sender is closed and accepts no more events."""


class NotStoredError(NotTakenError):
    """The outbox could not store an event, because the disk is full for example."""


class OutboxError(CurrentsExportError):
    """An outbox cannot be used; the message says why.

    Attributes:
        path: the file.
    """

    def __init__(self, message: str, *, path: Path) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path


class WorkspaceError(CurrentsExportError):
    """The quota of a workspace cannot be counted, or the workspace has too many Test Currents.

    Attributes:
        path: the file in which it is counted.
    """

    def __init__(self, message: str, *, path: Path) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path


class ReceiverError(CurrentsExportError):
    """A receiver cannot listen, or cannot write its capture."""


class ScriptError(CurrentsExportError):
    """A scripted response for the receiver is not valid."""
