"""The threads of a sender: a thin shell around `Core`.

- Callers never touch the state. They put requests into the inbox, a queue that is safe to use from
  any thread and from a signal handler, and wait on a latch of their own.
- The lead, one thread, reads the inbox, watches the time and starts the workers.
- The workers send batches. After a response, a worker itself takes the next batch.
- Hooks and loggers are called in one more thread.

The lead and the workers change the state with `_turn` held, and call no foreign code meanwhile. No
signal handler runs in these threads, so a handler never interrupts a change. A finalizer may, so it
gets an error if it has to wait. Every change ends with `Desk.settle`, which ends the waits that are
over; whatever only the lead can do, it is woken for.
"""

from __future__ import annotations

import _thread
import itertools
import logging
import os
import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from ..errors import SenderClosedError
from ..events import Event
from ..payload import encode_body
from ._backoff import Policy
from ._batches import Batch, Entry, size_of
from ._connections import Connections
from ._core import Core
from ._desk import CHUNK, CHUNK_BYTES, Desk, closed_error
from ._hook_calls import HookCalls
from ._latch import Latch, Turn
from ._reports import Reports
from ._requests import Admission, Flush, Question, Request
from ._responses import Action, Response, decide
from .clock import Clock
from .reasons import FilterReason

__all__ = ["Engine"]

_log = logging.getLogger("currents_export.delivery")

T = TypeVar("T")
_Job = tuple[Batch, int]

