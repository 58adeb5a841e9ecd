"""Comparisons with a warehouse's table of messages."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.errors import ReadError
from currents_export.receiver.rudderstack import transform
from currents_export.verification import Report, Through, Verdict, reconcile
from tests.support.events import OPEN, event

Value = dict[str, Any]

SENT = [
    event(
        n,
        device_model="Pixel, 8",
        price=9.5 + n,
        count=n,
        flag=n % 2 == 0,
        whole=4.0,
        empty="",
        nothing=None,
        nested={"a": {"b": n}, "list": [1, {"c": None}]},
        items=[1, "two", 3.5, None],
        when="2026-07-01T12:00:00Z",
        note='say "hi"\nthere',
    ).to_dict()
    for n in range(4)
]


def snake(name: str) -> str:
    """Return a name in snake case, as RudderStack names columns."""
    words = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"[^A-Za-z0-9]+", "_", words).lower()


def row_of(value: Value, *, split: bool = True) -> Value:
    """Return the row of an event's message, as RudderStack writes it to a warehouse."""
    message = transform(value) or {}
    row = {
        "id": message["messageId"],
        "anonymous_id": message.get("anonymousId"),
        "user_id": message.get("userId"),
        "event": snake(message["event"]),
        "event_text": message["event"],
        "timestamp": message.get("timestamp"),
        "received_at": "2026-07-01T12:00:05.000Z",
        "sent_at": "2026-07-01T12:00:04.000Z",
        "original_timestamp": message.get("timestamp"),
        "uuid_ts": "2026-07-01T12:01:00.000Z",
        "channel": "sources",
        "context_ip": "127.0.0.1",
        "context_source_id": "s1",
        "context_destination_type": "POSTGRES",
    }
    for prefix, part in (
        ("context_", "context"),
        ("context_traits_", "traits"),
        ("", "properties"),
    ):
        for name, each in message.get(part, {}).items():
            row |= flat(prefix + snake(name), each, split=split)
    return row


def flat(name: str, value: Any, *, split: bool) -> Value:
    """Return the columns of a value: objects are split, and arrays are text."""
    if isinstance(value, dict) and split:
        return {
            key: each
            for inner, part in value.items()
            for key, each in flat(f"{name}_{snake(inner)}", part, split=split).items()
        }
    return {name: orjson.dumps(value).decode() if isinstance(value, dict | list) else value}


def cells(rows: Iterable[Value]) -> list[list[str]]:
    """Return rows as text, with the names of the columns first."""
    rows = [*rows]
    names = list(dict.fromkeys(name for row in rows for name in row))

    def cell(value: Any) -> str:
        if value is None:
            return ""
        return str(value).lower() if isinstance(value, bool) else str(value)

    return [names, *([cell(row.get(name)) for name in names] for row in rows)]


def as_csv(path: Path, rows: Iterable[Value], delimiter: str = ",") -> Path:
    """Write rows as CSV."""
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows(cells(rows))
    path.write_text(file.getvalue(), "utf-8")
    return path


def as_lines(path: Path, rows: Iterable[Value]) -> Path:
    """Write rows as JSON Lines, without nulls."""
    shown = ({name: each for name, each in row.items() if each is not None} for row in rows)
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in shown))
    return path


#: Columns with a type of their own; those of times are with and without a time zone.
_TYPES = {
    "price": "DOUBLE",
    "count": "BIGINT",
    "whole": "DECIMAL(10, 2)",
    "flag": "BOOLEAN",
    "timestamp": "TIMESTAMPTZ",
    "when": "TIMESTAMP",
    "received_at": "TIMESTAMPTZ",
}


def fill(connection: Any, rows: Iterable[Value], table: str = "tracks") -> None:
    """Make a table of rows."""
    names, *values = cells(rows)
    columns = ", ".join(f'"{name}" {_TYPES.get(name, "VARCHAR")}' for name in names)
    connection.execute(f"SET TimeZone = 'UTC'; CREATE TABLE {table} ({columns})")
    marks = ", ".join("?" * len(names))
    connection.executemany(
        f"INSERT INTO {table} VALUES ({marks})", [[each or None for each in row] for row in values]
    )


def as_parquet(path: Path, rows: Iterable[Value]) -> Path:
    """Write rows as Parquet."""
    with duckdb.connect() as connection:
        fill(connection, rows)
        connection.execute(f"COPY tracks TO '{path}' (FORMAT parquet)")
    return path


def as_duckdb(path: Path, rows: Iterable[Value]) -> Path:
    """Write rows to a table of a DuckDB file."""
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE identifies (id VARCHAR)")
        fill(connection, rows)
    return path


