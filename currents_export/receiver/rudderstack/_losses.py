"""What RudderStack's Braze source loses of an event of which it makes a message."""

from __future__ import annotations

from typing import Any

from ..._codes import Code
from ._paths import is_plain
from ._transform import KEPT, MOVED, plan_of

__all__ = ["Loss", "loss"]

_MISSING = object()


class Loss(Code):
    """What the source loses of a property, without reporting it."""

    PRECISION = "precision", "a whole number above 2^53 lost precision"
    PROPERTY_NAME = (
        "property_name",
        "a property has a name that the source takes for a path, or loses",
    )


def loss(event: dict[str, Any], message: dict[str, Any]) -> Loss | None:
    """Return what the source lost of an event; None if nothing.

    Args:
        event: the event.
        message: what `transform` made of it.
    """
    properties, made = event.get("properties"), message.get("properties")
    if not isinstance(properties, dict):
        return None
    # Most events have nothing that can be lost, which is found faster without a loop.
    if plan_of(tuple(properties)).are_plain and KEPT.issuperset(map(type, properties.values())):
        return None
    others = made if isinstance(made, dict) else {}
    for name, value in properties.items():
        if name not in MOVED and others.get(name, _MISSING) != value:
            plain = all(map(is_plain, properties))
            return Loss.PRECISION if plain else Loss.PROPERTY_NAME
    return None
