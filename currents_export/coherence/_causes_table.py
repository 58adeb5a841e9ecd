"""Read `causes.tsv`: which event types follow which, and how they are linked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import attrs

from ..catalog import Row, read_table
from ..errors import CatalogError
from ._finding import IncoherenceCode

__all__ = ["CauseRow", "depth_of", "load_causes"]

_COLUMNS = ("effect", "causes", "links", "within", "demanded", "unless", "code")
_UNITS = {"m": 60, "h": 3600, "d": 86_400}


@attrs.frozen
class CauseRow:
    """A row of `causes.tsv`.

    Attributes:
        effect: a glob of the event types that need a cause.
        causes: globs of the event types that can be the cause. One without a dot is a type of the
            effect's own channel, such as `Send`.
        key: the field by which an effect finds its cause: a property, `device_id`, or `message`.
        links: fields that must be equal where both events have them.
        within: how many seconds after its cause an effect may come.
        demanded: whether a cause is demanded from a stream that begins in the middle.
        unless: a property that exempts an effect if it is true; may be empty.
        code: the kind of the finding if the cause is missing.
    """

    effect: str
    causes: tuple[str, ...]
    key: str
    links: tuple[str, ...]
    within: int
    demanded: bool
    unless: str
    code: IncoherenceCode

    def is_effect(self, event_type: str) -> bool:
        """Return whether events of a type need this cause."""
        return fnmatchcase(event_type, self.effect)

    def causes_of(self, event_type: str) -> tuple[str, ...]:
        """Return the globs of the causes of an effect's type, all with dots."""
        family = event_type.rpartition(".")[0]
        return tuple(each if "." in each else f"{family}.{each}" for each in self.causes)


def load_causes(directory: Path | None = None) -> list[CauseRow]:
    """Read the table, from a directory if it has it.

    Raises:
        CatalogError: the table is invalid; its problems are listed together.
    """
    rows, problems = [], []
    for row in read_table("causes.tsv", directory, columns=_COLUMNS):
        found = list(_problems(row))
        problems += [(row.place, problem) for problem in found]
        if not found:
            rows.append(_row(row))
    if problems:
        raise CatalogError(problems, directory=directory)
    return rows


def depth_of(event_type: str, rows: list[CauseRow], known: frozenset[str] = frozenset()) -> int:
    """Return how many causes in a row an event of a type can have."""
    depth = 0
    for row in rows:
        if row.is_effect(event_type):
            for cause in row.causes_of(event_type):
                if cause != event_type and cause not in known:
                    depth = max(depth, 1 + depth_of(cause, rows, known | {event_type}))
    return depth


def _problems(row: Row) -> Iterator[str]:
    for column in ("effect", "causes", "links"):
        if not row[column]:
            yield f"{column} is empty"
    if len({"." in cause for cause in row["causes"].split("|")}) > 1:
        yield "causes names types of the effect's own channel and others; use a row for each"
    if not _seconds(row["within"]):
        yield f"within is {row['within']!r}; it must be a time such as 30m, 4h or 3d"
    if row["demanded"] not in ("yes", "whole"):
        yield f"demanded is {row['demanded']!r}; it must be yes or whole"
    if row["code"] not in set(IncoherenceCode):
        yield f"code is {row['code']!r}; it must be one of {', '.join(IncoherenceCode)}"


def _row(row: Row) -> CauseRow:
    key, *links = row["links"].split("|")
    return CauseRow(
        effect=row["effect"],
        causes=tuple(row["causes"].split("|")),
        key=key,
        links=tuple(links),
        within=_seconds(row["within"]),
        demanded=row["demanded"] == "yes",
        unless=row["unless"],
        code=IncoherenceCode(row["code"]),
    )


def _seconds(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,5})([mhd])", text)
    return int(match[1]) * _UNITS[match[2]] if match else 0
