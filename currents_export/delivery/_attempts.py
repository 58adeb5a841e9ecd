"""Send a batch once, and call what is foreign code without being stopped by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .._logs import Log
from ..payload import encode_body
from ._backoff import Policy
from ._batches import Batch
from ._connections import Connections
from ._hook_calls import HookCalls
from ._responses import Action, Response, decide
from .clock import Clock

__all__ = ["Attempts", "Guard"]

_log = Log("delivery")

T = TypeVar("T")

#: Seconds to wait after an attempt when not even the default strategy could be asked.
_WAIT = 60.0


class Guard:
    """Calls of a clock and of strategies, which are code of the user.

    Args:
        clock: the clock.
        hook_calls: where failures are reported.

    Attributes:
        latest: the latest known time.
    """

    def __init__(self, clock: Clock, hook_calls: HookCalls) -> None:
        self._clock = clock
        self._hook_calls = hook_calls
        self.latest = clock.now()

    def call(self, method: Callable[..., T], *args: object, default: T) -> T:
        """Return what a method returns, or the default if it raises anything."""
        try:
            return method(*args)
        except BaseException as error:  # noqa: BLE001 - code of the user must not end a thread
            self._hook_calls.add(_log.error, "code_failed", "%r raised %r", method, error)
            return default

    def now(self) -> float:
        """Return the time; the latest known one if the clock fails."""
        self.latest = max(self.latest, self.call(self._clock.now, default=self.latest))
        return self.latest


class Attempts:
    """The requests of the workers.

    Args:
        connections: where batches are sent to.
        policy: how long a batch waits before it is sent again.
        guard: what calls foreign code.
    """

    def __init__(self, connections: Connections, policy: Policy, guard: Guard) -> None:
        self._connections = connections
        self._policy = policy
        self._guard = guard

    def send(self, batch: Batch) -> tuple[Response, Action, float, bool]:
        """Send a batch; return the response, what it means, and when to send it again."""
        try:
            response = self._connections.post(encode_body([each.body for each in batch.events]))
        except BaseException as error:  # noqa: BLE001 - a transport that was passed in may raise anything
            response = Response(status=None, text=type(error).__name__)
        action = decide(response.status, size=len(batch.events), split_off=batch.split_off)
        if self._connections.failure is not None and response.status is None:
            action = Action.PAUSE
        if action is not Action.RETRY:
            return response, action, 0.0, False
        wait, stop = self._guard.call(
            self._policy.ask, batch, response, self._guard.now(), default=(_WAIT, False)
        )
        return response, action, wait, stop
