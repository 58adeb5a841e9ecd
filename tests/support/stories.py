"""Streams written by hand: a builder of events, and coherent stories for every rule."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from currents_export.coherence import check_stream
from currents_export.events import Event

__all__ = [
    "BUYS",
    "CANVAS",
    "CHAT",
    "CONVERTED",
    "DAY",
    "HOUR",
    "MAIL",
    "MINUTE",
    "PUSH",
    "SPLIT",
    "START",
    "STEP",
    "STORIES",
    "SURVEY",
    "TEXT",
    "TOKEN",
    "TRIES",
    "codes",
    "everyone",
    "problems",
    "step",
]

MINUTE, HOUR, DAY = 60, 3600, 86_400
START = 1_780_000_000

_PREFIXES = {
    "email": "messages",
    "pushnotification": "messages",
    "inappmessage": "messages",
    "contentcard": "messages",
    "banner": "messages",
    "featureflag": "messages",
    "sms": "messages",
    "whatsapp": "messages",
    "rcs": "messages",
    "line": "messages",
    "webhook": "messages",
    "landingpage": "messages",
    "survey": "messages",
    "liveactivity": "messages",
    "app": "behaviors",
    "subscription": "behaviors",
    "subscriptiongroup": "behaviors",
}


def step(
    name: str,
    at: float = 0,
    /,
    *,
    user: str | None = "ada",
    device: str | None = None,
    **fields: Any,
) -> Event:
    """Make an event that follows from its arguments, ids included.

    Args:
        name: the event type; `users.` and `messages.` or `behaviors.` can be left out.
        at: seconds since the start of the story.
        user: the user; None for an event of no one.
        device: the device.
        fields: the properties.
    """
    family = name.partition(".")[0]
    if family in _PREFIXES:
        name = f"{_PREFIXES[family]}.{name}"
    event_type = name if name.startswith(("users.", "agentconsole.")) else f"users.{name}"
    who = {"user_id": user, "device_id": device}
    told = json.dumps([event_type, at, who, fields], sort_keys=True, default=str)
    return Event(
        event_type=event_type,
        time=START + int(at),
        user={key: value for key, value in who.items() if value is not None},
        properties=fields,
        id=str(uuid.uuid5(uuid.NAMESPACE_URL, told)),
    )


def codes(events: Iterable[Any], **options: Any) -> list[str]:
    """Return the codes of a stream's findings."""
    return [finding.code.value for finding in check_stream(events, **options)]


def problems(events: Iterable[Any], **options: Any) -> list[tuple[str, str | None, str | None]]:
    """Return the code, the id and the other id of each finding."""
    return [
        (each.code.value, each.event_id, each.other_id) for each in check_stream(events, **options)
    ]


TOKEN = "users.behaviors.pushnotification.TokenStateChange"
BUYS = json.dumps({"type": "Makes Any Purchase", "window": 3 * DAY})
TRIES = json.dumps(
    {"type": "Performs Custom Event", "custom_event_name": "Trial", "window": 3 * DAY}
)
CONVERTED: dict[str, Any] = {"conversion_behavior": BUYS, "conversion_behavior_index": 0}
MAIL: dict[str, Any] = {
    "campaign_id": "c-mail",
    "dispatch_id": "d-mail",
    "email_address": "ada@example.com",
}
PUSH: dict[str, Any] = {"campaign_id": "c-push", "dispatch_id": "d-push", "app_id": "ios"}
TEXT: dict[str, Any] = {
    "campaign_id": "c-text",
    "dispatch_id": "d-text",
    "subscription_group_id": "g-text",
}
CHAT: dict[str, Any] = {"campaign_id": "c-chat", "dispatch_id": "d-chat", "message_id": "wamid.1"}
CANVAS: dict[str, Any] = {"canvas_id": "canvas", "canvas_variation_id": "v1"}
STEP: dict[str, Any] = {**CANVAS, "canvas_step_id": "m1"}
SPLIT: dict[str, Any] = {**CANVAS, "experiment_step_id": "x", "experiment_split_id": "x1"}
SURVEY: dict[str, Any] = {
    "survey_id": "s",
    "survey_session_id": "s1",
    "survey_completion_status": "completed",
}


