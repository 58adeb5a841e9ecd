"""Wait until nothing new arrives."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["wait_until_settled"]

#: Seconds between two looks.
_GLANCE = 0.25


def wait_until_settled(
    arrived: Callable[[], int | None],
    *,
    settle: float,
    timeout: float,
    wait: Callable[[float], object],
    now: Callable[[], float] = time.monotonic,
    on_more: Callable[[int], object] = lambda _: None,
) -> bool:
    """Wait until nothing new has arrived for a while; return whether that is so.

    Args:
        arrived: returns how much has arrived so far; None while nothing can arrive yet, which does
            not count as quiet.
        settle: the seconds without anything new to wait for.
        timeout: the most seconds to wait altogether.
        wait: waits for some seconds; returns true if the waiting should end now.
        now: returns the seconds that have passed since some moment.
        on_more: called with how much more has arrived since the last look.
    """
    began = changed = now()
    seen = arrived()
    on_more(seen or 0)
    while seen is None or now() - changed < settle:
        left = began + timeout - now()
        if left <= 0 or wait(min(_GLANCE, left)):
            return False
        count = arrived()
        if count != seen or count is None:
            changed = now()
            on_more((count or 0) - (seen or 0))
            seen = count
    return True
