"""Read `sources.tsv`: the source that fills each field.

A row applies to the event types that its glob matches; for each field, the first such row counts.
Its source is one of:

- `workspace`, `user`, `device`: the attribute at `path`;
- `message`: the field of that name of the campaign's or Canvas's message;
- `maker`: the field maker of that name, which fills the row's fields together;
- `constant`: the text in `path`; `chance`: True with the probability in `path`.

A field without a row gets the default maker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from operator import attrgetter
from typing import Any, Literal, cast

import attrs

from .._data import read_rows

__all__ = ["Source", "fields_from", "reader", "source_of"]

Kind = Literal["workspace", "user", "device", "message", "maker", "constant", "chance"]


@attrs.frozen
class Source:
    """The source of a field: its kind, and the place of the value in it."""

    kind: Kind
    path: str


@cache
def source_of(event_type: str, field: str) -> Source | None:
    """Return the source of a field, or None if no row names it."""
    for glob, sources in _rows():
        if field in sources and fnmatchcase(event_type, glob):
            return sources[field]
    return None


@cache
def fields_from(kind: Kind) -> frozenset[str]:
    """Return the fields that come from a kind of source in every event type."""
    return frozenset(
        name
        for glob, sources in _rows()
        for name, source in sources.items()
        if glob == "*" and source.kind == kind
    )


@cache
def reader(path: str) -> Callable[[Any], Any]:
    """Return a function that reads the attribute at a path, such as `place.timezone`."""
    return attrgetter(path)


@cache
def _rows() -> tuple[tuple[str, Mapping[str, Source]], ...]:
    return tuple(
        (
            row["event_type"],
            {
                name: Source(cast("Kind", row["source"]), row["path"])
                for name in row["fields"].split()
            },
        )
        for row in read_rows("fields", "sources.tsv")
    )
