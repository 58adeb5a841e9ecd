"""Schema versions: how many there are and what changes between them."""

from __future__ import annotations

import datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given

from currents_export.catalog import Catalog, read_table
from currents_export.errors import CurrentsExportError, UnknownNameError
from tests.support.strategies import garbage

NEWEST = Catalog.load()
NUMBERS = [each.number for each in Catalog.versions()]
ROWS = {int(row["schema_version"]): row for row in read_table("versions.tsv")}


def test_versions_are_those_of_the_table() -> None:
    assert NUMBERS == list(ROWS) == list(range(1, NUMBERS[-1] + 1))


@pytest.mark.parametrize("number", NUMBERS)
def test_counts_agree_with_the_table(number: int) -> None:
    version, row = Catalog.versions()[number - 1], ROWS[number]
    assert str(version.event_types) == row["event_types"]
    assert str(version.fields) == row["fields"]


@pytest.mark.parametrize("number", NUMBERS)
def test_catalog_has_what_its_version_counts(number: int) -> None:
    catalog, version = Catalog.load(number), Catalog.versions()[number - 1]
    assert catalog.schema_version == version.number
    assert catalog.released == version.released
    assert len(catalog) == version.event_types
    assert sum(len(each.fields) for each in catalog.event_types) == version.fields


def test_releases_are_in_order() -> None:
    days = [each.released for each in Catalog.versions()]
    assert days == sorted(set(days))
    assert days == [datetime.date.fromisoformat(row["released"]) for row in ROWS.values()]


@pytest.mark.parametrize(("before", "number"), list(pairwise(NUMBERS)))
def test_nothing_is_removed(before: int, number: int) -> None:
    older, newer = Catalog.load(before), Catalog.load(number)
    for name in older:
        assert older[name].fields.keys() <= newer[name].fields.keys()


@pytest.mark.parametrize("number", NUMBERS)
def test_nothing_comes_early(number: int) -> None:
    for each in Catalog.load(number).event_types:
        assert each.since <= number
        assert all(each.since <= field.since <= number for field in each.fields.values())


@pytest.mark.parametrize(("before", "number"), list(pairwise(NUMBERS)))
def test_fields_change_only_by_becoming_optional(before: int, number: int) -> None:
    older, newer = Catalog.load(before), Catalog.load(number)
    for name in older:
        for path, field in older[name].fields.items():
            same = field == newer[name].fields[path]
            assert same == (field.optional_since != number), path


CHANGED = [
    (each.name, field.path)
    for each in NEWEST.event_types
    for field in each.fields.values()
    if field.optional_since
]


def test_some_fields_became_optional() -> None:
    assert {
        ("users.messages.whatsapp.InboundReceive", "properties.user_phone_number"),
        ("users.messages.rcs.InboundReceive", "user.user_id"),
    } <= set(CHANGED)


@pytest.mark.parametrize(("name", "path"), CHANGED)
def test_field_becomes_optional(name: str, path: str) -> None:
    optional_since = NEWEST[name].fields[path].optional_since
    assert optional_since is not None
    for number in range(NEWEST[name].fields[path].since, NUMBERS[-1] + 1):
        assert Catalog.load(number)[name].fields[path].required == (number < optional_since)


def test_newest_is_the_default() -> None:
    assert NEWEST.schema_version == NUMBERS[-1]
    assert NEWEST.newest() is Catalog.load(1).newest() is NEWEST


def test_each_version_is_loaded_once() -> None:
    assert all(Catalog.load(number) is Catalog.load(number) for number in NUMBERS)
    assert Catalog.load() is Catalog.load(NUMBERS[-1])


@pytest.mark.parametrize(
    "number", [0, NUMBERS[-1] + 1, -1, True, 10.0, "10", [], {}, 10**5000], ids=type
)
def test_unknown_version(number: Any) -> None:
    message = f"is not known; the known versions are 1 to {NUMBERS[-1]}"
    with pytest.raises(UnknownNameError, match=message) as caught:
        Catalog.load(number)
    assert caught.value.nearest == ()
    assert isinstance(caught.value, CurrentsExportError)


@given(garbage.filter(lambda value: value is not None and value not in NUMBERS))
def test_garbage_is_an_unknown_version(number: Any) -> None:
    with pytest.raises(UnknownNameError):
        Catalog.load(number)
