"""The data files: everything that they name exists."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from currents_export.catalog import read_table
from currents_export.simulation import World
from currents_export.simulation._data import read_rows, split
from currents_export.simulation.fields import MAKERS, reader
from tests.support.traffic import NEWEST

SOURCES = read_rows("fields", "sources.tsv")


@pytest.mark.parametrize("row", SOURCES, ids=lambda row: f"{row['event_type']}: {row['source']}")
def test_sources(world: World, row: dict[str, str]) -> None:
    user = world.users[0]
    things = {"workspace": world, "user": user, "device": user.devices[0]}
    if row["source"] in things:
        reader(row["path"])(things[row["source"]])
    elif row["source"] == "maker":
        assert row["path"] in MAKERS
    elif row["source"] == "chance":
        assert 0 < float(row["path"]) <= 1
    else:
        assert row["source"] in ("message", "constant")


def test_every_maker_is_used() -> None:
    assert {row["path"] for row in SOURCES if row["source"] == "maker"} == set(MAKERS)


@pytest.mark.parametrize("row", SOURCES, ids=lambda row: f"{row['event_type']}: {row['source']}")
def test_every_row_fills_something(row: dict[str, str]) -> None:
    named = {
        field.name
        for each in NEWEST.event_types
        if fnmatchcase(each.name, row["event_type"])
        for field in each.fields.values()
    }
    assert set(row["fields"].split()) <= named


def test_channels_are_real() -> None:
    types = {name.split(".")[2] for name in NEWEST if name.startswith("users.messages.")}
    channels = {row["channel"] for row in read_table("channels.tsv")}
    assert channels <= types
    for table in ("aborts.tsv", "subscription_sources.tsv"):
        names = {name for row in read_rows("fields", table) for name in split(row["channels"])}
        assert names <= channels | {"*", "push"}


def test_abort_types_are_listed() -> None:
    listed = {
        value
        for each in NEWEST.select("*.Abort")
        for value in each.fields["properties.abort_type"].rule.values
    }
    assert {row["abort_type"] for row in read_rows("fields", "aborts.tsv")} == listed
