"""Begin lives, and connect the parts of a life with each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from ...catalog import Catalog
from .._draws import Draws, mix, unit
from .._plan import Plan
from ..fields import Draft
from ..people.model import User
from ..workspace.model import Workspace
from ._awaiting import convert
from ._background import begin_background
from ._calendar import Calendar
from ._canvases import set_off
from ._chances import Chances
from ._curve import DAY, local_offset
from ._handover import own_devices, plan_handovers
from ._life import Cause, Life
from ._messages import schedule, send_scheduled
from ._run import Run
from ._sessions import MONTHLY, begin_session, plan_session, visit
from ._unnamed import begin_unnamed

__all__ = ["acted", "begin", "new_run"]


def new_run(
    seed_key: int,
    workspace: Workspace,
    people: Sequence[User],
    catalog: Catalog,
    plans: Mapping[str, Plan],
    *,
    chances: Chances,
    unnamed: Sequence[tuple[Plan, float]],
    start: int,
    until: int,
    newcomers: bool,
    begins: Callable[[Life, bool], None] | None = None,
) -> Run:
    """Return a run in which nobody lives yet; see `Run`.

    By default `begin` begins each life.
    """
    draws = Draws()
    draft = Draft(
        event_type=next(iter(catalog.event_types)),
        names=frozenset(),
        workspace=workspace,
        random=draws.random,
        bits=draws.bits,
        whole=False,
        canvas_side=False,
        time=0,
        user=people[0],
    )
    return Run(
        seed_key,
        workspace,
        people,
        catalog,
        plans,
        draft=draft,
        draws=draws,
        chances=chances,
        calendar=Calendar(workspace),
        begin=begins or begin,
        first_session=lambda person: first_session(mix(seed_key, person)),
        acted=acted,
        visit=visit,
        unnamed=unnamed,
        start=start,
        until=until,
        newcomers=newcomers,
    )


def first_session(key: int) -> float:
    """Return after how many seconds the first session of a person comes."""
    return -math.log(1.0 - unit(mix(key, "first session"))) / activity_of(key) * DAY


def activity_of(key: int) -> float:
    """Return how many sessions a day the person with this key has: few have most of them."""
    return MONTHLY / 30 * -math.log(1.0 - unit(mix(key, "activity")))


def begin(life: Life, active: bool) -> None:
    """Begin a life: devices, subscriptions, activity, and what comes first.

    Args:
        life: the life.
        active: whether it begins with a session.
    """
    user, run = life.user, life.run
    chances = run.chances
    life.activity = activity_of(life.key)
    life.devices = own_devices(run, life.key, user)
    plan_handovers(life)
    _subscribe(life, user)
    if not run.newcomers:
        for campaign in run.workspace.campaigns:
            if unit(mix(life.key, campaign.id, "known")) < chances.share("message.known"):
                life.received.add(campaign.id)
    if active:
        begin_session(life)
    else:
        plan_session(life)
    _plan_campaigns(life)
    begin_background(life)
    begin_unnamed(life)


def _subscribe(life: Life, user: User) -> None:
    """Decide what the user is subscribed to before anything happens."""
    chances, states = life.run.chances, life.reach.states
    if user.email is not None:
        subscribed = unit(mix(life.key, "email")) < chances.share("reach.email")
        states["email"] = "Subscribed" if subscribed else "Unsubscribed"
    states["push"] = "Opted In"
    for group in life.run.workspace.subscription_groups:
        subscribed = unit(mix(life.key, group.id)) < chances.share("reach.group")
        states[group.id] = "Subscribed" if subscribed else "Unsubscribed"


def _plan_campaigns(life: Life) -> None:
    """Wait for the next scheduled campaign that the user is in the audience of."""
    run, place = life.run, life.user.place
    offset = local_offset(place.timezone, life.now)
    for occurrence in run.calendar.occurrences(place.region, offset, life.now):
        if occurrence.time >= run.until:
            return
        if unit(mix(life.key, occurrence.key)) < occurrence.campaign.share:
            life.occurrence = occurrence
            life.at(occurrence.time, _send_campaign, life)
            return


def _send_campaign(life: Life) -> None:
    occurrence = life.occurrence
    assert occurrence is not None
    send_scheduled(life, occurrence)
    _plan_campaigns(life)


def acted(
    life: Life, action: str, cause: Cause, revenue: Mapping[str, float] | None = None
) -> None:
    """Let everything happen that follows from an action of the user.

    Args:
        life: the user's life.
        action: `first_session`, `session_start`, `purchase`, `email_open`, or `custom:` and the
            name of a custom event.
        cause: its event.
        revenue: for a purchase, what it cost, by currency.
    """
    if life.awaited:
        convert(life, action, revenue)
    for passage in life.passages.values():
        passage.acted(action)
    calendar = life.run.calendar
    if campaigns := calendar.triggered.get(action):
        region = life.user.place.region
        for campaign in campaigns:
            if campaign.region in (region, "Global"):
                key = mix(campaign.id, life.now)
                if unit(mix(life.key, key)) < campaign.share:
                    schedule(life, campaign, key, life.now + campaign.delay, cause)
    set_off(life, action, cause)
