"""Conversions: what a message or a Canvas entry waits for, and what fulfills it.

Source: Braze, Conversion events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import orjson

from ..workspace.model import Message
from ._life import Cause, Journey, Life
from ._state import Awaited

__all__ = ["await_goals", "convert"]

_ACTIONS = {
    "Makes Any Purchase": "purchase",
    "Starts Session": "session_start",
    "Upgrades App": "upgrade",
    "Opens Email": "email_open",
    "Clicks Email": "email_click",
}
#: Braze has up to four conversion events, A to D.
_MOST = 4


#: From this many on, those that are too late are looked for and dropped.
_MANY = 16


@cache
def _goals(goals: tuple[str, ...]) -> Sequence[tuple[int, str, int, str]]:
    """Return the index, action, window in seconds and JSON of each conversion event."""
    found = []
    for index, goal in enumerate(goals[:_MOST]):
        behavior = orjson.loads(goal)
        name = behavior.get("custom_event_name")
        action = f"custom:{name}" if name else _ACTIONS[behavior["type"]]
        found.append((index, action, behavior["window"], goal))
    return found


def await_goals(journey: Journey, message: Message, event_type: str, receipt: Cause) -> None:
    """Wait for the conversion events of a message that was received, or of a Canvas entry."""
    if not message.goals:
        return
    now, awaited = journey.now, journey.life.awaited
    for index, action, window, goal in _goals(message.goals):
        waiting = awaited.setdefault(action, [])
        if len(waiting) >= _MANY:
            waiting[:] = [each for each in waiting if each.until >= now]
        waiting.append(Awaited(journey, event_type, receipt, now + window, index, goal))


def convert(life: Life, action: str, revenue: Mapping[str, float] | None = None) -> None:
    """Let everything convert that waits for an action of the user.

    Args:
        life: the user's life.
        action: the action.
        revenue: for a purchase, what it cost, by currency. Of the conversions of a receipt, the
            first one gets it.
    """
    now, session = life.now, life.session
    device = session.owned.device if session is not None and session.open else None
    paid: set[tuple[str, Cause]] = set()
    for each in life.awaited.pop(action, ()):
        if now <= each.until:
            receipt = (each.event_type, each.receipt)
            each.journey.emit(
                each.event_type,
                device=device,
                cause=each.receipt,
                revenue=None if receipt in paid else revenue,
                conversion_behavior=each.goal,
                conversion_behavior_index=each.index,
            )
            paid.add(receipt)
