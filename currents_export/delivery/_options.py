"""Checks of the options of a sender, by name; each raises `OptionError`."""

from __future__ import annotations

import math
import threading

from .._codes import Code
from ..errors import OptionError

__all__ = [
    "Durability",
    "check_counts",
    "check_durability",
    "check_rates",
    "check_seconds",
    "check_strategies",
]


class Durability(Code):
    """What an outbox survives."""

    PROCESS = "process", "the end of the process, however it ends"
    POWER = "power", "a power failure as well; this is slower"


def check_counts(**options: object) -> None:
    """Refuse what is not a whole number of 1 or more."""
    for name, value in options.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise OptionError(f"{name} is {value!r}; it must be a whole number of 1 or more")


def check_seconds(**options: object) -> None:
    """Refuse what is not a time that threads can wait for."""
    for name, value in options.items():
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not 0 < value <= threading.TIMEOUT_MAX
        ):
            raise OptionError(
                f"{name} is {value!r}; it must be a number of seconds above 0 and up to "
                f"{threading.TIMEOUT_MAX:.0f}"
            )


def check_durability(value: Durability | str) -> Durability:
    """Return the durability, or refuse what is none."""
    try:
        return Durability(value)
    except ValueError:
        names = " or ".join(Durability)
        raise OptionError(f"durability is {value!r}; it must be {names}") from None


def check_rates(**options: object) -> None:
    """Refuse what is not a finite number above 0."""
    for name, value in options.items():
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not 0 < value < math.inf
        ):
            raise OptionError(f"{name} is {value!r}; it must be a number above 0")


def check_strategies(**options: object) -> None:
    """Refuse what is neither None nor a function."""
    for name, value in options.items():
        if value is not None and not callable(value):
            raise OptionError(f"{name} is {value!r}; it must be a {name} strategy of tenacity")
