"""Read tables that are not JSON: CSV, Parquet and DuckDB files."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ..errors import ReadError

if TYPE_CHECKING:
    import duckdb

__all__ = ["read_table"]

_Row = dict[str, Any]

_DELIMITERS = (",", "\t", ";", "|")
#: A table is one of tracks if it has a column `id` and one of these.
_COLUMNS = frozenset({"event", "event_text", "anonymous_id", "received_at"})
#: How long the first line may be.
_MAX_HEADER = 1 << 20
#: The largest cell: events have at most 900 KB.
_MAX_CELL = 16 << 20
#: How many rows DuckDB returns at once.
_ROWS = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_table(path: Path, source: str) -> Iterator[_Row | ReadError] | None:
    """Return the rows of a file by the names of their columns, in lower case.

    Args:
        path: the file.
        source: its name in errors.

    Returns:
        The rows, and an error for each line that cannot be read; None if the file is not a table.

    Raises:
        OSError: the file cannot be read.
        ReadError: it is a table, and cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_MAX_HEADER)
    if head.startswith(b"PAR1"):
        return _read_parquet(path, source)
    if head[8:12] == b"DUCK":
        return _read_database(path, source)
    delimiter = _delimiter(head)
    return None if delimiter is None else _read_csv(path, source, delimiter)


def _delimiter(head: bytes) -> str | None:
    """Return what separates the columns, if the first line names those of a table."""
    text = head.split(b"\n", 1)[0].removeprefix(b"\xef\xbb\xbf").strip()
    if not text or text[:1] in b"{[" or b"\0" in text:
        return None
    line = text.decode("utf-8", "replace")
    for delimiter in _DELIMITERS:
        names = {_name(each.strip('"')) for each in line.split(delimiter)}
        if "id" in names and names & _COLUMNS:
            return delimiter
    return None


def _name(column: str) -> str:
    return column.strip().lower()


def _read_csv(path: Path, source: str, delimiter: str) -> Iterator[_Row | ReadError]:
    if csv.field_size_limit() < _MAX_CELL:
        csv.field_size_limit(_MAX_CELL)
    with path.open("rb") as file:
        lines = _Lines(file)
        rows = csv.reader(lines, delimiter=delimiter, strict=True)
        names: list[str] = []
        while True:
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield ReadError(f"not CSV: {error}", source=source, line=rows.line_num)
                continue
            except OSError as error:
                why = error.strerror or error
                yield ReadError(f"cannot be read: {why}", source=source)
                return
            if not names:
                names = [_name(each) for each in row]
            elif lines.take_problem():
                yield ReadError("not UTF-8", source=source, line=rows.line_num)
            elif len(row) == len(names):
                yield dict(zip(names, row, strict=True))
            elif row:
                what = f"has {len(row)} cells; the first line names {len(names)} columns"
                yield ReadError(what, source=source, line=rows.line_num)


class _Lines:
    """Lines as text; those that are not UTF-8 are noted, and do not affect the others."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._problem = False
        self._is_first = True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._file)
        if self._is_first:
            self._is_first, line = False, line.removeprefix(b"\xef\xbb\xbf")
        try:
            return line.decode()
        except UnicodeDecodeError:
            self._problem = True
            return line.decode("utf-8", "replace")

    def take_problem(self) -> bool:
        """Return whether a line since the last call was not UTF-8."""
        found, self._problem = self._problem, False
        return found


def _read_parquet(path: Path, source: str) -> Iterator[_Row | ReadError]:
    duck = _duckdb(source, "Parquet")
    try:
        with closing(duck.connect(":memory:")) as connection:
            yield from _select(connection, "SELECT * FROM read_parquet(?)", [str(path)])
    except duck.Error as error:
        raise ReadError(f"cannot be read as Parquet: {_line(error)}", source=source) from error


def _read_database(path: Path, source: str) -> Iterator[_Row | ReadError]:
    duck = _duckdb(source, "a DuckDB database")
    try:
        with closing(duck.connect(str(path), read_only=True)) as connection:
            table = _tracks(connection, source)
            yield from _select(connection, f"SELECT * FROM {table}", [])  # noqa: S608 - quoted
    except duck.Error as error:
        raise ReadError(f"cannot be read by DuckDB: {_line(error)}", source=source) from error


def _duckdb(source: str, what: str) -> Any:
    try:
        import duckdb  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        hint = "install currents-export[warehouse] to read it"
        raise ReadError(f"it is {what}; {hint}", source=source) from error
    return duckdb


def _line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]


def _tracks(connection: duckdb.DuckDBPyConnection, source: str) -> str:
    """Return the quoted name of the table of tracks, or of the only table."""
    tables = connection.execute(
        "SELECT table_schema, table_name FROM information_schema.tables ORDER BY ALL"
    ).fetchall()
    chosen = [each for each in tables if each[1].lower() == "tracks"]
    if not chosen and len(tables) == 1:
        chosen = tables
    if len(chosen) != 1:
        names = ", ".join(".".join(each) for each in tables[:10]) or "none"
        what = "more than one table" if chosen else "no table"
        raise ReadError(f"it has {what} with the name tracks (tables: {names})", source=source)
    return ".".join('"' + name.replace('"', '""') + '"' for name in chosen[0])


def _select(connection: duckdb.DuckDBPyConnection, query: str, values: list[str]) -> Iterator[_Row]:
    types = connection.execute(f"DESCRIBE {query}", values).fetchall()
    names = [_name(each[0]) for each in types]
    # DuckDB needs another package to return times with a time zone.
    zoned = {at for at, each in enumerate(types) if each[1] == "TIMESTAMP WITH TIME ZONE"}
    columns = ", ".join(
        f"epoch_us({quoted})" if at in zoned else quoted
        for at, each in enumerate(types)
        for quoted in ['"' + each[0].replace('"', '""') + '"']
    )
    query = query.replace("SELECT *", f"SELECT {columns}", 1)
    cursor = connection.execute(query, values)
    while rows := cursor.fetchmany(_ROWS):
        for row in rows:
            cells = list(row)
            for at in zoned:
                if cells[at] is not None:
                    cells[at] = _EPOCH + timedelta(microseconds=cells[at])
            yield dict(zip(names, cells, strict=True))
