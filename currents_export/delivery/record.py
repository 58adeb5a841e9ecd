"""`SendRecord`: a file of what a sender delivered, as it went out."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from .._files import LineFile
from ..errors import OptionError
from ..events import Event
from ._ledger import Drop
from .hooks import Attempt, Hooks
from .reasons import FilterReason

__all__ = ["SendRecord"]


class SendRecord:
    """A JSON Lines file of every attempt to send an event, and of what was not sent.

    A line is one event in one request, as it was sent, after field transformations:

        {"event": {...}, "attempt": 1, "status": 200, "sent_at": 1.5, "responded_at": 1.75}

    `attempt` is 1 for the first request with this batch; `status` is null if the network failed;
    the times are seconds since the Unix epoch. Without a 2XX, `error` has the response. An event
    that is sent again has a line for each request. The other lines have an event that was not sent,
    with the code of the reason, and without its content:

        {"id": "...", "event_type": "...", "dropped": "too_large", "error": ""}
        {"id": "...", "event_type": "...", "filtered": "not_selected"}

    Each batch is written when its response arrives, so that a crash loses at most the last line. A
    file that exists is continued. It contains personal data, and no credentials; a new file can be
    read only by its owner.

    Args:
        name: the file; `-` is standard output, unless it is a `Path`.

    Attributes:
        name: the name of the file.
        lines: how many lines were written.
        problem: why not everything could be written; None if everything was. Nothing is written
            after the first failure.

    Raises:
        OptionError: the file cannot be opened.
    """

    def __init__(self, name: Path | str) -> None:
        self.name = str(name)
        self.lines = 0
        self.problem: str | None = None
        try:
            self._file = LineFile(name)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise OptionError(f"{name}: the record cannot be opened: {why}") from error

    @property
    def hooks(self) -> Hooks:
        """The hooks of the sender that is recorded. `Hooks.also` adds others."""
        return Hooks(on_batch=self._attempted, on_dropped=self._dropped, on_filtered=self._filtered)

    def close(self) -> None:
        """Close the file, after the sender; a second call does nothing."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self.close()

    def _attempted(self, attempt: Attempt, events: tuple[bytes, ...]) -> None:
        response = attempt.response
        facts: dict[str, Any] = {
            "attempt": attempt.number,
            "status": response.status,
            "sent_at": round(attempt.at - attempt.duration_s, 6),
            "responded_at": round(attempt.at, 6),
        }
        if response.status is None or not 200 <= response.status < 300:
            facts["error"] = str(response)
        rest = b"," + orjson.dumps(facts)[1:]
        self._write([b'{"event":' + each + rest for each in events])

    def _dropped(self, drop: Drop) -> None:
        facts = {"id": drop.id, "event_type": drop.event_type}
        self._write([orjson.dumps(facts | {"dropped": drop.reason.value, "error": drop.response})])

    def _filtered(self, event: Event, reason: FilterReason) -> None:
        facts = {"id": event.id, "event_type": event.event_type, "filtered": reason.value}
        self._write([orjson.dumps(facts)])

    def _write(self, lines: list[bytes]) -> None:
        if self.problem is not None:
            return
        try:
            self._file.write(lines)
        except (OSError, ValueError) as error:  # the latter if it is closed
            self.problem = getattr(error, "strerror", None) or str(error)
        else:
            self.lines += len(lines)
