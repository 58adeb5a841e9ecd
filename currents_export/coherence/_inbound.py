"""Rule 13: a reply names the outbound message of the last four hours, if there is one.

Source: Braze, Message engagement events (inbound messages); Two-way messaging.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from ._context import UserCheck
from ._finding import IncoherenceCode, IncoherenceFinding
from ._seen import DAY, HOUR, MINUTE, Kind, Seen

__all__ = ["Inbound"]

#: How long after a message a reply names it.
_NAMES: Final = 4 * HOUR

#: A message this close to the end of that time may be named or not.
_SLACK: Final = MINUTE

#: How long to remember messages, for replies that quote one.
_LONGEST: Final = 30 * DAY


@attrs.frozen
class _Sent:
    time: int
    id: str | None
    owners: tuple[str | None, str | None]


@attrs.define
class _State:
    #: The last message of each channel.
    last: dict[str, _Sent] = attrs.Factory(dict)
    #: Messages by the id that a reply can quote.
    quoted: dict[str, _Sent] = attrs.Factory(dict)


class Inbound(UserCheck[_State]):
    """Compare replies with the messages before them."""

    def concerns(self, kind: Kind) -> bool:
        """Return whether a type is a message that can be answered, or an answer."""
        return kind.is_message and (
            kind.last == "InboundReceive"
            or (kind.last == "Send" and kind.channel in ("sms", "whatsapp", "rcs", "line"))
        )

    def feed(self, event: Seen) -> Iterator[IncoherenceFinding]:
        """Remember a message, or check a reply."""
        if event.user is None:
            return
        state = self.states.setdefault(event.user, _State())
        owners = (event.text("campaign_id"), event.text("canvas_id"))
        if event.kind.last == "InboundReceive":
            yield from self._check(state, event, owners)
            return
        sent = _Sent(event.time, event.id, owners)
        # Automatic replies belong to no campaign, and no one answers them.
        if event.text("category") is None and any(owners):
            state.last[event.kind.channel] = sent
        if message := event.text("message_id"):
            state.quoted[message] = sent

    def forget(self, now: int) -> None:
        """Drop messages that are too old to be named."""
        for state in self.states.values():
            state.quoted = {
                key: each for key, each in state.quoted.items() if each.time >= now - _LONGEST
            }

    def _check(
        self, state: _State, event: Seen, owners: tuple[str | None, str | None]
    ) -> Iterator[IncoherenceFinding]:
        whole = self.context.is_whole(event.user)
        quoted = event.text("in_reply_to")
        sent = state.quoted.get(quoted) if quoted else None
        if quoted and sent is None and whole:
            yield event.finding(
                IncoherenceCode.NO_OUTBOUND,
                "in_reply_to names a message that the user did not get",
                "it is the message_id of an earlier Send",
            )
        elif sent is not None and any(
            one is not None and other is not None and one != other
            for one, other in zip(owners, sent.owners, strict=True)
        ):
            yield event.finding(
                IncoherenceCode.REPLY_TO_OTHER,
                "in_reply_to names a message of another campaign or Canvas than the reply",
                "a reply has the campaign or Canvas of the message it answers",
                sent.id,
            )
        last = state.last.get(event.kind.channel)
        if whole and last is not None and not any(owners) and not quoted:
            apart = event.time - last.time
            if 0 < apart <= _NAMES - _SLACK:
                yield event.finding(
                    IncoherenceCode.REPLY_UNNAMED,
                    f"it names no campaign or Canvas, {apart} seconds after a message",
                    f"a reply names the message of the last {_NAMES // HOUR} hours",
                    last.id,
                )
