"""Make one coherent event of which some fields are given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..._suggestions import nearest, question
from ...catalog import EventType
from ...errors import OptionError, UnknownNameError
from ...events import Event
from .._audience import Pool, make_audience
from .._plan import Plan
from .._traffic import TrafficRule
from ..fields import Draft, pick, pick_early
from ..people.model import Device, User
from ..workspace.model import Message
from ._people import number_of

__all__ = ["make_single", "parts_of"]

#: An event has a device if more than this share of its type have one.
_OFTEN = 0.5


def make_single(
    plan: Plan,
    rule: TrafficRule,
    required: frozenset[str],
    draft: Draft,
    event_id: str,
    *,
    users: Sequence[User],
    user: int | User | None,
    properties: Mapping[str, Any],
) -> Event:
    """Return an event with the given fields; see `World.event`. `draft` is overwritten."""
    parts = parts_of(plan.event_type, properties)
    pairs = plan.audience
    if user is not None:
        pairs = _of_user(plan, rule, required, users[number_of(user, users)])
    draft.user, device = _match(pairs, properties)
    if plan.on_device > _OFTEN or "device_id" in properties:
        draft.device = device
    draft.message = _message(plan, draft, properties)
    facts = {name: value for name, value in properties.items() if parts[name] != "user"}
    event = plan.make(draft, facts, event_id)
    for name, value in properties.items():
        if parts[name] == "user":
            if value is None:
                event.user.pop(name, None)
            else:
                event.user[name] = value
    return event


def parts_of(event_type: EventType, names: Iterable[str]) -> dict[str, str]:
    """Return the part of an event that each field of a type is in, by the field's name.

    Raises:
        UnknownNameError: the type does not have one of `names`.
    """
    parts: dict[str, str] = {each.name: each.part for each in event_type.fields.values()}
    for name in names:
        if name not in parts:
            close = nearest(name, parts)
            raise UnknownNameError(
                f"{event_type.name} has no field {name!r}{question(close)}",
                name=name,
                nearest=close,
            )
    return parts


def _of_user(
    plan: Plan, rule: TrafficRule, required: frozenset[str], user: User
) -> Sequence[tuple[User, Device]]:
    """Return the user with each device that such an event can have.

    Raises:
        OptionError: there is none.
    """
    audience = make_audience([user], rule.audience, required)
    first, _ = next(iter(plan.audience))
    if audience.complete or not make_audience([first], rule.audience, required).complete:
        return audience.pairs
    asked = dict.fromkeys((*rule.audience.user_has, *rule.audience.device_has, *sorted(required)))
    needed = ", ".join(asked) or "a device"
    platforms = rule.audience.platforms
    on = f" on {' or '.join(platforms)}" if platforms else ""
    raise OptionError(
        f"user {user.number} cannot have {plan.event_type.name}: it needs {needed}{on}; user "
        f"{first.number} can"
    )


def _match(
    pairs: Sequence[tuple[User, Device]], properties: Mapping[str, Any]
) -> tuple[User, Device]:
    """Return the first user and device, or those that the given ids name."""
    for user, device in pairs:
        if (
            properties.get("device_id", device.id) == device.id
            and properties.get("user_id", user.id) == user.id
            and properties.get("external_user_id", user.external_id) == user.external_id
        ):
            return user, device
    return next(iter(pairs))


def _message(plan: Plan, draft: Draft, properties: Mapping[str, Any]) -> Message | None:
    """Choose the message: one with the given fields if there is one."""
    if not plan.pools:
        return None
    given = {name: value for name, value in properties.items() if name in plan.of_message}
    pools: Sequence[Pool] = plan.pools
    if any(name.startswith("canvas_") for name in given):
        pools = sorted(pools, key=lambda pool: pool.kind != "canvas")
    region = draft.user.place.region
    if given:
        for pool in pools:
            matching = [
                message
                for message, _ in pool.messages[region]
                if all(message.fields.get(name) == value for name, value in given.items())
            ]
            if matching:
                return pick(draft, matching)
    messages = [message for message, _ in pools[0].messages[region]]
    return pick_early(draft, messages) if messages else None
