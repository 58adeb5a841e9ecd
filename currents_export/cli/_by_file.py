"""Send events file by file."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from ..delivery import Sender
from ..events import Event
from ..reading import StoppableEvents

__all__ = ["ByFile", "ReadingStoppedError"]


class ReadingStoppedError(Exception):
    """The user interrupted the command before the end of a file.

    It is an exception because the end of the events would mean that the file ends there.
    """


class ByFile(Iterator[Event]):
    """An iterator over the events of several files that knows where a file ends.

    Args:
        events: the events.
        source: what they are read from.
    """

    def __init__(self, events: Iterator[Event], source: StoppableEvents) -> None:
        self._events = events
        self._source = source
        self._peeked: deque[Event] = deque()

    def __next__(self) -> Event:
        return self._peeked.popleft() if self._peeked else next(self._events)

    def send(self, sender: Sender) -> None:
        """Send the events of each file under its name.

        What can be read only once, such as standard input, has no name: its next events are others.
        """
        with contextlib.suppress(ReadingStoppedError):
            for event in self:
                self._peeked.append(event)
                name = self._source.reading
                known = name is not None and not self._source.is_stoppable
                source = str(Path(name or "").resolve()) if known else None
                sender.send(self._of(name), source=source)

    def _of(self, name: str | None) -> Iterator[Event]:
        for event in self:
            if self._source.reading != name:
                self._peeked.append(event)
                return
            yield event
