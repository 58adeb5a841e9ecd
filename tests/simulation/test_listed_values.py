"""Every listed value is generated, also one that only the tables know."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path

import pytest

from currents_export.catalog import Catalog, EventType, Field, check_event
from currents_export.events import Event
from currents_export.simulation import SAMPLE_TIME, World
from currents_export.simulation._data import read_rows, split
from currents_export.simulation.fields import source_of, unhandled_values
from tests.support.planned import PlannedEvents
from tests.support.tables import CopiedTables
from tests.support.traffic import NEWEST, RARE

#: Events drawn per type; a new value of a field that an event seldom has needs many.
COUNT = 3_000

HANDLED = read_rows("fields", "handled_values.tsv")
NEW = {"brand_new", 99}


def listed_fields(event_type: EventType) -> list[Field]:
    return [field for field in event_type.fields.values() if field.rule.values]


LISTED = [each.name for each in NEWEST.event_types if listed_fields(each)]


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


@pytest.fixture(scope="module")
def newer(catalog: Catalog) -> PlannedEvents:
    return PlannedEvents(catalog)


def values_of(tables: CopiedTables, event_type: str, name: str) -> set[object]:
    planned = PlannedEvents(Catalog.load(directory=tables.directory))
    return {
        value
        for event in planned.of(event_type, COUNT)
        for part in (event.user, event.properties)
        if (value := part.get(name)) is not None
    }


#: What only a journey decides.
FACTS = {"users.messages.email.Open": {"machine_open": "true"}}


@pytest.mark.parametrize("event_type", LISTED)
def test_new_values_are_generated(catalog: Catalog, newer: PlannedEvents, event_type: str) -> None:
    missing = {field.path: field for field in listed_fields(catalog[event_type])}
    for event in newer.of(event_type, COUNT, FACTS.get(event_type, {})):
        assert check_event(catalog, event) == []
        for path, field in list(missing.items()):
            if getattr(event, field.part).get(field.name) in NEW:
                del missing[path]
        if not missing:
            return
    assert missing == {}


def test_lives_have_new_values(catalog: Catalog) -> None:
    """What a journey decides does not keep new values out."""
    seen: Counter[tuple[str, str]] = Counter()
    new = set()
    world = World(1, users=200, catalog=catalog)
    for event in world.events(start=SAMPLE_TIME, until=SAMPLE_TIME + 14 * 86_400):
        assert check_event(catalog, event) == []
        for field in listed_fields(catalog[event.event_type]):
            value = getattr(event, field.part).get(field.name)
            if value is not None:
                seen[event.event_type, field.path] += 1
                if value in NEW:
                    new.add((event.event_type, field.path))
    # Most aborts are decided by frequency caps.
    frequent = {key for key, count in seen.items() if count > 100 and "abort" not in key[1]}
    assert len(frequent) > 15
    assert frequent <= new


def test_new_abort_type_has_a_log(newer: PlannedEvents) -> None:
    aborts = [each.properties for each in newer.of("users.messages.sms.Abort", COUNT)]
    logs = {each["abort_log"] for each in aborts if each["abort_type"] == "brand_new"}
    assert logs == {"Aborted: brand_new"}


def test_value_of_another_type(tables: CopiedTables) -> None:
    """A value is new to an event type even if it is known from another one."""
    status, name = "subscription_status", "users.behaviors.subscriptiongroup.StateChange"
    values = "Subscribed|Unsubscribed|Opted In"
    tables.add("field_values.tsv", event_type=name, field=status, values=values, open="no")
    assert "Opted In" in values_of(tables, name, status)


@pytest.mark.parametrize(
    ("event_type", "field"),
    [
        ("users.messages.email.Retry", "retry_type"),
        ("users.messages.banner.Impression", "banner_placement_id"),
        ("users.profile.Update", "language"),
        ("agentconsole.AgentExecuted", "invocation_source"),
        ("users.behaviors.CustomEvent", "external_user_id"),
    ],
)
def test_newly_listed_field(tables: CopiedTables, event_type: str, field: str) -> None:
    """If a field gets its first list, and no other value is allowed, it has only listed values."""
    tables.add("field_values.tsv", field=field, values="one|two", open="no")
    assert values_of(tables, event_type, field) == {"one", "two"}


def test_packaged_values_are_handled() -> None:
    unhandled = [
        found
        for each in NEWEST.event_types
        for field in each.fields.values()
        if source_of(each.name, field.name) and (found := unhandled_values(each.name, field))
    ]
    assert unhandled == []


@pytest.mark.parametrize("row", HANDLED, ids=lambda row: f"{row['event_type']}: {row['field']}")
def test_handled_values_are_listed(row: dict[str, str]) -> None:
    fields = [
        field
        for each in NEWEST.event_types
        for field in listed_fields(each)
        if field.name == row["field"] and fnmatchcase(each.name, row["event_type"])
    ]
    listed = {value for field in fields for value in field.rule.values}
    assert listed
    assert row["values"] == "*" or {*split(row["values"])} <= listed


#: Generated values of open sets, which the tables do not list.
UNLISTED = {
    ("users.behaviors.subscriptiongroup.StateChange", "channel"): {"line", "rcs"},
    ("users.messages.liveactivity.Outcome", "live_activity_event_outcome"): {
        *("BadDeviceToken", "ExpiredToken", "TooManyRequests", "Unregistered"),
    },
}


def test_generated_values_are_listed(traffic: list[Event]) -> None:
    """In open sets, too, values are those of the tables, with few exceptions."""
    listed = {
        (each.name, field.path): {*field.rule.values} | UNLISTED.get((each.name, field.name), set())
        for each in NEWEST.event_types
        for field in listed_fields(each)
    }
    seen = {
        (event.event_type, f"{part}.{name}", str(value))
        for event in traffic
        for part, values in (("user", event.user), ("properties", event.properties))
        for name, value in values.items()
        if (event.event_type, f"{part}.{name}") in listed and value is not None
    }
    assert {key for key in seen if key[2] not in listed[key[:2]]} == set()
    assert {name for name, _, _ in seen} >= {*LISTED} - RARE


def test_packaged_values_are_unchanged(tmp_path: Path) -> None:
    """Values that the sources take into account are not drawn a second time."""
    copied = Catalog.load(directory=CopiedTables(tmp_path).directory)
    packaged = islice(World(2, users=50).events(start=SAMPLE_TIME), 200)
    same = islice(World(2, users=50, catalog=copied).events(start=SAMPLE_TIME), 200)
    assert list(packaged) == list(same)
