"""Live Activities: started, updated and ended by push on an iPhone.

Source: Braze, Live Activities; Live Activity events.
"""

from __future__ import annotations

from typing import Any

from .._data import read_data
from .._draws import mix
from .._ids import token_of, uuid_from
from ._life import Journey
from ._state import OwnedDevice

__all__ = ["begin_activity"]

_WORDING = read_data("fields", "wording.toml")


class _Activity(Journey):
    """A Live Activity.

    Attributes:
        owned: the device it runs on.
        left: how many updates follow.
    """

    __slots__ = ("left", "owned")

    def __init__(self, journey: Journey, owned: OwnedDevice) -> None:
        super().__init__(journey.life, "live activity", mix(journey.key, "activity"))
        self.owned = owned
        self.left = 1 + int(4 * self.unit("updates"))
        kinds = _WORDING["live_activities"]
        self.facts = {"activity_attributes_type": kinds[int(self.unit("kind") * len(kinds))]}


def begin_activity(journey: Journey) -> None:
    """Start a Live Activity, if the user has an iPhone with the app."""
    owned = next(
        (
            each
            for each in journey.life.devices
            if each.used and each.installed and each.device.platform == "ios"
        ),
        None,
    )
    if owned is None:
        return
    activity = _Activity(journey, owned)
    activity.emit(
        "users.behaviors.liveactivity.PushToStartTokenChange",
        device=owned.device,
        push_token_state_change_type="add",  # noqa: S106 - what happened to the token
    )
    activity.after(30, _start)


def _push(activity: _Activity, kind: str, facts: dict[str, Any]) -> bool:
    """Send a push, and return whether it succeeded."""
    failed = activity.happens("live_activity.failure", activity.count)
    failures = _WORDING["live_activity_failures"]
    outcome = failures[activity.count % len(failures)] if failed else "Success"
    facts = {"activity_id": None, "update_token": None, "push_to_start_token": None, **facts}
    sent = activity.emit(
        "users.messages.liveactivity.Send",
        device=activity.owned.device,
        live_activity_event_type=kind,
        **facts,
    )
    activity.emit(
        "users.messages.liveactivity.Outcome",
        device=activity.owned.device,
        cause=sent,
        live_activity_event_type=kind,
        live_activity_event_outcome=outcome,
        **facts,
    )
    activity.cause = sent
    return not failed


def _running(activity: _Activity) -> dict[str, Any]:
    return {
        "activity_id": uuid_from(activity.key),
        "update_token": token_of("activity", activity.key),
    }


def _start(activity: _Activity) -> None:
    if not activity.owned.installed:
        return
    token = activity.owned.device.push_to_start_token
    if _push(activity, "start", {"push_to_start_token": token}):
        activity.after(2, _register)


def _register(activity: _Activity) -> None:
    _change_token(activity, "add")
    activity.after(activity.delay("live_activity.update", activity.left), _update)


def _change_token(activity: _Activity, change: str) -> None:
    activity.emit(
        "users.behaviors.liveactivity.UpdateTokenChange",
        device=activity.owned.device,
        push_token_state_change_type=change,
        **_running(activity),
    )


def _update(activity: _Activity) -> None:
    if not activity.owned.installed:
        return
    activity.left -= 1
    kind = "update" if activity.left > 0 else "end"
    if not _push(activity, kind, _running(activity)):
        return
    if activity.left > 0:
        activity.after(activity.delay("live_activity.update", activity.left), _update)
    else:
        _change_token(activity, "remove")
