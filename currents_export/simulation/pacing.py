"""Yield what arrives no sooner than it does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

__all__ = ["paced"]

T = TypeVar("T")


def paced(
    things: Iterable[T],
    start: int,
    pace: float,
    *,
    arrival: Callable[[T], float],
    now: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[T]:
    """Yield things as time passes, some times as fast as they arrive.

    Args:
        things: the things, in order.
        start: the time of the stream's beginning, in seconds since the epoch.
        pace: how many seconds of the world pass in a second.
        arrival: returns when a thing arrives, in seconds since the epoch.
        now: returns the seconds that have passed since some moment.
        sleep: waits for some seconds.
    """
    began = now()
    for thing in things:
        early = (arrival(thing) - start) / pace - (now() - began)
        if early > 0:
            sleep(early)
        yield thing
