"""Fields of message events that are drawn for each event: by channel, what is drawn together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import _providers as providers
from ._ids import object_id, uuid4, wamid
from ._model import Link
from ._scene import Drawn, Scene, pick

__all__ = ["DRAWN"]

_Values = Mapping[str, Any]

#: Seconds within which the events of a campaign or Canvas step belong to one dispatch, one send.
_DISPATCH_SECONDS, _SEND_SECONDS = 3600, 86_400


def _dispatch(scene: Scene) -> _Values:
    message, time = scene.message, scene.time
    if message is None or message.kind == "group":
        return {}
    values = {"dispatch_id": object_id(time - time % _DISPATCH_SECONDS, message.dispatch_key)}
    if message.send_key:
        values["send_id"] = object_id(time - time % _SEND_SECONDS, message.send_key)
    return values


def _channel(scene: Scene) -> str:
    """The channel of a message event, from its type's name."""
    return scene.event_type.split(".")[2]


def _abort(scene: Scene) -> _Values:
    kind, log = pick(scene, providers.ABORTS[_channel(scene)])
    return {
        "abort_type": kind,
        "abort_log": log.replace("{domain}", scene.workspace.domain),
    }


def _retry(scene: Scene) -> _Values:
    channel = _channel(scene)
    reasons = providers.RETRIES[channel]
    if channel == "pushnotification" and scene.the_device.platform == "ios":
        reasons = providers.APNS_RETRIES
    elif channel == "email":
        # The first reason names the provider that the message goes out by.
        esp = _provider(scene)
        reasons = tuple((kind, log.replace("SendGrid", esp)) for kind, log in reasons)
    kind, log = pick(scene, reasons)
    return {"retry_type": kind, "retry_log": log}


def _provider(scene: Scene) -> str:
    """The email service provider that the message goes out by."""
    return str(scene.the_message.fields["esp"])


def _smtp(scene: Scene, replies: Mapping[str, tuple[str, ...]]) -> str:
    """What the recipient's mail server says."""
    user = scene.user
    text = pick(scene, replies[user.mailbox_provider or "Gmail"])
    return text.format(
        email=user.email,
        domain=user.email_domain,
        ip=scene.the_message.fields["sending_ip"],
    )


def _bounce(scene: Scene) -> _Values:
    if not scene.whole and scene.random() < 0.2:
        return {"is_drop": True, "bounce_reason": providers.DROPS[_provider(scene)]}
    return {"is_drop": False, "bounce_reason": _smtp(scene, providers.HARD_BOUNCES)}


def _soft_bounce(scene: Scene) -> _Values:
    return {"bounce_reason": _smtp(scene, providers.SOFT_BOUNCES)}


def _deferral(scene: Scene) -> _Values:
    return {
        "attempt_count": 1 + int(6 * scene.random() ** 3),
        "deferral_reason": _smtp(scene, providers.DEFERRALS),
    }


def _spam(scene: Scene) -> _Values:
    return {"user_agent": providers.SPAM_REPORTERS[scene.user.mailbox_provider or "Gmail"]}


#: Mail clients that fetch pictures for their users: what they leave of the user agent.
_PROXIES: Mapping[str, _Values] = {
    "Gmail": {
        "user_agent": "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 "
        "(via ggpht.com GoogleImageProxy)",
        "browser": "Gmail Image Proxy",
        "is_amp": False,
    },
    "Yahoo": {
        "user_agent": "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        "browser": "Yahoo Mail Proxy",
        "is_amp": False,
    },
    # Apple Mail Privacy Protection loads every email, read or not.
    "iCloud": {"user_agent": "Mozilla/5.0", "is_amp": False, "machine_open": "true"},
}