#: Seconds after which a thread that could not be started is tried again.
_START_AGAIN = 0.1
#: Seconds to wait after an attempt when not even the default strategy could be asked.
_WAIT = 60.0


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
        ended: whether all threads have ended, so that the state no longer changes.
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
        self._policy = policy
        self._clock = clock
        self._concurrency = concurrency
        self.hook_calls = HookCalls(self.wake)
        self._process = os.getpid()
        self._inbox: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self._tickets = itertools.count()
        self._leading = _thread.allocate_lock()
        self._started = False
        self._lead: int | None = None
        self._over = Latch()
        self.ended = False
        # The turn guards everything below.
        self._turn = Turn()
        self._desk = Desk(core, self.hook_calls, reports(self.hook_calls))
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._workers = 0
        self._idle = 0
        self._latest = clock.now()

    # Called by any thread

    def count_pending(self) -> int:
        """Return how many events are pending."""
        return self.ask(lambda: self._core.scheduler.pending)

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
        filtered: Sequence[tuple[int, Event, FilterReason]],
        *,
        block: bool,
        until: float | None,
    ) -> None:
        """Accept events.

        Raises:
            NotTakenError: no more than `taken` of the entries were accepted.
        """
        self.check_open()
        if not self._started:
            self._start()
        ticket = next(self._tickets)
        size = size_of(entries)
        light = len(entries) <= CHUNK and size <= CHUNK_BYTES
        waits = not (light and ticket < self._desk.credit)
        from_hook = self.hook_calls.inside
        admission = Admission(
            entries,
            filtered,
            size=size,
            block=block,
            ticket=ticket,
            from_hook=from_hook,
            waits=waits,
        )
        try:
            self._inbox.put(admission)
            if admission.done is not None and not self._await(admission.done, until):
                self.ask(lambda: self._desk.give_up(admission, "there was no room in time"))
        finally:
            if admission.done is not None and not admission.resolved:  # an interrupt
                admission.abandoned = True
                self._inbox.put(Question(partial(self._desk.give_up, admission, "interrupted")))
        error = admission.error
        if error is None and self.ended and not admission.resolved:
            error = closed_error()
        if error is not None:
            error.taken = admission.taken
            raise error

    def flush(self, until: float | None, *, urgent: bool = False) -> None:
        """Send everything that was accepted, and wait for it until the given time.

        Args:
            until: the time; None waits as long as necessary.
            urgent: whether to send even if too many calls of hooks are due, as in a hook.
        """
        flush = Flush(urgent=urgent or self.hook_calls.inside)
        if not self._started or self.ended:
            return
        self._inbox.put(flush)
        self._await(flush.done, until)

    def ask(self, function: Callable[[], T]) -> T:
        """Return what a function of the state returns; see `Question`."""
        if self.ended or not self._started:
            return function()
        self._refuse_in_turn()
        if threading.get_ident() == self._lead:
            with self._turn:
                return function()
        question = Question(function)
        self._inbox.put(question)
        self._await(question.answered, None)
        # After the end, no thread changes the state, and no thread may answer.
        return question.value if question.is_answered else function()

    def close(self) -> None:
        """Accept no more events."""
        self._desk.closed = True
        self.wake()

    def stop(self, patience: float) -> None:
        """Send nothing more, and wait some seconds for the requests in flight."""
        self._desk.closed = True
        if not self._started:
            self.ended = True
        if not self.ended:
            self.ask(partial(setattr, self._core, "stopped", True))
            self._await(None, self._clock.now() + patience)
        if self.ended:
            self._connections.close()

    def _await(self, latch: Latch | None, until: float | None) -> bool:
        """Wait for a latch, or for the end of all threads; return false if the time is up."""
        self._refuse_in_turn()
        while not self.ended:
            seconds = self._clock.timeout(until)
            if (latch or self._over).wait(seconds):
                return True
            if until is not None and self._clock.now() >= until:
                return False
        return True

    def _refuse_in_turn(self) -> None:
        """Raise an error in a finalizer that runs while this thread changes the state."""
        if self._turn.is_mine:
            raise RuntimeError("a finalizer that interrupts the sender cannot wait for it")

    # The lead

    def _start(self) -> None:
        """Start the lead in one step, which no signal handler can interrupt.

        A second lead that starts meanwhile ends at once.

        Raises:
            RuntimeError: no thread can be started.
        """
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
            requests = self._read_inbox(timeout)
            now = self._now()
            with self._turn:
                self._handle(requests, now)
                over = self._core.stopped and not self._workers
                wants_worker = self._wants_worker(now)
                until = self._desk.next_time(now)
                retry = None if wants_worker else self._core.next_retry()
            if over:
                break
            if retry is not None and retry > now:
                self._guarded(self._clock.skip, retry, default=None)
            timeout = self._guarded(self._clock.timeout, until, default=_START_AGAIN)
            if wants_worker:
                timeout = 0.0 if self._start_worker(now) else min(timeout, _START_AGAIN)
            if self.hook_calls.needs_thread and not self.hook_calls.start():
                timeout = min(timeout, _START_AGAIN)
        self._end()

    def _end(self) -> None:
        self._connections.close()
        with self._turn:
            self.ended = True
            # Requests from before the end are handled; later ones see that it has come.
            self._handle(self._read_inbox(0.0), self._latest)
        if self.hook_calls.needs_thread:
            self.hook_calls.start()
        self.hook_calls.end()
        self._over.open()

    def _handle(self, requests: list[Request], now: float) -> None:
        """Handle requests, and give idle workers what may leave."""
        self._desk.handle(requests, now)
        while self._idle and (batch := self._desk.take(now)) is not None:
            self._idle -= 1
            self._jobs.put((batch, self._core.resumes))
        self._desk.settle()
        if self._core.stopped:
            for _ in range(self._idle):
                self._jobs.put(None)
            self._idle = 0

    def _wants_worker(self, now: float) -> bool:
        free = not self._idle and self._workers < self._concurrency
        return free and self._desk.can_take(now)

    def _read_inbox(self, timeout: float) -> list[Request]:
        requests: list[Request] = []
        try:
            requests.append(self._inbox.get(block=timeout > 0, timeout=timeout or None))
            while True:
                requests.append(self._inbox.get_nowait())
        except queue.Empty:
            return requests

    def _now(self) -> float:
        """Return the time; the latest known one if the clock fails."""
        self._latest = max(self._latest, self._guarded(self._clock.now, default=self._latest))
        return self._latest

    def _guarded(self, method: Callable[..., T], *args: object, default: T) -> T:
        try:
            return method(*args)
        except BaseException as error:  # noqa: BLE001 - code of the user must not end a thread
            self.hook_calls.add(_log.error, "%r raised %r", method, error)
            return default

    def _start_worker(self, now: float) -> bool:
        """Start a worker, and return whether that was possible; if none runs, be one."""
        with self._turn:
            self._workers += 1
            self._idle += 1
        try:
            threading.Thread(target=self._run_worker, name="currents-export", daemon=True).start()
        except BaseException as error:  # noqa: BLE001 - at interpreter exit, or no thread is left
            self.hook_calls.add(_log.warning, "cannot start another thread: %s", error)
            with self._turn:
                self._workers -= 1
                self._idle -= 1
                batch = self._desk.take(now) if not self._workers else None
                job = None if batch is None else (batch, self._core.resumes)
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
        self.wake()

    def _work(self, job: _Job, *, idles: bool = False) -> _Job | None:
        """Send a batch, record its response, and return the next job of this worker."""
        batch, resumes = job
        response, action, wait, stop = self._send(batch)
        now = self._now()
        core = self._core
        with self._turn:
            core.respond(batch, response, action, now, resumes=resumes, wait=wait, stop=stop)
            following = self._desk.take(now) if idles else None
            self._idle += idles and following is None
            # An idle worker means a free place: the lead must look at the time again.
            routine = (
                following is not None
                and action is Action.DELIVERED
                and batch.attempts == 1
                and not core.stopped
            )
            roomy = following is None or core.scheduler.has_ample_room
            self._desk.settle()
            if not routine or (self._desk.short_of_room and roomy) or self.hook_calls.needs_thread:
                self.wake()
            return None if following is None else (following, core.resumes)

    def _send(self, batch: Batch) -> tuple[Response, Action, float, bool]:
        """Send a batch; return the response, what it means, and when to send it again."""
        try:
            response = self._connections.post(encode_body([each.body for each in batch.events]))
        except BaseException as error:  # noqa: BLE001 - a transport that was passed in may raise anything
            response = Response(status=None, text=type(error).__name__)
        action = decide(response.status, size=len(batch.events), split_off=batch.split_off)
        if action is not Action.RETRY:
            return response, action, 0.0, False
        wait, stop = self._guarded(
            self._policy.ask, batch, response, self._now(), default=(_WAIT, False)
        )
        return response, action, wait, stop
