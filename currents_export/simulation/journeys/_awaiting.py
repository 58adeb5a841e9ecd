"""Conversions: what a message or a Canvas entry waits for, and what fulfills it.

Source: Braze, Conversion events.
"""

from __future__ import annotations

from collections.abc import Mapping
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


@cache
def _action(goal: str) -> tuple[str, int]:
    """Return what a conversion behavior asks for, and within how many seconds."""
    behavior = orjson.loads(goal)
    if name := behavior.get("custom_event_name"):
        return f"custom:{name}", behavior["window"]
    return _ACTIONS[behavior["type"]], behavior["window"]


def await_goals(journey: Journey, message: Message, event_type: str, receipt: Cause) -> None:
    """Wait for the conversion events of a message that was received, or of a Canvas entry."""
    now = journey.now
    goals = {
        index: (action, now + window, goal)
        for index, goal in enumerate(message.goals[:_MOST])
        for action, window in (_action(goal),)
    }
    if goals:
        until = max(until for _, until, _ in goals.values())
        journey.life.awaited.append(Awaited(journey, event_type, receipt, now, until, goals))


def convert(life: Life, action: str, revenue: Mapping[str, float] | None = None) -> None:
    """Let everything convert that waits for an action of the user.

    Args:
        life: the user's life.
        action: the action.
        revenue: for a purchase, what it cost, by currency.
    """
    now = life.now
    life.awaited = [each for each in life.awaited if each.until >= now and each.goals]
    for each in life.awaited:
        for index, (wanted, until, goal) in [*each.goals.items()]:
            if wanted == action and now <= until:
                del each.goals[index]
                each.journey.emit(
                    each.event_type,
                    cause=each.receipt,
                    revenue=revenue,
                    conversion_behavior=goal,
                    conversion_behavior_index=index,
                )
