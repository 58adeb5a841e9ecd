"""A schema version that the code does not know: default makers fill its types and channels."""

from __future__ import annotations

from itertools import islice

import pytest

from currents_export.catalog import FORMATS, Catalog, Field, ValueRule, check_event
from currents_export.simulation import SAMPLE_TIME, World
from currents_export.simulation.fields import Draft, default_maker
from tests.support.newer import JSON_TYPES, NEW_VALUES, SEND, add_newer_version
from tests.support.tables import CopiedTables
from tests.support.traffic import unfilled


@pytest.fixture
def newer(tables: CopiedTables) -> Catalog:
    add_newer_version(tables)
    return Catalog.load(directory=tables.directory)


@pytest.mark.parametrize("users", [1, 40])
def test_events_conform(newer: Catalog, users: int) -> None:
    world = World(3, users=users, catalog=newer)
    for each in newer.event_types:
        for event in islice(world.events(event_types=[each], start=SAMPLE_TIME), 40):
            assert check_event(newer, event) == []


def test_both_sides_fill_every_field(newer: Catalog) -> None:
    world = World(3, users=40, catalog=newer)
    for each in newer.event_types:
        first, second = world.sample(each), world.sample(each, canvas=True)
        assert not unfilled(each, first, second), each.name
        assert check_event(newer, first) == check_event(newer, second) == []


def test_placeholders_fill_every_field(newer: Catalog) -> None:
    world = World(3, users=40, catalog=newer)
    for each in newer.event_types:
        event = world.placeholder(each)
        assert not unfilled(each, event)
        assert [found for found in check_event(newer, event) if found.level == "error"] == []


def test_new_channel_has_messages(newer: Catalog) -> None:
    world = World(3, users=40, catalog=newer)
    campaigns = {each.id: each for each in world.campaigns if each.channel == "telepathy"}
    events = list(islice(world.events(event_types=[SEND], start=SAMPLE_TIME), 300))
    first = [event.properties for event in events if "campaign_id" in event.properties]
    second = [event.properties for event in events if "canvas_id" in event.properties]
    assert len(first) + len(second) == len(events)
    assert min(len(first), len(second)) > 60
    for properties in first:
        campaign = campaigns[properties["campaign_id"]]
        assert properties["campaign_name"] == campaign.name
        assert properties["message_variation_id"] in {each.id for each in campaign.variations}
        assert properties["dispatch_id"]


def test_new_values_occur(newer: Catalog) -> None:
    world = World(3, users=40, catalog=newer)

    def values(event_type: str, field: str) -> set[str]:
        events = islice(world.events(event_types=[event_type], start=SAMPLE_TIME), 900)
        return {str(event.properties.get(field)) for event in events}

    assert values(SEND, "brain_wave") == {"alpha", "beta"}
    for _, event_type, field, _, new in NEW_VALUES:
        assert new in values(event_type, field), field


def test_new_channel_changes_no_other(newer: Catalog) -> None:
    world, before = World(3, users=20, catalog=newer), World(3, users=20)
    assert list(world.users) == list(before.users)
    assert world.agents == before.agents
    assert [each for each in world.campaigns if each.channel != "telepathy"] == list(
        before.campaigns
    )


def test_named_channel(newer: Catalog, tables: CopiedTables) -> None:
    tables.add(
        "channels.tsv",
        channel="telepathy",
        label="Telepathy",
        name="mind",
        campaigns="Sweet Dreams|Spring Sale",
        fields="new_0",
    )
    world = World(5, users=20, catalog=Catalog.load(directory=copy_of(tables)))
    names = {each.name for each in world.campaigns if each.channel == "telepathy"}
    assert {name.partition(" \u2013 ")[0] for name in names} == {"Sweet Dreams", "Spring Sale"}
    assert all(" \u2013 Telepathy \u2013 " in name for name in names)


def copy_of(tables: CopiedTables) -> str:
    """Return a copy of the directory, since tables are read once."""
    copied = tables.directory.with_name("copied")
    copied.mkdir()
    for each in tables.directory.iterdir():
        (copied / each.name).write_bytes(each.read_bytes())
    return str(copied)


PYTHON: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array<string>": list,
}


def made(draft: Draft, json_type: str, rule: ValueRule) -> object:
    field = Field(
        name="anything_id",
        part="properties",
        json_type=json_type,  # type: ignore[arg-type]
        required=True,
        personal=False,
        since=1,
        optional_since=None,
        rule=rule,
        description="",
    )
    return default_maker(field)(draft)


@pytest.mark.parametrize("json_type", JSON_TYPES)
def test_any_field_gets_a_value(json_type: str, draft: Draft) -> None:
    """A field gets a value even if its format, values and type do not fit together."""
    for form in ("", *FORMATS):
        for values in ((), ("1", "0"), ("alpha",)):
            value = made(draft, json_type, ValueRule(form, values))
            assert isinstance(value, PYTHON[json_type])


def test_order_of_precedence(draft: Draft) -> None:
    """A format comes before listed values, unless no other value is allowed."""
    assert made(draft, "string", ValueRule("currency", ("A", "B"))) == draft.user.place.currency
    assert made(draft, "string", ValueRule("currency", ("A",), open=False)) == "A"
    assert made(draft, "string", ValueRule("", ("A",))) == "A"
    assert made(draft, "integer", ValueRule("", ("7",))) == 7
    assert made(draft, "boolean", ValueRule("", ("true",))) is True


def test_required_user_field_that_nobody_has(tables: CopiedTables) -> None:
    version = max(each.number for each in Catalog.versions()) + 1
    name = "users.behaviors.tv.Watched"
    tables.add("versions.tsv", schema_version=version, released="2027-01-06")
    tables.add(
        "event_types.tsv",
        event_type=name,
        family="customer_behavior",
        since=version,
        status="beta",
        description="Something new.",
    )
    for field in ("user_id", "native_line_id"):
        tables.add(
            "event_fields.tsv",
            event_type=name,
            part="user",
            field=field,
            json_type="string",
            required="yes",
            pii="yes",
            since=version,
        )
    tables.add("traffic.tsv", event_type=name, platforms="roku")
    catalog = Catalog.load(directory=tables.directory)
    events = World(1, users=3, catalog=catalog).events(event_types=[name], start=SAMPLE_TIME)
    assert all(check_event(catalog, event) == [] for event in islice(events, 50))