def _client(scene: Scene) -> dict[str, Any]:
    """The browser or app in which the user reads."""
    client = pick(scene, scene.user.browsers)
    return {
        "user_agent": client.user_agent,
        "browser": client.name,
        "device_class": client.device_class,
        "device_model": client.device_model,
        "device_os": client.device_os,
        "is_amp": scene.user.mailbox_provider == "Gmail" and scene.random() < 0.02,
    }


def _open(scene: Scene) -> _Values:
    if not scene.whole:
        proxy = _PROXIES.get(scene.user.mailbox_provider or "")
        if proxy is not None and scene.random() < 0.7:
            return proxy
    values = _client(scene)
    # A security scanner looks like a person with a browser.
    if scene.chance(0.06):
        values["machine_open"] = "true"
    return values


#: The reasons for which a click is suspected, and the user agents that give scanners away.
_BOT_REASONS = ("ip_address", "user_agent", "click_velocity")
_SCANNERS = (
    "Mozilla/5.0 (compatible; LinkScanner/2.1)",
    "python-requests/2.32.3",
    (
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "HeadlessChrome/141.0.0.0 Safari/537.36"
    ),
)


def _bot(scene: Scene, often: float) -> _Values:
    """Whether a click is suspected of being a bot's, and if so, why."""
    if not scene.chance(often):
        return {"is_suspected_bot_click": False}
    if scene.whole or scene.random() < 0.5:
        return {"is_suspected_bot_click": True, "suspected_bot_click_reason": ["ip_address"]}
    return {
        "is_suspected_bot_click": True,
        "suspected_bot_click_reason": ["user_agent", pick(scene, ("ip_address", "click_velocity"))],
        "user_agent": pick(scene, _SCANNERS),
    }


def _link(scene: Scene) -> Link:
    # The first links of a message are clicked most.
    links = scene.the_message.links
    return links[int(len(links) * scene.random() ** 2)]


def _email_click(scene: Scene) -> _Values:
    link, bot = _link(scene), _bot(scene, 0.07)
    values: dict[str, Any] = {"url": link.url, "link_id": link.id, "link_alias": link.alias}
    if "user_agent" in bot:
        return {**values, **bot, "is_amp": False}
    return {**values, **_client(scene), **bot}


def _short_link(scene: Scene) -> _Values:
    link = _link(scene)
    values = {
        "url": link.url,
        "short_url": link.short_url,
        "user_agent": scene.user.user_agent,
    }
    return {**values, **_bot(scene, 0.04)}


_RCS_LABELS = ("Shop now", "See details", "Track order")


def _rcs_click(scene: Scene) -> _Values:
    part = pick(scene, ("Button", "Suggestion"))
    chance = 0.5 if scene.whole else scene.random()
    if chance < 0.4:
        return {"interaction_type": "Text URL", **_short_link(scene)}
    values = {"element_type": part, "element_label": pick(scene, _RCS_LABELS)}
    if chance < 0.8:
        return {"interaction_type": "OpenURL", **values, **_short_link(scene)}
    return {
        "interaction_type": "Reply",
        "element_type": part,
        "element_label": pick(scene, ("Yes", "Not now", "Stop")),
        "is_suspected_bot_click": False,
    }


def _fallback(scene: Scene) -> _Values:
    # An SMS seldom stands in for an RCS message; a failed RCS message is mostly replaced.
    return {"is_sms_fallback": scene.random() < (0.6 if ".rcs." in scene.event_type else 0.04)}


def _error_of(errors: Sequence[tuple[str, str]]) -> Callable[[Scene], _Values]:
    def draw(scene: Scene) -> _Values:
        error, code = pick(scene, errors)
        return {"error": error, "provider_error_code": code}

    return draw


def _whatsapp_failure(scene: Scene) -> _Values:
    code, title = pick(scene, providers.WHATSAPP_ERRORS)
    return {"provider_error_code": code, "provider_error_title": title}


def _category(scene: Scene) -> _Values:
    # An automatic reply to a keyword; other messages have no category.
    if scene.chance(0.03):
        return {"category": pick(scene, ("opt-in", "opt-out", "help"))}
    return {}