def newsletter(user: str) -> list[Event]:
    """A deferred email that is opened, clicked, converts, and ends in an opt-out."""
    return [
        step("email.Send", 0, user=user, **MAIL),
        step("email.Deferral", 2, user=user, **MAIL),
        step("email.SoftBounce", 20, user=user, **MAIL),
        step("email.Delivery", HOUR, user=user, **MAIL),
        step("campaigns.UniqueReceipt", HOUR, user=user, campaign_id="c-mail", country="NZ"),
        step("email.Open", HOUR + 30, user=user, machine_open="true", **MAIL),
        step("email.Open", HOUR + 30, user=user, machine_open=None, **MAIL),
        step("email.Open", DAY, user=user, **MAIL),
        step("email.Click", DAY + 20, user=user, is_suspected_bot_click=False, **MAIL),
        step(
            "behaviors.Purchase", DAY + 60, user=user, price=20.0, product_id="hat", currency="EUR"
        ),
        step(
            "campaigns.Conversion",
            DAY + 60,
            user=user,
            campaign_id="c-mail",
            dispatch_id="d-mail",
            **CONVERTED,
        ),
        step("email.Unsubscribe", 2 * DAY, user=user, **MAIL),
        step(
            "subscription.GlobalStateChange",
            2 * DAY,
            user=user,
            channel="email",
            subscription_status="Unsubscribed",
        ),
        step(
            "subscription.GlobalStateChange",
            30 * DAY,
            user=user,
            channel="email",
            subscription_status="Opted In",
        ),
        step("email.Send", 30 * DAY, user=user, **MAIL | {"dispatch_id": "d-later"}),
        step("email.Bounce", 30 * DAY + 2, user=user, **MAIL | {"dispatch_id": "d-later"}),
        step(
            "email.Send",
            40 * DAY,
            user=user,
            **MAIL | {"dispatch_id": "d-last", "email_address": "new@example.com"},
        ),
    ]


def app(user: str) -> list[Event]:
    """Two sessions with all kinds of messages in the app, and a push between them."""
    on = {"device": f"{user}-phone", "user": user}
    about = {"app_id": "ios", "platform": "ios", "device_model": "iPhone", "os_version": "17.4"}
    first = {**about, "session_id": f"{user}-1"}
    second = {**about, "session_id": f"{user}-2", "os_version": "18.0"}
    shown = {**about, "campaign_id": "c-iam", "card_id": "card"}
    card = {"campaign_id": "c-card", "dispatch_id": "d-card", "content_card_id": "k"}
    flag = {"app_id": "ios", "feature_flag_id_name": "dark"}
    token = f"{user}-token"
    change = {"push_token_device_id": f"{user}-phone", "app_id": "ios"}
    return [
        step("app.FirstSession", 0, **on, **first),
        step("app.SessionStart", 0, **on, **first),
        step(
            TOKEN,
            1,
            user=user,
            push_token=token,
            push_token_state_change_type="add",
            time_ms=(START + 1) * 1000,
            **change,
        ),
        step("featureflag.Impression", 1, **on, **flag),
        step("inappmessage.Impression", 5, **on, **shown),
        step("inappmessage.Click", 9, **on, **shown),
        step("contentcard.Send", 10, user=user, **card),
        step("contentcard.Impression", 20, **on, **card, **about),
        step("contentcard.Click", 22, **on, **card, **about),
        step("app.SessionEnd", 120, **on, **first, duration=119.6),
        step("pushnotification.Send", HOUR, **on, **PUSH, push_token=token),
        step("pushnotification.Open", 2 * HOUR, **on, **PUSH),
        step("app.SessionStart", 2 * HOUR, **on, **second),
        step("featureflag.Impression", 2 * HOUR + 1, **on, **flag),
        step("banner.Impression", 2 * HOUR + 2, **on, app_id="ios", campaign_id="c-banner"),
        step("banner.Dismiss", 2 * HOUR + 3, **on, app_id="ios", campaign_id="c-banner"),
        step("app.SessionEnd", 2 * HOUR + 60, **on, **second, duration=60),
        step("behaviors.Uninstall", 3 * DAY, **on, app_id="ios"),
    ]


