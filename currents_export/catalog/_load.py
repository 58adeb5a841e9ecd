"""Load event types and schema versions from the tables, and check the tables."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TypeVar, cast, get_args

import attrs

from .._redaction import shown
from .._suggestions import did_you_mean
from ..errors import CatalogError
from ._formats import FORMATS
from ._model import EventType, Field, JsonType, Part, SchemaVersion, Status, ValueRule
from ._tables import Row, check_directory, read_table

__all__ = ["Tables", "load_tables"]

_COLUMNS = {
    "versions.tsv": ("schema_version", "released"),
    "event_types.tsv": ("event_type", "family", "since", "status"),
    "event_fields.tsv": ("event_type", "part", "field", "json_type", "required", "pii", "since"),
    "fields.tsv": ("field", "description"),
    "field_values.tsv": ("event_type", "field", "format", "values", "open"),
}

#: How many problems include the nearest names.
_ADVISED = 20

_Problems = list[tuple[str, str]]
_T = TypeVar("_T", bound=str)


@attrs.frozen
class Tables:
    """The contents of the tables in one directory.

    Attributes:
        versions: every schema version, the oldest first.
        event_types: every event type, by name, as it is in the newest version.
    """

    versions: tuple[SchemaVersion, ...]
    event_types: tuple[EventType, ...]


@cache
def load_tables(directory: Path | None) -> Tables:
    """Load the tables of a directory, or the packaged ones, once in a process.

    Raises:
        CatalogError: the directory's tables have problems. Packaged rows that do not fit the
            directory's tables are left out.
    """
    if directory is not None:
        check_directory(directory)
    problems: _Problems = []
    rows: dict[str, list[Row]] = {}
    for name, columns in _COLUMNS.items():
        try:
            rows[name] = read_table(name, directory, columns=columns)
        except CatalogError as error:
            problems.extend(error.problems)
    if not problems:
        tables = _Loader(rows, problems, is_mixed=directory is not None).load()
    if problems:
        raise CatalogError(problems, directory=directory)
    return tables


class _Cells:
    """The cells of a row; `problems` collects the problems with them, unless it is None."""

    def __init__(self, row: Row, problems: _Problems | None) -> None:
        self.row = row
        self.is_good = True
        self._problems = problems

    def note(self, message: str, name: str = "", known: Collection[str] = ()) -> None:
        """Note a problem, with the names in `known` that are nearest to `name`."""
        self.is_good = False
        if self._problems is not None:
            # Finding the nearest names takes milliseconds, so do it only for the first few.
            near = did_you_mean(name, known) if len(self._problems) < _ADVISED else ""
            self._problems.append((self.row.place, f"{message}{near}"))

    def text(self, column: str) -> str:
        if not self.row[column]:
            self.note(f"{column} is empty")
        return self.row[column]

    def one_of(self, column: str, known: Collection[_T]) -> _T:
        value = self.row[column]
        if value not in known:
            self.note(f"{column} is {shown(value)}; it must be {' or '.join(known)}")
        return cast("_T", value)

    def known(self, column: str, known: Collection[str], table: str) -> str:
        value = self.text(column)
        if value and value not in known:
            message = f"{column} is {shown(value, most=120)}, which {table} does not have"
            self.note(message, value, known)
        return value

    def flag(self, column: str) -> bool:
        return self.one_of(column, ("yes", "no")) == "yes"

    def number(self, column: str) -> int:
        value = self.row[column]
        if value.isascii() and value.isdigit() and 0 < len(value) < 7 and int(value):
            return int(value)
        self.note(f"{column} is {shown(value)}; it must be a whole number of 1 or more")
        return 0

    def version(self, column: str, known: Collection[int]) -> int:
        value = self.number(column)
        if value and known and value not in known:
            self.note(f"{column} is {value}, which versions.tsv does not have")
        return value


class _Loader:
    """Reads the rows of the tables, in the order in which they refer to each other."""

    def __init__(
        self, rows: Mapping[str, list[Row]], problems: _Problems, *, is_mixed: bool
    ) -> None:
        self._rows = rows
        self._problems = problems
        self._is_mixed = is_mixed

    def load(self) -> Tables:
        released = self._released()
        types = self._types(released)
        rules = self._rules(self._json_types(types))
        fields = self._fields(released, types, rules)
        event_types = tuple(
            attrs.evolve(types[name], fields=_ordered(fields.get(name, ())))
            for name in sorted(types)
        )
        versions = tuple(_counted(number, day, event_types) for number, day in released.items())
        for table, things in (("versions.tsv", versions), ("event_types.tsv", event_types)):
            if not things and not self._rows[table]:
                self._problems.append((table, "the table has no rows"))
        return Tables(versions, event_types)

    def _each(self, table: str, *key: str) -> Iterator[_Cells]:
        """Yield the rows of a table; a row with the key of an earlier one is a problem."""
        seen: dict[tuple[str, ...], int] = {}
        for row in self._rows[table]:
            # Packaged rows are valid, but may not fit the tables of a directory.
            cells = _Cells(row, None if row.packaged and self._is_mixed else self._problems)
            values = tuple(row[column] for column in key)
            first = seen.setdefault(values, row.line)
            if first != row.line:
                named = " ".join(filter(None, values))
                cells.note(f"{shown(named, most=120)} is already in line {first}")
            yield cells

    def _released(self) -> dict[int, datetime.date]:
        released: dict[int, datetime.date] = {}
        for cells in self._each("versions.tsv", "schema_version"):
            number = cells.number("schema_version")
            day = cells.text("released")
            try:
                date = datetime.date.fromisoformat(day)
            except ValueError:
                if day:
                    cells.note(f"released is {shown(day)}; it must be a date such as 2026-07-01")
                continue
            if released and cells.is_good and number < max(released):
                cells.note(f"version {number} comes after version {max(released)}")
            if cells.is_good:
                released[number] = date
        return released

    def _types(self, released: Collection[int]) -> dict[str, EventType]:
        types: dict[str, EventType] = {}
        for cells in self._each("event_types.tsv", "event_type"):
            name = cells.text("event_type")
            each = EventType(
                name=name,
                family=cells.text("family"),
                since=cells.version("since", released),
                status=cells.one_of("status", get_args(Status)),
                description=cells.row.get("description") or f"An event of the type {name}.",
                fields={},
            )
            # Keep a bad row, so that rows that refer to it are not reported as well.
            if name and (cells.is_good or not cells.row.packaged):
                types.setdefault(name, each)
        return types

    def _json_types(self, types: Collection[str]) -> dict[str, dict[str, str]]:
        """Return the JSON types of each field by event type."""
        found: dict[str, dict[str, str]] = {}
        for row in self._rows["event_fields.tsv"]:
            if row["event_type"] in types:
                found.setdefault(row["field"], {})[row["event_type"]] = row["json_type"]
        return found

    def _rules(self, fields: Mapping[str, Mapping[str, str]]) -> dict[tuple[str, str], ValueRule]:
        rules: dict[tuple[str, str], ValueRule] = {}
        for cells in self._each("field_values.tsv", "event_type", "field"):
            name = cells.known("field", fields, "event_fields.tsv")
            event_type = cells.row["event_type"]
            by_type = fields.get(name, {})
            if event_type and by_type and event_type not in by_type:
                message = f"{shown(event_type, most=120)} has no field {name}"
                cells.note(message, event_type, by_type)
            json_types = {by_type.get(event_type, "")} if event_type else {*by_type.values()}
            rule = _rule(cells, json_types & {*get_args(JsonType)})
            if cells.is_good:
                rules[event_type, name] = rule
        return rules

    def _fields(
        self,
        released: Collection[int],
        types: Mapping[str, EventType],
        rules: Mapping[tuple[str, str], ValueRule],
    ) -> dict[str, list[Field]]:
        descriptions = {
            cells.text("field"): cells.row["description"]
            for cells in self._each("fields.tsv", "field")
        }
        fields: dict[str, list[Field]] = {}
        for cells in self._each("event_fields.tsv", "event_type", "part", "field"):
            event_type = cells.known("event_type", types, "event_types.tsv")
            name = cells.text("field")
            json_type = cells.one_of("json_type", get_args(JsonType))
            # A row for one event type overrides the row for all.
            rule = rules.get((event_type, name)) or rules.get(("", name)) or ValueRule()
            field = Field(
                name=name,
                part=cells.one_of("part", get_args(Part)),
                json_type=json_type,
                required=cells.flag("required"),
                personal=cells.flag("pii"),
                since=cells.version("since", released),
                optional_since=(
                    cells.version("optional_since", released)
                    if cells.row.get("optional_since")
                    else None
                ),
                rule=rule if _fits(rule, json_type) else ValueRule(),
                description=descriptions.get(name) or f"{name.replace('_', ' ').capitalize()}.",
            )
            if cells.is_good:
                _check_versions(cells, field, types[event_type])
            if cells.is_good:
                fields.setdefault(event_type, []).append(field)
        return fields


def _rule(cells: _Cells, json_types: Collection[str]) -> ValueRule:
    name, listed = cells.row["format"], cells.row["values"]
    rule = ValueRule(
        format=name, values=tuple(filter(None, listed.split("|"))), open=cells.flag("open")
    )
    if name and name not in FORMATS:
        cells.note(f"format is {shown(name)}; it must be {' or '.join(FORMATS)}")
    elif not name and not rule.values:
        cells.note("the row has neither a format nor values")
    elif json_types and not any(_fits(rule, each) for each in json_types):
        kinds = " or ".join(sorted(json_types))
        cells.note(f"{name or listed} does not fit a field of type {kinds}")
    return rule


def _fits(rule: ValueRule, json_type: str) -> bool:
    if rule.format and json_type not in FORMATS[rule.format].json_types:
        return False
    if json_type == "integer":
        return all(value.removeprefix("-").isdecimal() for value in rule.values)
    return not rule.values or json_type == "string"


def _check_versions(cells: _Cells, field: Field, event_type: EventType) -> None:
    if field.since < event_type.since:
        came = f"{event_type.name} was introduced in {event_type.since}"
        cells.note(f"since is {field.since}, but {came}")
    if field.optional_since is None:
        return
    if field.required:
        cells.note("a field with optional_since cannot have yes in required")
    if field.optional_since <= field.since:
        cells.note(
            f"optional_since is {field.optional_since}; it must be later than since, {field.since}"
        )


def _ordered(fields: Iterable[Field]) -> dict[str, Field]:
    ordered = sorted(fields, key=lambda field: (field.part != "user", field.name))
    return {field.path: field for field in ordered}


def _counted(number: int, day: datetime.date, event_types: Collection[EventType]) -> SchemaVersion:
    there = [each for each in event_types if each.since <= number]
    return SchemaVersion(
        number=number,
        released=day,
        event_types=len(there),
        fields=sum(field.since <= number for each in there for field in each.fields.values()),
    )
