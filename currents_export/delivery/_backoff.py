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

    The wait doubles from `initial` up to `maximum`, and each one is drawn from the upper half of
    that, so that batches that failed together do not come back together.

    Attributes:
        initial: seconds before the second attempt, at most.
        maximum: seconds that no wait exceeds, unless `Retry-After` asks for more.

    Raises:
        OptionError: not `0 < initial <= maximum`.
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
        """The seconds to wait behind an attempt; `at_least` is what `Retry-After` asked for."""
        growth = tenacity.wait_exponential(multiplier=self.initial, max=self.maximum)
        return max(growth(attempt) * rng.uniform(0.5, 1.0), at_least or 0.0)
