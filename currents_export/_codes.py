"""Codes for machines with sentences for people."""

from __future__ import annotations

import enum
from typing import Self

__all__ = ["Code"]


class Code(enum.StrEnum):
    """A code that JSON and hooks carry, with a sentence that tables show.

    Each member is declared as a pair: `TOO_LARGE = "too_large", "larger than 900 KB"`. It equals
    and prints as its code.
    """

    description: str

    # The default lets a type checker accept the look-up by code, such as `Reason("too_large")`.
    def __new__(cls, code: str, description: str = "") -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.description = description
        return member
