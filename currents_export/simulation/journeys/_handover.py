"""A phone that changes hands: its push token moves from one user to the next.

Whether, when and which phone a user hands over depends only on the user, so that the next user's
life knows it, too, whichever of the two lives is made.

Source: Braze, Push tokens: a token belongs to the user who used the device last.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import attrs

from .._draws import mix, share, unit
from .._ids import id_number
from ..people.model import Device, User
from ._curve import DAY
from ._life import Cause, Journey, Life, journey_key
from ._state import OwnedDevice

if TYPE_CHECKING:
    from ._run import Run

__all__ = ["hand_over", "own_devices", "plan_handovers", "register_token", "take_over"]

#: Phones are handed over between the second of these days and the last one.
_FIRST, _LAST = 2 * DAY, 32 * DAY
#: A token moves within this many milliseconds.
_MOVE = 100
#: The longest time that a session of the former user may still go on.
_REST = 2 * 3600
_NAME, _CHANCE = "token move", "push.token_move"


@attrs.frozen
class _Handover:
    """A phone that a user hands over to the next one.

    Attributes:
        time: when.
        device: the phone.
    """

    time: int
    device: Device


@cache
def _keys_of(place: int) -> tuple[int, int, int]:
    """Return the keys of what is drawn about the device at a place, the last one a factor."""
    return mix("used", place), mix("push", place), mix("app", place) | 1


def own_devices(run: Run, number: int, key: int, user: User) -> list[OwnedDevice]:
    """Return the devices of a user, as they are when the life begins.

    Args:
        run: the run.
        number: the number of the user.
        key: the key of the user's life.
        user: the user.
    """
    chances, owned = run.chances, []
    for place, device in enumerate(user.devices):
        used_key, push_key, app_key = _keys_of(place)
        first = chances.of_person(number, key, used_key) < chances.share("session.first")
        used = not run.newcomers and not first
        platform = device.platform
        name = f"push.allowed.{platform if platform in ('ios', 'android') else 'other'}"
        allowed = chances.of_person(number, key, push_key) < chances.share(name)
        push, now = device.push_token is not None and allowed, device
        if used and share(key, app_key) < chances.share("app.former"):
            now = attrs.evolve(device, app=device.app.former)
        owned.append(OwnedDevice(now, used, True, push and used, allows_push=push))
    return owned


def _handover(run: Run, number: int) -> _Handover | None:
    """Return what the user with a number hands over to the next user, if anything."""
    key = mix(run.seed_key, number)
    if run.newcomers or number < 0 or unit(mix(key, _NAME)) >= run.chances.share(_CHANCE):
        return None
    for owned in own_devices(run, number, key, run.people[number]):
        if owned.used and owned.push and owned.device.platform in ("ios", "android"):
            drawn = unit(mix(key, _NAME, "time"))
            return _Handover(run.start + int(_FIRST + drawn * (_LAST - _FIRST)), owned.device)
    return None


def plan_handovers(life: Life) -> None:
    """Let the user hand a phone over to the next one, and get that of the one before."""
    if (given := _handover(life.run, life.number)) is not None:
        life.handover = given.time
        _at(life, given.time, hand_over, given.device)
    if (taken := _handover(life.run, life.number - 1)) is not None:
        _at(life, taken.time, take_over, taken.device)


class _Moment:
    """The moment of a handover in one of the two lives."""

    __slots__ = ("act", "device", "life")

    def __init__(self, life: Life, act: Callable[[Life, Device], object], device: Device) -> None:
        self.life = life
        self.act = act
        self.device = device


def _at(life: Life, time: int, act: Callable[[Life, Device], object], device: Device) -> None:
    # The life of somebody who comes late can begin after it.
    life.at(max(time, life.now), _pass, _Moment(life, act, device))


def _pass(moment: _Moment) -> None:
    moment.act(moment.life, moment.device)


def register_token(journey: Journey, owned: OwnedDevice, change: str, cause: Cause = 0) -> Cause:
    """Add or remove the push token of a device."""
    return _change(journey, owned.device, change, journey.key % 1000, cause)


def _change(journey: Journey, device: Device, change: str, after: int, cause: Cause) -> Cause:
    now, created = journey.now, device.push_token_created_at or journey.now
    return journey.emit(
        "users.behaviors.pushnotification.TokenStateChange",
        device=device,
        cause=cause,
        push_token_state_change_type=change,
        push_token_created_at=now if change == "add" else min(created, now),
        push_token_updated_at=now,
        time_ms=now * 1000 + after,
    )


def _moved_after(device: Device) -> int:
    """Return how many milliseconds after the second began a token moves."""
    return device.session_key % (1000 - _MOVE)


def hand_over(life: Life, device: Device) -> Cause:
    """Remove the push token of a phone that the next user takes over."""
    for owned in life.devices:
        if owned.device.id == device.id:
            owned.installed = owned.push = False
    return _change(Journey(life, _NAME, 0), device, "remove", _moved_after(device), 0)


def take_over(life: Life, device: Device) -> Cause:
    """Log in on the phone of the user before, to which the push token moves."""
    former = mix(life.run.seed_key, life.number - 1)
    removed = id_number(journey_key(former, _NAME, 0), 1)
    # The former user's session may still be open.
    mine = attrs.evolve(device, push_token_created_at=life.now)
    ends = life.now + _REST
    life.devices.append(
        OwnedDevice(mine, True, True, push=True, allows_push=True, session_ends=ends)
    )
    after = _moved_after(device) + 1 + device.session_key // 1000 % (_MOVE - 1)
    return _change(Journey(life, _NAME, 1), mine, "add", after, removed)
