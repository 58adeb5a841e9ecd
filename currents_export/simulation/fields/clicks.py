"""Fields of clicks: links, and signs of a bot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._data import read_data
from ..workspace.model import Link
from .draft import Draft, pick, pick_early
from .email import mail_client
from .registry import field_maker

_MAIL = read_data("fields", "mail.toml")
_WORDING = read_data("fields", "wording.toml")


def _bot(draft: Draft, share: float) -> Mapping[str, Any]:
    """Choose whether a bot is suspected of the click, and why."""
    known = draft.facts.get("is_suspected_bot_click")
    if not (draft.chance(share) if known is None else known):
        return {"is_suspected_bot_click": False}
    if draft.whole or draft.random() < 0.5:
        return {"is_suspected_bot_click": True, "suspected_bot_click_reason": ["ip_address"]}
    return {
        "is_suspected_bot_click": True,
        "suspected_bot_click_reason": ["user_agent", pick(draft, _MAIL["bot_reasons"])],
        "user_agent": pick(draft, _MAIL["scanners"]),
    }


def _link(draft: Draft) -> Link:
    # The first links of a message are clicked most.
    return pick_early(draft, draft.the_message.links or draft.workspace.messages[0].links)


@field_maker
def email_click(draft: Draft) -> Mapping[str, Any]:
    """Make a click in an email."""
    link, bot = _link(draft), _bot(draft, 0.07)
    values: dict[str, Any] = {"url": link.url, "link_id": link.id, "link_alias": link.alias}
    if "user_agent" in bot:
        return {**values, **bot, "is_amp": False}
    return {**values, **mail_client(draft), **bot}


@field_maker
def short_link(draft: Draft) -> Mapping[str, Any]:
    """Make a click on a shortened link."""
    link = _link(draft)
    values = {
        "url": link.url,
        "short_url": link.short_url,
        "user_agent": draft.user.user_agent,
    }
    return {**values, **_bot(draft, 0.04)}


@field_maker
def rcs_click(draft: Draft) -> Mapping[str, Any]:
    """Make a tap on a link, a button or a suggestion of an RCS message."""
    part, kinds = pick(draft, _WORDING["rcs_elements"]), _WORDING["rcs_interactions"]
    chance = 0.5 if draft.whole else draft.random()
    if chance < 0.4:
        return {"interaction_type": kinds["text"], **short_link(draft)}
    if chance < 0.8:
        label = pick(draft, _WORDING["rcs_labels"])
        values = {"element_type": part, "element_label": label}
        return {"interaction_type": kinds["link"], **values, **short_link(draft)}
    return {
        "interaction_type": kinds["reply"],
        "element_type": part,
        "element_label": pick(draft, _WORDING["rcs_replies"]),
        "is_suspected_bot_click": False,
    }
