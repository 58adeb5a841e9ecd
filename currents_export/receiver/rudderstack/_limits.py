"""The gateway's limits: the size of a request, and the rate of events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import orjson

__all__ = ["RateLimit", "wrapped_size"]

_MINUTE = 60.0
#: The least that is around the body when the gateway hands it to the transformer.
_WRAPPER = len('[{"request":{"body":}}]')


def wrapped_size(body: bytes) -> int:
    """Return the size of a body as a JSON string in the request to the transformer."""
    return len(orjson.dumps(body.decode(errors="replace"))) + _WRAPPER


class RateLimit:
    """Allow a number of events in any period of a minute.

    Args:
        events: the most events in a minute; None for any number.
        clock: returns the time in seconds.
    """

    def __init__(self, events: int | None, *, clock: Callable[[], float]) -> None:
        self._events = events
        self._clock = clock
        self._taken: deque[tuple[float, int]] = deque()
        self._sum = 0

    def allow(self, events: int) -> bool:
        """Return whether this many events are allowed now; if so, count them."""
        if self._events is None:
            return True
        now = self._clock()
        while self._taken and self._taken[0][0] <= now - _MINUTE:
            self._sum -= self._taken.popleft()[1]
        if self._sum + events > self._events:
            return False
        self._taken.append((now, events))
        self._sum += events
        return True