Write = Callable[[Path, Iterable[Value]], Path]
FORMATS = {
    "csv": as_csv,
    "tsv": lambda path, rows: as_csv(path, rows, "\t"),
    "jsonl": as_lines,
    "parquet": as_parquet,
    "duckdb": as_duckdb,
}


@pytest.fixture(params=FORMATS)
def write(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes rows in one of the formats."""
    return lambda *rows: FORMATS[request.param](tmp_path / f"tracks.{request.param}", rows)


def test_everything_arrived(write: Callable[..., Path]) -> None:
    report = reconcile(SENT, write(*map(row_of, SENT)))
    assert (report.verdict, report.through) == (Verdict.RIGHT, Through.RUDDERSTACK)
    assert (report.received, report.matched, report.absent) == (4, 4, ())
    assert report.ages is not None


def test_one_value_is_wrong(write: Callable[..., Path]) -> None:
    rows = [row_of(each) for each in SENT]
    rows[0]["price"] = 9.6
    rows[1]["flag"] = True
    rows[2]["event_text"] = "Other"
    rows[3]["context_device_model"] = None
    report = reconcile(SENT, write(*rows))
    assert report.altered.by_field == {
        "price": 1,
        "flag": 1,
        "event_text": 1,
        "context_device_model": 1,
    }
    assert report.altered.by_cause["unmapped_names"].count == 1


def test_wrong_time_zone(write: Callable[..., Path]) -> None:
    rows = [row_of(each) for each in SENT]
    for row in rows:
        moment = datetime.fromisoformat(row["timestamp"]).timestamp() + 7200
        row["timestamp"] = datetime.fromtimestamp(moment, UTC).isoformat()
    altered = reconcile(SENT, write(*rows)).altered
    assert (altered.by_field, altered.shift_s) == ({"timestamp": 4}, 7200)


def test_missing_and_duplicated_rows(write: Callable[..., Path]) -> None:
    rows = [row_of(each) for each in SENT]
    report = reconcile(SENT, write(*rows[:2], rows[0], row_of(event(9).to_dict())))
    assert (report.missing.count, report.duplicated.count, report.unexpected.count) == (2, 1, 1)
    assert report.unexpected.by_event_type == {OPEN: 1}


def test_objects_as_text(tmp_path: Path) -> None:
    rows = [row_of(each, split=False) for each in SENT]
    assert reconcile(SENT, as_csv(tmp_path / "t", rows)).verdict is Verdict.RIGHT
    rows[0]["nested"] = '{"a": {"b": 7}}'
    report = reconcile(SENT, as_csv(tmp_path / "t", rows))
    assert report.altered.by_field == {"nested": 1}


def test_table_without_properties(write: Callable[..., Path]) -> None:
    names = ("id", "user_id", "event_text", "timestamp", "received_at", "context_device_model")
    rows = [{name: row_of(each)[name] for name in names} for each in SENT]
    report = reconcile(SENT, write(*rows))
    assert report.verdict is Verdict.RIGHT
    assert {"properties.price", "traits.email", "anonymousId"} <= set(report.absent)


def test_names_of_events_in_snake_case(tmp_path: Path) -> None:
    rows = [row_of(each) for each in SENT]
    for row in rows:
        del row["event_text"]
    assert reconcile(SENT, as_csv(tmp_path / "t", rows)).verdict is Verdict.RIGHT
    rows[0]["event"] = "other"
    assert reconcile(SENT, as_csv(tmp_path / "t", rows)).altered.by_field == {"event": 1}


def test_names_in_capital_letters(tmp_path: Path) -> None:
    rows = [{name.upper(): each for name, each in row_of(value).items()} for value in SENT]
    assert reconcile(SENT, as_csv(tmp_path / "t", rows)).verdict is Verdict.RIGHT


@pytest.mark.parametrize(
    ("moment", "is_same"),
    [
        ("{:%Y-%m-%d %H:%M:%S} UTC", True),
        ("{:%Y-%m-%d %H:%M:%S}", True),
        ("{:%Y-%m-%dT%H:%M:%S}.000Z", True),
        ("{:%Y-%m-%d %H:%M:%S}.000+00", True),
        ("{:%Y-%m-%d %H:%M:%S}+01:00", False),
        ("{:%Y-%m-%d}", False),
        ("99999-99-99 00:00:00", False),
    ],
)
def test_forms_of_a_time(moment: str, is_same: bool, tmp_path: Path) -> None:
    rows = [row_of(each) for each in SENT]
    for row, each in zip(rows, SENT, strict=True):
        row["timestamp"] = moment.format(datetime.fromtimestamp(each["time"], UTC))
    report = reconcile(SENT, as_csv(tmp_path / "t", rows))
    assert (report.verdict is Verdict.RIGHT) is is_same


@pytest.mark.parametrize("text", ["t", "true", "TRUE", "True"])
def test_forms_of_a_boolean(text: str, tmp_path: Path) -> None:
    rows = [row_of(SENT[0]) | {"flag": text}]
    assert reconcile(SENT[:1], as_csv(tmp_path / "t", rows)).verdict is Verdict.RIGHT


_scalars = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e12, 1e12) | st.text()
)


@given(st.dictionaries(st.sampled_from(["a", "b", "c_d"]), _scalars))
def test_any_value_arrives(properties: Value) -> None:
    sent = [event(1).to_dict() | {"properties": properties}]
    names, cell = cells([row_of(sent[0])])
    received = dict(zip(names, cell, strict=True))
    assert reconcile(sent, [received]).altered.by_field == {}


def test_large_cell(tmp_path: Path) -> None:
    sent = [event(1, x="x" * 500_000).to_dict()]
    path = as_csv(tmp_path / "t", map(row_of, sent))
    assert reconcile(sent, path).verdict is Verdict.RIGHT


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda text: text[:-40], "cells; the first line names"),
        (lambda text: text + "a,b\r\n", "has 2 cells; the first line names"),
        (lambda text: text + '"a', "not CSV: unexpected end of data"),
    ],
)
def test_broken_csv(edit: Callable[[str], str], says: str, tmp_path: Path) -> None:
    names = ("id", "event_text", "timestamp", "received_at", "anonymous_id", "user_id")
    more = ("price", "count", "flag", "whole", "when")
    rows = [{name: row_of(each)[name] for name in (*names, *more)} for each in SENT]
    path = as_csv(tmp_path / "t.csv", rows)
    path.write_bytes(edit(path.read_bytes().decode()).encode())
    errors: list[ReadError] = []
    report = reconcile(SENT, path, on_unreadable=errors.append)
    assert len(errors) == 1
    assert str(errors[0]).startswith(f"{path}:")
    assert says in str(errors[0])
    assert report.matched >= 3


def test_csv_that_is_not_utf8(tmp_path: Path) -> None:
    path = as_csv(tmp_path / "t.csv", map(row_of, SENT))
    path.write_bytes(path.read_bytes().replace(b"user-2", b"user-\xff"))
    errors: list[ReadError] = []
    report = reconcile(SENT, path, on_unreadable=errors.append)
    assert [str(each).split(": ", 1)[1] for each in errors] == ["not UTF-8"]
    assert (report.matched, report.missing.examples[0].id) == (3, SENT[2]["id"])


def test_csv_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("name,age\nx,1\n", "utf-8")
    with pytest.raises(ReadError, match=r"t\.csv"):
        reconcile(SENT, path)


@pytest.mark.parametrize("name", ["parquet", "duckdb"])
def test_truncated_file(name: str, tmp_path: Path) -> None:
    path = FORMATS[name](tmp_path / "tracks", [row_of(each) for each in SENT])
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ReadError, match="cannot be read"):
        reconcile(SENT, path)


@pytest.mark.parametrize("name", ["parquet", "duckdb"])
def test_without_duckdb(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = FORMATS[name](tmp_path / "tracks", [row_of(each) for each in SENT])
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(ReadError, match=r"install currents-export\[warehouse\] to read it"):
        reconcile(SENT, path)


def test_tables_of_a_database(tmp_path: Path) -> None:
    rows = [row_of(each) for each in SENT]
    with duckdb.connect(str(tmp_path / "one")) as connection:
        fill(connection, rows, '"my ""table"""')
    assert reconcile(SENT, tmp_path / "one").verdict is Verdict.RIGHT
    with duckdb.connect(str(tmp_path / "two")) as connection:
        fill(connection, rows, "a")
        fill(connection, rows, "b")
    with pytest.raises(
        ReadError, match=r"no table with the name tracks \(tables: main\.a, main\.b"
    ):
        reconcile(SENT, tmp_path / "two")


def test_database_is_not_changed(tmp_path: Path) -> None:
    path = as_duckdb(tmp_path / "tracks", map(row_of, SENT))
    before = path.read_bytes()
    path.chmod(0o400)
    assert reconcile(SENT, path).verdict is Verdict.RIGHT
    assert path.read_bytes() == before


def test_report_names_columns(tmp_path: Path) -> None:
    rows = [row_of(each) for each in SENT]
    rows[0]["context_device_model"] = "x"
    report: Report = reconcile(SENT, as_csv(tmp_path / "t", rows))
    pair = report.altered.pairs[0]
    assert pair.fields == ("context_device_model",)
    assert pair.got["context_device_model"] == "x"
    assert pair.expected["context_device_model"] == "Pixel, 8"
