"""Tables in a user's directory: what loads, and what is reported."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest

from currents_export.catalog import Catalog, check_event, json_schema, read_table
from currents_export.errors import CatalogError
from tests.support.events import OPEN, good_event
from tests.support.tables import PACKAGED, CopiedTables

NEWEST = Catalog.load()
NEXT = NEWEST.schema_version + 1
FAX = "users.messages.fax.Send"


def add_version(tables: CopiedTables) -> None:
    """Add a version with an event type in a new channel, and a field on an old one."""
    tables.add("versions.tsv", schema_version=NEXT, released="2027-01-06")
    cells: dict[str, Any] = {"required": "yes", "pii": "no", "since": NEXT}
    tables.add(
        "event_types.tsv",
        event_type=FAX,
        family="message_engagement",
        since=NEXT,
        status="current",
    )
    user = {"event_type": FAX, "part": "user", "field": "user_id", "json_type": "string"}
    tables.add("event_fields.tsv", **user, **cells)
    tables.add("event_fields.tsv", **user | {"part": "properties", "field": "fax_pages"} | cells)
    tables.add(
        "event_fields.tsv",
        event_type=OPEN,
        part="properties",
        field="reading_time",
        json_type="number",
        required="no",
        pii="no",
        since=NEXT,
    )
    tables.add("field_values.tsv", field="fax_pages", values="one|two", open="no")


def problems(tables: CopiedTables) -> list[tuple[str, str]]:
    """Load invalid tables, and return the problems that are reported."""
    with pytest.raises(CatalogError) as caught:
        Catalog.load(directory=tables.directory)
    assert caught.value.directory == tables.directory.resolve()
    for place, message in caught.value.problems[:20]:
        assert f"\n  - {place + ': ' if place else ''}{message}" in str(caught.value)
    return [*caught.value.problems]


# What loads


def test_copied_tables_are_the_same(tables: CopiedTables) -> None:
    copied = Catalog.load(directory=tables.directory)
    assert dict(copied) == dict(NEWEST)
    assert Catalog.versions(tables.directory) == Catalog.versions()
    assert copied.directory == tables.directory.resolve()
    assert NEWEST.directory is None


def test_directory_is_loaded_once(tables: CopiedTables) -> None:
    catalog = Catalog.load(5, tables.directory)
    assert Catalog.load(5, str(tables.directory / ".." / "tables")) is catalog
    assert catalog != Catalog.load(5)
    assert catalog.newest() is Catalog.load(directory=tables.directory)
    assert copy.deepcopy(catalog) is pickle.loads(pickle.dumps(catalog)) is catalog


def test_new_version(tables: CopiedTables) -> None:
    add_version(tables)
    catalog = Catalog.load(directory=tables.directory)
    before, newest = Catalog.versions(tables.directory)[-2:]
    assert catalog.schema_version == newest.number == NEXT
    assert newest.event_types == before.event_types + 1 == len(catalog)
    assert newest.fields == before.fields + 3
    assert catalog.released.isoformat() == "2027-01-06"
    assert list(catalog) == sorted([*NEWEST, FAX])


def test_events_of_a_new_version(tables: CopiedTables) -> None:
    add_version(tables)
    catalog = Catalog.load(directory=tables.directory)
    event = good_event(catalog[FAX])
    assert event["properties"]["fax_pages"] == "one"
    assert check_event(catalog, event) == []
    [found] = check_event(Catalog.load(NEXT - 1, tables.directory), event)
    assert (found.code, found.expected) == (
        "not_in_schema_version",
        f"it was introduced in schema version {NEXT}",
    )
    [found] = check_event(NEWEST, event)
    assert found.code == "unknown_event_type"
    event["properties"]["fax_pages"] = "three"
    assert [found.code for found in check_event(catalog, event)] == ["unlisted_value"]


def test_missing_descriptions_are_derived(tables: CopiedTables) -> None:
    add_version(tables)
    catalog = Catalog.load(directory=tables.directory)
    assert catalog[FAX].description == f"An event of the type {FAX}."
    assert catalog[FAX].fields["properties.fax_pages"].description == "Fax pages."
    assert "Fax pages." in str(json_schema(catalog[FAX], NEXT))


@pytest.mark.parametrize("table", sorted(path.name for path in PACKAGED.glob("*.tsv")))
def test_missing_table_is_packaged(tables: CopiedTables, table: str) -> None:
    tables.remove(table)
    assert dict(Catalog.load(directory=tables.directory)) == dict(NEWEST)
    assert read_table(table, tables.directory) == read_table(table)
    assert all(row.packaged for row in read_table(table, tables.directory))


def test_unfit_packaged_rows_are_left_out(tmp_path: Path) -> None:
    for name in ("versions.tsv", "event_types.tsv"):
        rows = [row for row in read_table(name) if row.get("since", "1") == "1"][:3]
        lines = ["\t".join(rows[0]), *("\t".join(row.values()) for row in rows)]
        (tmp_path / name).write_text("\n".join(lines), "utf-8")
    catalog = Catalog.load(directory=tmp_path)
    assert catalog.schema_version == 3
    packaged = Catalog.load(3)
    assert dict(catalog) == {name: packaged[name] for name in catalog}


def test_rule_applies_to_fitting_fields(tables: CopiedTables) -> None:
    cells = {"event_type": OPEN, "part": "properties", "field": "content", "json_type": "object"}
    tables.add("event_fields.tsv", **cells, required="no", pii="no", since=NEWEST.schema_version)
    catalog = Catalog.load(directory=tables.directory)
    formats = {field.json_type: field.rule.format for field in catalog.fields["content"]}
    assert formats == {"object": "", "string": "json"}


def test_tables_of_spreadsheets(tables: CopiedTables) -> None:
    for path in tables.directory.iterdir():
        lines = [line.rstrip() for line in path.read_text("utf-8").splitlines()]
        path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join([*lines, ""]).encode())
    assert dict(Catalog.load(directory=tables.directory)) == dict(NEWEST)


def test_optional_since_may_be_missing(tables: CopiedTables) -> None:
    lines = tables.lines("event_fields.tsv")
    assert lines[0].endswith("\toptional_since")
    tables.write("event_fields.tsv", "\n".join(line.rpartition("\t")[0] for line in lines))
    catalog = Catalog.load(directory=tables.directory)
    assert not any(
        field.optional_since for each in catalog.values() for field in each.fields.values()
    )


def test_counts_of_versions_are_not_read(tables: CopiedTables) -> None:
    lines = ["\t".join(line.split("\t")[:2]) for line in tables.lines("versions.tsv")]
    tables.write("versions.tsv", "\n".join(lines))
    assert Catalog.versions(tables.directory) == Catalog.versions()


# What is reported


@pytest.mark.parametrize(
    ("directory", "message"),
    [
        ("", "the name of the directory is empty"),
        ("\0", "it is not a valid directory name"),
        (5, "it is not a valid directory name"),
        ("nowhere", "there is no such directory"),
        (PACKAGED / "versions.tsv", "it is not a directory"),
        (Path(__file__).parent, "it contains none of the tables "),
        ("x" * 5000, ""),
    ],
    ids=lambda value: str(value)[-20:],
)
def test_bad_directory(directory: Any, message: str) -> None:
    with pytest.raises(CatalogError, match=r"^the catalog in .* has 1 problem:") as caught:
        Catalog.load(directory=directory)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("table", "cells", "message"),
    [
        ("versions.tsv", {"schema_version": "x"}, "schema_version is 'x'; it must be a whole"),
        ("versions.tsv", {"schema_version": "0"}, "schema_version is '0'; it must be a whole"),
        ("versions.tsv", {"schema_version": 5}, "'5' is already in line 6"),
        ("versions.tsv", {"released": "soon"}, "released is 'soon'; it must be a date such as"),
        ("versions.tsv", {"released": ""}, "released is empty"),
        ("event_types.tsv", {"event_type": ""}, "event_type is empty"),
        ("event_types.tsv", {"event_type": OPEN}, f"'{OPEN}' is already in line "),
        ("event_types.tsv", {"family": ""}, "family is empty"),
        ("event_types.tsv", {"since": "99"}, "since is 99, which versions.tsv does not have"),
        ("event_types.tsv", {"status": "new"}, "status is 'new'; it must be current or beta or"),
        (
            "event_fields.tsv",
            {"event_type": "users.messages.email.Opne"},
            f"Opne', which event_types.tsv does not have; did you mean '{OPEN}'",
        ),
        ("event_fields.tsv", {"part": "users"}, "part is 'users'; it must be user or properties"),
        ("event_fields.tsv", {"field": ""}, "field is empty"),
        ("event_fields.tsv", {"json_type": "text"}, "json_type is 'text'; it must be string or"),
        ("event_fields.tsv", {"required": "true"}, "required is 'true'; it must be yes or no"),
        ("event_fields.tsv", {"pii": ""}, "pii is ''; it must be yes or no"),
        ("event_fields.tsv", {"since": "1.5"}, "since is '1.5'; it must be a whole number"),
        ("event_fields.tsv", {"since": "99"}, "since is 99, which versions.tsv does not have"),
        ("event_fields.tsv", {"optional_since": "99"}, "optional_since is 99, which"),
        ("event_fields.tsv", {"optional_since": 1}, "optional_since is 1; it must be later than"),
        ("event_fields.tsv", {"optional_since": 2, "required": "yes"}, "cannot have yes in"),
        ("event_fields.tsv", {"field": "campaign_id"}, "campaign_id' is already in line "),
        (
            "event_fields.tsv",
            {"event_type": "users.profile.Update"},
            "since is 1, but users.profile.Update was introduced in 7",
        ),
        ("fields.tsv", {"field": ""}, "field is empty"),
        ("fields.tsv", {"field": "price"}, "'price' is already in line "),
        ("field_values.tsv", {"field": "prise"}, "event_fields.tsv does not have; did you mean"),
        ("field_values.tsv", {"field": "duration"}, "'duration' is already in line "),
        ("field_values.tsv", {"event_type": OPEN}, f"'{OPEN}' has no field price"),
        ("field_values.tsv", {"format": "uuuid"}, "format is 'uuuid'; it must be uuid or"),
        ("field_values.tsv", {"format": "uuid"}, "uuid does not fit a field of type number"),
        ("field_values.tsv", {"format": ""}, "the row has neither a format nor values"),
        ("field_values.tsv", {"open": "maybe"}, "open is 'maybe'; it must be yes or no"),
        (
            "field_values.tsv",
            {"field": "retry_count", "values": "1|x", "format": ""},
            "1|x does not fit a field of type integer",
        ),
    ],
)
def test_bad_cell(tables: CopiedTables, table: str, cells: dict[str, object], message: str) -> None:
    good: dict[str, dict[str, object]] = {
        "versions.tsv": {"schema_version": NEXT, "released": "2027-01-06"},
        "event_types.tsv": {"event_type": FAX, "family": "user", "since": 1, "status": "beta"},
        "event_fields.tsv": {
            "event_type": OPEN,
            "part": "properties",
            "field": "fax_pages",
            "json_type": "string",
            "required": "no",
            "pii": "no",
            "since": 1,
        },
        "fields.tsv": {"field": "fax_pages", "description": "How many pages it has."},
        "field_values.tsv": {"field": "price", "format": "seconds", "open": "yes"},
    }
    place = tables.add(table, **good[table] | cells)
    [(found, text)] = problems(tables)
    assert found == place
    assert message in text


def test_versions_out_of_order(tables: CopiedTables) -> None:
    header, first, second, *rest = tables.lines("versions.tsv")
    tables.write("versions.tsv", "\n".join([header, second, first, *rest]))
    assert ("versions.tsv:3", "version 1 comes after version 2") in problems(tables)


@pytest.mark.parametrize("table", ["versions.tsv", "event_types.tsv"])
def test_table_without_rows(tables: CopiedTables, table: str) -> None:
    tables.write(table, tables.lines(table)[0])
    assert (table, "the table has no rows") in problems(tables)


def test_missing_columns(tables: CopiedTables) -> None:
    tables.write("event_types.tsv", "event_type\tstatus\n")
    tables.write("versions.tsv", "")
    assert problems(tables) == [
        ("versions.tsv:1", "the header lacks schema_version, released"),
        ("event_types.tsv:1", "the header lacks family, since"),
    ]


def test_broken_rows_and_headers(tables: CopiedTables) -> None:
    place = tables.add("fields.tsv", field="fax\tmore\tcells")
    header, *rest = tables.lines("versions.tsv")
    tables.write("versions.tsv", "\n".join([f"{header}\tfields", *rest]))
    assert problems(tables) == [
        ("versions.tsv:1", "the header repeats 'fields'"),
        (place, "the row has 4 cells; the header has 2"),
    ]


def test_table_that_is_not_text(tables: CopiedTables) -> None:
    (tables.directory / "fields.tsv").write_bytes(b"field\tdescription\n\xff\n")
    assert problems(tables) == [("fields.tsv", "is not UTF-8 text")]


def test_all_problems_at_once(tables: CopiedTables) -> None:
    places = [
        tables.add("event_types.tsv", event_type=f"a.{number}", family="user", since="x")
        for number in range(30)
    ]
    found = problems(tables)
    assert {place for place, _ in found} == set(places)
    assert len(found) == 2 * len(places)
    with pytest.raises(CatalogError, match=f"has {len(found)} problems:") as caught:
        Catalog.versions(tables.directory)
    assert str(caught.value).endswith(f"\n  - and {len(found) - 20} more")


def test_bad_event_type_is_reported_once(tables: CopiedTables) -> None:
    add_version(tables)
    lines = tables.lines("event_types.tsv")
    tables.write("event_types.tsv", "\n".join([*lines[:-1], lines[-1].replace("current", "new")]))
    assert [place for place, _ in problems(tables)] == [f"event_types.tsv:{len(lines)}"]


def test_corrected_tables_load(tables: CopiedTables) -> None:
    good = "\n".join(tables.lines("versions.tsv"))
    tables.write("versions.tsv", "")
    assert problems(tables)
    tables.write("versions.tsv", good)
    assert Catalog.load(directory=tables.directory).schema_version == NEWEST.schema_version


def test_unknown_table(tables: CopiedTables) -> None:
    with pytest.raises(CatalogError, match=r"nothing\.tsv: cannot be read: No such file"):
        read_table("nothing.tsv", tables.directory)
