"""Sessions: what users do in an app or on the site, and what they see there.

Source: Braze, Sessions: a new one begins after more than 10 seconds in the background on mobile
platforms, and after 30 minutes without activity on the web.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import attrs

from .._draws import factor_of, key_of, mix, share, stir, unit
from ..workspace.model import Message
from ._awaiting import await_goals
from ._curve import DAY, Curve, local_offset, local_time
from ._handover import register_token
from ._life import Cause, Journey, Life
from ._messages import choose_variation, follow
from ._reactions import see
from ._session import Session
from ._shop import OUTSIDE, SHOP, do
from ._state import OwnedDevice
from ._surveys import answer_survey

__all__ = [
    "begin_session",
    "open_session",
    "plan_first_session",
    "plan_session",
    "show",
    "show_channel",
    "visit",
]

#: The pause after which a session on the web is over, and one on a mobile platform.
_WEB_PAUSE, _PAUSE = 1800, 11

_HOURS = (1, 0.6, 0.35, 0.3, 0.35, 0.6, 1.2, 2, 2.6, 2.9, 3, 3.2)
_CURVE = Curve(
    (*_HOURS, 3.6, 3.4, 3.2, 3.2, 3.5, 4, 4.6, 5.4, 5.6, 5.2, 3.8, 2.2),
    (1, 1, 1, 1, 1.02, 1.1, 1.1),
)


def plan_session(life: Life) -> None:
    """Plan the next session that the user begins without a message."""
    now = life.now
    time = _next(life, "gap", now, life.activity) if now < life.interested_until else now
    if time >= life.interested_until:
        activity = life.activity * life.run.chances.share("session.lapsed")
        if activity <= 0.0:
            return
        time = _next(life, "lapsed gap", max(now, life.interested_until), activity)
    life.at(max(now + 1, time), begin_session, life)


def plan_first_session(life: Life) -> None:
    """Plan the first session of a user who is new when the stream begins."""
    days = life.run.chances.delay(life.key, "session.first") / DAY
    life.at(max(life.now + 1, _after(life, life.now, days)), begin_session, life)


def _next(life: Life, name: str, time: int, activity: float) -> int:
    """Return when the next session after a time comes, of a number of sessions a day."""
    drawn = unit(stir(life.key ^ key_of(name), life.sessions << 32 ^ life.now))
    return _after(life, time, -math.log(1.0 - drawn) / activity)


def _after(life: Life, time: int, days: float) -> int:
    """Return when as many days of average activity have passed after a time."""
    zone = life.user.place.timezone
    local = _CURVE.after(local_time(zone, time), days)
    return local - local_offset(zone, time)


def begin_session(life: Life) -> None:
    """Begin a session that no message caused, and plan the next one."""
    owned = _choose_device(life)
    if owned is not None and owned.session_ends + _pause(owned) < life.now:
        open_session(life, owned, 0)
    plan_session(life)


def _pause(owned: OwnedDevice) -> int:
    return _WEB_PAUSE if owned.device.platform == "web" else _PAUSE


def _choose_device(life: Life) -> OwnedDevice | None:
    """Return the device that the user takes: mostly the first one."""
    there = [each for each in life.devices if each.installed]
    if not there:
        return None
    if len(there) == 1:
        return there[0]
    drawn = unit(stir(life.key ^ key_of("device"), life.now))
    return there[int(len(there) * drawn * drawn)]


def visit(life: Life, cause: Cause, orders: bool) -> None:
    """Open the app or the site because of a message, or go on with the session that is open."""
    owned = _choose_device(life)
    if owned is None:
        return
    session = life.session
    if session is not None and session.open:
        if orders:
            _lengthen(session, 180)
            SHOP["order"](session)
        return
    if owned.session_ends + _pause(owned) < life.now:
        session = open_session(life, owned, cause)
        if orders:
            _lengthen(session, 240)
            session.after(60, SHOP["order"])


def _lengthen(session: Session, seconds: int) -> None:
    """Let a session last long enough for an order."""
    session.ends = session.owned.session_ends = max(session.ends, session.now + seconds)


def open_session(life: Life, owned: OwnedDevice, cause: Cause) -> Session:
    """Open a session on a device, and let happen in it what does."""
    session = Session(life, owned, cause)
    life.session = session
    upgrades = session.happens("session.upgrade")
    if upgrades:
        apps = life.run.workspace.apps
        app = next(each for each in apps if each.id == owned.device.app.id)
        owned.device = attrs.evolve(owned.device, app=app)
    device = owned.device
    session.ends = owned.session_ends = life.now + max(3, session.delay("session.length"))
    first = not owned.used and not any(
        each.used for each in life.devices if each.device.app.id == device.app.id
    )
    new, owned.used = not owned.used, True
    if first:
        began = session.emit("users.behaviors.app.FirstSession", device=device)
        life.run.acted(life, "first_session", began)
    session.started = session.emit("users.behaviors.app.SessionStart", device=device)
    if first and device.platform in ("ios", "android") and session.happens("install.attributed"):
        session.emit("users.behaviors.InstallAttribution", device=device, cause=session.started)
    if new and owned.allows_push:
        owned.push = True
        register_token(session, owned, "add", session.started)
    session.cause = session.started
    life.run.acted(life, "session_start", session.started)
    if upgrades:
        life.run.acted(life, "upgrade", session.started)
    _plan_activities(session)
    if not session.happens("session.unended"):
        session.after(session.ends - session.began, _end)
    if life.sessions == 1 and first:
        life.interested_until = life.now + session.delay("interest.new")
    elif life.now >= life.interested_until and session.happens("session.return"):
        life.interested_until = life.now + session.delay("interest.known")
    return session


def _plan_activities(session: Session) -> None:
    """Plan what the user does and sees in a session."""
    life, length = session.life, session.ends - session.began
    for name in life.run.chances.together(session, _ACTIVITY_NAMES):
        factor, step = _ACTIVITIES[name]
        session.after(1 + int(share(session.key, factor) * (length - 2)), step)
    for number, name in enumerate(life.run.calendar.own_events):
        if session.happens("session.own_event", number):
            wait = 1 + int(session.unit("own event", number) * (length - 2))
            session.after(wait, partial(do, name=name))
    if life.cards:
        session.after(1, _show_cards)
    if life.shown:
        session.after(1, _show_waiting)


def _end(session: Session) -> None:
    # A message may have made the session longer.
    if session.now < session.ends:
        session.after(session.ends - session.now, _end)
        return
    session.emit(
        "users.behaviors.app.SessionEnd",
        device=session.owned.device,
        duration=float(session.now - session.began),
    )


# What users see


def show_channel(session: Session, channel: str) -> None:
    """Show a message of a channel that the app asks for."""
    life = session.life
    there = life.run.calendar.seen_in(channel, life.user.place.region)
    if there:
        campaign = there[int(session.unit(channel, 2) * len(there))]
        _show_message(session, choose_variation(life, campaign))
    elif channel not in life.run.workspace.channel_names:
        _show_card(session, channel)


def _show_card(session: Session, channel: str) -> None:
    """Show a card that belongs to no campaign, as in the retired News Feed."""
    cards = session.life.run.workspace.news_feed_cards
    card = cards[int(session.unit("card") * len(cards))]
    device = session.owned.device
    if session.happens("newsfeedcard.abort"):
        session.emit(f"users.messages.{channel}.Abort", device=device, card_id=card)
        return
    seen = session.emit(f"users.messages.{channel}.Impression", device=device, card_id=card)
    if session.happens(f"{channel}.click"):
        session.emit(f"users.messages.{channel}.Click", device=device, cause=seen, card_id=card)


def _show_message(session: Session, message: Message) -> None:
    life, fields = session.life, message.fields
    if message.control and message.kind == "campaign":
        name, campaign_id = fields["campaign_name"], fields["campaign_id"]
        journey = Journey(life, name, mix(session.key, campaign_id), message=message)
        journey.facts["dispatch_id"] = None
        receipt = journey.emit("users.campaigns.EnrollInControl", cause=session.started)
        await_goals(journey, message, "users.campaigns.Conversion", receipt)
        return
    name = fields["campaign_name" if message.kind == "campaign" else "canvas_name"]
    key = stir(session.key ^ key_of(name), key_of(message.dispatch_key))
    aborts = share(key, factor_of("abort")) < life.run.chances.share("message.abort")
    if aborts:
        journey = Journey(life, name, key, message=message, cause=session.started)
        journey.emit(f"users.messages.{message.channel}.Abort", device=session.owned.device)
        return
    flag = message.fields.get("feature_flag_id_name")
    if flag is not None:
        if flag in session.flags:  # an app reports a flag once in a session
            return
        session.flags.add(flag)
    seen = see(session, message, key, session.owned, name)
    if message.channel == "inappmessage" and seen.happens("inappmessage.survey"):
        answer_survey(seen, seen.cause)


def _show_cards(session: Session) -> None:
    """Show the content cards that came since the last session."""
    life = session.life
    cards, life.cards = life.cards, []
    for card in cards:
        if card.happens("contentcard.impression"):
            card.owned = session.owned
            card.facts["is_unique"] = True
            event = card.emit(
                "users.messages.contentcard.Impression",
                device=session.owned.device,
                cause=card.sent,
            )
            follow(card, "contentcard.impression", event)


def show(life: Life, message: Message) -> None:
    """Show a message in the session that is open, or in the next one."""
    life.shown.append(message)
    if life.session is not None and life.session.open:
        life.session.after(0, _show_waiting)


def _show_waiting(session: Session) -> None:
    """Show what campaigns and Canvases have ready for the user."""
    messages, session.life.shown = session.life.shown, []
    for message in messages:
        _show_message(session, message)


_STEPS: tuple[tuple[str, Callable[[Session], None]], ...] = (
    ("session.flag", partial(show_channel, channel="featureflag")),
    ("session.banner", partial(show_channel, channel="banner")),
    ("session.in_app", partial(show_channel, channel="inappmessage")),
    ("session.news_feed", partial(show_channel, channel="newsfeedcard")),
    *OUTSIDE,
    ("session.browse", SHOP["browse"]),
)
#: What users do and see in a session, by the name of its chance: the factor of the draw that says
#: when, and the step.
_ACTIVITIES = {name: (factor_of(f"{name} when"), step) for name, step in _STEPS}
_ACTIVITY_NAMES = tuple(_ACTIVITIES)
