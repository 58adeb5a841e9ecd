"""Placeholders: values that match only the data type."""

from __future__ import annotations

import pytest

from currents_export.catalog import Catalog, check_event
from currents_export.simulation import SAMPLE_TIME, World
from tests.support.traffic import VERSIONS, unfilled

OPEN = "users.messages.email.Open"


@pytest.mark.parametrize("version", VERSIONS)
def test_all_fields_without_errors(version: int) -> None:
    catalog = Catalog.load(version)
    world = World(users=1, catalog=catalog)
    for each in catalog.event_types:
        event = world.placeholder(each)
        assert not unfilled(each, event)
        assert [found for found in check_event(catalog, event) if found.level == "error"] == []


def test_text_is_the_field_name() -> None:
    event = World(users=1).placeholder(OPEN)
    assert event.properties["campaign_name"] == "campaign_name"
    assert event.user["external_user_id"] == "external_user_id"
    assert event.time == SAMPLE_TIME


def test_types_have_own_ids() -> None:
    world = World(users=1)
    events = [*map(world.placeholder, world.catalog), world.placeholder(OPEN, time=1)]
    assert len({event.id for event in events}) == len(events)
    assert not {event.id for event in events} & {world.sample(name).id for name in world.catalog}
