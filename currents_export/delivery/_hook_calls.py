"""Call hooks and loggers in order, one at a time, in a separate thread."""

from __future__ import annotations

import _thread
import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from .._logs import Log
from ._latch import Latch
from ._steps import Steps, Wait

__all__ = ["LIMIT", "HookCalls"]

_log = Log("delivery")

#: How many calls may wait before nothing more is sent, until some have ended or the sender closes.
LIMIT = 1_000


class HookCalls:
    """The calls of hooks and loggers that are due.

    A hook is code of the user: it may be slow, fail, or call the sender. In a separate thread it
    does not delay requests, and can wait for room in the sender's queues. Log records are written
    there too, because a logging handler is code of the user.

    `add` and `end` only put something into a queue that is safe to use from any thread and from a
    signal handler.

    Args:
        wake: called when enough calls have ended for the sender to send again.

    Attributes:
        failures: how many calls raised an exception.
        runs_elsewhere: returns whether the caller runs inside a hook, for hooks that do not run in
            this thread.
    """

    def __init__(self, wake: Callable[[], object]) -> None:
        self._wake = wake
        self.runs_elsewhere: Callable[[], bool] = lambda: False
        self._due: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        # Whoever holds it makes the calls: the thread, or a caller that waits for them when no
        # thread can be started.
        self._turn = _thread.allocate_lock()
        self._started = False
        self._left = False  # whether callers that wait make the calls
        self._caller: int | None = None
        self.held = False
        self.failures = 0

    def add(self, call: Callable[..., object] | None, *args: Any) -> None:
        """Schedule a call, to run after all calls that were added before."""
        if call is not None:
            self._due.put(partial(call, *args))

    def end(self) -> None:
        """End the thread after the calls that are due."""
        if self.needs_thread:
            self.start()
        if self._started:
            self._due.put(None)
        self._left = True

    @property
    def too_many(self) -> bool:
        """Whether too many calls wait; if so, `wake` is called when that has changed."""
        if self._due.qsize() < LIMIT:
            return False
        # Announce it first, then look again: the thread looks at it after each call.
        self.held = True
        self.held = self._due.qsize() >= LIMIT
        return self.held

    @property
    def needs_thread(self) -> bool:
        """Whether calls are due and no thread makes them."""
        return not self._started and not self._due.empty()

    def start(self) -> bool:
        """Start the thread, and return whether that was possible."""
        try:
            threading.Thread(target=self._run, name="hooks", daemon=True).start()
        except BaseException:  # noqa: BLE001 - at interpreter exit, or no thread is left
            self._left = True
            return False
        self._started, self._left = True, False
        return True

    @property
    def inside(self) -> bool:
        """Whether the caller runs inside a hook."""
        return self._caller == threading.get_ident() or self.runs_elsewhere()

    def wait(self, until: float | None) -> Steps[None]:
        """Wait until all calls added so far have ended; return at once inside a hook."""
        if self.inside or (self._due.empty() and not self._turn.locked()):
            return
        latch = Latch()
        self._due.put(latch.open)
        yield Wait(latch, until, self._make_those_left)

    def _make_those_left(self) -> bool:
        """Make the calls that are due if no thread does; return false, since that is not all."""
        if self._left:
            self._make_calls(block=False)
        return False

    def _run(self) -> None:
        self._make_calls(block=True)

    def _make_calls(self, *, block: bool) -> None:
        if not self._turn.acquire(blocking=block):
            return
        try:
            self._caller = threading.get_ident()
            while True:
                call = self._due.get(block=block)
                if call is None:
                    return
                self._make(call)
                if self.held and self._due.qsize() <= LIMIT // 2:
                    self.held = False
                    self._wake()
        except queue.Empty:
            return
        finally:
            self._caller = None
            self._turn.release()

    def _make(self, call: Callable[[], object]) -> None:
        try:
            call()
        except BaseException:  # noqa: BLE001 - a failing hook must not stop the others
            self.failures += 1
            try:
                _log.exception("hook_failed", "a hook raised an exception")
            except BaseException:  # noqa: BLE001 - nor must a failing logging handler
                self.failures += 1
