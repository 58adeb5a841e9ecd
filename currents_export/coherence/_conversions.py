"""Rule 8: a conversion follows a receipt, once for each conversion event, within its window.

Source: Braze, Conversion events; Message engagement events (conversions).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

import attrs
import orjson

from ._context import UserCheck
from ._finding import IncoherenceCode, IncoherenceFinding
from ._seen import DAY, MINUTE, Kind, Seen

__all__ = ["Conversions"]

_CAMPAIGN: Final = "users.campaigns.Conversion"
_CANVAS: Final = "users.canvas.Conversion"
_EXPERIMENT: Final = "users.canvas.experimentstep.Conversion"
_CONVERSIONS: Final = frozenset({_CAMPAIGN, _CANVAS, _EXPERIMENT})

#: The longest window of a conversion event.
_LONGEST: Final = 30 * DAY

#: By how much a conversion can come after the end of its window, and after its behavior.
_SLACK: Final = 5 * MINUTE

#: How long after its Send a message can arrive.
_DELAY: Final = 3 * DAY

#: The event types of the behaviors that can be checked.
_BEHAVIORS: Final[Mapping[str, str]] = {
    "performs custom event": "users.behaviors.CustomEvent",
    "performs custom events": "users.behaviors.CustomEvent",
    "makes any purchase": "users.behaviors.Purchase",
    "makes specific purchase": "users.behaviors.Purchase",
    "starts session": "users.behaviors.app.SessionStart",
    "opens email": "users.messages.email.Open",
    "clicks email": "users.messages.email.Click",
}
_BEHAVIOR_TYPES: Final = frozenset(_BEHAVIORS.values())


@attrs.frozen
class _Behavior:
    """The content of `conversion_behavior`: the type to look for, a name, and the window."""

    event_type: str | None
    name: str | None
    window: float | None


class _Count(NamedTuple):
    """How often something happened, when for the last time, and whether the message arrived."""

    time: int
    id: str | None
    times: int
    arrived: bool = False


@attrs.define
class _State:
    #: Receipts and conversions, by campaign or Canvas, dispatch, and index.
    receipts: dict[tuple[str, str | None], _Count] = attrs.Factory(dict)
    conversions: dict[tuple[str, str | None, float], _Count] = attrs.Factory(dict)
    #: When the user last did something: by event type and, for custom events, name.
    done: dict[tuple[str, str | None], int] = attrs.Factory(dict)


class Conversions(UserCheck[_State]):
    """Count receipts and conversions."""

    def concerns(self, kind: Kind) -> bool:
        """Return whether a type is a receipt, a conversion, or what can count as one."""
        return (
            kind.name in _CONVERSIONS
            or kind.name in _BEHAVIOR_TYPES
            or kind.name in ("users.campaigns.EnrollInControl", "users.canvas.Entry")
            or kind.name == "users.campaigns.UniqueReceipt"
            or (kind.is_message and kind.last in ("Send", "Impression", "Delivery"))
        )

    def feed(self, event: Seen) -> Iterator[IncoherenceFinding]:
        """Take a receipt, a behavior or a conversion."""
        if event.user is None:
            return
        state = self.states.get(event.user)
        if state is None:
            state = self.states[event.user] = _State()
        name = event.kind.name
        if name in _BEHAVIOR_TYPES:
            state.done[name, None] = event.time
            if custom := event.text("name"):
                state.done[name, custom] = event.time
        elif name in _CONVERSIONS:
            yield from self._convert(state, event)
        else:
            field = "canvas_id" if name == "users.canvas.Entry" else "campaign_id"
            owner = event.text(field)
            if owner is None:
                return
            key = (owner, event.text("dispatch_id"))
            if event.kind.last not in ("Delivery", "UniqueReceipt"):
                _count(state.receipts, key, event)
            elif receipt := state.receipts.get(key):
                # The window of a message that was held up starts when it arrives.
                state.receipts[key] = receipt._replace(time=event.time, arrived=True)

    def forget(self, now: int) -> None:
        """Drop receipts whose window has ended, and their conversions."""
        oldest = now - 2 * _LONGEST
        for state in self.states.values():
            state.receipts = {k: v for k, v in state.receipts.items() if v.time >= oldest}
            state.conversions = {k: v for k, v in state.conversions.items() if v.time >= oldest}
            state.done = {k: time for k, time in state.done.items() if time >= now - _SLACK}

    def _convert(self, state: _State, event: Seen) -> Iterator[IncoherenceFinding]:
        index = event.number("conversion_behavior_index")
        if index is not None and index not in (0, 1, 2, 3):
            yield event.finding(
                IncoherenceCode.CONVERSION_INDEX,
                f"conversion_behavior_index is {index:g}",
                "it is 0 to 3, for the conversion events A to D",
            )
        behavior = _behavior(event.text("conversion_behavior"))
        yield from self._check_behavior(state, event, behavior)
        campaign = event.kind.name == _CAMPAIGN
        owner = event.text("campaign_id" if campaign else "canvas_id")
        if owner is None or event.kind.name == _EXPERIMENT:
            return
        dispatch = event.text("dispatch_id") if campaign else None
        if index is not None:
            yield from self._check_repetition(state, event, (owner, dispatch, index))
        receipt = state.receipts.get((owner, dispatch))
        certain = dispatch is not None or self.context.is_whole(event.user)
        if behavior.window is None or receipt is None or not certain:
            return
        late = event.time - receipt.time - behavior.window
        arrived = receipt.arrived or self.context.is_whole(event.user)
        if late > (_SLACK if arrived else _DELAY):
            yield event.finding(
                IncoherenceCode.CONVERTED_TOO_LATE,
                f"its window of {behavior.window:g} seconds ended {late:g} seconds before",
                "a conversion comes within its window, which starts at the receipt",
                receipt.id,
            )

    def _check_repetition(
        self, state: _State, event: Seen, key: tuple[str, str | None, float]
    ) -> Iterator[IncoherenceFinding]:
        """Check that a receipt converts once by each conversion event."""
        before = state.conversions.get(key)
        if before is None:
            _count(state.conversions, key, event)
            return
        _count(state.conversions, key, event)
        owner, dispatch, _ = key
        if dispatch is None:
            receipts = [each for at, each in state.receipts.items() if at[0] == owner]
            known = self.context.knows(event.user, event.time, 2 * _LONGEST)
            if not known or before.times < sum(each.times for each in receipts):
                return
        yield event.finding(
            IncoherenceCode.CONVERTED_TWICE,
            "the receipt converted by the same conversion event before",
            "a receipt converts once for each index",
            before.id,
        )

    def _check_behavior(
        self, state: _State, event: Seen, behavior: _Behavior
    ) -> Iterator[IncoherenceFinding]:
        wanted = behavior.event_type
        if wanted is None:
            return
        done = state.done.get((wanted, behavior.name))
        if done is not None and event.time - done <= _SLACK:
            return
        exported = wanted in self.context.types
        if self.context.is_whole(event.user) or (
            exported and self.context.knows(event.user, event.time, _SLACK)
        ):
            what = f"{wanted} {behavior.name}" if behavior.name else wanted
            yield event.finding(
                IncoherenceCode.NO_BEHAVIOR,
                f"the user has no {what} at that time",
                "what counts as the conversion is in the stream, at the same moment",
            )


def _count(counts: dict[Any, _Count], key: Any, event: Seen) -> None:
    known = counts.get(key)
    counts[key] = _Count(event.time, event.id, 1 if known is None else known.times + 1)


@lru_cache(maxsize=1024)
def _behavior(text: str | None) -> _Behavior:
    """Read the JSON of a `conversion_behavior`, as far as it has any."""
    try:
        content = orjson.loads(text or "")
    except ValueError:
        content = None
    if not isinstance(content, dict):
        return _Behavior(None, None, None)
    kind, window, name = (
        content.get("type"),
        content.get("window"),
        content.get("custom_event_name"),
    )
    event_type = _BEHAVIORS.get(kind.lower()) if isinstance(kind, str) else None
    custom = event_type == "users.behaviors.CustomEvent" and isinstance(name, str) and name
    if isinstance(window, bool) or not isinstance(window, int | float) or window > 1e15:
        window = None
    return _Behavior(event_type, name if custom else None, window)
