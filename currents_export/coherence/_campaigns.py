"""Rule 6: dispatches, variations and control groups of campaigns hold.

Source: Braze, Dispatch IDs; Multivariate and A/B testing; Message engagement events.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from ._context import Context, UserCheck
from ._finding import IncoherenceCode, IncoherenceFinding
from ._seen import DAY, Kind, Seen

__all__ = ["Campaigns"]

#: A dispatch goes out within minutes, or within a day and a few hours by local time; a limit on
#: the speed can make it longer.
_DISPATCH: Final = 3 * DAY

#: How long to remember a user's variation and control group of a campaign.
_STICKS: Final = 60 * DAY

_CONTROL: Final = "users.campaigns.EnrollInControl"


@attrs.define
class _Dispatch:
    owner: str
    first: int
    last: int
    id: str | None


@attrs.define
class _Stuck:
    value: str
    time: int
    id: str | None


#: By what sticks, such as the campaign and channel.
_State = dict[tuple[str, ...], _Stuck]


class Campaigns(UserCheck[_State]):
    """Follow dispatches, and each user's variations and control groups."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._dispatches: dict[str, _Dispatch] = {}

    def concerns(self, kind: Kind) -> bool:
        """Return whether a type is a message, an in-app click or an enrollment."""
        return kind.name == _CONTROL or (
            kind.is_message
            and (
                kind.last in ("Send", "Impression")
                or (kind.channel == "inappmessage" and kind.last == "Click")
            )
        )

    def feed(self, event: Seen) -> Iterator[IncoherenceFinding]:
        """Check the dispatch of an event, and what sticks to its user."""
        dispatch, campaign = event.text("dispatch_id"), event.text("campaign_id")
        if event.kind.channel == "inappmessage":
            if dispatch is not None:
                yield event.finding(
                    IncoherenceCode.IN_APP_DISPATCH,
                    "an in-app message has a dispatch_id",
                    "dispatch_id is null, since the device decides when to show the message",
                )
        elif dispatch is not None and event.kind.last == "Send":
            yield from self._check_dispatch(event, dispatch, campaign)
        if event.user is not None and campaign is not None and event.kind.last != "Click":
            state = self.states.setdefault(event.user, {})
            yield from _check_control(state, event, campaign)
            if event.kind.last == "Send":
                yield from _check_variation(state, event, campaign)

    def forget(self, now: int) -> None:
        """Drop dispatches that are over, and what stuck long ago."""
        self._dispatches = {
            key: each for key, each in self._dispatches.items() if each.last >= now - _DISPATCH
        }
        for user, state in self.states.items():
            self.states[user] = {
                key: each for key, each in state.items() if each.time >= now - _STICKS
            }

    def _check_dispatch(
        self, event: Seen, dispatch: str, campaign: str | None
    ) -> Iterator[IncoherenceFinding]:
        owner = campaign or event.text("canvas_id")
        if owner is None:
            return
        known = self._dispatches.get(dispatch)
        if known is None:
            self._dispatches[dispatch] = _Dispatch(owner, event.time, event.time, event.id)
            return
        if known.owner != owner:
            yield event.finding(
                IncoherenceCode.DISPATCH_OF_TWO,
                "the dispatch_id belongs to another campaign or Canvas",
                "each dispatch has an id of its own",
                known.id,
            )
            return
        if known.last - known.first <= _DISPATCH < event.time - known.first and campaign:
            yield event.finding(
                IncoherenceCode.DISPATCH_TOO_LONG,
                f"the dispatch began {(event.time - known.first) // DAY} days before",
                "an occurrence of a campaign is sent within three days",
                known.id,
            )
        known.last = event.time


def _check_control(state: _State, event: Seen, campaign: str) -> Iterator[IncoherenceFinding]:
    control = event.kind.name == _CONTROL
    if event.properties.get("is_control") is True:
        return
    group = "control" if control else "message"
    known = state.get((campaign,))
    if known is not None and known.value != group:
        yield event.finding(
            IncoherenceCode.CONTROL_GOT_MESSAGE,
            "the user got a message of this campaign before"
            if control
            else "the user is in the campaign's control group",
            "the control group gets an EnrollInControl and no message",
            known.id,
        )
        return
    state[campaign,] = _Stuck(group, event.time, event.id)


def _check_variation(state: _State, event: Seen, campaign: str) -> Iterator[IncoherenceFinding]:
    variation = event.text("message_variation_id")
    if variation is None:
        return
    # The apps of a push have variations of their own, and so have the channels of a campaign.
    key = (campaign, event.kind.channel, event.text("platform") or "", event.text("app_id") or "")
    known = state.get(key)
    if known is not None and known.value != variation:
        yield event.finding(
            IncoherenceCode.VARIATION_CHANGED,
            "the user got another variation of this campaign before",
            "a user keeps the variation of a campaign",
            known.id,
        )
        return
    state[key] = _Stuck(variation, event.time, event.id)
