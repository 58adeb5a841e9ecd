"""Rule 9: a frequency cap stops a message only when it is reached.

Quiet hours cannot be checked: the events do not say when they are.

Source: Braze, Frequency capping; Message engagement events (abort_type, abort_log).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ._context import Context, UserCheck
from ._finding import IncoherenceCode, IncoherenceFinding
from ._seen import DAY, HOUR, MINUTE, Kind, Seen

__all__ = ["Caps"]

_RULE: Final = re.compile(
    r"Frequency cap rule: ([0-9]{1,4}) (?:([a-z_]+) )?messages? every ([0-9]{1,4}) ([a-z]+?)s?",
    re.IGNORECASE,
)
_UNITS: Final = {"minute": MINUTE, "hour": HOUR, "day": DAY, "week": 7 * DAY, "month": 31 * DAY}
_TYPE: Final = "frequency_capped"

#: How long to remember messages.
_LONGEST: Final = 62 * DAY

#: Time, channel and dispatch of each message.
_State = list[tuple[int, str, str]]


class Caps(UserCheck[_State]):
    """Count the messages of each user."""

    def __init__(self, context: Context, channels: dict[str, str]) -> None:
        super().__init__(context)
        self._channels = channels

    def concerns(self, kind: Kind) -> bool:
        """Return whether a type is a message or an abort."""
        return kind.is_message and kind.last in ("Send", "Impression", "Abort")

    def feed(self, event: Seen) -> Iterator[IncoherenceFinding]:
        """Count a message, or check why one was aborted."""
        if event.kind.last == "Abort":
            yield from self._check(event)
        # A cap that was not reached can be shown only if every message is known.
        elif event.user is not None and self.context.is_whole(event.user):
            sent = (event.time, event.kind.channel, event.text("dispatch_id") or event.id or "")
            self.states.setdefault(event.user, []).append(sent)

    def forget(self, now: int) -> None:
        """Drop messages that are older than any cap counts."""
        for user, state in self.states.items():
            self.states[user] = [each for each in state if each[0] >= now - _LONGEST]

    def _check(self, event: Seen) -> Iterator[IncoherenceFinding]:
        abort_type, log = event.text("abort_type"), event.text("abort_log")
        if log is None:
            return
        by_cap = log.lower().startswith("frequency cap")
        if by_cap != (abort_type == _TYPE):
            yield event.finding(
                IncoherenceCode.CAP_WITHOUT_TYPE,
                f"abort_type is {abort_type or 'missing'}, and abort_log "
                + ("names a frequency cap" if by_cap else "does not name the frequency cap"),
                f"a capped message has abort_type {_TYPE} and the rule in abort_log",
            )
            return
        rule = _RULE.fullmatch(log)
        if rule is None or event.user is None or not self.context.is_whole(event.user):
            return
        allowed, unit = int(rule[1]), _UNITS.get(rule[4].lower())
        if unit is None:
            return
        channel = self._channels.get((rule[2] or "").lower(), rule[2])
        # A cap counts calendar days in the user's time zone, so it can reach back a day more.
        span = int(rule[3]) * unit + DAY
        sent = {
            (each_channel, dispatch)
            for time, each_channel, dispatch in self.states.get(event.user, ())
            if time >= event.time - span and channel in (None, each_channel)
        }
        if len(sent) < allowed and span <= _LONGEST:
            yield event.finding(
                IncoherenceCode.CAP_NOT_REACHED,
                f"the user got {len(sent)} of the {allowed} messages that the cap allows",
                "a cap stops a message when the user got as many as it allows",
            )
