"""No value makes the check itself fail."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.catalog import Catalog, check_event
from tests.support.events import OPEN, event, good_event
from tests.support.findings import found_in
from tests.support.strategies import Hostile, Unshowable, garbage

NEWEST = Catalog.load()
FIRST = Catalog.load(1)

paths = st.sampled_from([*NEWEST[OPEN].fields, "properties.unknown", "user.unknown", "user"])
values = garbage | st.sampled_from([Hostile([1]), Unshowable()])


@pytest.mark.parametrize(
    "key", [1, None, (), 10**5000, Unshowable()], ids=["1", "None", "()", "long", "no repr"]
)
def test_key_that_is_not_text(key: Any) -> None:
    event = good_event(NEWEST[OPEN])
    event["properties"][key] = 1
    assert [found.code for found in found_in(event)] == ["unknown_field"]
    top: dict[Any, Any] = good_event(NEWEST[OPEN])
    top[key] = 1
    assert [found.code for found in found_in(top)] == ["unknown_key"]


@given(values)
def test_garbage_as_an_event(value: Any) -> None:
    assert any(found.level == "error" for found in check_event(NEWEST, value))


@given(st.dictionaries(paths, values, max_size=3), st.sampled_from([FIRST, NEWEST]))
def test_garbage_in_an_event(found: dict[str, Any], catalog: Catalog) -> None:
    event = good_event(NEWEST[OPEN])
    for path, value in found.items():
        part, _, name = path.partition(".")
        if name and isinstance(event[part], dict):
            event[part][name] = value
        else:
            event[part] = value
    for each in check_event(catalog, event):
        assert str(each).startswith((f"error: {OPEN}", f"warning: {OPEN}"))


@given(values, values, values, values)
def test_garbage_at_the_top(a: Any, b: Any, c: Any, d: Any) -> None:
    event = {"event_type": a, "id": b, "time": c, "user": d, "properties": a}
    assert all(str(found) for found in check_event(NEWEST, event))


def test_value_that_contains_itself() -> None:
    circular: dict[str, Any] = {}
    circular["a"] = [circular, circular]
    event = good_event(NEWEST["users.behaviors.CustomEvent"])
    event["properties"]["custom_properties"] = circular
    assert found_in(event) == []


def test_values_that_are_not_json() -> None:
    properties: dict[Any, Any] = {"campaign_name": {1, 2}, (): object()}
    found = found_in(attrs.evolve(event(), properties=properties))
    assert ("wrong_type", "properties.campaign_name") in [each[:2] for each in found]
