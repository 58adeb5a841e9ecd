"""The first causes of a journey on demand, from which the engine goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from .._draws import mix
from ..people.model import Device
from ..workspace.model import Campaign
from ._background import happen_now
from ._calendar import Occurrence
from ._canvases import set_off
from ._handover import hand_over, take_over
from ._life import Journey, Life
from ._messages import send_scheduled
from ._reactions import change_state
from ._session import Session
from ._sessions import open_session, show_channel
from ._shop import SHOP
from ._state import OwnedDevice

__all__ = ["STEPS", "begin_script"]

#: Platforms whose apps show messages.
_SHOWING = ("ios", "android", "kindle", "web")
_PHONES = ("ios", "android")


class Script(Journey):
    """The first causes of a journey on demand.

    Attributes:
        campaign: the campaign of its messages, if it has one.
    """

    __slots__ = ("campaign",)

    def __init__(self, life: Life, name: str, campaign: Campaign | None) -> None:
        super().__init__(life, name, 0)
        self.campaign = campaign


def begin_script(
    life: Life, name: str, steps: Iterable[tuple[str, int]], campaign: Campaign | None, owner: int
) -> None:
    """Begin a life in which only a script happens, and what follows from it.

    The user can be reached on every channel, and everybody but the `owner` is there to take over
    what the owner hands over.

    Args:
        life: the life.
        name: the name of the journey.
        steps: what happens, and after how many seconds.
        campaign: the campaign of its messages, if it has one.
        owner: the number of the user whose journey it is.
    """
    life.devices = [
        OwnedDevice(device, used=True, installed=True, push=device.push_token is not None)
        for device in life.user.devices
    ]
    groups = life.run.workspace.subscription_groups
    there = dict.fromkeys((group.id for group in groups), "Subscribed")
    life.reach.states = {"email": "Subscribed", "push": "Opted In", **there}
    script = Script(life, name, campaign)
    for what, after in steps:
        if life.number == owner:
            script.after(after, STEPS[what])
        elif what in _TAKING:
            script.after(after, _TAKING[what])


def _device(script: Script) -> OwnedDevice:
    """Return the device of the journey: one that shows messages, if possible with push."""
    devices = script.life.devices
    showing = [each for each in devices if each.device.platform in _SHOWING]
    return next((each for each in showing if each.push), (showing or devices)[0])


def _session(script: Script) -> Session:
    """Return the session that is open, or open one."""
    session = script.life.session
    if session is not None and session.open:
        return session
    return open_session(script.life, _device(script), 0)


def _begin_session(script: Script) -> None:
    _session(script)


def _first_session(script: Script) -> None:
    owned = _device(script)
    owned.used = False
    # A new user has no other device yet.
    script.life.devices = [owned]
    _session(script)


def _fill_cart(script: Script) -> None:
    _session(script).after(20, SHOP["cart"])


def _order(script: Script) -> None:
    _session(script).after(20, SHOP["order"])


def _show_in_app(script: Script) -> None:
    show_channel(_session(script), "inappmessage")


def _campaign(script: Script) -> None:
    campaign, now = script.campaign, script.now
    if campaign is not None:
        key = mix(campaign.id, now)
        send_scheduled(script.life, Occurrence(campaign, now, key, now, key))


def _opt_in(script: Script) -> None:
    """Subscribe to the group of the campaign's channel."""
    for group in script.life.run.workspace.subscription_groups:
        if script.campaign is not None and group.channel == script.campaign.channel:
            reach = script.life.reach
            reach.states = {**reach.states, group.id: "Unsubscribed"}
            change_state(
                script, 0, group.channel, "Subscribed", "Preference Center", group=group.id
            )


def _lapse(script: Script) -> None:
    set_off(script.life, "lapsed", 0)


def _phone(devices: Iterable[Device]) -> Device:
    return next(each for each in devices if each.push_token and each.platform in _PHONES)


def _hand_over(script: Script) -> None:
    hand_over(script.life, _phone(each.device for each in script.life.devices))


def _take_over(script: Script) -> None:
    take_over(script.life, _phone(script.life.run.people[script.life.number - 1].devices))


def _happens(name: str) -> Callable[[Script], None]:
    return lambda script: happen_now(script.life, name)


#: What happens, by the names in `stories.toml`.
STEPS: Mapping[str, Callable[[Script], None]] = {
    "campaign": _campaign,
    "cart": _fill_cart,
    "deletion": _happens("account_deletion"),
    "first session": _first_session,
    "in-app message": _show_in_app,
    "lapse": _lapse,
    "live activity": _happens("live_activity"),
    "merge": _happens("anonymous_to_known"),
    "opt in": _opt_in,
    "order": _order,
    "push permission": _happens("push_permission"),
    "session": _begin_session,
    "token move": _hand_over,
    "token refresh": _happens("token_refresh"),
    "uninstall": _happens("uninstall"),
}
#: What happens to the next user.
_TAKING: Mapping[str, Callable[[Script], None]] = {"token move": _take_over}
