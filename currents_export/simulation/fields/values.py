"""Listed values that no source chooses, such as those of an unreleased schema version."""

from __future__ import annotations

from collections.abc import Mapping
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
def _handled() -> Mapping[str, frozenset[str]]:
    """Return, by field, the listed values that its source takes into account."""
    rows = read_rows("fields", "handled_values.tsv")
    return {row["field"]: frozenset(split(row["values"])) for row in rows}


def unhandled_values(field: Field) -> UnhandledValues | None:
    """Return the listed values of a field that its source does not choose, if there are any.

    The source of a field that `handled_values.tsv` does not name chooses among all listed values.
    """
    listed, handled = field.rule.values, _handled().get(field.name)
    if handled is None or handled.issuperset(listed):
        return None
    values = convert_listed(field, [each for each in listed if each not in handled])
    share = len(values) / len(listed)
    return UnhandledValues(field.part, field.name, values, share) if values else None
