"""Begin lives, and connect the parts of a life with each other."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from operator import attrgetter

from ...catalog import Catalog
from .._draws import Draws, draw, mix, unit
from .._plan import Plan
from ..fields import Draft
from ..people.model import User
from ..people.people import People
from ..workspace.model import Workspace
from ._awaiting import convert
from ._background import begin_background
from ._calendar import Calendar, begin_of, week_of
from ._canvases import set_off
from ._chances import Chances
from ._curve import DAY
from ._entries import DAILY, SETTLING, THERE, Entries
from ._life import Cause, Life
from ._messages import schedule, send_scheduled
from ._run import Run
from ._sessions import begin_session, plan_session, visit
from ._state import OwnedDevice
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
    unnamed: Sequence[tuple[Plan, float]],
    start: int,
    until: int,
    newcomers: bool,
) -> Run:
    """Return a run in which nobody lives yet; see `Run`."""
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
    calendar = Calendar(workspace)
    return Run(
        seed_key,
        workspace,
        people,
        catalog,
        plans,
        draft=draft,
        draws=draws,
        chances=chances,
        calendar=calendar,
        begin=begin,
        entries=Entries(seed_key, people.home, calendar, chances, start),
        acted=acted,
        visit=visit,
        unnamed=unnamed,
        start=start,
        until=until,
        newcomers=newcomers,
    )


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
    chances = run.chances
    late = life.number >= THERE
    waited = (life.now - run.start) / DAY if late else 0.0
    life.activity = activity_of(life.key, waited, active=active)
    for number, device in enumerate(user.devices):
        used = not run.newcomers and unit(mix(life.key, "used", number)) >= chances.share(
            "session.first"
        )
        platform = device.platform
        name = f"push.allowed.{platform if platform in ('ios', 'android') else 'other'}"
        allowed = unit(mix(life.key, "push", number)) < chances.share(name)
        push = device.push_token is not None and allowed
        life.devices.append(OwnedDevice(device, used, True, push and used, allows_push=push))
    # Whoever has never used a device loses interest some time after the first session.
    known = any(each.used for each in life.devices)
    life.interested_until = (
        life.now + chances.delay(life.key, "interest.known") if known else run.until
    )
    _subscribe(life, user)
    if active:
        begin_session(life)
    else:
        plan_session(life)
    life.channels = _could_get(life)
    since = run.start + SETTLING if late else life.now
    life.week = week_of(since)
    there = run.calendar.occurrences(user.place, life.week)
    life.upcoming = bisect_right(there, since, key=_TIME)
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


def _could_get(life: Life) -> frozenset[str]:
    """Return the channels on which the user could ever get a scheduled message."""
    user, channels = life.user, set(life.run.workspace.channel_names)
    if user.email is None:
        channels.discard("email")
    if user.phone is None:
        channels -= {"sms", "whatsapp", "rcs"}
    if user.native_line_id is None:
        channels.discard("line")
    if not any(each.device.push_token for each in life.devices):
        channels.discard("pushnotification")
    return frozenset(channels)


def _plan_campaigns(life: Life) -> None:
    """Wait for the next scheduled campaign that the user is in the audience of."""
    run, channels, key = life.run, life.channels, life.key
    there = run.calendar.occurrences(life.user.place, life.week)
    for index in range(life.upcoming, len(there)):
        occurrence = there[index]
        campaign = occurrence.campaign
        if campaign.channel in channels and draw(key, occurrence.key) < campaign.share:
            life.upcoming = index + 1
            # The message goes to the users one after the other.
            time = occurrence.time + run.chances.delay(key ^ occurrence.key, "message.burst")
            life.at(max(life.now, time), _send_campaign, life)
            return
    life.week, life.upcoming = life.week + 1, 0
    life.at(max(life.now, begin_of(life.week)), _plan_campaigns, life)


def _send_campaign(life: Life) -> None:
    there = life.run.calendar.occurrences(life.user.place, life.week)
    send_scheduled(life, there[life.upcoming - 1])
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
    if campaigns := calendar.triggered.get(action):
        region = life.user.place.region
        for campaign in campaigns:
            if campaign.region in (region, "Global"):
                key = mix(life.now, campaign.id)
                if draw(life.key, key) < campaign.share:
                    schedule(life, campaign, key, life.now + campaign.delay, cause)
    set_off(life, action, cause)