def texts(user: str) -> list[Event]:
    """SMS messages: one is answered with STOP, which is confirmed, and later with START."""
    group = {"subscription_group_id": "g-text"}
    stop = {**group, "campaign_id": "c-text", "action": "Unsubscribed"}
    changed = {**group, "channel": "sms", "state_change_source": "Inbound Message"}
    again = TEXT | {"dispatch_id": "d-again"}
    return [
        step("sms.Send", 0, user=user, **TEXT),
        step("sms.CarrierSend", 1, user=user, **TEXT),
        step("sms.Delivery", 3, user=user, **TEXT),
        step("sms.ShortLinkClick", 90, user=user, campaign_id="c-text", short_url="https://b.it/1"),
        step("sms.InboundReceive", HOUR, user=user, **stop),
        step(
            "subscriptiongroup.StateChange",
            HOUR,
            user=user,
            subscription_status="Unsubscribed",
            **changed,
        ),
        step("sms.Send", HOUR + 1, user=user, category="opt-out", **group),
        step(
            "sms.InboundReceive",
            DAY,
            user=user,
            **stop | {"action": "Subscribed", "campaign_id": None},
        ),
        step(
            "subscriptiongroup.StateChange",
            DAY,
            user=user,
            subscription_status="Subscribed",
            **changed,
        ),
        step("sms.Send", 2 * DAY, user=user, **again),
        step("sms.Rejection", 2 * DAY + 1, user=user, **again),
    ]


def chat(user: str) -> list[Event]:
    """WhatsApp and RCS messages that are read and answered; RCS falls back to SMS."""
    reply: dict[str, Any] = {"campaign_id": "c-chat", "in_reply_to": "wamid.1", "action": "None"}
    return [
        step("whatsapp.Send", 0, user=user, **CHAT),
        step("whatsapp.Delivery", 2, user=user, **CHAT),
        step("whatsapp.Read", 60, user=user, **CHAT),
        step("whatsapp.InboundReceive", HOUR, user=user, **reply),
        step("rcs.Send", DAY, user=user, campaign_id="c-rcs", dispatch_id="d-rcs"),
        step("rcs.Rejection", DAY + 1, user=user, campaign_id="c-rcs", dispatch_id="d-rcs"),
        step(
            "sms.Delivery",
            DAY + 5,
            user=user,
            campaign_id="c-rcs",
            dispatch_id="d-rcs",
            is_sms_fallback=True,
        ),
    ]


def welcome(user: str) -> list[Event]:
    """A Canvas with a split, an experiment, a cap, a conversion and an exit; then a new passage."""
    capped = {
        "abort_type": "frequency_capped",
        "abort_log": "Frequency cap rule: 1 email messages every 1 week",
    }
    passage: dict[str, Any] = {
        **CANVAS,
        "canvas_entry_id": f"{user}-passage",
        "progression_type": "advance",
    }
    tried: dict[str, Any] = {"conversion_behavior": TRIES, "conversion_behavior_index": 1}
    return [
        step("canvas.Entry", 0, user=user, **CANVAS, in_control_group=False),
        step("email.Send", 0, user=user, **STEP, dispatch_id=f"{user}-1"),
        step("email.Delivery", 5, user=user, **STEP, dispatch_id=f"{user}-1"),
        step(
            "canvasstep.Progression",
            DAY,
            user=user,
            **passage,
            canvas_step_id="s",
            next_step_id="x",
        ),
        step("canvas.experimentstep.SplitEntry", DAY, user=user, **SPLIT, in_control_group=False),
        step(
            "canvasstep.Progression",
            DAY + 1,
            user=user,
            **passage,
            canvas_step_id="x",
            next_step_id="m2",
        ),
        step(
            "email.Abort",
            DAY + 1,
            user=user,
            **{**CANVAS, "canvas_step_id": "m2", "dispatch_id": f"{user}-2"},
            **capped,
        ),
        step("behaviors.CustomEvent", DAY + HOUR, user=user, name="Trial"),
        step("canvas.Conversion", DAY + HOUR, user=user, **CANVAS, **tried),
        step("canvas.experimentstep.Conversion", DAY + HOUR, user=user, **SPLIT, **tried),
        step("canvas.exit.PerformedEvent", 2 * DAY, user=user, **STEP),
        step("canvas.Entry", 9 * DAY, user=user, **CANVAS, in_control_group=False),
        step("email.Send", 9 * DAY, user=user, **STEP, dispatch_id=f"{user}-3"),
    ]


