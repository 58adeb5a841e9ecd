"""What callers of the sender do, in any thread, in a signal handler, or in a finalizer.

Callers never touch the state. They put requests into the inbox, and wait; `_steps.py` explains the
waits.
"""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from ..errors import SenderClosedError
from ._attempts import Guard
from ._batches import Entry
from ._connections import Connections
from ._core import Core
from ._desk import Desk, closed_error
from ._hook_calls import HookCalls
from ._inbox import Inbox
from ._latch import Turn
from ._outbox import Outbox
from ._reports import Reports
from ._requests import Admission, Filtered, Flush, Question
from ._steps import Steps, run
from .clock import Clock

__all__ = ["Calls"]

T = TypeVar("T")


class Calls(ABC):
    """The part of the engine that callers use.

    Args:
        core: the state.
        connections: where batches are sent to.
        clock: the time.
        reports: what calls hooks and loggers.

    Attributes:
        outbox: where events are stored before they are accepted, if anywhere.
        hook_calls: the calls of hooks that are due.
    """

    def __init__(
        self,
        core: Core,
        connections: Connections,
        clock: Clock,
        reports: Callable[[HookCalls], Reports],
    ) -> None:
        self._core = core
        self._connections = connections
        self._clock = clock
        self.hook_calls = HookCalls(self.wake)
        self._guard = Guard(clock, self.hook_calls)
        self._process = os.getpid()
        self._inbox = Inbox()
        self._started = False
        self._lead: int | None = None
        # The turn guards everything below.
        self._turn = Turn()
        self._desk = Desk(core, self.hook_calls, reports(self.hook_calls))
        self.outbox: Outbox | None = None

    @abstractmethod
    def start(self) -> None:
        """Start the threads that answer."""

    def count_pending(self) -> int:
        """Return how many events are pending."""
        return run(self.ask(lambda: self._core.scheduler.pending), self._clock)

    def check_process(self) -> None:
        """Raise an error in a forked child, whose copies of the locks may be held forever."""
        if os.getpid() != self._process:
            raise SenderClosedError("the sender was made in another process; make a new one")

    @property
    def closed(self) -> bool:
        """Whether no more events are accepted."""
        return self._desk.closed

    def check_open(self) -> None:
        """Raise an error if the sender is closed."""
        if self.closed:
            raise closed_error()

    def wake(self) -> None:
        """Let the lead look at the state again."""
        self._inbox.put(None)

    def admit(
        self,
        entries: Sequence[Entry],
        filtered: Sequence[Filtered],
        *,
        block: bool,
        until: float | None,
        keep: bool = False,
        revision: int = 0,
    ) -> Steps[None]:
        """Accept events; with `keep`, all of them, even without room, if a wait is interrupted.

        Raises:
            NotTakenError: no more than `taken` of the entries were accepted.
        """
        admission = self._make(entries, filtered, block=block, revision=revision)
        ended = False
        try:
            self._inbox.put(admission)
            if admission.done is not None and not (
                yield from self._inbox.wait(admission.done, until)
            ):
                late = partial(self._desk.give_up, admission, "there was no room in time")
                yield from self.ask(late)
            ended = True
        finally:
            if not ended and (keep or not admission.resolved):
                admission.abandoned = not keep
                interrupt = partial(self._desk.interrupt, admission, self._guard.latest)
                self._inbox.put(Question(interrupt))
        self._check(admission)

    def submit(
        self, entries: Sequence[Entry], filtered: Sequence[Filtered], **options: Any
    ) -> Admission:
        """Ask for events to be stored and accepted; `finish` waits for that."""
        admission = self._make(entries, filtered, **options)
        self._inbox.put(admission)
        return admission

    def finish(self, admission: Admission) -> Steps[None]:
        """Wait until an admission is accepted, or raise the error with which it was refused."""
        if admission.done is not None:
            yield from self._inbox.wait(admission.done, None)
        self._check(admission)

    def _make(self, *about: Any, **options: Any) -> Admission:
        self.check_open()
        self.start()
        admission = self._desk.make_admission(*about, **options)
        if admission.done is not None:
            self._refuse_in_turn()
        return admission

    def _check(self, admission: Admission) -> None:
        error = admission.error
        if error is None and self._inbox.ended and not admission.resolved:
            error = closed_error()
        if error is not None:
            error.taken = admission.taken
            raise error

    def flush(self, until: float | None, *, urgent: bool = False) -> Steps[None]:
        """Send everything that was accepted, and wait for it until the given time.

        Args:
            until: the time; None waits as long as necessary.
            urgent: whether to send even if too many calls of hooks are due, as in a hook.
        """
        yield from self._wait_for(Flush(urgent=urgent or self.hook_calls.inside), until)

    def be_noted(self) -> Steps[None]:
        """Wait until the outbox, if there is one, holds what happened."""
        if self.outbox is not None:
            yield from self._wait_for(Flush(urgent=False, sends=False), None)

    def _wait_for(self, flush: Flush, until: float | None) -> Steps[None]:
        if not self._started or self._inbox.ended:
            return
        self._refuse_in_turn()
        self._inbox.put(flush)
        yield from self._inbox.wait(flush.done, until)

    def ask(self, function: Callable[[], T]) -> Steps[T]:
        """Return what a function of the state returns; see `Question`."""
        if self._inbox.ended or not self._started:
            return function()
        self._refuse_in_turn()
        if threading.get_ident() == self._lead:  # the clock, which is foreign code, asks
            self.wake()
            with self._turn:
                return function()
        question = Question(function)
        self._inbox.put(question)
        yield from self._inbox.wait(question.answered, None)
        # After the end, no thread changes the state, and no thread may answer.
        return question.value if question.is_answered else function()

    def request(self, function: Callable[[], object]) -> None:
        """Call a function of the state soon, without a wait for it."""
        if self._inbox.ended or not self._started:
            function()
        else:
            self._inbox.put(Question(function))

    def close(self) -> None:
        """Accept no more events."""
        self._desk.closed = True
        self.wake()

    def _refuse_in_turn(self) -> None:
        """Raise an error in a finalizer that runs while this thread changes the state."""
        if self._turn.is_mine or (self.outbox is not None and self.outbox.is_mine):
            raise RuntimeError("a finalizer that interrupts the sender cannot wait for it")
