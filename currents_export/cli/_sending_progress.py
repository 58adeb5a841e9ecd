"""The progress of a delivery on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, cast

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

from ..delivery import Action, Attempt
from ._streams import quiet_stderr

__all__ = ["Expected", "SendingProgress", "sending_progress"]

#: Returns how much of the input was read, from 0 to 1, or None where that is not known.
Expected = Callable[[], float | None]


class SendingProgress:
    """What a delivery has done so far, as its hooks report it.

    Args:
        share: returns how much of the input was read, from 0 to 1; None where that is not known.
        pending: returns how many events are accepted and not delivered.
        now: returns the seconds that have passed since some moment.
    """

    def __init__(
        self,
        share: Expected,
        pending: Callable[[], int],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.delivered = 0
        self.retries = 0
        self.failing = ""
        self._share = share
        self._pending = pending
        self._now = now
        self._began = now()

    def attempted(self, attempt: Attempt) -> None:
        """Count a request."""
        if attempt.number > 1:
            self.retries += 1
        failed = attempt.action is not Action.DELIVERED
        self.failing = str(attempt.response) if failed else ""

    def deliver(self, count: int) -> None:
        """Count delivered events."""
        self.delivered += count

    def share(self) -> float | None:
        """Return how much of the whole is done, from 0 to 1; None where that is not known."""
        read = self._share()
        if read is None:
            return None
        accepted = self.delivered + self._pending()
        return read * self.delivered / accepted if accepted else 0.0

    def describe(self) -> str:
        """Return the counts as text."""
        seconds = max(self._now() - self._began, 0.001)
        parts = [
            f"{self.delivered:,} delivered",
            f"{self.delivered / seconds:,.0f} events/s",
            f"{self._pending():,} pending",
        ]
        if self.retries:
            parts.append(f"{self.retries:,} {'retry' if self.retries == 1 else 'retries'}")
        share = self.share()
        if share and share < 1:
            parts.append(f"{_duration(seconds * (1 - share) / share)} left")
        return ", ".join(parts)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


class _Counts(ProgressColumn):
    """A column with the counts."""

    max_refresh = 0.2

    def __init__(self, state: SendingProgress) -> None:
        # On a narrow terminal, what is last is cut.
        super().__init__(table_column=Column(no_wrap=True, overflow="ellipsis"))
        self._state = state

    def render(self, task: Task) -> Text:
        text = Text(self._state.describe())
        if self._state.failing:
            text.append(f"; {self._state.failing}"[:60], style="red")
        if (share := self._state.share()) is not None:
            task.completed, task.total = share, 1.0
        return text


@contextmanager
def sending_progress(state: SendingProgress) -> Iterator[None]:
    """Show the progress on standard error while the context lasts, if that is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    columns: list[ProgressColumn] = [SpinnerColumn()]
    if state.share() is not None:
        columns += [BarColumn(bar_width=10), TextColumn("{task.percentage:>3.0f}%")]
    with Progress(
        *columns,
        _Counts(state),
        console=Console(file=cast("IO[str]", quiet_stderr())),
        transient=True,
        # Other output goes above the progress, unless stdout is a file.
        redirect_stdout=sys.stdout.isatty(),
    ) as bar:
        bar.add_task("", total=1.0 if state.share() is not None else None)
        yield
