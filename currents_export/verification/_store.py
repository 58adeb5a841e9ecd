"""The keys and digests of all events, in a database on disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

__all__ = ["Pair", "Row", "Store"]

_CHUNK = 10_000
_CACHE_KIB = 65_536


class Row(NamedTuple):
    """A sent event or an arrival.

    Attributes:
        id: the event's id.
        is_arrival: 0 for a sent event, 1 for an arrival.
        number: its number in its input.
        digest: the digest of its content; None for an event that should not arrive.
        timestamp: the timestamp of the message.
        kind: the number of its event type.
        reason: why it should not arrive, as a number; None for others.
        user: a number that stands for its user; None if it has none.
        time: the event's time, or the time of arrival; None if it is not known.
    """

    id: str
    is_arrival: int
    number: int
    digest: int | None
    timestamp: str | None
    kind: int
    reason: int | None
    user: int | None
    time: float | None


class Pair(NamedTuple):
    """A sent event that arrived.

    Attributes:
        user: a number that stands for its user.
        sent: its number among the sent events.
        received: its number among the arrivals.
        kind: the number of its event type.
    """

    user: int
    sent: int
    received: int
    kind: int


class Store:
    """A database in a directory; the caller deletes the directory."""

    def __init__(self, directory: Path) -> None:
        self._database = sqlite3.connect(directory / "keys.sqlite", isolation_level=None)
        for pragma in (
            "journal_mode = OFF",
            "synchronous = OFF",
            "locking_mode = EXCLUSIVE",
            f"cache_size = -{_CACHE_KIB}",
            "temp_store = FILE",
        ):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.execute("BEGIN")
        for table, kind in (("rows", Row), ("pairs", Pair)):
            self._database.execute(f"CREATE TABLE {table} ({', '.join(kind._fields)})")

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def add_rows(self, rows: Iterable[Row]) -> None:
        """Add sent events or arrivals."""
        self._add("rows", len(Row._fields), rows)

    def add_pairs(self, pairs: Iterable[Pair]) -> None:
        """Add events that arrived."""
        self._add("pairs", len(Pair._fields), pairs)

    def _add(self, table: str, width: int, values: Iterable[tuple[object, ...]]) -> None:
        # The names of the tables are constants of this module.
        insert = f"INSERT INTO {table} VALUES ({', '.join('?' * width)})"  # noqa: S608 - see above
        left = iter(values)
        while chunk := list(islice(left, _CHUNK)):
            self._database.executemany(insert, chunk)

    def by_id(self) -> Iterator[list[Row]]:
        """Yield the rows of each id, sent events first, and the ids in order."""
        rows = self._database.execute("SELECT * FROM rows ORDER BY id, is_arrival, number")
        for _, group in groupby(map(Row._make, rows), key=attrgetter("id")):
            yield list(group)

    def ids(self, numbers: Iterable[int]) -> list[str]:
        """Return the ids of some sent events, by their numbers."""
        marks = ", ".join(str(int(number)) for number in numbers)
        rows = self._database.execute(
            f"SELECT id FROM rows WHERE NOT is_arrival AND number IN ({marks}) "  # noqa: S608 - whole numbers
            "ORDER BY number"
        )
        return [event_id for (event_id,) in rows]

    def by_user(self) -> Iterator[Pair]:
        """Yield the events that arrived by user, those of a user in the order of sending."""
        pairs = self._database.execute("SELECT * FROM pairs ORDER BY user, sent, received")
        yield from map(Pair._make, pairs)
