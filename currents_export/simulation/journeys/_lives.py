"""Begin lives, and connect the parts of a life with each other."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import lru_cache, partial
from operator import attrgetter

from ...catalog import Catalog
from .._draws import MASK, Draws, key_of, mix, share, stir, unit
from .._plan import Plan
from .._traffic import TrafficRule
from ..fields import Draft
from ..people.people import People
from ..workspace.model import Campaign, Workspace
from ._awaiting import convert
from ._background import begin_background
from ._calendar import IN_SESSION, Calendar, begin_of, week_of
from ._canvases import set_off
from ._chances import Chances
from ._curve import DAY
from ._entries import DAILY, SETTLING, THERE, Entries
from ._handover import own_devices, plan_handovers
from ._lapses import plan_lapse
from ._life import Cause, Life
from ._messages import MessageJourney, can_reach, choose_variation, schedule, send_scheduled
from ._queue import Queue
from ._quiet import QuietQueue
from ._run import Run
from ._sessions import begin_session, plan_first_session, plan_session, show, visit
from ._strata import Strata
from ._unnamed import begin_unnamed

__all__ = ["acted", "begin", "new_run"]

_TIME = attrgetter("time")


def new_run(
    seed_key: int,
    workspace: Workspace,
    people: People,
    catalog: Catalog,
    plans: Mapping[str, Plan],
    *,
    chances: Chances,
    unnamed: Sequence[tuple[Plan, TrafficRule]],
    start: int,
    until: int,
    newcomers: bool,
    calendar: Calendar | None = None,
    awaited: Collection[str] | None = None,
    stratified: int | None = None,
    begins: Callable[[Life, bool], None] | None = None,
) -> Run:
    """Return a run in which nobody lives yet; see `Run`.

    By default, the calendar is that of the workspace, and `begin` begins each life. If there are
    `awaited` campaigns and Canvases, named by their ids, each life ends when its journeys through
    them have ended. If `stratified` is a number of people, shares are exact for them.
    """
    if calendar is None:
        calendar = Calendar(workspace, start)
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
    run = Run(
        seed_key,
        workspace,
        people,
        catalog,
        plans,
        draft=draft,
        draws=draws,
        chances=chances,
        calendar=calendar,
        begin=begins or begin,
        entries=Entries(seed_key, people.home, calendar, chances, start, newcomers=newcomers),
        acted=acted,
        visit=visit,
        unnamed=unnamed,
        start=start,
        until=until,
        newcomers=newcomers,
        queue=Queue(until) if awaited is None else QuietQueue(until, awaited, calendar),
    )
    if stratified:
        chances.strata = Strata(stratified, partial(_reach_of, run), calendar.owners)
    return run


def _reach_of(run: Run, person: int) -> tuple[str, frozenset[str]]:
    """Return a person's region, and on which channels the person can be reached at first."""
    life = Life(run, person)
    settle(life)
    for owned in life.devices:
        owned.push = owned.allows_push
    there = [each.channel for each in run.calendar.examples if can_reach(life, each)]
    return life.user.place.region, frozenset(there)


def activity_of(key: int, waited: float, *, active: bool) -> float:
    """Return how many sessions a day a person has: few have most of them.

    Args:
        key: the key of the person's life.
        waited: for how many days the person has not begun a session.
        active: whether the person begins one now.
    """
    drawn = -math.log(1.0 - unit(mix(key, "activity")))
    if active:
        drawn -= math.log(1.0 - unit(mix(key, "activity", 1)))
    return drawn / (1.0 / DAILY + waited)


def begin(life: Life, active: bool) -> None:
    """Begin a life: devices, subscriptions, activity, and what comes first.

    Args:
        life: the life.
        active: whether it begins with a session.
    """
    user, run = life.user, life.run
    late = life.number >= THERE
    waited = (life.now - run.start) / DAY if late and not run.newcomers else 0.0
    life.activity = activity_of(life.key, waited, active=active and not run.newcomers)
    settle(life)
    plan_handovers(life)
    # Whoever has never used a device loses interest some time after the first session.
    known = any(each.used for each in life.devices)
    life.interested_until = (
        life.now + run.chances.delay(life.key, "interest.known") if known else run.until
    )
    if active:
        begin_session(life)
    elif run.newcomers:
        plan_first_session(life)
    else:
        plan_session(life)
    life.channels = _could_get(life)
    since = run.start + SETTLING if late else life.now
    life.week = week_of(since)
    life.coming = run.calendar.reaching(user.place, life.week, life.channels)
    life.upcoming = bisect_right(life.coming, since, key=_TIME)
    _plan_campaigns(life)
    begin_background(life)
    plan_lapse(life)
    begin_unnamed(life)


