"""Write numbers in the results for people."""

from __future__ import annotations

__all__ = ["counted"]


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun, such as `1 event` or `2,000 events`.

    Args:
        number: the number.
        noun: the noun in the singular.
        plural: its plural, if that is not the noun and an `s`.
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
