"""What RudderStack's transformer, a JavaScript program, makes of JSON values and of times.

Source: RudderStack, the Braze source of rudder-transformer.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from ..._json import LARGEST_INT, SMALLEST_INT

__all__ = ["in_order", "is_index", "is_truthy", "respelled", "timestamp"]

#: JavaScript writes numbers from this one on with an exponent.
_WITH_EXPONENT = 1e21
#: And those below this one.
_TINY = 1e-6
#: Numbers up to this one are exact.
_EXACT = 2**53
#: The largest index of an array is one less.
_MAX_INDEX = 2**32 - 1
#: The most seconds from the epoch that a date can have.
_MAX_SECONDS = 8_640_000_000_000
_SECONDS_OF_DAY = 86_400
#: The calendar repeats after 400 years.
_CYCLE, _DAYS_OF_CYCLE = 400, 146_097

_EPOCH = datetime(1970, 1, 1)
_YEARS_OF_DATETIME = (
    (datetime.min - _EPOCH) // timedelta(seconds=1),
    (datetime.max - _EPOCH) // timedelta(seconds=1),
)
#: The types whose values are not respelled.
_UNCHANGED = frozenset({str, bool, type(None)})
_INVALID = "Invalid date"
_LEADING_INTEGER = re.compile(r"[\s\ufeff]*([+-]?[0-9]+)")


def respelled(value: Any) -> Any:
    """Return a JSON value as JavaScript writes it after reading it.

    A number becomes the nearest 64-bit float, without its `.0`, and integer keys of an object come
    first.
    """
    if type(value) in _UNCHANGED:
        return value
    try:
        return _respelled(value)
    except RecursionError:  # nothing writes a value that is nested this deep
        return value


def _respelled(value: Any) -> Any:
    kind = type(value)
    if kind in _UNCHANGED:
        return value
    if kind is int:
        return value if -_EXACT <= value <= _EXACT else _number(value)
    if kind is float:
        return _number(value)
    if kind is dict:
        made = {key: _respelled(inner) for key, inner in value.items()}
        if any(map(is_index, made)):
            return {key: made[key] for key in in_order(made)}
        return made
    if kind is list:
        return [_respelled(inner) for inner in value]
    return value


def _number(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    if not math.isfinite(number):
        return None
    if not number.is_integer() or abs(number) >= _WITH_EXPONENT:
        return number
    if abs(number) <= _EXACT:
        return int(number)
    # The shortest digits that identify the float, filled up with zeros.
    whole = int(Decimal(repr(number)))
    # A float of the same value can be written as JSON, unlike an integer of more than 64 bits.
    return whole if SMALLEST_INT <= whole <= LARGEST_INT else number


def is_truthy(value: Any) -> bool:
    """Return whether JavaScript takes a JSON value for true; every object and array is."""
    if type(value) is str:  # as most are
        return value != ""
    if isinstance(value, dict | list):
        return True
    if isinstance(value, float) and math.isnan(value):
        return False
    return bool(value)


def is_index(key: Any) -> bool:
    """Return whether JavaScript takes a key for the index of an array."""
    if not (isinstance(key, str) and key[:1].isdecimal() and key.isascii() and key.isdecimal()):
        return False
    return (key[0] != "0" or key == "0") and len(key) <= 10 and int(key) < _MAX_INDEX


def in_order(keys: Iterable[Any]) -> list[Any]:
    """Return the keys of an object in the order in which JavaScript visits them."""
    keys = list(keys)
    indexes = sorted((key for key in keys if is_index(key)), key=int)
    return [*indexes, *(key for key in keys if not is_index(key))]


def timestamp(time: Any) -> str | None:
    """Return the timestamp of an event whose `time` is this JSON value; None for no timestamp."""
    if not is_truthy(time):
        return None
    seconds = time if type(time) is int else _leading_integer(time)
    if seconds is None or abs(seconds) > _MAX_SECONDS:
        return _INVALID
    if _YEARS_OF_DATETIME[0] <= seconds <= _YEARS_OF_DATETIME[1]:
        minutes, seconds = divmod(seconds, 60)
        return f"{_minute(minutes)}:{seconds:02}.000Z"
    days, of_day = divmod(seconds, _SECONDS_OF_DAY)
    cycles, day = divmod(days, _DAYS_OF_CYCLE)
    moment = _EPOCH + timedelta(days=day, seconds=of_day)
    year = moment.year + cycles * _CYCLE
    sign = "-" if year < 0 else ""
    return f"{sign}{abs(year):04}-{moment:%m-%dT%H:%M:%S}.000Z"


# Events that follow each other often happened in the same minute.
@lru_cache(1024)
def _minute(minutes: int) -> str:
    return (_EPOCH + timedelta(minutes=minutes)).isoformat(timespec="minutes")


def _leading_integer(time: Any) -> int | None:
    if isinstance(time, str):
        found = _LEADING_INTEGER.match(time)
        # More digits are beyond every date, and Python refuses to convert thousands of them.
        return int(found[1][:30]) if found else None
    if isinstance(time, float) and math.isfinite(time):
        if _TINY <= abs(time) < _WITH_EXPONENT:
            return math.trunc(time)
        # Reading stops at the exponent.
        return math.trunc(float(f"{time!r}".partition("e")[0]))
    return None
