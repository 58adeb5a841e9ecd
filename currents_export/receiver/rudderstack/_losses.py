"""What RudderStack's Braze source loses of an event of which it makes a message."""

from __future__ import annotations

from typing import Any

from ..._codes import Code
from ._paths import is_plain
from ._transform import MOVED

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
    others = made if isinstance(made, dict) else {}
    # Most events lose nothing, which is found faster without a loop.
    if len(others) == len(properties.keys() - MOVED) and (
        [*map(properties.get, others)] == [*others.values()]
    ):
        return None
    for name, value in properties.items():
        if name not in MOVED and others.get(name, _MISSING) != value:
            plain = all(map(is_plain, properties))
            return Loss.PRECISION if plain else Loss.PROPERTY_NAME
    return None
