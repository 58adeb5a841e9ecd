"""Check one value against its field."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from .._json import AS_STRING, LARGEST_INT, SMALLEST_INT, large_number
from .._redaction import shown
from ._finding import FindingCode
from ._formats import FORMATS
from ._model import Field

__all__ = ["Raw", "ValueCheck", "key_text", "quoted", "too_large"]

#: What a check yields: the code, the field's path, the problem, and the expected value.
Raw = tuple[FindingCode, str, str, str]

_NO_POINT = "Braze writes whole numbers without a decimal point"
_FITS = "it must fit into 64 bits"

_IS_OF_TYPE: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    # As in JSON Schema, 1.0 is the whole number 1.
    "integer": lambda value: (
        type(value) is int or (isinstance(value, float) and value.is_integer())
    ),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array<string>": lambda value: (
        isinstance(value, list) and all(item is None or isinstance(item, str) for item in value)
    ),
}

#: The Python type of most valid values, for JSON types whose values can be checked quickly.
_USUAL_TYPES = {"string": str, "number": float, "boolean": bool}
_PLAIN_TYPES = frozenset({str, float, bool, type(None)})


class ValueCheck:
    """The check of the values of one field.

    Attributes:
        field: the field.
        usual_type: a value of this type is valid if `passes` accepts it.
        passes: the quick test of a value of the usual type; None if every such value is valid.
    """

    __slots__ = ("_matches", "_values", "field", "passes", "usual_type")

    def __init__(self, field: Field) -> None:
        self.field = field
        self.usual_type = _USUAL_TYPES.get(field.json_type)
        rule = field.rule
        self._values = frozenset() if rule.open else frozenset(rule.values)
        self._matches = FORMATS[rule.format].matches if rule.format else None
        self.passes: Callable[[Any], object] | None = self._matches
        if self._values:
            self.passes = self._is_usual

    def find(self, value: Any) -> Iterator[Raw]:
        """Yield the problems with a value of any type."""
        field, problem = self.field, f"it is {quoted(value)}"
        if value is None:
            if field.required:
                expected = f"it is a required {field.json_type}"
                yield FindingCode.MISSING, field.path, "the field is null", expected
        elif not _IS_OF_TYPE[field.json_type](value):
            expected = f"it must be of type {field.json_type}"
            yield FindingCode.WRONG_TYPE, field.path, problem, expected
        elif field.json_type == "integer" and not SMALLEST_INT <= value <= LARGEST_INT:
            if isinstance(value, int):
                problem = f"it is {large_number(value)}"
            yield FindingCode.NUMBER_TOO_LARGE, field.path, problem, _FITS
        elif large := too_large(value, field.path):
            yield large
        elif field.json_type == "integer" and isinstance(value, float):
            yield FindingCode.DECIMAL_POINT, field.path, problem, _NO_POINT
        elif self._values and str(value) not in self._values:
            expected = f"it should be one of {', '.join(field.rule.values)}"
            yield FindingCode.UNLISTED_VALUE, field.path, problem, expected
        elif self._matches and not self._matches(value):
            expected = f"it should be {FORMATS[field.rule.format].right}"
            yield FindingCode.BAD_FORMAT, field.path, problem, expected

    def _is_usual(self, value: Any) -> bool:
        return value in self._values and (self._matches is None or bool(self._matches(value)))


def too_large(value: Any, path: str) -> Raw | None:
    """Return a finding for the first whole number of more than 64 bits in a value, however deep."""
    waiting, seen = [(path, value)], set[int]()
    while waiting:
        where, each = waiting.pop()
        if isinstance(each, int):
            if not SMALLEST_INT <= each <= LARGEST_INT:
                problem = f"it is {large_number(each)}"
                return FindingCode.NUMBER_TOO_LARGE, where, problem, AS_STRING
            continue
        if id(each) in seen:  # a value can contain itself
            continue
        seen.add(id(each))
        if isinstance(each, dict):
            inner = [
                (f"{where}.{key_text(key)}", item)
                for key, item in each.items()
                if type(item) not in _PLAIN_TYPES
            ]
        elif isinstance(each, list | tuple):
            inner = [
                (f"{where}[{index}]", item)
                for index, item in enumerate(each)
                if type(item) not in _PLAIN_TYPES
            ]
        else:
            continue
        waiting += reversed(inner)
    return None


def key_text(key: object) -> str:
    """Return a key as text for a path; keys from JSON are always text."""
    return key if isinstance(key, str) else shown(key)


def quoted(value: object) -> str:
    """Return a value as JSON, cut short."""
    try:
        text = json.dumps(value, default=shown)
    except (TypeError, ValueError, RecursionError):
        return shown(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
