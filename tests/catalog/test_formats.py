"""Formats, and the values that match them."""

from __future__ import annotations

import zoneinfo
from typing import Any

import pytest

from currents_export.catalog import FORMATS, Format
from tests.support.events import EVENT_ID


def matches(name: str, value: Any) -> bool:
    check = FORMATS[name].matches
    assert check is not None
    return bool(check(value))


@pytest.mark.parametrize("each", FORMATS.values(), ids=lambda each: each.name)
def test_example_has_the_format(each: Format) -> None:
    assert each.matches is None or each.matches(each.example)
    assert isinstance(each.example, str if each.json_types == ("string",) else int)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("uuid", EVENT_ID),
        ("uuid", EVENT_ID.upper()),
        ("ascii64", "x" * 64),
        ("ascii64", "summer_sale_blast"),
        ("timezone", "UTC"),
        ("timezone", "Etc/GMT+5"),
        ("timezone", "America/Argentina/Ushuaia"),
        ("timezone", "America/Port-au-Prince"),
        ("iso_date", "1996-04-13"),
        ("iso_date", "1996-04-13T00:00:00.000+00:00"),
        ("iso_date", "1996-04-13T00:00:00Z"),
        ("json", "5"),
        ("json", "[]"),
        ("json_object", "{}"),
        ("json_strings", "[]"),
        ("json_strings", '["a","b"]'),
        ("unix_seconds", 1_782_907_200),
        ("unix_milliseconds", 1_782_907_200_000),
    ],
)
def test_values_of_a_format(name: str, value: Any) -> None:
    assert matches(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("uuid", ""),
        ("uuid", EVENT_ID + "\n"),
        ("object_id", "5f3c0e1a9b8d7c6e5f4a3b2"),
        ("ascii64", "x" * 65),
        ("ascii64", "é"),
        ("e164", "+0123"),
        ("timezone", ""),
        ("timezone", "New York"),
        ("timezone", "/x"),
        ("timezone", "Etc/"),
        ("iso_date", "13.04.1996"),
        ("iso_date", "1996-13-04"),
        ("iso_date", "1996-04-13T"),
        ("json", "{"),
        ("json", "NaN"),
        ("json", "[" * 9999),
        ("json_object", "[]"),
        ("json_strings", "[1]"),
        ("json_strings", '"a"'),
        ("unix_seconds", 1_782_907_200_000),
        ("unix_seconds", 0),
        ("unix_milliseconds", 1_782_907_200),
    ],
)
def test_values_without_a_format(name: str, value: Any) -> None:
    assert not matches(name, value)


def test_time_zones_of_this_machine() -> None:
    assert all(matches("timezone", zone) for zone in zoneinfo.available_timezones())
