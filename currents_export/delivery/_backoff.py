"""When a batch is sent again: tenacity's strategies, asked without waiting.

Source: Braze, Custom Currents export (exponential backoff with jitter).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import tenacity
from tenacity.stop import stop_never
from tenacity.wait import wait_base, wait_exponential

from .._logs import Log
from ..errors import OptionError
from ._batches import Batch
from ._responses import Response

__all__ = ["Backoff", "Policy", "Stop", "Wait"]

_log = Log("delivery")

#: A wait strategy: how many seconds to wait after an attempt.
Wait = Callable[[tenacity.RetryCallState], float]
#: A stop strategy: whether to stop after an attempt.
Stop = Callable[[tenacity.RetryCallState], bool]


class Backoff(wait_base):
    """A tenacity wait strategy: exponential with jitter, as Braze waits.

    The limit doubles from `initial` up to `maximum`. Each wait is drawn from the upper half of
    the limit, so that batches that failed together are not sent again together.

    Args:
        initial: the longest wait before the second attempt, in seconds.
        maximum: the longest wait before any attempt, in seconds.
        rng: the randomness of the jitter; for tests.

    Raises:
        OptionError: `0 < initial <= maximum` is not true.
    """

    def __init__(
        self, initial: float = 1.0, maximum: float = 60.0, *, rng: random.Random | None = None
    ) -> None:
        if not 0 < initial <= maximum:
            raise OptionError(
                f"backoff from {initial} to {maximum} s: it must be 0 < initial <= maximum"
            )
        self.initial = initial
        self.maximum = maximum
        self._growth = wait_exponential(multiplier=initial, max=maximum)
        self._rng = rng or random.Random()

    def __repr__(self) -> str:
        return f"Backoff(initial={self.initial}, maximum={self.maximum})"

    def __call__(self, retry_state: tenacity.RetryCallState) -> float:
        """Return the seconds to wait after an attempt."""
        return self._growth(retry_state) * self._rng.uniform(0.5, 1.0)


class Policy:
    """How long and how often a batch is sent again.

    Args:
        wait: how many seconds to wait after a failed attempt.
        stop: whether to stop after a failed attempt.
    """

    def __init__(self, wait: Wait | None = None, stop: Stop | None = None) -> None:
        self._default = Backoff()
        self._wait = self._default if wait is None else wait
        self._stop = stop_never if stop is None else stop

    def ask(self, batch: Batch, response: Response, now: float) -> tuple[float, bool]:
        """Return how many seconds the batch waits, and whether to stop.

        The strategies get the state that tenacity would keep of the batch's attempts; its times are
        those of the sender's clock. A strategy that fails is logged and replaced by the default.
        """
        state = tenacity.RetryCallState(tenacity.Retrying(), None, (), {})
        state.start_time = batch.began_at
        state.attempt_number = batch.attempts
        state.idle_for = batch.waited
        state.set_result(response)
        state.outcome_timestamp = now
        wait = self._seconds(state)
        wait = max(wait, response.retry_after or 0.0)
        state.upcoming_sleep = wait
        return wait, bool(_guarded(self._stop, state, False))

    def _seconds(self, state: tenacity.RetryCallState) -> float:
        seconds = _guarded(self._wait, state, None)
        if isinstance(seconds, int | float) and math.isfinite(seconds) and seconds >= 0:
            return seconds
        if seconds is not None:
            _log.error(
                "strategy_failed", "the wait strategy returned %r; it must return seconds", seconds
            )
        return self._default(state)


def _guarded(
    strategy: Callable[[tenacity.RetryCallState], Any], state: tenacity.RetryCallState, default: Any
) -> Any:
    try:
        return strategy(state)
    except BaseException:  # noqa: BLE001 - a failing strategy must not stop the others
        _log.exception("strategy_failed", "a wait or stop strategy raised an exception")
        return default
