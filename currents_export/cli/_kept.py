"""Keep a receiver supplied with journeys, so that there is something to watch on its page."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from ..current import Current
from ..delivery import Backoff, Sender, State
from ..errors import OptionError
from ..events import Event
from ..simulation import World
from ..simulation.stories import STORIES

__all__ = ["SenderHealth", "send_journeys"]

#: Seconds between two journeys, and seconds after which a paused Current is resumed.
_PAUSE, _RESUME_AFTER = 1.0, 8.0
#: With more pending events than this, no more are sent.
_MOST_PENDING = 2000
#: Seconds that the events have to be delivered at the end.
_PATIENCE = 2.0


class SenderHealth:
    """The state of a sender for the page, once there is one."""

    def __init__(self) -> None:
        self.sender: Sender | None = None

    def __call__(self) -> dict[str, str | int]:
        """Return the state of the Current and its totals."""
        if self.sender is None:
            return {"state": "waiting"}
        result = self.sender.result
        return {
            "state": result.state.value,
            "reason": result.reason,
            "delivered": result.delivered,
            "pending": result.pending,
            "retries": result.retries,
            "dropped": result.dropped,
        }


def send_journeys(
    world: World,
    current: Current,
    health: SenderHealth,
    stop: threading.Event,
    *,
    seed: int,
    after_each: Callable[[], object],
) -> None:
    """Send a journey of a user every second until `stop` is set.

    Args:
        world: makes the journeys.
        current: what delivers them. It is resumed some time after it paused.
        health: shows its state.
        stop: ends the journeys.
        seed: chooses the journeys and the users.
        after_each: called after each journey.
    """
    chooser = random.Random(seed)
    paused_for = 0.0
    sender = Sender(current, max_age=1.0, wait=Backoff(initial=0.5, maximum=4.0))
    health.sender = sender
    try:
        while not stop.wait(_PAUSE):
            result = sender.result
            paused_for = 0.0 if result.state is State.ACTIVE else paused_for + _PAUSE
            if paused_for >= _RESUME_AFTER:
                sender.resume()
                paused_for = 0.0
            if result.pending < _MOST_PENDING:
                for event in _journey(world, chooser):
                    sender.send(event)
            after_each()
    finally:
        sender.close(timeout=_PATIENCE)


def _journey(world: World, chooser: random.Random) -> list[Event]:
    """Return one journey of a user; of the first user who can have it if the chosen one cannot."""
    name = chooser.choice([*STORIES])
    start = int(time.time())
    try:
        return world.journey(name, user=chooser.randrange(len(world.users)), start=start)
    except OptionError:
        return world.journey(name, start=start)
