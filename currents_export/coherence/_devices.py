"""Rule 12: devices keep their model and platform, and are never downgraded; tokens have one user.

Source: Braze, Message engagement events (push tokens); Customer behavior and user events.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

import attrs

from ._context import Context, Expectation
from ._finding import IncoherenceCode, IncoherenceFinding
from ._seen import DAY, Kind, Seen

__all__ = ["Devices", "Tokens"]

_TOKEN: Final = "users.behaviors.pushnotification.TokenStateChange"  # noqa: S105 - not a secret

#: Types whose `device_id` is not the device that did something.
_ELSEWHERE: Final = ("users.messages.email.", "users.messages.sms.", "users.messages.webhook.")

#: How many milliseconds a token takes from one user to another.
_MOVE_MS: Final = 100

#: How many seconds to wait for the user who loses a token.
_MOVE: Final = 5

#: How long to remember a device that does nothing.
_IDLE: Final = 180 * DAY


@attrs.define
class _Device:
    time: int
    id: str | None
    platform: str | None
    model: str | None
    system: str | None
    version: tuple[int, ...]
    ad_id: str | None


class Devices:
    """Follow the properties of each device."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._devices: dict[str, _Device] = {}

    def concerns(self, kind: Kind) -> bool:
        """Return whether a type can describe the device that did something."""
        return kind.name.startswith("users.") and not kind.name.startswith(_ELSEWHERE)

    def feed(self, event: Seen) -> Iterator[IncoherenceFinding]:
        """Compare a device with what it was before."""
        device, properties = event.device, event.properties
        if device is None or ("os_version" not in properties and "device_model" not in properties):
            return
        platform, model = event.text("platform"), event.text("device_model")
        system, version = _version(event.text("os_version"))
        ad_id = event.text("ad_id")
        known = self._devices.get(device)
        if known is None:
            self._devices[device] = _Device(
                event.time, event.id, platform, model, system, version, ad_id
            )
            return
        for name, old, new in (
            ("platform", known.platform, platform),
            ("device_model", known.model, model),
            # Users can reset the advertising id, which a stream does not show.
            ("ad_id", known.ad_id, ad_id if self._context.whole else None),
        ):
            if old is not None and new is not None and old != new:
                yield event.finding(
                    IncoherenceCode.DEVICE_CHANGED,
                    f"{name} differs from that of the same device before",
                    f"a device keeps its {name}",
                    known.id,
                )
        # Browsers are replaced as often as users like.
        same_system = system is not None and system == known.system and platform != "web"
        if same_system and version < known.version and known.time < event.time:
            yield event.finding(
                IncoherenceCode.OS_WENT_BACK,
                f"os_version is {event.text('os_version')}, which is older than before",
                "the version of a device's system does not go back",
                known.id,
            )
        if system is not None and (not same_system or version > known.version):
            known.system, known.version = system, version
            known.time, known.id = event.time, event.id
        known.platform, known.model = known.platform or platform, known.model or model
        known.ad_id = known.ad_id or ad_id

    def forget_user(self, user: str) -> None:
        """Keep the devices: they do not depend on the order of events that much."""

    def forget(self, now: int) -> None:
        """Drop devices that have done nothing for long."""
        self._devices = {
            key: each for key, each in self._devices.items() if each.time >= now - _IDLE
        }


@attrs.define
class _Holder:
    user: str
    time: int
    time_ms: float | None
    id: str | None
    #: What is expected of the holder before: to lose the token.
    leaving: tuple[str, float | None, Expectation] | None = None


class Tokens:
    """Follow who has each push token."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._holders: dict[str, _Holder] = {}

    def concerns(self, kind: Kind) -> bool:
        """Return whether a type is the change of a push token."""
        return kind.name == _TOKEN

    def feed(self, event: Seen) -> Iterable[IncoherenceFinding]:
        """Take the addition or removal of a token; findings come when the move is overdue."""
        token, change = event.text("push_token"), event.text("push_token_state_change_type")
        if token is not None and event.user is not None and change is not None:
            self._change(event, event.user, token, change)
        return ()

    def _change(self, event: Seen, user: str, token: str, change: str) -> None:
        holder, time_ms = self._holders.get(token), event.number("time_ms")
        if change == "remove":
            if holder is None:
                return
            if holder.user == user:
                del self._holders[token]
            elif holder.leaving is not None and holder.leaving[0] == user:
                _, added_ms, expectation = holder.leaving
                apart = 0.0 if added_ms is None or time_ms is None else abs(added_ms - time_ms)
                expectation.met = apart <= _MOVE_MS
            return
        if holder is not None and holder.user == user:
            holder.time = event.time
            return
        leaving = None
        if holder is not None:
            finding = event.finding(
                IncoherenceCode.TOKEN_OF_TWO,
                f"another user has the push token and does not lose it within {_MOVE_MS} ms",
                "a token that moves to another user is removed from the one before",
                holder.id,
            )
            made = self._context.expect(event, event.time + _MOVE, finding)
            leaving = (holder.user, time_ms, made)
        self._holders[token] = _Holder(user, event.time, time_ms, event.id, leaving)

    def forget_user(self, user: str) -> None:
        """Drop the tokens of a user whose past is unknown."""
        self._holders = {key: each for key, each in self._holders.items() if each.user != user}

    def forget(self, now: int) -> None:
        """Drop tokens that have not changed for long."""
        self._holders = {
            key: each for key, each in self._holders.items() if each.time >= now - _IDLE
        }


@lru_cache(maxsize=4096)
def _version(text: str | None) -> tuple[str | None, tuple[int, ...]]:
    """Split a version such as `Android 14.1` into the system's name and its numbers."""
    if text is None or not (match := re.fullmatch(r"([^0-9]{0,40})([0-9.]{1,40})", text)):
        return None, ()
    numbers = [int(each) for each in match[2].split(".") if each]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return match[1].strip(), tuple(numbers)
