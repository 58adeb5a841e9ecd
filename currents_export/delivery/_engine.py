"""The threads of a sender: a thin shell around `Core`.

- Callers never touch the state. They put requests into the inbox, which is safe to use from any
  thread and from a signal handler, and wait on a latch of their own: see `_calls.py`.
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
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from .._logs import Log
from ._attempts import Attempts
from ._backoff import Policy
from ._batches import Batch, Revise
from ._calls import Calls
from ._connections import Connections
from ._core import Core
from ._hook_calls import HookCalls
from ._keeper import Keeper
from ._outbox import Outbox
from ._quota import Allowance
from ._quota_keeper import QuotaKeeper
from ._reports import Reports
from ._steps import Steps
from .clock import Clock

if TYPE_CHECKING:
    from ._quota_file import WorkspaceFile

__all__ = ["Engine"]

_log = Log("delivery")

T = TypeVar("T")
_Job = tuple[Batch, int]

#: Seconds after which a thread that could not be started is tried again.
_START_AGAIN = 0.1
#: The alarm of a lead that does not sleep.
_AWAKE = float("-inf")
_NEVER = float("inf")


class Engine(Calls):
    """The threads, and the state that they share.

    Args:
        core: the state.
        connections: where batches are sent to.
        policy: how long a batch waits before it is sent again.
        clock: the time.
        concurrency: the largest number of workers.
        reports: what calls hooks and loggers.
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
        super().__init__(core, connections, clock, reports)
        self._concurrency = concurrency
        self._attempts = Attempts(connections, policy, self._guard)
        self._leading = _thread.allocate_lock()
        # The turn guards everything below, and what callers share.
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._workers = self._idle = 0
        self._alarm = _AWAKE  # when the lead looks at the state again, if nothing wakes it
        self._skipped_to = _NEVER  # the time that the clock was asked to skip to
        self._keeper: Keeper | None = None
        self._quota_keeper: QuotaKeeper | None = None

    def use_workspace(self, file: WorkspaceFile, allowance: Allowance) -> None:
        """Share the quota of a workspace."""
        self._quota_keeper = QuotaKeeper(file, allowance, self._desk, self._turn, self._follow_up)

    def use_outbox(self, outbox: Outbox, revise: Revise | None) -> None:
        """Store events in an outbox from now on, and continue with what it holds.

        Args:
            outbox: the outbox.
            revise: applies the form to the events it holds, if they were stored under another form.
        """
        self.outbox = outbox
        self._keeper = Keeper(outbox, self._core, self._desk, self._turn, self._follow_up)
        if self._keeper.begin(revise, self._guard.latest):
            with suppress(RuntimeError):  # no thread can be started now; each call tries again
                self.start()

    def stop(self, patience: float) -> Steps[None]:
        """Send nothing more, and wait some seconds for the requests in flight."""
        self._desk.closed = True
        if not self._started and self._keeper is not None:
            with suppress(RuntimeError):
                self.start()  # it closes the outbox, which takes time
        if not self._started:
            self._core.stopped = self._inbox.ended = True
            if self._keeper is not None:
                self._keeper.close(self._guard.latest)
        if not self._inbox.ended:
            yield from self.ask(partial(setattr, self._core, "stopped", True))
            yield from self._inbox.wait(None, self._clock.now() + patience)
        if self._inbox.ended:
            self._connections.close()

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
            if self._quota_keeper is not None:
                self._quota_keeper.work(now)
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
        if self._quota_keeper is not None:
            self._quota_keeper.close(self._guard.latest)
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
            or (self._quota_keeper is not None and self._quota_keeper.is_due(now))
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
