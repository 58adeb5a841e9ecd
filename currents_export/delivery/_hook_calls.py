"""Call hooks in order, one at a time, in a separate thread."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from .clock import Clock

__all__ = ["HookCalls"]

_log = logging.getLogger("currents_export.delivery")

#: Seconds after which the thread ends if no call is due.
_LINGER = 1.0


class HookCalls:
    """The hook calls that are due.

    A hook is code of the user: it may be slow, fail, or call the sender. In a separate thread it
    does not delay requests, and can wait for room in the sender's queues.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: deque[Callable[[], object]] = deque()
        self._added = 0
        self._done = 0
        self._thread: threading.Thread | None = None

    def add(self, hook: Callable[..., object] | None, *args: Any) -> None:
        """Schedule a call, to run after all calls that were added before."""
        if hook is None:
            return
        with self._changed:
            self._due.append(partial(hook, *args))
            self._added += 1
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="hooks", daemon=True)
                self._thread.start()

    def wait(self, clock: Clock, until: float | None) -> None:
        """Wait until all calls added so far have ended; return at once inside a hook."""
        with self._changed:
            if threading.current_thread() is self._thread:
                return
            added = self._added
            while self._done < added and (until is None or clock.now() < until):
                clock.wait(self._changed, until)

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._due:
                    self._changed.wait(_LINGER)
                if not self._due:
                    self._thread = None
                    return
                call = self._due.popleft()
            try:
                call()
            except Exception:  # noqa: BLE001 - a failing hook must not stop the others
                _log.exception("a hook raised an exception")
            with self._changed:
                self._done += 1
                self._changed.notify_all()
