"""Fields of subscription changes."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from itertools import accumulate
from typing import Any

from .._data import read_rows, split
from .draft import Draft, pick
from .registry import field_maker

__all__ = ["channel_name"]


def channel_name(draft: Draft, otherwise: str) -> str:
    """Return the channel of the event's message as the field `channel` names it."""
    if draft.message is None:
        return otherwise
    names = draft.workspace.channel_names
    return names.get(draft.message.channel, draft.message.channel)


@cache
def _sources(event_type: str, channel: str, device: str) -> tuple[Sequence[str], Sequence[float]]:
    """Return the sources a change can have, with the running sums of their weights."""
    rows = [
        row
        for row in read_rows("fields", "subscription_sources.tsv")
        if fnmatchcase(event_type, row["event_type"])
        and row["device"] == device
        and (row["channels"] == "*" or channel in split(row["channels"]))
    ]
    return (
        [row["source"] for row in rows],
        list(accumulate(float(row["weight"]) for row in rows)),
    )


def _source(draft: Draft, channel: str) -> str:
    device = "yes" if draft.device else "no"
    sources, sums = _sources(draft.event_type.name, channel, device)
    return sources[bisect(sums, draft.random() * sums[-1])]


def _address(draft: Draft, channel: str) -> dict[str, Any]:
    """Return the user's address on a channel, as a field."""
    user = draft.user
    match channel:
        case "email":
            return {"channel_identifier": user.email, "email_address": user.email}
        case "push":
            return {"channel_identifier": draft.device.push_token} if draft.device else {}
        case _:
            return {"channel_identifier": user.phone, "phone_number": user.phone}


@field_maker
def global_state(draft: Draft) -> Mapping[str, Any]:
    """Make a change of the subscription state for a whole channel."""
    channel = channel_name(draft, pick(draft, ("email", "email", "push")))
    return {
        "channel": channel,
        "state_change_source": _source(draft, channel),
        "subscription_status": pick(
            draft,
            ("Unsubscribed", "Unsubscribed", "Unsubscribed", "Subscribed", "Opted In"),
        ),
        **_address(draft, channel),
    }


@field_maker
def group_state(draft: Draft) -> Mapping[str, Any]:
    """Make a change of the subscription state for one group."""
    channel = channel_name(draft, pick(draft, ("email", "email", "sms", "whatsapp", "rcs")))
    groups = draft.workspace.subscription_groups
    group = pick(draft, [group for group in groups if group.channel == channel] or groups)
    return {
        "channel": group.channel,
        "subscription_group_id": group.id,
        "state_change_source": _source(draft, group.channel),
        "subscription_status": pick(draft, ("Subscribed", "Subscribed", "Unsubscribed")),
        **_address(draft, group.channel),
    }
