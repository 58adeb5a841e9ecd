"""How long to wait before a batch is sent again.

Source: Braze, Custom Currents export (exponential backoff with jitter).
"""

from __future__ import annotations

import random

import attrs
import tenacity

from ..errors import OptionError

__all__ = ["Backoff"]


@attrs.frozen
class Backoff:
    """How long to wait before a batch is sent again.

    The limit doubles from `initial` up to `maximum`. Each wait is drawn from the upper half of
    the limit, so that batches that failed together are not sent again together.

    Attributes:
        initial: the longest wait before the second attempt, in seconds.
        maximum: the longest wait before any attempt, in seconds, unless `Retry-After` asks for
            more.

    Raises:
        OptionError: `0 < initial <= maximum` is not true.
    """

    initial: float = 1.0
    maximum: float = 60.0

    def __attrs_post_init__(self) -> None:
        if not 0 < self.initial <= self.maximum:
            raise OptionError(
                f"backoff from {self.initial} to {self.maximum} s: "
                "it must be 0 < initial <= maximum"
            )

    def wait(
        self, attempt: tenacity.RetryCallState, rng: random.Random, at_least: float | None
    ) -> float:
        """Return the seconds to wait after an attempt.

        Args:
            attempt: the state that tenacity keeps of the attempts so far.
            rng: the source of the jitter.
            at_least: the seconds that `Retry-After` asked for, if any.
        """
        growth = tenacity.wait_exponential(multiplier=self.initial, max=self.maximum)
        return max(growth(attempt) * rng.uniform(0.5, 1.0), at_least or 0.0)
