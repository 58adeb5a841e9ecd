"""Lives that end when the journeys that are awaited have ended."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ._calendar import Calendar
from ._curve import DAY, HOUR
from ._life import Life
from ._queue import Queue, WakeUp

__all__ = ["QuietQueue"]

#: How long after its first users a campaign that goes out once has reached all of them.
_EVERYWHERE = DAY + 6 * HOUR


class QuietQueue(Queue):
    """A queue of wake-ups that ends each life when the last awaited journey in it has ended.

    Args:
        until: what would happen from this time on is left out.
        awaited: the ids of the campaigns and Canvases whose journeys are awaited.
        calendar: what happens without users doing anything.
    """

    __slots__ = ("_awaited", "_lasts", "_launched")

    def __init__(self, until: int, awaited: Collection[str], calendar: Calendar) -> None:
        super().__init__(until)
        self._awaited = awaited
        launches = [time for campaign, time in calendar.single if campaign.id in awaited]
        self._launched = max(launches, default=-_EVERYWHERE) + _EVERYWHERE
        self._lasts: dict[int, int] = {}

    def put(self, wake_up: WakeUp) -> None:
        """Add a wake-up, and note how long an awaited journey lasts because of it."""
        *_, subject = wake_up
        if subject is not wake_up[3] and self._is_awaited(subject):
            self._note(wake_up[1], wake_up[0])
        super().put(wake_up)

    def ends(self, wake_up: WakeUp) -> bool:
        """Return whether the life of a wake-up ends before it."""
        life = wake_up[3]
        if not isinstance(life, Life) or not self._has_ended(life, wake_up[0]):
            return False
        life.gone = True
        self._lasts.pop(wake_up[1], None)
        return True

    def _note(self, person: int, time: int) -> None:
        if time > self._lasts.get(person, 0):
            self._lasts[person] = time

    def _is_awaited(self, subject: Any) -> bool:
        """Return whether a journey, or what will happen in one, is awaited."""
        journey = getattr(subject, "journey", subject)
        if (canvas := getattr(journey, "canvas", None)) is not None:
            return canvas.id in self._awaited
        message = getattr(journey, "message", None)
        fields = message.fields if message else {}
        return (fields.get("campaign_id") or fields.get("canvas_id")) in self._awaited

    def _has_ended(self, life: Life, now: int) -> bool:
        if now <= max(self._lasts.get(life.number, 0), self._launched, life.run.start):
            return False
        if life.run.newcomers and not life.sessions and any(d.installed for d in life.devices):
            return False
        if life.session is not None and life.session.open:
            return False
        for waiting in life.awaited.values():
            for until, journey, *_ in waiting:
                if until >= now and self._is_awaited(journey):
                    self._note(life.number, until)
        return now > self._lasts.get(life.number, 0)
