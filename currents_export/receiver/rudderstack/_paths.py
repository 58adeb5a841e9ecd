"""Copy properties as the transformer does, which takes their names for paths.

It reads a property with one library and writes it with another, and the two treat dots and digits
in a name differently. This module does the same as both.

Source: RudderStack, the Braze source of rudder-transformer.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any

from ._values import in_order, is_index

__all__ = ["UnsafeKeyError", "by_paths", "is_plain"]

_SEPARATOR = "."
_ESCAPE = "\\"
#: Names at which the transformer gives up an event.
_UNSAFE = frozenset({"__proto__", "constructor", "prototype"})
#: What JavaScript allows around a number.
_SPACES = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_DECIMAL = re.compile(r"[+-]?[0-9]+(?:[eE][+-]?[0-9]+)?")
_WITH_BASE = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")
#: The most elements that the arrays of one event get. The text of an array of this length is
#: larger than the gateway allows for a request.
_MAX_ELEMENTS = 1_000_000


class UnsafeKeyError(Exception):
    """The name of a property, or a part of it, is one that JavaScript objects inherit."""


#: JavaScript's `undefined`; JSON's null is None.
_UNDEFINED = object()


def is_plain(name: str) -> bool:
    """Return whether the transformer copies a property with this name under the same name."""
    if not name or _SEPARATOR in name or _ESCAPE in name or name in _UNSAFE:
        return False
    return _integer(name) is None


def by_paths(properties: Mapping[str, Any]) -> Any:
    """Return what the transformer makes of properties, some of which have names that are not plain.

    Args:
        properties: the properties, respelled; their values may become part of the result.

    Returns:
        The new properties, which need not be an object; None if there are none.

    Raises:
        UnsafeKeyError: the event vanishes.
    """
    writer = _Writer()
    for name in in_order(properties):
        keys = _keys(name)
        if not _UNSAFE.isdisjoint(keys):
            raise UnsafeKeyError(name)
        if _ESCAPE not in name:
            writer.write(["properties", *keys], _read(properties, name))
    return writer.message.get("properties")


def _read(properties: Mapping[str, Any], name: str) -> Any:
    """Find a value by its path; where a part is missing, try it together with the next ones."""
    target: Any = properties
    parts, at = name.split(_SEPARATOR), 0
    while at < len(parts):
        for end in range(at + 1, len(parts) + 1):
            found = _lookup(target, _SEPARATOR.join(parts[at:end]))
            if found is not _UNDEFINED:
                target, at = found, end
                break
        else:
            return _UNDEFINED
    return target


def _lookup(target: Any, key: str) -> Any:
    if isinstance(target, Mapping):
        return target.get(key, _UNDEFINED)
    if isinstance(target, list) and is_index(key) and int(key) < len(target):
        return target[int(key)]
    return _UNDEFINED


def _keys(name: str) -> list[str | int]:
    """Return the keys of a path; those that look like an integer are indexes of arrays."""
    parts = name.split(_SEPARATOR)
    if not parts[-1]:
        parts.pop()
    return [part if (index := _integer(part)) is None else index for part in parts]


def _integer(part: str) -> int | None:
    text = part.strip(_SPACES)
    if _WITH_BASE.fullmatch(text):
        return int(text, 0)
    if not _DECIMAL.fullmatch(text):
        return None
    number = float(text)
    return int(number) if number.is_integer() else None


class _Writer:
    """Put values at paths in a message, and replace what is in their way."""

    def __init__(self) -> None:
        self.message: dict[str, Any] = {}
        self._elements = _MAX_ELEMENTS

    def write(self, keys: list[str | int], value: Any) -> None:
        """Put a value at a path; remove what is there if the value is undefined."""
        target: Any = self.message
        for key, following in itertools.pairwise(keys):
            inner = self._get(target, key)
            if isinstance(following, int) and not isinstance(inner, list):
                inner = []
                self._set(target, key, inner)
            elif not isinstance(inner, dict | list):
                inner = {}
                self._set(target, key, inner)
            target = inner
        self._set(target, keys[-1], value)

    def _get(self, target: Any, key: str | int) -> Any:
        if isinstance(target, dict):
            return target.get(key)
        has = isinstance(key, int) and 0 <= key < len(target)
        return target[key] if has else None

    def _set(self, target: Any, key: str | int, value: Any) -> None:
        if isinstance(target, dict):
            if value is _UNDEFINED:
                target.pop(key, None)
            else:
                target[key] = value
        elif isinstance(key, int) and key >= 0:  # JSON has no other elements of an array
            missing = key + 1 - len(target)
            if missing > 0 and value is not _UNDEFINED:
                added = min(missing, self._elements)
                self._elements -= added
                target.extend([None] * added)
            if key < len(target):
                target[key] = None if value is _UNDEFINED else value
