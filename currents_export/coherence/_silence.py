"""Rule 3: users who cannot or must not be reached get no messages.

Source: Braze, Subscription states; Email bounces; Push tokens; Delete and merge users.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from ._channels import channel_of_state
from ._context import Context, UserCheck
from ._finding import IncoherenceCode, IncoherenceFinding
from ._seen import MINUTE, Kind, Seen

__all__ = ["Gone", "Silence"]

_SUBSCRIPTION: Final = "users.behaviors.subscription.GlobalStateChange"
_GROUP: Final = "users.behaviors.subscriptiongroup.StateChange"
_TOKEN: Final = "users.behaviors.pushnotification.TokenStateChange"  # noqa: S105 - not a secret
_OTHERS: Final = {
    _SUBSCRIPTION,
    _GROUP,
    _TOKEN,
    "users.behaviors.Uninstall",
    "users.behaviors.app.FirstSession",
    "users.behaviors.app.SessionStart",
    "users.profile.Update",
}
_SILENCING: Final = {"Bounce", "MarkAsSpam", "Unsubscribe", "InboundReceive"}

#: How far an Unsubscribe and the change of its subscription group can be apart.
_TOGETHER: Final = MINUTE


class Gone(UserCheck[tuple[int, str | None, bool]]):
    """Find events of deleted users and of profiles that were merged into others."""

    def concerns(self, kind: Kind) -> bool:
        """Return whether it is a type at all: a user who is gone has no events of any."""
        return bool(kind.name)

    def feed(self, event: Seen) -> Iterator[IncoherenceFinding]:
        """Compare an event's time with the end of its user's profile."""
        if event.user is None:
            return
        gone = self.states.get(event.user)
        if gone is not None and event.time > gone[0]:
            deleted = gone[2]
            yield event.finding(
                IncoherenceCode.AFTER_DELETION if deleted else IncoherenceCode.AFTER_ORPHAN,
                "the user's profile was deleted before"
                if deleted
                else "the profile was merged into another one before",
                "there are no events after the UserDeleteRequest"
                if deleted
                else "later events belong to the profile in orphaned_by_id",
                gone[1],
            )
        name = event.kind.name
        if name == "users.UserDeleteRequest":
            self.states.setdefault(event.user, (event.time, event.id, True))
        elif name == "users.UserOrphan":
            self.states.setdefault(event.user, (event.time, event.id, False))
            if event.text("orphaned_by_id") == event.user:
                yield event.finding(
                    IncoherenceCode.ORPHANED_BY_ITSELF,
                    "orphaned_by_id is the orphaned profile itself",
                    "it is the profile that it was merged into",
                )


@attrs.frozen
class _Silencer:
    """Why a user is out of reach: the event, and the words for it."""

    time: int
    id: str | None
    why: str


_Device = tuple[str, str | None]


class _State:
    __slots__ = ("addresses", "channels", "devices", "group_left", "groups", "tokens")

    def __init__(self) -> None:
        self.addresses: dict[str, _Silencer] = {}
        self.channels: dict[str, _Silencer] = {}
        self.groups: dict[str, _Silencer] = {}
        self.tokens: dict[str, _Silencer] = {}
        self.devices: dict[_Device, _Silencer] = {}
        self.group_left = 0


class Silence(UserCheck[_State]):
    """Find messages to users who are out of reach on the channel."""

    def __init__(self, context: Context, channels: dict[str, str]) -> None:
        super().__init__(context)
        self._channels = channels

    def concerns(self, kind: Kind) -> bool:
        """Return whether a type is a message, or changes who can be reached."""
        return kind.name in _OTHERS or (
            kind.is_message and (kind.last == "Send" or kind.last in _SILENCING)
        )

    def feed(self, event: Seen) -> Iterator[IncoherenceFinding]:
        """Check a message, or remember who can be reached."""
        if event.user is None:
            return
        kind = event.kind
        state = self.states.get(event.user)
        if kind.is_message and kind.last == "Send":
            if state is not None and (silencer := _silencer(state, event)):
                yield event.finding(
                    IncoherenceCode.SENT_WHILE_SILENT,
                    f"it was sent after {silencer.why}",
                    "no marketing message goes out until the state changes back",
                    silencer.id,
                )
            return
        if state is None:
            state = self.states[event.user] = _State()
        if kind.is_message:
            _react(state, event)
        elif kind.name == _SUBSCRIPTION:
            channel = channel_of_state(event, self._channels)
            if channel is not None:
                _subscribe(state, event, channel)
        elif kind.name == _GROUP:
            self._join_or_leave(state, event)
        elif kind.name == "users.profile.Update":
            if address := event.text("email_address"):
                state.addresses.pop(address, None)
        else:
            _use_device(state, event)

    def _join_or_leave(self, state: _State, event: Seen) -> None:
        group, status = event.text("subscription_group_id"), event.text("subscription_status")
        if group is None or status is None:
            return
        if status != "Unsubscribed":
            state.groups.pop(group, None)
            if (channel := channel_of_state(event, self._channels)) and channel != "email":
                state.channels.pop(channel, None)
            return
        state.groups[group] = _of(event, "the user left the subscription group")
        state.group_left = event.time
        # The unsubscribe link can end one group instead of all email.
        left = state.channels.get("email")
        if left and left.why == _UNSUBSCRIBED and event.time - left.time <= _TOGETHER:
            del state.channels["email"]


_UNSUBSCRIBED: Final = "the user unsubscribed from email"


def _of(event: Seen, why: str) -> _Silencer:
    return _Silencer(event.time, event.id, why)


def _subscribe(state: _State, event: Seen, channel: str) -> None:
    status = event.text("subscription_status")
    if status == "Unsubscribed":
        state.channels[channel] = _of(event, f"the state of {channel} became Unsubscribed")
    elif status is not None:
        state.channels.pop(channel, None)
        if channel == "email":
            state.addresses.clear()


def _react(state: _State, event: Seen) -> None:
    """Take an event that can silence a channel, an address or a token."""
    channel, last = event.kind.channel, event.kind.last
    address = event.text("email_address")
    if last == "InboundReceive":
        action = event.text("action")
        group = event.text("subscription_group_id")
        places, key = (state.groups, group) if group else (state.channels, channel)
        if action == "Unsubscribed":
            places[key] = _of(event, "the user opted out by a message")
        elif action == "Subscribed":
            places.pop(key, None)
            state.channels.pop(channel, None)
    elif channel == "pushnotification":
        if last == "Bounce" and (token := event.text("push_token")):
            state.tokens[token] = _of(event, "a push to the same token bounced")
    elif channel != "email":
        return
    elif last == "Bounce" and address:
        state.addresses[address] = _of(event, "a hard bounce of the same address")
    elif last == "MarkAsSpam" and address:
        state.addresses[address] = _of(event, "a spam report from the same address")
    elif last == "Unsubscribe" and event.time - state.group_left > _TOGETHER:
        state.channels.setdefault("email", _of(event, _UNSUBSCRIBED))


def _use_device(state: _State, event: Seen) -> None:
    """Take an event by which a device or a token comes or goes."""
    app = event.text("app_id")
    if event.kind.name == _TOKEN:
        token, change = event.text("push_token"), event.text("push_token_state_change_type")
        if token is None or change is None:
            return
        if change == "remove":
            state.tokens[token] = _of(event, "the push token was removed")
            return
        state.tokens.pop(token, None)
        if device := event.text("push_token_device_id"):
            state.devices.pop((device, app), None)
    elif event.device is None:
        return
    elif event.kind.last == "Uninstall":
        state.devices[event.device, app] = _of(event, "the app was removed from the device")
    else:
        state.devices.pop((event.device, app), None)


def _silencer(state: _State, event: Seen) -> _Silencer | None:
    """Return why an event's message must not be sent, if so."""
    channel = event.kind.channel
    found: list[_Silencer | None] = []
    # Only automatic replies have a category, and an opt-out is confirmed.
    if event.text("category") is None:
        found.append(state.channels.get(channel))
        if group := event.text("subscription_group_id"):
            found.append(state.groups.get(group))
    if channel == "email" and (address := event.text("email_address")):
        found.append(state.addresses.get(address))
    if channel == "pushnotification":
        if token := event.text("push_token"):
            found.append(state.tokens.get(token))
        if event.device is not None:
            found.append(state.devices.get((event.device, event.text("app_id"))))
    return next((each for each in found if each and each.time < event.time), None)
