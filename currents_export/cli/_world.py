"""Make the world of a command's events."""

from __future__ import annotations

import random

from ..catalog import Catalog
from ..simulation import World

__all__ = ["new_world"]


def new_world(seed: int | None, *, users: int, catalog: Catalog) -> tuple[World, int]:
    """Make a world and return it with the seed it was made from, a random one by default."""
    chosen = random.SystemRandom().randrange(2**32) if seed is None else seed
    return World(chosen, users=users, catalog=catalog), chosen
