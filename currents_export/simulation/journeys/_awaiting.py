"""Conversions: what a message or a Canvas entry waits for, and what fulfills it.

Source: Braze, Conversion events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from ..workspace.model import Message
from ._life import Cause, Journey, Life

__all__ = ["Goal", "await_goals", "convert"]

#: The index, action, window in seconds and JSON of a conversion event.
Goal = tuple[int, str, int, str]

_ACTIONS = {
    "Makes Any Purchase": "purchase",
    "Starts Session": "session_start",
    "Upgrades App": "upgrade",
    "Opens Email": "email_open",
    "Clicks Email": "email_click",
}
#: Braze has up to four conversion events, A to D.
_MOST = 4


#: Each time that so many more wait for an action, those that are too late are dropped; a power of
#: two less one.
_MANY = 31


def _goals(goals: Sequence[str]) -> Sequence[Goal]:
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
    life = journey.life
    run = life.run
    known = run.calendar.goals
    # The JSON would have to be hashed again and again.
    goals = known.get(id(message))
    if goals is None:
        goals = known[id(message)] = _goals(message.goals)
    now, awaited = run.now, life.awaited
    for index, action, window, goal in goals:
        entry = (now + window, journey, event_type, receipt, index, goal)
        waiting = awaited.get(action)
        if waiting is None:
            awaited[action] = [entry]
            continue
        waiting.append(entry)
        if not len(waiting) & _MANY:
            waiting[:] = [each for each in waiting if each[0] >= now]


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
    for until, journey, event_type, receipt, index, goal in life.awaited.pop(action, ()):
        if now <= until:
            journey.emit(
                event_type,
                device=device,
                cause=receipt,
                revenue=None if (event_type, receipt) in paid else revenue,
                conversion_behavior=goal,
                conversion_behavior_index=index,
            )
            paid.add((event_type, receipt))
