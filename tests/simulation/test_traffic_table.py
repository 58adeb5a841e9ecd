"""`traffic.tsv`: weights, audience rules and messages; unusual tables work, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from currents_export.catalog import Catalog, read_table
from currents_export.errors import CatalogError
from currents_export.simulation import SAMPLE_TIME, World
from tests.support.newer import REVIEW, add_newer_version
from tests.support.planned import PlannedEvents
from tests.support.tables import CopiedTables

SEND = "users.messages.email.Send"
HEADER = "event_type\tweight\tplatforms\ton_device\tdevice_has\tchannels\tcampaign\tmessages"


def catalog_of(tables: CopiedTables, *rows: str) -> Catalog:
    tables.write("traffic.tsv", "\n".join((HEADER, *rows)) + "\n")
    return Catalog.load(directory=tables.directory)


def world_of(tables: CopiedTables, *rows: str, users: int = 30) -> World:
    return World(1, users=users, catalog=catalog_of(tables, *rows))


def types_of(world: World) -> set[str]:
    """Return the types of three days of traffic."""
    events = world.events(start=SAMPLE_TIME, until=SAMPLE_TIME + 3 * 86_400)
    return {event.event_type for event in events}


def test_every_row_matches_some_type() -> None:
    """A row from which no type takes a cell is a mistake; a row with `*` is for future types."""
    from fnmatch import fnmatchcase

    for row in read_table("traffic.tsv"):
        matched = [name for name in Catalog.load() if fnmatchcase(name, row["event_type"])]
        assert matched, row["event_type"]


def test_weights_of_types_without_a_journey(tmp_path: Path) -> None:
    """The table decides how often types happen that no journey knows, and nothing else."""
    types = {}
    for weight in (0, 500):
        tables = CopiedTables(tmp_path / str(weight))
        add_newer_version(tables)
        types[weight] = types_of(world_of(tables, f"{REVIEW}\t{weight}"))
    assert types[500] - types[0] == {REVIEW}
    assert len(types[0]) > 40


def test_empty_table(tables: CopiedTables) -> None:
    assert len(types_of(world_of(tables))) > 40


def test_audience_rules(tables: CopiedTables) -> None:
    row = "users.behaviors.app.*\t1\tios\t1\tpush_token"
    planned = PlannedEvents(catalog_of(tables, row), users=200)
    owned = {device.id: device for user in planned.users for device in user.devices}
    for event in planned.of("users.behaviors.app.SessionStart", 300):
        device = owned[event.user["device_id"]]
        assert device.platform == "ios"
        assert device.push_token


@pytest.mark.parametrize(
    "row",
    [
        "*\t1\troku\t1\tpush_token",
        "*\t1\t*\t0\t-\t*\t0",
        "*\t1\t*\t1\t-\t*\t1\tcontrol",
        "*\t1\t*\t1\t-\t*\t1\tentry",
    ],
)
def test_odd_rules_still_make_events(tables: CopiedTables, row: str) -> None:
    world = world_of(tables, row, users=2)
    planned = PlannedEvents(world.catalog, users=2)
    for name in world.catalog:
        assert len(list(planned.of(name, 20))) == 20
        world.sample(name)
        world.sample(name, canvas=True)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("*\tmany", "weight is 'many'; it must be a number of 0 or more"),
        ("*\t-1", "weight is '-1'; it must be a number of 0 or more"),
        ("*\tnan", "weight is 'nan'; it must be a number of 0 or more"),
        ("*\t1\tandriod", "platforms is 'andriod'; 'andriod' is unknown; did you mean 'android'?"),
        ("*\t1\t*\t1.5", "on_device is '1.5'; it must be a number from 0 to 1"),
        ("*\t1\t*\t1\tpush_tokn", "'push_tokn' is unknown; did you mean 'push_token'"),
        ("*\t1\t*\t1\t-\temial", "'emial' is unknown; did you mean 'email'?"),
        ("*\t1\t*\t1\t-\t*\t1\tall", "messages is 'all'; it must be sent or control or entry"),
        (f"{SEND}x\t1", f"event_type '{SEND}x' matches no event type; did you mean '{SEND}'"),
    ],
)
def test_unusable_cells(tables: CopiedTables, row: str, message: str) -> None:
    with pytest.raises(CatalogError) as caught:
        world_of(tables, row)
    [(place, problem)] = caught.value.problems
    assert place == "traffic.tsv:2"
    assert message in problem
    assert caught.value.directory == tables.directory


def test_all_problems_are_listed_together(tables: CopiedTables) -> None:
    tables.write("traffic.tsv", f"event_type\tweihgt\tweight\n*\t1\t-1\n{SEND}s\t\t2\n")
    place = tables.add("channels.tsv", channel="emial", label="Email", name="email")
    with pytest.raises(CatalogError) as caught:
        World(1, users=3, catalog=Catalog.load(directory=tables.directory))
    assert [place for place, _ in caught.value.problems] == [
        place,
        "traffic.tsv:2",
        "traffic.tsv:2",
        "traffic.tsv:3",
    ]
    assert "there is no column 'weihgt'; did you mean 'weight'?" in str(caught.value)


def test_unknown_channel(tables: CopiedTables) -> None:
    place = tables.add("channels.tsv", channel="emial", label="Email", name="email")
    with pytest.raises(CatalogError, match="channel 'emial' is in no event type") as caught:
        World(1, users=3, catalog=Catalog.load(directory=tables.directory))
    assert caught.value.problems[0][0] == place


def test_packaged_rows_may_match_nothing(tables: CopiedTables) -> None:
    """A catalog of a few types may do without a table of its own."""
    for name in ("traffic.tsv", "channels.tsv"):
        tables.remove(name)
    header, *rows = tables.lines("event_types.tsv")
    tables.write("event_types.tsv", "\n".join([header, *[r for r in rows if r.startswith(SEND)]]))
    header, *rows = tables.lines("event_fields.tsv")
    fields = [row for row in rows if row.startswith(f"{SEND}\t")]
    tables.write("event_fields.tsv", "\n".join([header, *fields]))
    for name in ("field_values.tsv", "fields.tsv"):
        tables.write(name, tables.lines(name)[0] + "\n")
    world = World(1, users=30, catalog=Catalog.load(directory=tables.directory))
    assert types_of(world) == {SEND}
