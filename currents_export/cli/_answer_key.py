"""The file of an answer key: a line for each event, and its summary at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO

import orjson

from ..events import Event
from ..simulation import KeyRecord, KeySummary

__all__ = ["KeyFile"]


class KeyFile:
    """Writes an answer key as JSON Lines.

    Its last line has one name, `summary`, with the totals of the lines before it.

    Args:
        file: where to write it.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._summary = KeySummary()
        self._record: KeyRecord | None = None

    def keep(self, record: KeyRecord) -> None:
        """Write the entry of the event that comes next."""
        self._file.write(record.to_json())
        self._record = record

    def count(self, events: Iterable[Event]) -> Iterator[Event]:
        """Yield events, and count each of them by its entry."""
        for event in events:
            if self._record is not None:
                self._summary.add(event, self._record)
            yield event

    def keep_encoded(self, lines: Iterable[bytes], entries: Iterable[bytes]) -> None:
        """Write the entries of events, and count the events; all of them are JSON."""
        for line, entry in zip(lines, entries, strict=True):
            self._file.write(entry + b"\n")
            event = orjson.loads(line)
            self._summary.add(Event(**event), KeyRecord(**orjson.loads(entry)))

    def end(self) -> None:
        """Write the summary."""
        summary = {"summary": self._summary.to_dict()}
        self._file.write(orjson.dumps(summary, option=orjson.OPT_APPEND_NEWLINE))
