"""Run a sender for `send` and `test`, and report the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import attrs
import typer

from ..current import Current
from ..delivery import Action, Attempt, Drop, Hooks, PendingFile, Result, Sender
from ..errors import InvalidEventsError, NotTakenError, UnknownNameError
from ..events import Event
from ._exit_codes import BAD_INPUT, INTERRUPTED, NOT_ALL
from ._result import print_result
from ._signals import on_interrupt
from ._streams import print_error, print_json, print_line, print_note
from ._tables import progress

__all__ = ["Delivery"]


def _nothing() -> None:
    pass


@attrs.define
class Delivery:
    """A delivery from the command line.

    Attributes:
        current: the Current.
        on_stop: called in the main thread, at any point, when the user interrupts the run; it may
            raise KeyboardInterrupt.
        keeps: whether the command has the option --pending.
        drops: the events that were dropped.
        unread: how many parts of the input could not be read, or are not events.
        not_taken: the first event that the sender did not accept, if there was one.
        interrupted: whether the user interrupted it.
    """

    current: Current
    on_stop: Callable[[], None] = _nothing
    keeps: bool = False
    drops: list[Drop] = attrs.field(factory=list)
    unread: int = 0
    not_taken: Event | None = None
    interrupted: bool = False
    _sender: Sender | None = None
    _retrying: bool = False
    _signals: int = 0

    def run(self, work: Callable[[Sender], object], **options: Any) -> Sender:
        """Run the work with a sender, wait until events have left or cannot, and close it."""
        with progress("delivered") as advance:
            hooks = Hooks(
                on_attempt=self._attempted,
                on_delivered=lambda _, ids: advance(len(ids)),
                on_dropped=self.drops.append,
                on_notice=lambda notice: print_note(notice.message),
            )
            sender = Sender(self.current, hooks=hooks, **options)
            with self._closing(sender):
                try:
                    work(sender)
                except InvalidEventsError as error:
                    self.unread += len(error.problems)
                    for problem in error.problems:
                        print_error(problem)
                except NotTakenError as error:
                    self.not_taken = error.event
                sender.flush()
        return sender

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """End the run cleanly on SIGINT and SIGTERM; a second signal ends it immediately."""
        with on_interrupt(self._interrupt, here=self._interrupt_here):
            yield

    def conclude(
        self,
        sender: Sender,
        *,
        rest: Iterable[Event] = (),
        pending: PendingFile | None = None,
        allow_empty: bool = False,
        as_json: bool = False,
    ) -> None:
        """Save the events that were not sent, report, and exit with the matching code.

        Args:
            sender: the sender, closed.
            rest: the rest of the input after `not_taken`.
            pending: the file for events that were not sent.
            allow_empty: whether a run without events is allowed.
            as_json: whether to report as JSON.
        """
        result = sender.result
        rest = chain((self.not_taken,), rest) if self.not_taken else rest
        kept, not_taken, problem = _keep(sender, rest, pending)
        unsent = result.pending + not_taken
        unknown = self._unknown_event_types(result)
        if as_json:
            print_json(
                result.to_dict()
                | {
                    "not_taken": not_taken,
                    "unread": self.unread,
                    "unknown_event_types": unknown,
                    "interrupted": self.interrupted,
                    "pending_file": kept,
                    "drops": [drop._asdict() for drop in self.drops],
                }
            )
        else:
            print_result(result, self.drops)
            _print_rest(not_taken, self.unread, kept)
        if unsent and pending is None and self.keeps:
            print_note("--pending FILE saves events that could not be sent")
        self._report_unknown(unknown)
        empty = not (result.accepted or result.filtered or self.unread or self.interrupted)
        if empty and not allow_empty:
            print_error("there are no events to send; --allow-empty allows that")
        if problem is not None:
            print_error(problem)
        if self.interrupted:
            raise typer.Exit(INTERRUPTED)
        if self.unread or unknown or problem is not None or (empty and not allow_empty):
            raise typer.Exit(BAD_INPUT)
        if not result.complete or not_taken:
            raise typer.Exit(NOT_ALL)

    def _attempted(self, attempt: Attempt) -> None:
        # Report the first failure immediately, and only once: retries can take a long time.
        if attempt.action is Action.RETRY and not self._retrying:
            self._retrying = True
            print_note(f"{attempt.response}; retrying")

    def _interrupt(self) -> None:
        # Stop in a thread, so that the main thread continues to read the input in order, and no
        # event is lost between the input and the sender.
        self.interrupted = True
        if self._sender is not None:
            self._sender.close(timeout=0.0)

    def _interrupt_here(self) -> None:
        self.interrupted = True
        self._signals += 1
        if self._signals > 1:
            raise KeyboardInterrupt
        self.on_stop()

    @contextmanager
    def _closing(self, sender: Sender) -> Iterator[None]:
        """Close the sender at the end, or immediately when the run is interrupted."""
        self._sender = sender
        try:
            if self.interrupted:  # before there was a sender
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


def _keep(
    sender: Sender, rest: Iterable[Event], pending: PendingFile | None
) -> tuple[str | None, int, str | None]:
    """Save unsent events; return the file, how many were not accepted, and the problem."""
    not_taken = 0

    def counted() -> Iterator[Event]:
        nonlocal not_taken
        for event in rest:
            not_taken += 1
            yield event

    left = counted()
    if pending is None:
        for _ in left:
            pass
        return None, not_taken, None
    try:
        count = pending.write(chain(sender.pending(), left))
    except OSError as error:
        for _ in left:
            pass
        count = sender.result.pending + not_taken
        problem = f"{count:,} unsent events could not be saved: {error.strerror}"
        return None, not_taken, f"{pending.path}: {problem}"
    return str(pending.path) if count else None, not_taken, None


def _print_rest(not_taken: int, unread: int, kept: str | None) -> None:
    if not_taken:
        print_line(f"input events that were not accepted: {not_taken:,}")
    if unread:
        print_line(f"parts of the input that could not be read as events: {unread:,}")
    if kept is not None:
        print_line(f"unsent events are in {kept}")
