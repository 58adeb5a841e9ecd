"""The field makers, by the names that `sources.tsv` uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .draft import Draft

__all__ = ["MAKERS", "FieldMaker", "field_maker"]

#: Makes the values of some fields together; it may leave out those that do not apply.
FieldMaker = Callable[[Draft], Mapping[str, Any]]

MAKERS: dict[str, FieldMaker] = {}


def field_maker(make: FieldMaker) -> FieldMaker:
    """Register a field maker under its own name."""
    MAKERS[make.__name__] = make
    return make
