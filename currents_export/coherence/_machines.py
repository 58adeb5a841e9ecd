"""Rule 10: machines open and click soon after the delivery, and are marked as machines.

Source: Braze, Machine opens; Bot filtering for emails.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ._context import Context, UserCheck
from ._finding import IncoherenceCode, IncoherenceFinding
from ._seen import DAY, HOUR, MINUTE, Kind, Seen

__all__ = ["Machines"]

_DELIVERY: Final = "users.messages.email.Delivery"
_OPEN: Final = "users.messages.email.Open"
_BOT: Final = "is_suspected_bot_click"

#: How soon after the delivery machines open an email, and how soon they click.
_OPENS_WITHIN: Final = HOUR
_CLICKS_WITHIN: Final = 10 * MINUTE

#: How long to remember a delivery.
_LONGEST: Final = 30 * DAY

#: The time and id of each delivery, by dispatch.
_State = dict[str, tuple[int, str | None]]


class Machines(UserCheck[_State]):
    """Check opens and clicks of machines."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        #: The first value of the mark of suspected clicks, by workspace and type: whether null.
        self._off: dict[tuple[str, str], tuple[bool, str | None]] = {}
        self._mixed: set[tuple[str, str]] = set()

    def concerns(self, kind: Kind) -> bool:
        """Return whether a type is a delivery, an open or a click."""
        return kind.name in (_DELIVERY, _OPEN) or (kind.is_message and kind.last.endswith("Click"))

    def feed(self, event: Seen) -> Iterator[IncoherenceFinding]:
        """Remember a delivery, or check an open or a click."""
        name, dispatch = event.kind.name, event.text("dispatch_id")
        whole = event.user is not None and self.context.is_whole(event.user)
        delivery: tuple[int, str | None] | None = None
        if whole and event.user is not None and dispatch is not None:
            state = self.states.setdefault(event.user, {})
            if name == _DELIVERY:
                state[dispatch] = (event.time, event.id)
            delivery = state.get(dispatch)
        if name == _OPEN:
            yield from _check_open(event, delivery)
        elif name != _DELIVERY:
            yield from self._check_click(event, delivery)

    def forget(self, now: int) -> None:
        """Drop old deliveries."""
        for user, state in self.states.items():
            self.states[user] = {
                key: each for key, each in state.items() if each[0] >= now - _LONGEST
            }

    def _check_click(
        self, event: Seen, delivery: tuple[int, str | None] | None
    ) -> Iterator[IncoherenceFinding]:
        if _BOT not in event.properties:
            return
        suspected = event.properties[_BOT]
        if suspected is not True and event.properties.get("suspected_bot_click_reason"):
            yield event.finding(
                IncoherenceCode.BOT_REASON,
                "suspected_bot_click_reason has reasons, and is_suspected_bot_click is not true",
                "only suspected clicks have reasons",
            )
        if suspected is True and event.kind.channel == "email":
            yield from _check_delay(event, delivery, _CLICKS_WITHIN, "a suspected bot click")
        if self.context.whole:
            yield from self._check_setting(event, suspected is None)

    def _check_setting(self, event: Seen, off: bool) -> Iterator[IncoherenceFinding]:
        key = (event.text("app_group_id") or "", event.kind.name)
        first, first_id = self._off.setdefault(key, (off, event.id))
        if first != off and key not in self._mixed:
            self._mixed.add(key)
            yield event.finding(
                IncoherenceCode.BOT_SETTING_MIXED,
                f"{_BOT} is {'null' if off else 'not null'}, unlike before in this workspace",
                "it is null for all clicks of a workspace whose bot detection is off",
                first_id,
            )


def _check_open(
    event: Seen, delivery: tuple[int, str | None] | None
) -> Iterator[IncoherenceFinding]:
    machine = event.properties.get("machine_open")
    if machine is None:
        return
    if machine == "true" and isinstance(machine, str):
        yield from _check_delay(event, delivery, _OPENS_WITHIN, "a machine open")
    else:
        yield event.finding(
            IncoherenceCode.MACHINE_OPEN_VALUE,
            "machine_open is not the text true",
            'it is the text "true" for a machine, and otherwise missing or null',
        )


def _check_delay(
    event: Seen, delivery: tuple[int, str | None] | None, within: int, what: str
) -> Iterator[IncoherenceFinding]:
    if delivery is not None and event.time - delivery[0] > within:
        yield event.finding(
            IncoherenceCode.MACHINE_TOO_LATE,
            f"{what} comes {event.time - delivery[0]} seconds after the delivery",
            f"machines react within {within // MINUTE} minutes",
            delivery[1],
        )
