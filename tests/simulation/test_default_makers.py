"""A schema version that the code does not know: default makers fill its types and channels."""

from __future__ import annotations

from collections import Counter

import pytest

from currents_export.catalog import FORMATS, Catalog, Field, ValueRule, check_event
from currents_export.events import Event
from currents_export.simulation import SAMPLE_TIME, World
from currents_export.simulation.fields import Draft, default_maker
from tests.support.newer import JSON_TYPES, NEW_VALUES, REVIEW, SEND, THOUGHT, add_newer_version
from tests.support.planned import PlannedEvents
from tests.support.tables import CopiedTables
from tests.support.traffic import unfilled


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    tables = CopiedTables(tmp_path_factory.mktemp("newer"))
    add_newer_version(tables)
    return Catalog.load(directory=tables.directory)


@pytest.fixture(scope="module")
def lives(newer: Catalog) -> list[Event]:
    """Traffic of users who all begin with the Canvas that has the steps of new channels."""
    world = World(3, users=150, catalog=newer)
    return list(world.events(start=SAMPLE_TIME, until=SAMPLE_TIME + 21 * 86_400, history="clean"))


def test_lives_conform(newer: Catalog, lives: list[Event]) -> None:
    assert [event for event in lives if check_event(newer, event)] == []
    assert {event.event_type for event in lives} >= {SEND, THOUGHT}


@pytest.mark.parametrize("users", [1, 40])
def test_planned_events_conform(newer: Catalog, users: int) -> None:
    planned = PlannedEvents(newer, seed=3, users=users)
    for name in newer:
        for event in planned.of(name, 40):
            assert check_event(newer, event) == []


def test_effects_of_a_new_channel(lives: list[Event]) -> None:
    """What is not a Send follows from one."""
    sent = {event.properties["dispatch_id"] for event in lives if event.event_type == SEND}
    thoughts = [event for event in lives if event.event_type == THOUGHT]
    assert {event.properties["dispatch_id"] for event in thoughts} <= sent


def test_type_outside_all_globs(tables: CopiedTables) -> None:
    """The weight decides how often a type happens that no journey knows."""
    version = add_newer_version(tables)
    tables.add(
        "event_types.tsv",
        event_type="reviews.Deleted",
        family="message_engagement",
        since=version,
        status="current",
        description="Something new.",
    )
    for part, field in (("user", "user_id"), ("properties", "review_id")):
        tables.add(
            "event_fields.tsv",
            event_type="reviews.Deleted",
            part=part,
            field=field,
            json_type="string",
            required="yes",
            pii="no",
            since=version,
        )
    tables.add("fields.tsv", field="review_id", description="Something new.")
    header = "event_type\tweight\tplatforms\ton_device\n"
    tables.write("traffic.tsv", f"{header}{REVIEW}\t200\tios\t1\nreviews.Deleted\t20\n")
    catalog = Catalog.load(directory=tables.directory)
    world = World(3, users=40, catalog=catalog)
    events = list(
        world.events(start=SAMPLE_TIME, until=SAMPLE_TIME + 30 * 86_400, event_types=["reviews.*"])
    )
    assert [event for event in events if check_event(catalog, event)] == []
    counts = Counter(event.event_type for event in events)
    assert counts[REVIEW] > 2 * counts["reviews.Deleted"] > 0
    ios = {user.id for user in world.users if any(x.platform == "ios" for x in user.devices)}
    assert {event.user["user_id"] for event in events if event.event_type == REVIEW} <= ios


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


def test_new_channel_has_messages(newer: Catalog, lives: list[Event]) -> None:
    world = World(3, users=1, catalog=newer)
    campaigns = {each.id: each for each in world.campaigns if each.channel == "telepathy"}
    events = [event for event in lives if event.event_type == SEND]
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
    planned = PlannedEvents(newer)

    def values(event_type: str, field: str) -> set[str]:
        return {str(event.properties.get(field)) for event in planned.of(event_type, 1_500)}

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


def test_named_channel(tables: CopiedTables) -> None:
    add_newer_version(tables)
    tables.add(
        "channels.tsv",
        channel="telepathy",
        label="Telepathy",
        name="mind",
        campaigns="Sweet Dreams|Spring Sale",
        fields="new_0",
    )
    world = World(5, users=20, catalog=Catalog.load(directory=tables.directory))
    names = {each.name for each in world.campaigns if each.channel == "telepathy"}
    assert {name.partition(" \u2013 ")[0] for name in names} == {"Sweet Dreams", "Spring Sale"}
    assert all(" \u2013 Telepathy \u2013 " in name for name in names)


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
    events = PlannedEvents(catalog, users=3).of(name, 50)
    assert [event for event in events if check_event(catalog, event)] == []
