"""The threads of a sender: a thin shell around `Core`.

- Callers never touch the state. They put requests into the inbox, which is safe to use from any
  thread and from a signal handler, and wait on a latch of their own.
- The lead, one thread, reads the inbox, watches the time and starts the workers.
- The workers send batches. After a response, a worker itself takes the next batch.
- Hooks and loggers are called in one more thread.

The lead and the workers change the state with `_turn` held, and call no foreign code meanwhile. No
signal handler runs in these threads, so a handler never interrupts a change. A finalizer may, so it
gets an error if it has to wait.

Every change ends with `_follow_up`, which does all that the change made possible, or wakes the lead
for what only the lead can do. What that is, and when, is said in one place: `_agenda`.
"""

from __future__ import annotations

import _thread
import os
import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

from .._logs import Log
from ..errors import SenderClosedError
from ._attempts import Attempts, Guard
from ._backoff import Policy
from ._batches import Batch, Entry
from ._connections import Connections
from ._core import Core, Revise
from ._desk import Desk, closed_error
from ._hook_calls import HookCalls
from ._inbox import Inbox
from ._keeper import Keeper
from ._latch import Turn
from ._outbox import Outbox
from ._reports import Reports
from ._requests import Admission, Filtered, Flush, Question
from ._steps import Steps, run
from .clock import Clock

__all__ = ["Engine"]

_log = Log("delivery")

T = TypeVar("T")
_Job = tuple[Batch, int]

#: Seconds after which a thread that could not be started is tried again.
_START_AGAIN = 0.1
#: The alarm of a lead that does not sleep.
_AWAKE = float("-inf")
_NEVER = float("inf")


