"""Fields of messages that users write to the brand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._data import read_data
from .._ids import uuid4, wamid
from .draft import Draft, pick
from .registry import field_maker

_DATA = read_data("fields", "replies.toml")


def _media_url(draft: Draft) -> str:
    return f"https://media.{draft.workspace.domain}/inbound/{uuid4(draft.bits)}.jpg"


def _texts(draft: Draft) -> list[str]:
    """Return texts that users write in the language of their place."""
    texts: list[str] = _DATA["texts"].get(draft.user.place.language, _DATA["texts"]["en"])
    return texts


def _wamid(draft: Draft) -> str:
    return wamid(draft.bits, draft.user.phone or "+0")


@field_maker
def text_reply(draft: Draft) -> Mapping[str, Any]:
    """Make a text, a picture with a text, or a keyword, if nothing was said yet."""
    if "message_body" in draft.facts:
        return {}
    if draft.chance(0.08):
        return {
            "action": _DATA["no_action"],
            "message_body": pick(draft, _texts(draft)),
            "media_urls": [_media_url(draft)],
        }
    # In a journey, a keyword is a decision of the journey.
    if "action" not in draft.facts and draft.random() < 0.4:
        body, action = pick(draft, _DATA["keywords"])
        return {"action": action, "message_body": body}
    return {"action": _DATA["no_action"], "message_body": pick(draft, _texts(draft))}


@field_maker
def whatsapp_id(draft: Draft) -> Mapping[str, Any]:
    """Make WhatsApp's id of the message."""
    return {"message_id": _wamid(draft)}


@field_maker
def whatsapp_reply(draft: Draft) -> Mapping[str, Any]:
    """Make a filled form, a pressed button, a question about a product, or a text.

    The first sample is a form; the Canvas-side sample has what a form cannot have.
    """
    replies = draft.the_message.kind != "group"
    reply = {"in_reply_to": _wamid(draft)} if replies else {}
    if draft.canvas_side:
        return {
            **_product(draft),
            **_quick_reply(draft),
            "media_urls": [_media_url(draft)],
            **reply,
        }
    if "message_body" in draft.facts:
        return reply
    chance = 0.0 if draft.whole else draft.random()
    flow = draft.the_message.fields.get("flow_id")
    if chance < 0.2 and flow and "flow_id" in draft.names:
        return {
            "action": _DATA["no_action"],
            "message_body": _DATA["flow_body"],
            "flow_id": flow,
            "flow_response_json": _DATA["flow_response"],
            **reply,
        }
    if chance < 0.4 and replies and "action" not in draft.facts:
        return {**_quick_reply(draft), **reply}
    if chance < 0.5 and "catalog_id" in draft.names:
        return _product(draft)
    return text_reply(draft)


def _quick_reply(draft: Draft) -> dict[str, Any]:
    label, action = pick(draft, _DATA["quick_replies"])
    return {"action": action, "quick_reply_text": label, "message_body": label}


def _product(draft: Draft) -> dict[str, Any]:
    return {
        "action": _DATA["no_action"],
        "message_body": _texts(draft)[0],
        "catalog_id": draft.workspace.catalog_id,
        "product_id": pick(draft, draft.workspace.products).id,
    }


@field_maker
def line_reply(draft: Draft) -> Mapping[str, Any]:
    """Make a text or a picture; the Canvas-side sample is a picture."""
    if draft.canvas_side or (not draft.whole and draft.random() < 0.15):
        return {"media_id": str(10**17 + draft.bits(58))}
    return {"message_body": pick(draft, _texts(draft))}
