"""Rule 4: state changes differ from the state before, and opt-outs change a state.

Source: Braze, Customer behavior and user events; Subscription states.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from ._channels import channel_of_state
from ._context import Context, Expectation, UserCheck
from ._finding import IncoherenceCode, IncoherenceFinding
from ._seen import HOUR, MINUTE, Kind, Seen

__all__ = ["Subscriptions"]

_GLOBAL: Final = "users.behaviors.subscription.GlobalStateChange"
_GROUP: Final = "users.behaviors.subscriptiongroup.StateChange"

#: How soon an opt-out or opt-in must change a state.
_SOON: Final = HOUR

#: How far apart a reply and the change it causes can be, in either order.
_TOGETHER: Final = MINUTE


@attrs.frozen
class _Change:
    event: Seen
    status: str
    owner: str | None
    source: str | None


@attrs.define
class _State:
    #: The last change of each channel or group.
    changes: dict[str, _Change] = attrs.Factory(dict)
    #: The opt-outs and opt-ins that still have to change a state: channel, status, expectation.
    waiting: list[tuple[str, str, Expectation]] = attrs.Factory(list)
    #: The last reply that changed a state.
    reply: Seen | None = None


class Subscriptions(UserCheck[_State]):
    """Follow the subscription states of each user."""

    def __init__(self, context: Context, channels: dict[str, str]) -> None:
        super().__init__(context)
        self._channels = channels

    def concerns(self, kind: Kind) -> bool:
        """Return whether a type changes a state, or is the reason for a change."""
        return kind.name in (_GLOBAL, _GROUP) or (
            kind.is_message and kind.last in ("Unsubscribe", "InboundReceive")
        )

    def feed(self, event: Seen) -> Iterator[IncoherenceFinding]:
        """Compare a change with the state before, or wait for the change that must follow."""
        if event.user is None:
            return
        state = self.states.setdefault(event.user, _State())
        if event.kind.is_message:
            self._expect_change(state, event)
            key = event.text("subscription_group_id")
            # The change can be of the same second, and then it came first.
            if state.reply is event and key is not None and key in state.changes:
                yield from _check_source(state.changes[key], event, key)
            return
        status = event.text("subscription_status")
        channel = channel_of_state(event, self._channels)
        key = event.text("subscription_group_id") if event.kind.name == _GROUP else channel
        if status is None or key is None:
            return
        before = state.changes.get(key)
        owner = (
            event.text("channel_identifier")
            or event.text("phone_number")
            or event.text("email_address")
        )
        change = _Change(event.bare(), status, owner, event.text("state_change_source"))
        state.changes[key] = change
        for waiting in [*state.waiting]:
            if waiting[1] == status and channel in (waiting[0], None):
                waiting[2].met = True
                state.waiting.remove(waiting)
        if state.reply is not None:
            yield from _check_source(change, state.reply, key)
        if before is None or (owner and before.owner and owner != before.owner):
            return
        if before.status == status and before.event.time < event.time:
            yield event.finding(
                IncoherenceCode.STATE_UNCHANGED,
                f"the state was {status} before",
                "a change differs from the state before it",
                before.event.id,
            )

    def forget(self, now: int) -> None:
        """Drop what was expected and is overdue."""
        for state in self.states.values():
            state.waiting = [each for each in state.waiting if each[2].due >= now]

    def _expect_change(self, state: _State, event: Seen) -> None:
        """Wait for the change after an Unsubscribe or after a reply such as STOP."""
        channel = event.kind.channel
        status = "Unsubscribed"
        if event.kind.last == "InboundReceive":
            status = event.text("action") or ""
            if status not in ("Subscribed", "Unsubscribed"):
                return
            state.reply = event
        key = event.text("subscription_group_id") or channel
        before = state.changes.get(key)
        if before is not None and before.status == status:
            return
        if any(
            change.status == status and event.time - change.event.time <= _TOGETHER
            for change in state.changes.values()
        ):
            return
        exported = {_GLOBAL, _GROUP} <= self.context.types and before is not None
        if not exported and not self.context.is_whole(event.user):
            return
        finding = event.finding(
            IncoherenceCode.NO_STATE_CHANGE,
            f"no subscription state became {status} within {_SOON // MINUTE} minutes",
            "a GlobalStateChange or a StateChange of a subscription group follows",
        )
        made = self.context.expect(event, event.time + _SOON, finding)
        state.waiting.append((channel, status, made))


def _check_source(change: _Change, reply: Seen, key: str) -> Iterator[IncoherenceFinding]:
    """Check that a change which a reply led to says so."""
    if change.source in (None, "Inbound Message") or reply.text("action") != change.status:
        return
    together = abs(change.event.time - reply.time) <= _TOGETHER
    if together and reply.text("subscription_group_id") == key:
        yield change.event.finding(
            IncoherenceCode.WRONG_SOURCE,
            f"state_change_source is {change.source}, and a reply of the user led to the change",
            "it is Inbound Message",
            reply.id,
        )
