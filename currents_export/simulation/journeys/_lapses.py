"""Users who stay away: after two weeks without a session, they enter the Canvases for that."""

from __future__ import annotations

from .._draws import mix, unit
from ._canvases import set_off
from ._curve import DAY
from ._life import Life

__all__ = ["plan_lapse"]

#: A user has lapsed after this time without a session.
_LAPSE = 14 * DAY


def plan_lapse(life: Life) -> None:
    """Look now and then whether the user has lapsed, if a Canvas asks for it."""
    if not life.run.calendar.canvases("lapsed", life.user.place.region):
        return
    # Who was there before had the last session at some time in these days.
    passed = 0.0 if life.run.newcomers else unit(mix(life.key, "lapse"))
    life.at(life.now + 1 + int(_LAPSE * (1.0 - passed)), _look, life)


def _look(life: Life) -> None:
    session, now = life.session, life.now
    due = now if session is None else session.began + _LAPSE
    if due <= now:
        # Once for each time that the user stays away; nobody lapses before the first session.
        if life.lapsed != life.sessions and (session is not None or not life.run.newcomers):
            life.lapsed = life.sessions
            set_off(life, "lapsed", 0 if session is None else session.started)
        due = now + _LAPSE
    life.at(due, _look, life)
