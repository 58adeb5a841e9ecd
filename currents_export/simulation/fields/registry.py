"""The field makers, by the names that `sources.tsv` uses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from .draft import Draft

__all__ = ["MAKERS", "FieldMaker", "field_maker", "is_needed", "needless_with"]

#: Makes the values of some fields together; it may leave out those that do not apply.
FieldMaker = Callable[[Draft], Mapping[str, Any]]

MAKERS: dict[str, FieldMaker] = {}

#: The makers that have nothing to say about events of which a property is given, with its name.
_UNLESS: dict[FieldMaker, str] = {}


def field_maker(make: FieldMaker) -> FieldMaker:
    """Register a field maker under its own name."""
    MAKERS[make.__name__] = make
    return make


def needless_with(name: str) -> Callable[[FieldMaker], FieldMaker]:
    """Note that a maker makes nothing if a property is given, even as None."""

    def note(make: FieldMaker) -> FieldMaker:
        _UNLESS[make] = name
        return make

    return note


def is_needed(make: FieldMaker, given: Collection[str]) -> bool:
    """Return whether a maker may make something if some properties are given."""
    return _UNLESS.get(make) not in given
