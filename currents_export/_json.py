"""Parse JSON, and keep every number exact.

orjson reads a whole number beyond 64 bits as a float, and so changes it silently. `loads` and
`parse` detect such a number at little cost: one search of the bytes for a run of 19 digits.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any

import orjson

__all__ = [
    "AS_STRING",
    "LARGEST_INT",
    "SMALLEST_INT",
    "NumberError",
    "field_path",
    "large_number",
    "loads",
    "number_error",
    "parse",
    "shown_path",
]

#: Whole numbers outside these limits need more than 64 bits; most JSON parsers would change them.
SMALLEST_INT, LARGEST_INT = -(2**63), 2**64 - 1
_TOO_LARGE = "a whole number of more than 64 bits"
AS_STRING = "write it as a string"
_INFINITE = "a number beyond the range of a 64-bit float"

#: The shortest whole number beyond 64 bits has 19 digits and a minus sign.
_RUN_OF_DIGITS = b"0" * 19
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"0" * 9)
_LONG_INT = re.compile(rb"(?<![^\s:,\[])-?[0-9]{19,}+(?![\w.])")

_MOST_OF_NUMBER, _MOST_OF_PATH = 40, 200


class NumberError(ValueError):
    """A number in JSON that cannot be kept without changing it.

    Attributes:
        field: the path of the number, such as `events[0].properties.price`; empty when the
            number is the whole value.
    """

    def __init__(self, field: str, number: str, what: str) -> None:
        super().__init__(f"{shown_path(field) or 'the value'} is {_cut(number)}, {what}")
        self.field = field


class _Unfit:
    """Stands for a number that does not fit, in a parsed value."""

    __slots__ = ("text", "what")

    def __init__(self, text: str, what: str) -> None:
        self.text = text
        self.what = what


def loads(raw: bytes) -> Any:
    """Return the JSON value in `raw`, with every number as it was written.

    Raises:
        orjson.JSONDecodeError: `raw` is not JSON.
        NumberError: a number does not fit into 64 bits; the message names the field.
    """
    value, suspect = parse(raw)
    if suspect and (error := number_error(value)):
        raise error
    return value


def parse(raw: bytes) -> tuple[Any, bool]:
    """Return the JSON value in `raw`, and whether `number_error` must check it.

    A caller that keeps only parts of the value needs to check only those parts.

    Raises:
        orjson.JSONDecodeError: `raw` is not JSON.
        NumberError: a number is beyond the range of floats, which orjson does not read.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        # orjson's message is "number is infinity when parsed as double".
        if "infinity" in error.msg and (problem := _infinite(raw)):
            raise problem from error
        raise
    # `find` is faster than `in` for bytes.
    if raw.translate(_DIGITS_TO_ZERO).find(_RUN_OF_DIGITS) >= 0 and _may_hold_long_int(raw):
        return _exactly(raw), True
    return value, False


def number_error(value: Any) -> NumberError | None:
    """Return the error for the first number in a value of `parse` that does not fit, if any."""
    # Use a loop, because values can nest deeper than the recursion limit. Build only the path
    # needed.
    waiting: list[tuple[Any, Any]] = [(value, None)]
    while waiting:
        each, path = waiting.pop()
        if isinstance(each, _Unfit):
            parts = []
            while path is not None:
                part, path = path
                parts.append(part)
            return NumberError(field_path(reversed(parts)), each.text, each.what)
        if isinstance(each, dict):
            waiting.extend((inner, (key, path)) for key, inner in reversed(each.items()))
        elif isinstance(each, list):
            numbered = zip(reversed(range(len(each))), reversed(each), strict=True)
            waiting.extend((inner, (index, path)) for index, inner in numbered)
    return None


def field_path(parts: Iterable[str | int]) -> str:
    """Return the path of a field from the keys and indices that lead to it."""
    text = "".join(f".{part}" if isinstance(part, str) else f"[{part}]" for part in parts)
    return text.removeprefix(".")


def shown_path(path: str) -> str:
    """Return the path for a message, cut short if it is very long."""
    return path if len(path) <= _MOST_OF_PATH else f"{path[:_MOST_OF_PATH]}..."


def large_number(number: int) -> str:
    """Say what a whole number of more than 64 bits is, for a message."""
    try:
        return f"{_cut(str(number))}, {_TOO_LARGE}"
    except ValueError:  # it has more digits than Python writes
        return _TOO_LARGE


def _cut(number: str) -> str:
    return number if len(number) <= _MOST_OF_NUMBER else f"{number[:_MOST_OF_NUMBER]}..."


def _may_hold_long_int(raw: bytes) -> bool:
    # The digits may be part of a string; only the parser can decide.
    return any(_is_too_large(found[0]) for found in _LONG_INT.finditer(raw))


def _is_too_large(text: str | bytes) -> bool:
    return len(text) > 20 or not SMALLEST_INT <= int(text) <= LARGEST_INT


def _infinite(raw: bytes) -> NumberError | None:
    try:
        return number_error(_exactly(raw))
    except ValueError:  # it is not JSON for another reason
        return None


def _exactly(raw: bytes) -> Any:
    try:
        return json.loads(raw, parse_int=_int, parse_float=_float)
    except RecursionError:
        raise json.JSONDecodeError("a large number in deep nesting", "", 0) from None


def _int(text: str) -> int | _Unfit:
    return _Unfit(text, f"{_TOO_LARGE}; {AS_STRING}") if _is_too_large(text) else int(text)


def _float(text: str) -> float | _Unfit:
    number = float(text)
    return _Unfit(text, _INFINITE) if math.isinf(number) else number
