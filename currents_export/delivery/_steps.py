"""What a caller does between its waits, so that each face of the sender can wait in its own way.

The methods of a sender are generators that yield their waits. `Sender` blocks in each of them;
`AsyncSender` lets the event loop run meanwhile. So there is one copy of what they do.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeVar

from ._latch import Latch
from .clock import Clock

__all__ = ["GLANCE", "Steps", "Wait", "run"]

T = TypeVar("T")

#: The longest wait of a caller, in seconds, before it looks again. A signal that arrives just
#: before a wait begins does not end the wait, and its handler runs after it.
GLANCE = 0.25


class Wait(NamedTuple):
    """A wait of a caller; it ends with true when the latch is open or there is no need to wait.

    Attributes:
        latch: what is waited for.
        until: when the wait ends with false; None for never.
        over: called before each look at the latch: whether there is no need to wait any more.
    """

    latch: Latch
    until: float | None
    over: Callable[[], bool]


#: A generator that yields waits, is sent how they ended, and returns a result.
Steps = Generator[Wait, bool, T]


def run(steps: Steps[T], clock: Clock) -> T:
    """Run steps to their end, block in each wait, and return the result."""
    try:
        wait = next(steps)
        while True:
            wait = steps.send(_block(wait, clock))
    except StopIteration as end:
        result: Any = end.value
        return result  # type: ignore[no-any-return]
    finally:
        # An interrupt ends the steps now, not when the traceback is forgotten.
        steps.close()


def _block(wait: Wait, clock: Clock) -> bool:
    while not wait.over():
        if wait.latch.wait(min(clock.timeout(wait.until), GLANCE)):
            return True
        if wait.until is not None and clock.now() >= wait.until:
            return False
    return True
