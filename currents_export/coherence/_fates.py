"""Rule 2: a message has one fate; the table `fates.tsv` says which fates exclude each other.

Source: Braze, Message engagement events (bounces, deferrals, aborts).
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import attrs

from ..catalog import read_table
from ..errors import CatalogError
from ._context import Context, UserCheck
from ._finding import IncoherenceCode, IncoherenceFinding
from ._seen import DAY, Kind, Seen

__all__ = ["FateRow", "Fates", "load_fates"]

#: How long to remember the fate of a message. Attempts last for three days at most.
_LONGEST: Final = 30 * DAY


@attrs.frozen
class FateRow:
    """A row of `fates.tsv`.

    Attributes:
        fate: a glob of event types.
        excludes: the last parts of the types of the same channel that exclude it.
        ever: whether the order does not matter; otherwise only the `fate` must not come later.
        links: fields that must be equal where both events have them.
    """

    fate: str
    excludes: frozenset[str]
    ever: bool
    links: tuple[str, ...]


def load_fates(directory: Path | None = None) -> list[FateRow]:
    """Read the table, from a directory if it has it.

    Raises:
        CatalogError: the table is invalid; its problems are listed together.
    """
    rows = read_table("fates.tsv", directory, columns=("fate", "excludes", "when", "links"))
    problems = [
        (row.place, f"when is {row['when']!r}; it must be ever or after")
        for row in rows
        if row["when"] not in ("ever", "after")
    ]
    if problems:
        raise CatalogError(problems, directory=directory)
    return [
        FateRow(
            fate=row["fate"],
            excludes=frozenset(row["excludes"].split("|")),
            ever=row["when"] == "ever",
            links=tuple(each for each in row["links"].split("|") if each),
        )
        for row in rows
    ]


_Values = tuple[str | None, ...]


#: A fate: the last part of its type, its time and id, and the values that identify its message.
_Fate = tuple[str, int, str | None, _Values]

#: The fates of the messages of one user, by channel and dispatch or message id. Tuples, so
#: that the garbage collector need not look at them.
_State = dict[tuple[str, str], tuple[_Fate, ...]]


class Fates(UserCheck[_State]):
    """Compare each fate of a message with those seen before."""

    def __init__(self, context: Context, rows: list[FateRow]) -> None:
        super().__init__(context)
        self._rows = rows
        self._links = tuple(dict.fromkeys(link for row in rows for link in row.links))
        #: For each type: the types before it that it contradicts, with the links to compare.
        self._against: dict[str, dict[str, tuple[str, ...]]] = {}

    def concerns(self, kind: Kind) -> bool:
        """Return whether a type is a fate, or excluded by one."""
        if not kind.is_message:
            return False
        against: dict[str, tuple[str, ...]] = {}
        concerned = False
        family = kind.name.rpartition(".")[0]
        for row in self._rows:
            if fnmatchcase(kind.name, row.fate):
                concerned = True
                against |= dict.fromkeys(row.excludes, row.links)
            if kind.last in row.excludes and fnmatchcase(
                f"{family}.{row.fate.rpartition('.')[2]}", row.fate
            ):
                concerned = True
                if row.ever:
                    against[row.fate.rpartition(".")[2]] = row.links
        self._against[kind.name] = against
        return concerned

    def feed(self, event: Seen) -> Iterator[IncoherenceFinding]:
        """Compare a fate with the earlier fates of the same message."""
        # Without one of these ids, repetitions of a message cannot be told apart.
        unique = event.text("message_id") or event.text("dispatch_id")
        if event.user is None or unique is None:
            return
        state = self.states.get(event.user)
        if state is None:
            state = self.states[event.user] = {}
        values = (event.message, *[event.value(link) for link in self._links])
        key = (event.kind.channel, unique)
        fates = state.get(key, ())
        against = self._against[event.kind.name]
        last = event.kind.last
        for other, time, other_id, other_values in fates:
            links = against.get(other)
            if links is None or not self._same(other_values, values, links):
                continue
            attempt = last in ("Deferral", "SoftBounce", "Retry")
            if attempt and event.time == time:
                continue
            yield event.finding(
                IncoherenceCode.AFTER_FATE if attempt else IncoherenceCode.TWO_FATES,
                f"a {last} follows the {other} of the same message",
                f"after a {other} there is no {last}",
                other_id,
            )
            break
        if not any(fate[0] == last and fate[3] == values for fate in fates):
            state[key] = (*fates, (last, event.time, event.id, values))

    def forget(self, now: int) -> None:
        """Drop messages whose fate is decided."""
        for state in self.states.values():
            old = [key for key, fates in state.items() if fates[-1][1] < now - _LONGEST]
            for key in old:
                del state[key]

    def _same(self, one: _Values, other: _Values, links: tuple[str, ...]) -> bool:
        """Return whether two fates are of the same message."""
        if one[0] is not None and other[0] is not None and one[0] != other[0]:
            return False
        for link, mine, yours in zip(self._links, one[1:], other[1:], strict=True):
            if link in links and mine is not None and yours is not None and mine != yours:
                return False
        return True
