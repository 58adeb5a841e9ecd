"""What `send` and `test` share: a sender at work, and how its run is reported."""

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
        on_stop: called in the main thread, between any two of its steps, when the user interrupts
            the run; it may raise KeyboardInterrupt.
        drops: the events that were dropped.
        unread: pieces of the input that could not be read, or are not events.
        not_taken: the event at which the sender took no more, if there was one.
        interrupted: whether the user interrupted it.
    """

    current: Current
    on_stop: Callable[[], None] = _nothing
    drops: list[Drop] = attrs.field(factory=list)
    unread: int = 0
    not_taken: Event | None = None
    interrupted: bool = False
    _sender: Sender | None = None
    _retrying: bool = False
    _signals: int = 0

    def run(self, work: Callable[[Sender], object], **options: Any) -> Sender:
        """Let a sender do the work, wait until events have left or cannot, and close it."""
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
        """End the run in order on SIGINT and SIGTERM; a second one ends it at once."""
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
        """Keep what was not sent, report, and exit with the code that says how it went.

        Args:
            sender: the sender, closed.
            rest: what is left of the input after `not_taken`.
            pending: where to keep what was not sent.
            allow_empty: whether a run without events is fine.
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
        if unsent and pending is None:
            print_note("--pending FILE keeps what could not be sent")
        self._report_unknown(unknown)
        empty = not (result.accepted or result.filtered or self.unread or self.interrupted)
        if empty and not allow_empty:
            print_error("there are no events to send; --allow-empty accepts that")
        if problem is not None:
            print_error(problem)
        if self.interrupted:
            raise typer.Exit(INTERRUPTED)
        if self.unread or unknown or problem is not None or (empty and not allow_empty):
            raise typer.Exit(BAD_INPUT)
        if not result.complete or not_taken:
            raise typer.Exit(NOT_ALL)

    def _attempted(self, attempt: Attempt) -> None:
        # Once is enough, and at once: giving up takes its time.
        if attempt.action is Action.RETRY and not self._retrying:
            self._retrying = True
            print_note(f"{attempt.response}; retrying")

    def _interrupt(self) -> None:
        # In a thread, so that the main one goes on reading the input in order, and no event is
        # lost between the input and the sender.
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
        """Close the sender at the end, or at once when the run is interrupted."""
        self._sender = sender
        try:
            if self.interrupted:  # before there was a sender
                sender.close(timeout=0.0)
            yield
        finally:
            sender.close(timeout=0.0)

    def _unknown_event_types(self, result: Result) -> dict[str, int]:
        """Return the filtered events whose type the schema version does not have, by type."""
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
    """Write what was not sent; return the file, how many were not taken, and what went wrong."""
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
        problem = f"{count:,} events that were not sent could not be kept: {error.strerror}"
        return None, not_taken, f"{pending.path}: {problem}"
    return str(pending.path) if count else None, not_taken, None


def _print_rest(not_taken: int, unread: int, kept: str | None) -> None:
    if not_taken:
        print_line(f"events of the input that were not accepted: {not_taken:,}")
    if unread:
        print_line(f"parts of the input that could not be read as events: {unread:,}")
    if kept is not None:
        print_line(f"what was not sent is in {kept}")
