"""What single effects of messages say, change and cause beyond the table of effects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._data import read_data
from .._draws import Draws, mix
from .._ids import wamid
from ..people.model import Device
from ..workspace.model import Link, Message
from ._life import Cause, Journey
from ._messages import AFTER, BEFORE, MessageJourney, Pending, follow, is_new, receive
from ._surveys import answer_survey

__all__ = ["change_state", "see"]

_MAIL = read_data("fields", "mail.toml")
_REPLIES = read_data("fields", "replies.toml")

#: A reply names a message of the last four hours.
_REPLY_WINDOW = 4 * 3600

_Before = Callable[[Pending], Mapping[str, Any] | None]
_After = Callable[[Pending, Cause], None]


def _before(*names: str) -> Callable[[_Before], _Before]:
    def register(function: _Before) -> _Before:
        BEFORE.update(dict.fromkeys(names, function))
        return function

    return register


def _say(*names: str, **facts: Any) -> None:
    """Let the events of some effects always say the same."""
    BEFORE.update(dict.fromkeys(names, lambda _pending: facts))


def _after(*names: str) -> Callable[[_After], _After]:
    def register(function: _After) -> _After:
        AFTER.update(dict.fromkeys(names, function))
        return function

    return register


def change_state(
    journey: Journey,
    cause: Cause,
    channel: str,
    status: str,
    source: str,
    *,
    group: str = "",
    device: Device | None = None,
) -> None:
    """Change the subscription state of a channel or of a subscription group, if it differs."""
    states = journey.life.reach.states
    key = group or channel
    if states.get(key) == status:
        return
    journey.life.reach.states = {**states, key: status}
    user = journey.life.user
    address = user.email if channel == "email" else user.phone
    if channel == "push":
        owned = next((each for each in journey.life.devices if each.push), None)
        address = owned.device.push_token if owned else None
    facts: dict[str, Any] = {
        "channel": channel,
        "subscription_status": status,
        "state_change_source": source,
        "channel_identifier": address,
        "email_address": address if channel == "email" else None,
        "phone_number": None if channel in ("email", "push") else address,
    }
    event_type = "users.behaviors.subscription.GlobalStateChange"
    if group:
        event_type = "users.behaviors.subscriptiongroup.StateChange"
        facts["subscription_group_id"] = group
    journey.emit(event_type, device=device, cause=cause, **facts)


# Email


@_after("email.hard_bounce", "email.spam")
def _undeliverable(pending: Pending, _event: Cause) -> None:
    pending.journey.life.reach.undeliverable = True


_say("email.machine_open", machine_open="true")
_say("email.open", "email.reopen", machine_open=None)


@_after("email.open", "email.reopen")
def _opened(pending: Pending, event: Cause) -> None:
    _optimized(pending, event, "open")
    pending.life.run.acted(pending.life, "email_open", event)


def _link(journey: MessageJourney) -> Link:
    links = journey.whole.links
    # The first links of a message are clicked most.
    return links[int(journey.unit("link") ** 2 * len(links))]


@_before("email.click")
def _click(pending: Pending) -> Mapping[str, Any]:
    link = _link(pending.journey)
    return {
        "url": link.url,
        "link_id": link.id,
        "link_alias": link.alias,
        "is_suspected_bot_click": False,
        "suspected_bot_click_reason": None,
    }


@_after("email.click")
def _clicked(pending: Pending, event: Cause) -> None:
    _optimized(pending, event, "click")
    pending.life.run.acted(pending.life, "email_click", event)


def _optimized(pending: Pending, event: Cause, kind: str) -> None:
    """Let a Content Optimizer learn of the first open or click of its message."""
    journey = pending.journey
    if "combination_token" in journey.facts and pending.effect.name != "email.reopen":
        journey.emit("users.canvas.costep.Conversion", cause=event, conversion_type=kind)


@_before("email.bot_click")
def _bot_click(pending: Pending) -> Mapping[str, Any]:
    return {**_bot_facts(pending.journey, pending.journey.whole.links[0]), "is_amp": False}


def _bot_facts(journey: MessageJourney, link: Link) -> dict[str, Any]:
    scanners = _MAIL["scanners"]
    return {
        "url": link.url,
        "link_id": link.id,
        "link_alias": link.alias,
        "is_suspected_bot_click": True,
        "suspected_bot_click_reason": ["user_agent", "ip_address"],
        "user_agent": scanners[int(journey.unit("scanner") * len(scanners))],
    }


@_after("email.bot_click")
def _bot_clicks(pending: Pending, _event: Cause) -> None:
    """Let the scanner visit the other links, too."""
    journey = pending.journey
    for link in journey.whole.links[1:]:
        facts = _bot_facts(journey, link)
        journey.emit("users.messages.email.Click", cause=pending.cause, is_amp=False, **facts)


@_after("email.unsubscribe")
def _unsubscribed(pending: Pending, event: Cause) -> None:
    journey = pending.journey
    by_header = journey.happens("unsubscribe.by_header")
    source = "List-Unsubscribe" if by_header else "Subscription Page"
    change_state(journey, event, "email", "Unsubscribed", source)


@_before("email.unsubscribe")
def _still_subscribed(pending: Pending) -> Mapping[str, Any] | None:
    subscribed = pending.life.reach.states.get("email") != "Unsubscribed"
    return {} if subscribed else None


@_after("email.order", "sms.order")
def _ordered(pending: Pending, event: Cause) -> None:
    pending.life.run.visit(pending.life, event, True)


@_after("email.visit")
def _visited(pending: Pending, event: Cause) -> None:
    pending.life.run.visit(pending.life, event, False)


@_after("email.page")
def _came_to_page(pending: Pending, event: Cause) -> None:
    """Show a landing page; it belongs to no message."""
    journey = pending.journey
    pages = journey.life.run.workspace.landing_pages
    page = pages[int(journey.unit("page") * len(pages))]
    visit = MessageJourney(
        journey.life, "landing page", journey.key, journey.whole, flow=False, cause=event
    )
    visit.message = None
    visit.channel = "landingpage"
    visit.facts = {"landing_page_api_id": page.id, "landing_page_name": page.name}
    seen = visit.emit("users.messages.landingpage.Impression")
    follow(visit, "landingpage.impression", seen)
    if visit.happens("landingpage.survey"):
        answer_survey(visit, seen)


# Push


@_before("pushnotification.bounce")
def _token_invalid(pending: Pending) -> Mapping[str, Any] | None:
    # Before the user hands the phone over, its token stays valid.
    return {} if pending.life.now >= pending.life.handover else None


@_after("pushnotification.bounce")
def _token_lost(pending: Pending, event: Cause) -> None:
    journey = pending.journey
    owned = journey.owned
    if owned and owned.push:
        owned.push = False
        journey.emit(
            "users.behaviors.pushnotification.TokenStateChange",
            device=owned.device,
            cause=event,
            push_token_state_change_type="remove",  # noqa: S106 - what happened to the token
            push_token_created_at=owned.device.push_token_created_at,
            push_token_updated_at=journey.now,
            time_ms=journey.now * 1000,
        )


@_before("pushnotification.open", "pushnotification.foreground")
def _push_seen(pending: Pending) -> Mapping[str, Any] | None:
    owned = pending.journey.owned
    if owned is None or not owned.installed:
        return None
    if pending.effect.name.endswith("foreground") and owned.device.platform != "ios":
        return None
    return {}


@_after("pushnotification.open")
def _push_opened(pending: Pending, event: Cause) -> None:
    pending.life.run.visit(pending.life, event, False)


# Channels with phone numbers


@_before("sms.click", "whatsapp.click", "line.click")
def _short_link(pending: Pending) -> Mapping[str, Any]:
    link = _link(pending.journey)
    return {
        "url": link.url,
        "short_url": link.short_url,
        "is_suspected_bot_click": False,
        "suspected_bot_click_reason": None,
    }


@_before("sms.bot_click")
def _short_link_bot(pending: Pending) -> Mapping[str, Any]:
    link = pending.journey.whole.links[0]
    facts = _bot_facts(pending.journey, link)
    return {**facts, "short_url": link.short_url}


@_before("sms.reply", "whatsapp.reply", "rcs.reply", "line.reply")
def _reply(pending: Pending) -> Mapping[str, Any] | None:
    if _late(pending):
        return None
    journey = pending.journey
    if journey.channel == "whatsapp" and journey.happens("whatsapp.quick_reply"):
        return _pressed(_REPLIES["quick_replies"][0], pending)
    return {"action": _REPLIES["no_action"], **_inbound(pending)}


def _pressed(button: Sequence[str], pending: Pending) -> Mapping[str, Any]:
    """Return the reply that a button under a message gives."""
    label, action = button
    values = {"action": action, "quick_reply_text": label, "message_body": label}
    return {**values, **_inbound(pending)}


@_before("sms.stop", "whatsapp.stop", "rcs.stop")
def _stop(pending: Pending) -> Mapping[str, Any] | None:
    group = pending.journey.whole.fields["subscription_group_id"]
    if _late(pending) or pending.life.reach.states.get(group) != "Subscribed":
        return None
    if pending.journey.channel == "whatsapp" and pending.journey.happens("whatsapp.quick_reply"):
        return _pressed(_REPLIES["quick_replies"][1], pending)
    keyword, action = _REPLIES["keywords"][0]
    return {"action": action, "message_body": keyword, "media_urls": None, **_inbound(pending)}


def _late(pending: Pending) -> bool:
    """Return whether a reply would no longer name the message it answers."""
    return pending.journey.now - int(pending.journey.facts["send_time"]) > _REPLY_WINDOW


def _inbound(pending: Pending) -> Mapping[str, Any]:
    journey = pending.journey
    if journey.channel != "whatsapp":
        return {}
    draws = Draws(mix(journey.key, pending.effect.name))
    message_id = wamid(draws.bits, pending.life.user.phone or "+0")
    return {"in_reply_to": journey.facts["message_id"], "message_id": message_id}


@_after("sms.stop", "whatsapp.stop", "rcs.stop")
def _stopped(pending: Pending, event: Cause) -> None:
    journey = pending.journey
    group = journey.whole.fields["subscription_group_id"]
    change_state(journey, event, journey.channel, "Unsubscribed", "Inbound Message", group=group)


_say("rcs.rejection", is_sms_fallback=False)
_say("rcs.fallback", is_sms_fallback=True)


@_after("rcs.fallback")
def _fall_back(pending: Pending, event: Cause) -> None:
    """Send an SMS of the same dispatch in place of the RCS message."""
    journey = pending.journey
    sms = MessageJourney(
        journey.life, journey.name, mix(journey.key, "sms"), journey.whole, flow=True, cause=event
    )
    sms.channel = "sms"
    sms.facts = {
        "dispatch_id": journey.facts["dispatch_id"],
        "send_time": journey.now,
        "is_sms_fallback": True,
    }
    sms.sent = sms.emit("users.messages.sms.Send")
    follow(sms, "sms.send", sms.sent)


# What users see in a session


def see(session: Journey, message: Message, key: int, owned: Any, name: str) -> MessageJourney:
    """Show a message in a session, such as an in-app message or a banner."""
    life = session.life
    journey = MessageJourney(life, name, key, message, flow=True, cause=session.cause)
    journey.owned = owned
    # What the app asks for has no dispatch.
    journey.facts["dispatch_id"] = None
    journey.facts["is_unique"] = is_new(life, message)
    event = journey.emit(f"users.messages.{message.channel}.Impression", device=owned.device)
    receive(journey, event)
    follow(journey, f"{message.channel}.impression", event)
    return journey


@_before(
    "inappmessage.click",
    "banner.click",
    "banner.dismiss",
    "newsfeedcard.click",
    "contentcard.click",
    "contentcard.dismiss",
)
def _in_session(pending: Pending) -> Mapping[str, Any] | None:
    """Refuse what would happen after the session."""
    owned = pending.journey.owned
    open_ = owned is not None and pending.journey.now <= owned.session_ends
    return {} if open_ else None
