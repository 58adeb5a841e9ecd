"""`Code`: the base class of the enumerations that JSON and hooks use."""

from __future__ import annotations

import enum
from typing import Self

__all__ = ["Code"]


class Code(enum.StrEnum):
    """A code for machines, with a sentence for people.

    Declare each member as a pair: `TOO_LARGE = "too_large", "larger than 900 KB"`. A member equals
    its code, and `str` returns its code.

    Attributes:
        description: what the code means, in words.
    """

    description: str

    # The default lets a type checker accept the lookup by code, such as `Reason("too_large")`.
    def __new__(cls, code: str, description: str = "") -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.description = description
        return member
