"""Write and read the rows of an outbox."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from .._outbox import Loaded

__all__ = ["each_row", "insert_rows", "load_rows", "runs"]

#: One row for many events. With each row, SQLite gives up Python's global lock, and another thread
#: that is busy returns it only after some milliseconds.
_MANY = """
    SELECT
        group_concat(
            key || ' ' || at_ms || ' ' || crc || ' ' || hex(id) || '. ' || length(body) || ' '
            || ifnull(length(original), -1),
            char(10)
        ),
        group_concat(body || ifnull(original, ''), '')
    FROM (SELECT * FROM events WHERE key > ? AND key < ? ORDER BY key LIMIT ?)
"""
_ONE_BY_ONE = """
    SELECT key, at_ms, crc, id, body, original FROM events
    WHERE key > ? AND key < ? ORDER BY key {} LIMIT ?
"""


def insert_rows(connection: sqlite3.Connection, values: Sequence[Any]) -> None:
    """Insert rows with one statement; the values are those of the columns, row by row.

    Raises:
        sqlite3.Error: they cannot be written.
    """
    rows = ", ".join(["(?, ?, ?, ?, ?, ?)"] * (len(values) // 6))
    connection.execute(f"INSERT INTO events VALUES {rows}", values)  # noqa: S608 - marks only


def load_rows(connection: sqlite3.Connection, after: int, before: int, count: int) -> list[Loaded]:
    """Return up to `count` events with keys between two others, in order; damaged ones too.

    Raises:
        sqlite3.Error: the file cannot be read.
    """
    try:
        (heads, texts) = connection.execute(_MANY, (after, before, count)).fetchone()
        if heads is None:
            return []
        return list(_split(heads, texts))
    except (ValueError, TypeError):  # something is damaged: find out what
        return list(each_row(connection, after, before, count))


def _split(heads: bytes, texts: bytes) -> Iterator[Loaded]:
    at = 0
    for head in heads.split(b"\n"):
        key, at_ms, crc, event_id, length, rest = head.split(b" ")
        end = at + int(length)
        after = end + max(int(rest), 0)
        original = texts[end:after] if int(rest) >= 0 else None
        found = _checked(
            int(key),
            int(at_ms),
            int(crc),
            bytes.fromhex(event_id[:-1].decode()),
            (texts[at:end], original),
        )
        if found.body is None:
            raise ValueError("a row is damaged, or was not split as it was joined")
        yield found
        at = after


def each_row(
    connection: sqlite3.Connection,
    after: int,
    before: int,
    count: int = -1,
    *,
    backwards: bool = False,
) -> Iterator[Loaded]:
    """Yield events one by one; the body of a damaged one is None.

    Raises:
        sqlite3.Error: the file cannot be read.
    """
    command = _ONE_BY_ONE.format("DESC" if backwards else "ASC")
    for row in connection.execute(command, (after, before, count)):
        key, at_ms, crc, event_id, *texts = row
        yield _checked(key, at_ms, crc, event_id, tuple(texts))


def _checked(
    key: int, at_ms: int, crc: int, event_id: bytes, texts: tuple[bytes | None, ...]
) -> Loaded:
    try:
        found = 0
        for text in texts:
            found = zlib.crc32(text, found) if text is not None else found
        body, original = texts if found == crc else (None, None)
        return Loaded(key, event_id.decode(), body, original, at_ms / 1000)
    except (AttributeError, TypeError, ValueError):  # a value of another type, or no text
        return Loaded(key, "", None, None, 0.0)


def runs(keys: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of each run of consecutive keys; a key of 0 has no event."""
    first = last = 0
    for key in keys:
        if key == last + 1 and first:
            last = key
            continue
        if first:
            yield first, last
        first = last = key
    if first:
        yield first, last
