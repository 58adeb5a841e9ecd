"""Fields of push tokens and Live Activities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._data import read_data
from .._ids import token_of, uuid_of
from .behaviors import milliseconds
from .draft import Draft, pick
from .registry import field_maker

_WORDING = read_data("fields", "wording.toml")

#: Seconds within which the events of a device belong to one Live Activity.
_ACTIVITY_SECONDS = 4 * 3600

_CHANGES = ("add", "add", "update", "remove")


@field_maker
def token_change(draft: Draft) -> Mapping[str, Any]:
    """Choose what happened to a push token, and when."""
    time = draft.time
    chance = draft.random()
    change = "add" if chance < 0.5 else "update" if chance < 0.85 else "remove"
    created = draft.the_device.push_token_created_at or time
    return {
        "push_token_state_change_type": change,
        "push_token_created_at": time if change == "add" else min(created, time),
        "push_token_updated_at": time,
        "time_ms": milliseconds(draft),
    }


@field_maker
def push_to_start(draft: Draft) -> Mapping[str, Any]:
    """Make a change of the token that starts Live Activities."""
    return {
        "activity_attributes_type": pick(draft, _WORDING["live_activities"]),
        "push_token_state_change_type": pick(draft, _CHANGES),
    }


def _activity(draft: Draft) -> dict[str, Any]:
    """Return the Live Activity that runs on the device; the same for some hours."""
    key = draft.the_device.session_key
    window = draft.time // _ACTIVITY_SECONDS
    kinds = _WORDING["live_activities"]
    return {
        "activity_id": uuid_of("activity", key, window),
        "update_token": token_of("activity", key, window),
        "activity_attributes_type": kinds[(key + window) % len(kinds)],
    }


@field_maker
def update_token(draft: Draft) -> Mapping[str, Any]:
    """Make a change of the token of a running Live Activity."""
    return {**_activity(draft), "push_token_state_change_type": pick(draft, _CHANGES)}


@field_maker
def live_activity(draft: Draft) -> Mapping[str, Any]:
    """Make a push for a Live Activity; the Canvas-side sample starts one."""
    values = _activity(draft)
    if draft.whole:
        kind = "start" if draft.canvas_side else "update"
    else:
        kind = pick(draft, ("start", "update", "update", "end"))
    values["live_activity_event_type"] = kind
    if kind == "start":
        # It has no id and no token yet.
        del values["activity_id"], values["update_token"]
        values["push_to_start_token"] = draft.the_device.push_to_start_token
    failed = not draft.whole and draft.random() < 0.05
    values["live_activity_event_outcome"] = (
        pick(draft, _WORDING["live_activity_failures"]) if failed else "Success"
    )
    return values