#: Keywords that users text, and what they do to the subscription.
_KEYWORDS = (
    ("STOP", "Unsubscribed"),
    ("stop", "Unsubscribed"),
    ("START", "Subscribed"),
    ("HELP", "None"),
)
#: What else users write, by language.
_TEXTS: Mapping[str, tuple[str, ...]] = {
    "en": ("Is this still available in M?", "When will my order arrive?", "Thanks!"),
    "de": ("Gibt es das noch in M?", "Wann kommt meine Bestellung?", "Danke!"),
    "es": ("¿Todavía lo tienen en M?", "¿Cuándo llega mi pedido?", "¡Gracias!"),
    "fr": ("Est-il encore disponible en M ?", "Quand arrive ma commande ?", "Merci !"),
    "ja": ("Mサイズの在庫はありますか?", "注文はいつ届きますか?", "ありがとうございます"),
    "pt": ("Ainda tem no tamanho M?", "Quando chega o meu pedido?", "Obrigada!"),
    "sv": ("Finns den kvar i M?", "När kommer min beställning?", "Tack!"),
}


def _media_url(scene: Scene) -> str:
    return f"https://media.{scene.workspace.domain}/inbound/{uuid4(scene.bits)}.jpg"


def _text(scene: Scene) -> _Values:
    if scene.chance(0.08):
        return {
            "action": "None",
            "message_body": _written(scene),
            "media_urls": [_media_url(scene)],
        }
    if scene.random() < 0.4:
        body, action = pick(scene, _KEYWORDS)
        return {"action": action, "message_body": body}
    return {"action": "None", "message_body": _written(scene)}


def _written(scene: Scene) -> str:
    """What a user writes in the language of the place."""
    return pick(scene, _TEXTS[scene.user.place.language])


def _message_id(scene: Scene) -> _Values:
    return {"message_id": wamid(scene.bits, scene.user.phone or "+0")}


def _whatsapp_inbound(scene: Scene) -> _Values:
    message = scene.the_message
    replies = message.kind != "group"
    reply = {"in_reply_to": wamid(scene.bits, scene.user.phone or "+0")} if replies else {}
    chance = 0.0 if scene.whole else scene.random()
    flow = message.fields.get("flow_id")
    if chance < 0.2 and flow and "flow_id" in scene.fields:
        return {
            "action": "None",
            "message_body": "Sent",
            "flow_id": flow,
            "flow_response_json": '{"size":"M","newsletter":true,"flow_token":"unused"}',
            **reply,
        }
    if chance < 0.4 and replies:
        label, action = pick(scene, (("Shop now", "None"), ("Stop promotions", "Unsubscribed")))
        return {"action": action, "quick_reply_text": label, "message_body": label, **reply}
    if chance < 0.5 and "catalog_id" in scene.fields:
        return {
            "action": "None",
            "message_body": _TEXTS[scene.user.place.language][0],
            "catalog_id": scene.workspace.catalog_id,
            "product_id": pick(scene, scene.workspace.products).id,
        }
    return _text(scene)


def _line_inbound(scene: Scene) -> _Values:
    if not scene.whole and scene.random() < 0.15:
        return {"media_id": str(10**17 + scene.bits(58))}
    return {"message_body": _written(scene)}


def _push_open(scene: Scene) -> _Values:
    if not scene.chance(0.15):
        return {}
    button, action = pick(
        scene, (("shop_now", "deep_link"), ("view", "uri"), ("later", "close"), ("ok", "none"))
    )
    return {"button_string": button, "button_action_type": action}


def _button(scene: Scene) -> _Values:
    # A click on the body has no button.
    return {"button_id": pick(scene, ("0", "0", "1"))} if scene.chance(0.7) else {}


def _locale(scene: Scene) -> _Values:
    # Messages in one language have none.
    return {"locale_key": scene.user.place.locale_key} if scene.chance(0.3) else {}