def settle(life: Life) -> None:
    """Decide which devices the user has, and what the user is subscribed to."""
    user, chances = life.user, life.run.chances
    states = {}
    life.devices = own_devices(life.run, life.number, life.key, user)
    if user.email is not None:
        subscribed = chances.of(life, key_of("email")) < chances.share("reach.email")
        states["email"] = "Subscribed" if subscribed else "Unsubscribed"
    states["push"] = "Opted In"
    for group in life.run.workspace.subscription_groups:
        subscribed = chances.of(life, key_of(group.id)) < chances.share("reach.group")
        states[group.id] = "Subscribed" if subscribed else "Unsubscribed"
    life.reach.states = _shared(tuple(states.items()))


@lru_cache(maxsize=4_096)
def _shared(states: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    """Return the states as a mapping; many users share them until they change theirs."""
    return dict(states)


def _could_get(life: Life) -> frozenset[str]:
    """Return the channels on which the user could ever get a scheduled message."""
    user, channels = life.user, life.run.workspace.channel_names
    never = []
    if user.email is None:
        never.append("email")
    if user.phone is None:
        never += ["sms", "whatsapp", "rcs"]
    if user.native_line_id is None:
        never.append("line")
    if not any(each.device.push_token for each in life.devices):
        never.append("pushnotification")
    return _without(frozenset(channels), tuple(never))


@lru_cache
def _without(channels: frozenset[str], never: tuple[str, ...]) -> frozenset[str]:
    """Return the other channels; many users share them."""
    return channels.difference(never)


def _plan_campaigns(life: Life) -> None:
    """Wait for the next scheduled campaign that the user is in the audience of."""
    run, key = life.run, life.key
    chances = run.chances
    there = life.coming
    drawn = chances.strata is None
    for index in range(life.upcoming, len(there)):
        occurrence = there[index]
        if (
            key * occurrence.factor & MASK < occurrence.limit
            if drawn
            else chances.of(life, occurrence.audience) < occurrence.campaign.share
        ):
            life.upcoming = index + 1
            # The message goes to the users one after the other.
            time = occurrence.time + chances.delay(key ^ occurrence.key, "message.burst")
            life.at(max(run.now, time), _send_campaign, life)
            return
    life.week += 1
    life.at(max(run.now, begin_of(life.week)), _begin_week, life)


def _begin_week(life: Life) -> None:
    life.coming = life.run.calendar.reaching(life.user.place, life.week, life.channels)
    life.upcoming = 0
    _plan_campaigns(life)


def _send_campaign(life: Life) -> None:
    occurrence = life.coming[life.upcoming - 1]
    if occurrence.campaign.channel in IN_SESSION:
        show(life, choose_variation(life, occurrence.campaign))
    else:
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
    if action in life.awaited:
        convert(life, action, revenue)
    calendar = life.run.calendar
    if action not in calendar.answered:
        return
    for passage in life.passages.values():
        passage.acted(action)
    if campaigns := calendar.triggered_in(action, life.user.place.region):
        _trigger(life, campaigns, cause)
    set_off(life, action, cause)


def _trigger(life: Life, campaigns: Sequence[Campaign], cause: Cause) -> None:
    """Let the messages of action-based campaigns go out, or be shown, after their delay."""
    now, chances = life.run.now, life.run.chances
    moment = stir(life.key, now)
    for campaign in campaigns:
        key = key_of(campaign.id)
        if campaign.rules:
            drawn = chances.of(life, mix(campaign.id, "audience"))
        elif chances.strata is None:
            drawn = share(moment, key | 1)
        else:
            drawn = chances.of(life, stir(key, now))
        if drawn < campaign.share:
            key = stir(key, now)
            if campaign.channel in IN_SESSION:
                message = choose_variation(life, campaign)
                shown = MessageJourney(life, campaign.name, key, message, flow=True)
                shown.after(campaign.delay, _show)
            else:
                schedule(life, campaign, key, now + campaign.delay, cause)


def _show(journey: MessageJourney) -> None:
    """Show the in-app message, or the like, of an action-based campaign."""
    show(journey.life, journey.whole)
