"""What a mistyped name probably was meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = ["did_you_mean", "nearest"]


def nearest(name: str, known: Iterable[str], *, most: int = 3) -> tuple[str, ...]:
    """Return the names in `known` most like `name`, ignoring case, the likeliest first.

    A dotted name is also compared with as many of a known name's last parts as it has itself:
    `email.Opne` has little in common with `users.messages.email.Open`, but is meant to be it.
    """
    parts = name.count(".") + 1
    forms: dict[str, list[str]] = {}
    for candidate in known:
        lower = candidate.lower()
        for form in dict.fromkeys((lower, ".".join(lower.split(".")[-parts:]))):
            forms.setdefault(form, []).append(candidate)
    # Two forms may stand for one candidate, so twice as many are requested.
    close = get_close_matches(name.lower(), forms, n=2 * most, cutoff=0.6)
    return tuple(dict.fromkeys(found for form in close for found in forms[form]))[:most]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a clause such as `; did you mean 'a' or 'b'?`; empty when nothing is near."""
    names = nearest(name, known)
    if not names:
        return ""
    return f"; did you mean {' or '.join(repr(candidate) for candidate in names)}?"