def _news_feed(scene: Scene) -> _Values:
    return {"card_id": pick(scene, scene.workspace.news_feed_cards)}


def _webhook_failure(scene: Scene) -> _Values:
    status, body = pick(scene, providers.WEBHOOK_FAILURES)
    passing = status == 429 or status >= 500
    retries = int(scene.random() * 6) if passing else 0
    return {
        "http_status_code": status,
        "raw_response": body,
        "content_length": len(body),
        "retry_count": retries,
        "is_terminal": not passing or retries == 5,
        "webhook_duration": 30_000 + int(scene.random() * 900)
        if status == 504
        else 40 + int(2000 * scene.random() ** 3),
        "webhook_failure_source": "External Endpoint",
    }


_BOT = "is_suspected_bot_click suspected_bot_click_reason"
_SHORT_LINK = f"url short_url user_agent {_BOT}"
_ERROR = "error provider_error_code"
_CLIENT = "browser device_class device_model device_os is_amp user_agent"

DRAWN = (
    Drawn.of("*", "dispatch_id send_id", _dispatch),
    Drawn.of("*", "locale_key", _locale),
    Drawn.of("*.Abort", "abort_type abort_log", _abort),
    Drawn.of("*.Retry", "retry_type retry_log", _retry),
    Drawn.of("*.email.Bounce", "bounce_reason is_drop", _bounce),
    Drawn.of("*.email.SoftBounce", "bounce_reason", _soft_bounce),
    Drawn.of("*.email.Deferral", "attempt_count deferral_reason", _deferral),
    Drawn.of("*.email.MarkAsSpam", "user_agent", _spam),
    Drawn.of("*.email.Open", f"{_CLIENT} machine_open", _open),
    Drawn.of("*.email.Click", f"{_CLIENT} url link_id link_alias {_BOT}", _email_click),
    Drawn.of("*.sms.ShortLinkClick", _SHORT_LINK, _short_link),
    Drawn.of("*.whatsapp.Click", _SHORT_LINK, _short_link),
    Drawn.of("*.line.Click", _SHORT_LINK, _short_link),
    Drawn.of(
        "*.rcs.Click", f"element_label element_type interaction_type {_SHORT_LINK}", _rcs_click
    ),
    Drawn.of("users.messages.*", "is_sms_fallback", _fallback),
    Drawn.of("*.sms.Rejection", _ERROR, _error_of(providers.SMS_REJECTIONS)),
    Drawn.of("*.sms.DeliveryFailure", _ERROR, _error_of(providers.SMS_FAILURES)),
    Drawn.of("*.rcs.Rejection", _ERROR, _error_of(providers.RCS_ERRORS)),
    Drawn.of("*.whatsapp.Failure", "provider_error_code provider_error_title", _whatsapp_failure),
    Drawn.of("users.messages.*.Send", "category", _category),
    Drawn.of("*.sms.InboundReceive", "action media_urls message_body", _text),
    Drawn.of("*.rcs.InboundReceive", "action media_urls message_body", _text),
    Drawn.of(
        "*.whatsapp.InboundReceive",
        "action catalog_id flow_id flow_response_json in_reply_to media_urls message_body "
        "product_id quick_reply_text",
        _whatsapp_inbound,
    ),
    Drawn.of("*.line.InboundReceive", "media_id message_body", _line_inbound),
    Drawn.of("*.whatsapp.*", "message_id", _message_id),
    Drawn.of("*.pushnotification.Open", "button_action_type button_string", _push_open),
    Drawn.of("users.messages.*", "button_id", _button),
    Drawn.of("*.newsfeedcard.*", "card_id", _news_feed),
    Drawn.of(
        "*.webhook.Failure",
        "content_length http_status_code is_terminal raw_response retry_count webhook_duration "
        "webhook_failure_source",
        _webhook_failure,
    ),
)
