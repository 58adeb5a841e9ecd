"""Listed values that no source chooses, such as those of an unreleased schema version.

`handled_values.tsv` has the values that the sources take into account. A row applies to the event
types that its glob matches; for each field, the first such row counts. The source of a field with
`*` chooses among all listed values. The default makers do so, too, and need no row.
"""

from __future__ import annotations

from collections.abc import Collection
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import attrs

from ...catalog import Field
from .._data import read_rows, split
from .default import convert_listed

__all__ = ["UnhandledValues", "unhandled_values"]


@attrs.frozen
class UnhandledValues:
    """The listed values of a field that its source does not choose.

    Attributes:
        part: the part of the event that has the field: `user` or `properties`.
        name: the name of the field.
        values: the values.
        share: the share of events that get one of them: the share of these among the listed values.
    """

    part: str
    name: str
    values: tuple[Any, ...]
    share: float


@cache
def _rows() -> tuple[tuple[str, str, frozenset[str] | None], ...]:
    """Return the glob, the field and the values of each row; None for all listed values."""
    return tuple(
        (
            row["event_type"],
            row["field"],
            None if row["values"] == "*" else frozenset(split(row["values"])),
        )
        for row in read_rows("fields", "handled_values.tsv")
    )


def _handled(event_type: str, field: Field) -> Collection[str]:
    """Return the values of a field that its source takes into account; none if no row names it."""
    for glob, name, values in _rows():
        if name == field.name and fnmatchcase(event_type, glob):
            return field.rule.values if values is None else values
    return ()


def unhandled_values(event_type: str, field: Field) -> UnhandledValues | None:
    """Return the listed values of a field that its source does not choose, if there are any."""
    listed, handled = field.rule.values, _handled(event_type, field)
    values = convert_listed(field, [each for each in listed if each not in handled])
    share = len(values) / max(1, len(listed))
    return UnhandledValues(field.part, field.name, values, share) if values else None
