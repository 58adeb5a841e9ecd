"""Lay out what was expected and what arrived side by side, line by line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ._masking import masked
from ._sentences import cut, value_text, visible
from .findings import IMPERSONAL

__all__ = ["Line", "lines_of"]

_MISSING = object()
_STEP = "  "
#: Deeper values are shown in one line.
_DEEPEST = 30
#: The most lines that are shown of a pair.
_MOST_LINES = 400
#: How many equal lines are shown before and after one that differs, in a long pair.
_AROUND = 3
#: How much is shown of a text before the place where another one differs.
_BEFORE = 40


class Line(NamedTuple):
    """A line of both sides.

    Attributes:
        expected: the text on the side of what was expected; None if it has no such line.
        got: the text on the side of what arrived; None if it has no such line.
        differs: whether the two sides differ here.
        skipped: how many equal lines are left out before it.
    """

    expected: str | None
    got: str | None
    differs: bool
    skipped: int = 0


def lines_of(
    expected: Mapping[str, Any], got: Mapping[str, Any], *, personal_data: bool
) -> list[Line]:
    """Return the lines of two JSON objects.

    The values are compared as they are, and texts are masked afterwards: two texts of the same
    length differ although their masks do not.

    Args:
        expected: what was expected.
        got: what arrived.
        personal_data: whether to show texts, which may be personal data.
    """
    lines = [*_Walk(personal_data).objects(expected, got)]
    return lines if len(lines) <= _MOST_LINES else [*_shortened(lines)][:_MOST_LINES]


def _shortened(lines: list[Line]) -> Iterator[Line]:
    near = {
        at + offset
        for at, line in enumerate(lines)
        if line.differs
        for offset in range(-_AROUND, _AROUND + 1)
    }
    skipped = 0
    for at, line in enumerate(lines):
        if at in near:
            yield line._replace(skipped=skipped)
            skipped = 0
        else:
            skipped += 1
    if skipped:
        yield Line("", "", False, skipped)


class _Walk:
    """Walk through two values at the same time."""

    def __init__(self, personal_data: bool) -> None:
        self._personal_data = personal_data

    def objects(self, expected: Mapping[str, Any], got: Mapping[str, Any]) -> Iterator[Line]:
        """Yield the lines of two objects at the top."""
        yield Line("{", "{", False)
        for name in dict.fromkeys((*expected, *got)):
            masks = not self._personal_data and name not in IMPERSONAL
            values = expected.get(name, _MISSING), got.get(name, _MISSING)
            yield from self._values(_key(name), *values, depth=1, masks=masks)
        yield Line("}", "}", False)

    def _values(
        self, key: str, expected: Any, got: Any, *, depth: int, masks: bool
    ) -> Iterator[Line]:
        indent = _STEP * depth
        for kind, brackets in ((dict, "{}"), (list, "[]")):
            is_both = isinstance(expected, kind) and isinstance(got, kind)
            if is_both and (expected or got) and depth < _DEEPEST:
                opening = f"{indent}{key}{brackets[0]}"
                yield Line(opening, opening, False)
                for inner, one, other in _members(expected, got):
                    yield from self._values(inner, one, other, depth=depth + 1, masks=masks)
                closing = f"{indent}{brackets[1]}"
                yield Line(closing, closing, False)
                return
        if _is_same(expected, got):
            for line in self._block(key, expected, depth, masks):
                yield Line(line, line, False)
            return
        if masks or not (isinstance(expected, str) and isinstance(got, str)):
            left, right = (
                [] if value is _MISSING else self._block(key, value, depth, masks)
                for value in (expected, got)
            )
        else:
            start = max(0, _first_difference(expected, got) - _BEFORE)
            left, right = ([f"{indent}{key}{_from(start, text)}"] for text in (expected, got))
        for at in range(max(len(left), len(right))):
            yield Line(
                left[at] if at < len(left) else None, right[at] if at < len(right) else None, True
            )

    def _block(self, key: str, value: Any, depth: int, masks: bool) -> list[str]:
        """Return the lines of one value."""
        indent = _STEP * depth
        if isinstance(value, dict | list) and value and depth < _DEEPEST:
            brackets = "{}" if isinstance(value, dict) else "[]"
            inner = [
                line
                for name, each, _ in _members(value, value)
                for line in self._block(name, each, depth + 1, masks)
            ]
            return [f"{indent}{key}{brackets[0]}", *inner, f"{indent}{brackets[1]}"]
        return [f"{indent}{key}{_value_text(value, masks=masks)}"]


def _members(expected: Any, got: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the members of two objects, or of two arrays, each with the text before it."""
    if isinstance(expected, dict):
        for name in dict.fromkeys((*expected, *got)):
            yield _key(name), expected.get(name, _MISSING), got.get(name, _MISSING)
        return
    for at in range(max(len(expected), len(got))):
        one = expected[at] if at < len(expected) else _MISSING
        yield "", one, got[at] if at < len(got) else _MISSING


def _key(name: str) -> str:
    return f"{value_text(name)}: "


def _value_text(value: Any, *, masks: bool) -> str:
    try:
        return value_text(masked(value) if masks else value)
    except RecursionError:
        return "(nested too deeply to be shown)"


def _is_same(expected: Any, got: Any) -> bool:
    try:
        # True equals 1 in Python, but not in JSON.
        return bool(expected == got) and isinstance(expected, bool) is isinstance(got, bool)
    except RecursionError:
        return False


def _first_difference(one: str, other: str) -> int:
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _from(start: int, text: str) -> str:
    if not start:
        return value_text(text)
    rest = json.dumps(cut(text[start:]), ensure_ascii=False)
    return visible(f'"... {rest[1:]}')
