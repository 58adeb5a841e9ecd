"""Yield events no sooner than they happen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from ..events import Event

__all__ = ["paced"]


def paced(
    events: Iterable[Event],
    start: int,
    pace: float,
    *,
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[Event]:
    """Yield events as time passes, some times as fast as they happen.

    Args:
        events: the events, in order.
        start: the time of the stream's beginning, in seconds since the epoch.
        pace: how many seconds of the world pass in a second.
        now: returns the seconds that have passed since some moment.
        sleep: waits for some seconds.
    """
    began = now()
    for event in events:
        early = (event.time - start) / pace - (now() - began)
        if early > 0:
            sleep(early)
        yield event
