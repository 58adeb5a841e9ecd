"""Every listed value is generated, also one that only the tables know."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from currents_export.catalog import Catalog, Field, check_event
from currents_export.events import Event
from currents_export.simulation import World
from currents_export.simulation._data import read_rows, split
from tests.support.tables import CopiedTables

START = 1_782_907_200
NEWEST = Catalog.load()
#: Events drawn per type; a new value of a field that an event seldom has needs many.
COUNT = 3_000


def listed_fields(catalog: Catalog) -> dict[tuple[str, str], Field]:
    return {
        (each.name, field.path): field
        for each in catalog.event_types
        for field in each.fields.values()
        if field.rule.values and field.json_type in ("string", "integer")
    }


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """The newest catalog, with one more value in every listed set."""
    tables = CopiedTables(tmp_path_factory.mktemp("values"))
    header, *rows = tables.lines("field_values.tsv")
    columns = header.split("\t")
    changed = []
    for row in rows:
        cells = dict(zip(columns, row.split("\t"), strict=True))
        if cells["values"]:
            more = "99" if cells["values"].split("|")[0].isdecimal() else "brand_new"
            cells["values"] += f"|{more}"
        changed.append("\t".join(cells[name] for name in columns))
    tables.write("field_values.tsv", "\n".join([header, *changed]) + "\n")
    return Catalog.load(directory=tables.directory)


def value_of(event: Event, path: str) -> object:
    part, _, name = path.partition(".")
    return getattr(event, part).get(name)


def test_new_values_are_generated(catalog: Catalog) -> None:
    fields = listed_fields(catalog)
    world = World(1, users=300, catalog=catalog)
    missing = set()
    # One event type for each field shows it; a field's rule is mostly the same in all types.
    by_field = {field.name: key for key, field in fields.items()}
    for name, path in by_field.values():
        values = {
            value_of(each, path)
            for each in islice(world.events(event_types=[name], start=START), COUNT)
        }
        if not values & {"brand_new", 99}:
            missing.add((name, path))
    assert missing == set()


def test_events_with_new_values_are_valid(catalog: Catalog) -> None:
    events = islice(World(1, users=300, catalog=catalog).events(start=START), 5_000)
    assert [found for each in events for found in check_event(catalog, each)] == []


def test_packaged_values_are_handled() -> None:
    handled = {
        row["field"]: {*split(row["values"])} for row in read_rows("fields", "handled_values.tsv")
    }
    listed: dict[str, set[str]] = {}
    for field in listed_fields(NEWEST).values():
        listed.setdefault(field.name, set()).update(field.rule.values)
    assert handled.keys() <= listed.keys()
    for name, values in handled.items():
        assert values == listed[name], name


def test_packaged_values_are_unchanged(tmp_path: Path) -> None:
    """Values that the sources take into account are not drawn a second time."""
    copied = Catalog.load(directory=CopiedTables(tmp_path).directory)
    packaged = islice(World(2, users=50).events(start=START), 200)
    same = islice(World(2, users=50, catalog=copied).events(start=START), 200)
    assert list(packaged) == list(same)
