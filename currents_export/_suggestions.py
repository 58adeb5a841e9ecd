"""Suggest the name that a mistyped one was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

__all__ = ["did_you_mean", "nearest", "question"]


def nearest(name: str, known: Iterable[str], *, most: int = 3) -> tuple[str, ...]:
    """Return the names in `known` most similar to `name`, ignoring case, the best match first.

    A dotted name is also compared with the same number of last parts of each known name, so that
    `email.Opne` matches `users.messages.email.Open`.
    """
    parts = name.count(".") + 1
    forms: dict[str, list[str]] = {}
    for candidate in known:
        lower = candidate.lower()
        for form in dict.fromkeys((lower, ".".join(lower.split(".")[-parts:]))):
            forms.setdefault(form, []).append(candidate)
    # One name can match in two forms, so request twice as many matches.
    close = get_close_matches(name.lower(), forms, n=2 * most, cutoff=0.6)
    return tuple(dict.fromkeys(found for form in close for found in forms[form]))[:most]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a clause such as `; did you mean 'a' or 'b'?`; empty if no name is similar."""
    return question(nearest(name, known))


def question(names: Sequence[str]) -> str:
    """Return a clause that suggests these names; empty if there are none."""
    return f"; did you mean {' or '.join(map(repr, names))}?" if names else ""