class Engine:
    """The threads, and the state that they share.

    Args:
        core: the state.
        connections: where batches are sent to.
        policy: how long a batch waits before it is sent again.
        clock: the time.
        concurrency: the largest number of workers.
        reports: what calls hooks and loggers.

    Attributes:
        outbox: where events are stored before they are accepted, if anywhere.
        hook_calls: the calls of hooks that are due.
    """

    def __init__(
        self,
        core: Core,
        connections: Connections,
        policy: Policy,
        clock: Clock,
        *,
        concurrency: int,
        reports: Callable[[HookCalls], Reports],
    ) -> None:
        self._core = core
        self._connections = connections
        self._clock = clock
        self._concurrency = concurrency
        self.hook_calls = HookCalls(self.wake)
        self._guard = Guard(clock, self.hook_calls)
        self._attempts = Attempts(connections, policy, self._guard)
        self._process = os.getpid()
        self._inbox = Inbox()
        self._leading = _thread.allocate_lock()
        self._started = False
        self._lead: int | None = None
        # The turn guards everything below.
        self._turn = Turn()
        self._desk = Desk(core, self.hook_calls, reports(self.hook_calls))
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._workers = self._idle = 0
        self._alarm = _AWAKE  # when the lead looks at the state again, if nothing wakes it
        self._skipped_to = _NEVER  # the time that the clock was asked to skip to
        self.outbox: Outbox | None = None
        self._keeper: Keeper | None = None

    def use_outbox(self, outbox: Outbox, revise: Revise | None) -> None:
        """Store events in an outbox from now on, and continue with what it holds.

        Args:
            outbox: the outbox.
            revise: applies the form to the events it holds, if they were stored under another form.
        """
        self.outbox = outbox
        self._keeper = Keeper(outbox, self._core, self._desk, self._turn, self._follow_up)
        if self._keeper.begin(revise, self._guard.latest):
            self.start()

    # Called by any thread; `_steps.py` explains the waits

    def count_pending(self) -> int:
        """Return how many events are pending."""
        return run(self.ask(lambda: self._core.scheduler.pending), self._clock)

    def check_process(self) -> None:
        """Raise an error in a forked child, whose copies of the locks may be held forever."""
        if os.getpid() != self._process:
            raise SenderClosedError("the sender was made in another process; make a new one")

    def check_open(self) -> None:
        """Raise an error if the sender is closed."""
        if self._desk.closed:
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
        flush = Flush(urgent=urgent or self.hook_calls.inside)
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

    def stop(self, patience: float) -> Steps[None]:
        """Send nothing more, and wait some seconds for the requests in flight."""
        self._desk.closed = True
        if not self._started:
            self._core.stopped = self._inbox.ended = True
            if self._keeper is not None:
                self._keeper.close(self._guard.latest)
        if not self._inbox.ended:
            yield from self.ask(partial(setattr, self._core, "stopped", True))
            yield from self._inbox.wait(None, self._clock.now() + patience)
        if self._inbox.ended:
            self._connections.close()

    def _refuse_in_turn(self) -> None:
        """Raise an error in a finalizer that runs while this thread changes the state."""
        if self._turn.is_mine or (self.outbox is not None and self.outbox.is_mine):
            raise RuntimeError("a finalizer that interrupts the sender cannot wait for it")

    # The lead

    def start(self) -> None:
        """Start the lead, if it does not run, in one step, which no signal handler can interrupt.

        A second lead that starts meanwhile ends at once.

        Raises:
            RuntimeError: no thread can be started.
        """
        if not self._started:
            _thread.start_new_thread(self._become_lead, ())
            self._started = True

    def _become_lead(self) -> None:
        if not self._leading.acquire(blocking=False):
            return
        try:
            # A thread that the threading module knows, for debuggers and profilers.
            threading.Thread(target=self._run_lead, name="currents-export", daemon=True).start()
        except BaseException:  # noqa: BLE001 - no thread is left: this one is enough
            self._run_lead()

    def _run_lead(self) -> None:
        self._lead = threading.get_ident()
        self._started = True
        timeout = 0.0
        while True:
            requests = self._inbox.read(timeout)
            now = self._guard.now()
            with self._turn:
                self._alarm = _AWAKE
                self._desk.handle(requests, now)
                self._follow_up(now)
            if self._keeper is not None:
                self._keeper.work(now)
                now = self._guard.now()
            with self._turn:
                if self._is_over():
                    break
                wants_worker = self._wants_worker(now)
                retry = None if wants_worker else self._next_skip(now)
                self._skipped_to = self._skipped_to if retry is None else retry
                self._alarm = self._agenda(now)
                until = None if self._alarm == _NEVER else self._alarm
            if retry is not None:
                self._guard.call(self._clock.skip, retry, default=None)
            timeout = self._guard.call(self._clock.timeout, until, default=_START_AGAIN)
            if wants_worker and not self._start_worker(now):
                timeout = _START_AGAIN
            if self.hook_calls.needs_thread and not self.hook_calls.start():
                timeout = _START_AGAIN
        self._end()

    def _end(self) -> None:
        self._connections.close()
        if self._keeper is not None:
            self._keeper.close(self._guard.latest)
        with self._turn:
            self._inbox.ended = True
            # Requests from before the end are handled; later ones see that it has come.
            self._desk.handle(self._inbox.read(0.0), self._guard.latest)
            self._desk.settle(self._guard.latest)
        self.hook_calls.end()
        self._inbox.end_waits()

    def _agenda(self, now: float) -> float:
        """Return when there is something to do that only the lead can do."""
        if (
            self._is_over()
            or self._wants_worker(now)
            or self._next_skip(now) is not None
            or self.hook_calls.needs_thread
            or (self._keeper is not None and self._keeper.is_due())
        ):
            return now
        until = self._desk.next_time(now)
        return _NEVER if until is None else until

    def _is_over(self) -> bool:
        return self._core.stopped and not self._workers

    def _wants_worker(self, now: float) -> bool:
        free = not self._idle and self._workers < self._concurrency
        return free and self._desk.can_take(now)

    def _next_skip(self, now: float) -> float | None:
        """Return the time of the next retry, unless the clock was asked to skip to it."""
        retry = self._core.next_retry()
        return None if retry is None or retry <= now or retry == self._skipped_to else retry

    # Called by the lead and the workers, with the turn held

    def _follow_up(self, now: float) -> None:
        """Do what a change of the state made possible; every change ends with this."""
        self._desk.settle(now)
        while self._idle and (job := self._take(now)) is not None:
            self._idle -= 1
            self._jobs.put(job)
        if self._core.stopped:
            for _ in range(self._idle):
                self._jobs.put(None)
            self._idle = 0
        if self._agenda(now) < self._alarm:
            self._alarm = _AWAKE
            self.wake()

    def _take(self, now: float) -> _Job | None:
        batch = self._desk.take(now)
        return None if batch is None else (batch, self._core.resumes)

    def _start_worker(self, now: float) -> bool:
        """Start a worker, and return whether that was possible; if none runs, be one."""
        with self._turn:
            self._workers += 1
            self._idle += 1
        try:
            threading.Thread(target=self._run_worker, name="currents-export", daemon=True).start()
        except BaseException as error:  # noqa: BLE001 - at interpreter exit, or no thread is left
            self.hook_calls.add(_log.warning, "no_thread", "cannot start another thread: %s", error)
            with self._turn:
                self._workers -= 1
                if self._idle:
                    self._idle -= 1
                    job = None if self._workers else self._take(now)
                else:  # another worker gave it a job meanwhile
                    job = self._jobs.get_nowait()
            if job is not None:
                self._work(job)
            return job is not None
        return True

    # The workers

    def _run_worker(self) -> None:
        while (job := self._jobs.get()) is not None:
            while job is not None:
                job = self._work(job, idles=True)
        with self._turn:
            self._workers -= 1
            self._follow_up(self._guard.latest)

    def _work(self, job: _Job, *, idles: bool = False) -> _Job | None:
        """Send a batch, record its response, and return the next job of this worker."""
        batch, resumes = job
        response, action, wait, stop = self._attempts.send(batch)
        now = self._guard.now()
        with self._turn:
            self._core.respond(batch, response, action, now, resumes=resumes, wait=wait, stop=stop)
            notes = self._desk.begin_notes()
            if notes is None or self._keeper is None:
                return self._go_on(now, idles=idles)
        # Before the next request, so that few events are sent again if the process is killed.
        self._keeper.write(notes, now)
        with self._turn:
            return self._go_on(now, idles=idles)

    def _go_on(self, now: float, *, idles: bool) -> _Job | None:
        self._desk.settle(now)  # what it accepts may fill the next batch
        following = self._take(now) if idles else None
        self._idle += idles and following is None
        self._follow_up(now)
        return following