def shop(user: str) -> list[Event]:
    """An order of two lines, half of which is refunded."""
    order: dict[str, Any] = {
        "currency": "EUR",
        "purchase_properties": {"order_id": f"{user}-order"},
    }
    return [
        step("behaviors.CustomEvent", 0, user=user, name="Viewed"),
        step("behaviors.Purchase", 60, user=user, price=30, product_id="hat", **order),
        step("behaviors.Purchase", 60, user=user, price=20.5, product_id="scarf", **order),
        step("behaviors.Purchase", DAY, user=user, price=-10, product_id="hat", **order),
        step("behaviors.Purchase", 2 * DAY, user=user, price=-20, product_id="hat", **order),
    ]


def survey(user: str) -> list[Event]:
    """A landing page with a form and a survey."""
    page: dict[str, Any] = {"landing_page_api_id": "page"}
    answers: dict[str, Any] = SURVEY | {"survey_session_id": f"{user}-survey"} | page
    return [
        step("landingpage.Impression", 0, user=user, **page),
        step("landingpage.Click", 9, user=user, target="next", **page),
        step("survey.Response", 60, user=user, **answers, question_id="q1"),
        step("survey.Response", 60, user=user, **answers, question_id="q2"),
        step("landingpage.FormSubmission", 99, user=user, **page),
    ]


def goodbye(user: str) -> list[Event]:
    """An anonymous profile that is merged into another one, whose user then asks for deletion.

    The push token moves from the one to the other.
    """
    token: dict[str, Any] = {"push_token": f"{user}-moving", "push_token_device_id": f"{user}-pad"}
    ms = (START + 60) * 1000
    return [
        step("behaviors.CustomEvent", 0, user=f"{user}-anonymous", name="Viewed"),
        step(TOKEN, 1, user=f"{user}-anonymous", push_token_state_change_type="add", **token),
        step(
            TOKEN,
            60,
            user=f"{user}-anonymous",
            push_token_state_change_type="remove",
            time_ms=ms,
            **token,
        ),
        step(TOKEN, 60, user=user, push_token_state_change_type="add", time_ms=ms + 40, **token),
        step("users.UserOrphan", 60, user=f"{user}-anonymous", orphaned_by_id=user),
        step("behaviors.CustomEvent", 70, user=user, name="Logged In"),
        step("users.UserDeleteRequest", DAY, user=user),
    ]


def names(user: str) -> list[Event]:
    """A campaign whose name is null after it is made and after a rename."""
    named: list[tuple[int, str | None]] = [
        (0, None),
        (HOUR, None),
        (HOUR + 1, "Spring"),
        (DAY, None),
        (DAY + HOUR, None),
        (DAY + HOUR + 9, "Summer"),
    ]
    return [
        step(
            "webhook.Send",
            at,
            user=user,
            campaign_id=f"{user}-hook",
            campaign_name=name,
            dispatch_id=f"{user}-{at // DAY}",
        )
        for at, name in named
    ]


#: Coherent stories of one user, each with all events that its rules need.
STORIES: Mapping[str, Callable[[str], list[Event]]] = {
    story.__name__: story
    for story in (newsletter, app, texts, chat, welcome, shop, survey, goodbye, names)
}


def everyone() -> list[Event]:
    """Return one stream with all stories, each of a user of its own, in order of time."""
    told = [event for name, story in STORIES.items() for event in story(name)]
    return sorted(told, key=lambda event: event.time)
