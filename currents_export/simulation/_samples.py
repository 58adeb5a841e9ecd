"""Choose the user, device and message of a sample, so that it has as many fields as possible."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ..events import Event
from ._plan import Plan
from .fields import Draft, default_maker, pick
from .workspace.model import Message

__all__ = ["fill", "make_sample"]

T = TypeVar("T")

#: A sample picks its user from this many of the first ones.
_CANDIDATES = 60


def make_sample(
    plan: Plan, draft: Draft, event_id: str, *, beside: frozenset[str] = frozenset()
) -> Event:
    """Make an event with every field that can occur together; `draft` is overwritten.

    `beside` names the fields of the other sample of the type. If fields exclude each other, this
    sample has those that the other one lacks.
    """
    user, device = _fullest(
        draft, plan.audience[:_CANDIDATES], lambda pair: plan.fields_of(*pair), beside
    )
    message = None
    if plan.pools:
        pool = plan.pools[0]
        if draft.canvas_side:
            pool = next((each for each in plan.pools if each.kind == "canvas"), pool)
        choices = pool.messages[user.place.region]
        if channel := _channel(plan, draft, choices):
            choices = [each for each in choices if each[0].channel == channel]
        message, _ = _fullest(draft, choices, _message_fields_of, beside)
    draft.user, draft.device, draft.message = user, device, message
    return plan.make(draft, {}, event_id)


def fill(event: Event, plan: Plan, draft: Draft, *, others: Event) -> None:
    """Fill the fields that neither of two samples has; `draft` belongs to `event`."""
    for field in plan.event_type.fields.values():
        values = getattr(event, field.part)
        if values.get(field.name) is None and getattr(others, field.part).get(field.name) is None:
            values[field.name] = default_maker(field)(draft)


def _channel(
    plan: Plan, draft: Draft, choices: Sequence[tuple[Message, Mapping[str, Any]]]
) -> str | None:
    """Return the channel of a sample: the first one or, on the Canvas side, the second."""
    there = {message.channel for message, _ in choices}
    channels = [channel for channel in plan.channels if channel in there]
    return channels[: 1 + draft.canvas_side][-1] if channels else None


def _message_fields_of(choice: tuple[Message, Mapping[str, Any]]) -> frozenset[str]:
    message, values = choice
    more = ["send_id"] if message.send_key else []
    more += ["next_step_id"] if message.next_step_id else []
    return frozenset((*values, *more))


def _fullest(
    draft: Draft,
    things: Sequence[T],
    fields_of: Callable[[T], frozenset[str]],
    beside: frozenset[str],
) -> T:
    """Return one of the things with the most fields outside `beside`, then the most fields."""
    fields = [fields_of(thing) for thing in things]
    best = max(fields, key=lambda each: (len(each - beside), len(each)))
    return pick(draft, [thing for thing, each in zip(things, fields, strict=True) if each == best])
