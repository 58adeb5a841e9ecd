"""Run a sender for `send` and `test`, and report the run."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import attrs
import typer

from .._files import STDOUT
from ..current import Current
from ..delivery import (
    Action,
    AsRecorded,
    Attempt,
    Drop,
    Hooks,
    Notice,
    NoticeKind,
    Result,
    Sender,
    SendRecord,
)
from ..errors import (
    EventError,
    InvalidEventsError,
    NotStoredError,
    NotTakenError,
    UnknownNameError,
)
from ..events import Event
from ..payload import encode_event
from ._durations import Durations
from ._exit_codes import BAD_INPUT, INTERRUPTED, NOT_ALL
from ._pending import PendingFile
from ._result import print_result
from ._sending_progress import Expected, SendingProgress, sending_progress
from ._signals import on_interrupt
from ._streams import print_error, print_json, print_line, print_note, results_to_stderr
from ._wording import counted

__all__ = ["Delivery", "Stoppable"]

#: Seconds in which accepted events still leave when live traffic is interrupted.
_LAST_CHANCE = 10.0


class Stoppable(Protocol):
    """An input that can be stopped.

    Attributes:
        unfinished: the names of the files that were not read to their end.
    """

    unfinished: list[str]

    def stop(self) -> None:
        """Stop, even while the input is being waited for; called from any thread."""


@attrs.define
class Delivery:
    """A delivery from the command line.

    Attributes:
        current: the Current.
        source: the input, if it can be stopped when the user interrupts the run.
        pending: where to keep what is not sent, if anywhere; with an outbox, what is not accepted.
        outbox: the file of the outbox, if there is one.
        pace: what makes the input wait, if anything does.
        live: whether the input is made as it happens. An interrupt then ends the input, and
            accepted events leave for some seconds; a Current that is paused or disabled ends the
            input, too.
        forever: whether an interrupt is the end that the user plans, and not a failure.
        on_attempt: called after each request.
        record: where to write what is sent, if anywhere.
        share_read: returns how much of the input was read, from 0 to 1; None where that is not
            known.
        durations: how long the responses took.
        drops: the events that were dropped.
        unread: pieces of the input that could not be read, are not events, or cannot be written.
        not_accepted: the events, if any, at which the sender took no more.
        not_taken: how many readable events of the input the sender did not accept.
        interrupted: whether the user interrupted it.
    """

    current: Current
    source: Stoppable | None = None
    pending: PendingFile | None = None
    outbox: Path | None = None
    pace: AsRecorded | None = None
    live: bool = False
    forever: bool = False
    on_attempt: Callable[[Attempt], object] | None = None
    record: SendRecord | None = None
    share_read: Expected = lambda: None
    durations: Durations = attrs.field(factory=Durations)
    drops: list[Drop] = attrs.field(factory=list)
    unread: int = 0
    not_accepted: tuple[Event, ...] = ()
    not_taken: int = 0
    interrupted: bool = False
    _gave_up_reading: bool = False
    _read_all: bool = False
    _reads: bool = True
    _sender: Sender | None = None
    _retrying: bool = False
    _signals: int = 0
    _requests_to_end: int = 0

    def run(self, work: Callable[[Sender], object], **options: Any) -> Sender:
        """Run the work with a sender, wait until events have left or cannot, and close it."""
        state = SendingProgress(self.share_read, self._count_pending)

        def attempted(attempt: Attempt) -> None:
            state.attempted(attempt)
            self._attempted(attempt)

        hooks = Hooks(
            on_attempt=attempted,
            on_delivered=lambda _, ids: state.deliver(len(ids)),
            on_dropped=self.drops.append,
            on_notice=self._noticed,
        )
        if self.record is not None:
            hooks = self.record.hooks.also(hooks)
        with sending_progress(state):
            sender = Sender(self.current, hooks=hooks, outbox=self.outbox, **options)
            with self._closing(sender):
                try:
                    work(sender)
                    self._read_all = True
                except InvalidEventsError as error:
                    self._read_all = True
                    self.unread += len(error.problems)
                    for problem in error.problems:
                        print_error(problem)
                except NotTakenError as error:
                    if isinstance(error, NotStoredError):
                        print_error(error)
                    if error.event is not None:
                        self.not_accepted = (error.event, *error.read_ahead)
                except KeyboardInterrupt:
                    self._gave_up_reading = True
                self._reads = False
                self._hurry()
                if self.outbox is None or self.live or not self.interrupted:
                    sender.flush(timeout=_LAST_CHANCE if self.interrupted else None)
        return sender

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """End the run in order on SIGINT, SIGTERM and SIGHUP, and at once on another SIGINT.

        At once means that nothing more is read; what has been read is still reported and written,
        unless SIGINT comes again.
        """
        with on_interrupt(self._interrupt, here=self._interrupt_here):
            try:
                yield
            except KeyboardInterrupt:
                self._print_left()
                raise typer.Exit(INTERRUPTED) from None

    def conclude(
        self,
        sender: Sender,
        *,
        rest: Iterable[Event] = (),
        allow_empty: bool = False,
        as_json: bool = False,
    ) -> None:
        """Save the events that were not sent, report, and exit with the matching code.

        Args:
            sender: the sender, closed.
            rest: what is left of the input after the first event that was not taken.
            allow_empty: whether a run without events is fine.
            as_json: whether to report as JSON.
        """
        problem = self._keep(sender, rest)
        result = sender.result
        kept = self.pending.name if self.pending and self.pending.written else None
        unknown = self._unknown_event_types(result)
        problem = self.end_record() or problem
        if self.pending is not None and self.pending.is_stdout:
            results_to_stderr()
        if as_json:
            print_json(
                result.to_dict()
                | {
                    "not_taken": self.not_taken,
                    "unread": self.unread,
                    "unknown_event_types": unknown,
                    "interrupted": self.interrupted,
                    "pending_file": kept,
                    "outbox": None if self.outbox is None else str(self.outbox),
                    "response_times_s": self.durations.to_dict(),
                    "drops": [drop._asdict() for drop in self.drops],
                }
            )
        else:
            print_result(result, self.drops)
            _print_rest(self.not_taken, self.unread, kept)
            self.durations.print()
        self._report_unknown(unknown)
        found = result.accepted or result.filtered or result.skipped or self.unread
        empty = not (found or self.interrupted)
        if empty and not allow_empty:
            print_error("there are no events to send; --allow-empty allows that")
        if self.interrupted and not self.forever:
            raise typer.Exit(INTERRUPTED)
        if self.unread or unknown or problem or (empty and not allow_empty):
            raise typer.Exit(BAD_INPUT)
        if not result.complete or self.not_taken:
            raise typer.Exit(NOT_ALL)

    def _keep(self, sender: Sender, rest: Iterable[Event]) -> bool:
        """Write the unsent events, and report where they are; return whether that failed.

        This is reported before the result, because printing the result may fail.
        """
        lines = self._lines(sender, rest)
        problem = None
        if self.pending is not None:
            try:
                self.pending.write(lines, keep_former=lambda: self.unread > 0)
            except OSError as error:
                problem = error.strerror or str(error)
        for _ in lines:  # counts what could not be written, or has nowhere to go
            pass
        kept = sender.result.pending
        unsent = self.not_taken + (kept if self.outbox is None else 0)
        if problem is not None and self.pending is not None:
            lost = unsent - self.pending.written
            print_error(
                f"{self.pending.name}: {lost:,} unsent events could not be saved: {problem}"
            )
        if self.pending is None and self.source is not None and unsent:
            what = "sent" if self.outbox is None else "accepted"
            print_note(f"--pending FILE saves events that could not be {what}")
        if self.outbox is not None and kept:
            print_note(
                f"{self.outbox} keeps {counted(kept, 'event')}; "
                f"'currents-export outbox {self.outbox} --resume' sends what it keeps"
            )
        if self.pending is not None and self.pending.set_aside:
            print_note(
                f"{self.pending.name} contained text that could not be read; it is kept as "
                f"{self.pending.set_aside}"
            )
        if self._gave_up_reading:
            print_note("interrupted again: the input was not read to its end")
        elif self.source is not None and self.interrupted:
            for name in self.source.unfinished:
                shown = "standard input" if name == "-" else name
                print_note(f"{shown} was not read to its end; it may contain more events")
        return problem is not None

    def end_record(self) -> bool:
        """Close the record; return whether something is missing from it."""
        if self.record is None:
            return False
        self.record.close()
        if self.record.name == STDOUT:
            results_to_stderr()
        if self.record.problem is None:
            return False
        print_error(f"{self.record.name}: the record is incomplete: {self.record.problem}")
        return True

    def _lines(self, sender: Sender, rest: Iterable[Event]) -> Iterator[bytes]:
        """Yield the events that were not sent as JSON; count those that were not accepted."""
        for event in sender.pending() if self.outbox is None else ():
            yield encode_event(event)
        for event in chain(self.not_accepted, rest):
            try:
                line = encode_event(event)
            except EventError as error:
                self.unread += 1
                print_error(error)
            else:
                self.not_taken += 1
                yield line
        self._read_all = True

    def _print_left(self) -> None:
        """Say what is left and where, when the user did not wait for the end."""
        pending = self._sender.result.pending if self._sender is not None else 0
        unread = "" if self._read_all else "; the rest of the input was not read"
        where = f"; {self.pending.describe()}" if self.pending is not None else ""
        print_note(
            f"interrupted again: {pending:,} accepted events and {self.not_taken:,} that were not "
            f"accepted were not sent{where}{unread}"
        )

    def _noticed(self, notice: Notice) -> None:
        print_note(notice.message)
        if self.live and self.source and notice.kind in (NoticeKind.PAUSED, NoticeKind.DISABLED):
            self.source.stop()

    def _count_pending(self) -> int:
        return 0 if self._sender is None else self._sender.result.pending

    def _attempted(self, attempt: Attempt) -> None:
        self.durations.add(attempt)
        if self.on_attempt is not None:
            self.on_attempt(attempt)
        # Report the first failure immediately, and only once: retries can take a long time.
        if attempt.action is Action.RETRY and not self._retrying:
            self._retrying = True
            print_note(f"{attempt.response}; retrying")

    def _interrupt(self) -> None:
        # Stop in a thread, so that the main thread continues to read the input in order, and no
        # event is lost between the input and the sender.
        self.interrupted = True
        self._requests_to_end += 1
        if self.source is not None:
            self.source.stop()
        self._hurry()
        if self.live and self._requests_to_end == 1:
            return
        # With an outbox, what is read is still accepted, and what the files hold is read later.
        if self._sender is not None and not (self.outbox is not None and self._reads):
            self._sender.close(timeout=0.0)

    def _hurry(self) -> None:
        """Read the rest of the input without waits."""
        if self.pace is not None:
            self.pace.stop()

    def _interrupt_here(self, number: int) -> None:
        self.interrupted = True
        self._signals += 1
        # Only Ctrl-C is a sign of impatience: a terminal that goes away may send SIGHUP twice.
        if self._signals > 1 and number == signal.SIGINT:
            raise KeyboardInterrupt

    @contextmanager
    def _closing(self, sender: Sender) -> Iterator[None]:
        """Close the sender at the end, or immediately when the run is interrupted."""
        self._sender = sender
        try:
            # An interrupt may come before there is a sender.
            if self.interrupted and self.outbox is None and not self.live:
                sender.close(timeout=0.0)
            yield
        finally:
            sender.close(timeout=0.0)

    def _unknown_event_types(self, result: Result) -> dict[str, int]:
        """Count the filtered events whose type the schema version does not have, by type."""
        return {
            name: totals.filtered
            for name, totals in result.by_event_type.items()
            if name not in self.current.catalog and totals.filtered
        }

    def _report_unknown(self, unknown: dict[str, int]) -> None:
        for name, count in unknown.items():
            try:
                self.current.catalog[name]
            except UnknownNameError as error:
                print_error(f"{error} ({count:,} not sent)")


def _print_rest(not_taken: int, unread: int, kept: str | None) -> None:
    if not_taken:
        print_line(f"input events that were not accepted: {not_taken:,}")
    if unread:
        print_line(f"parts of the input that could not be read as events: {unread:,}")
    if kept is not None:
        print_line(f"unsent events are in {kept}")
