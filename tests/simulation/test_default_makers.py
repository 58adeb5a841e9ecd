"""A schema version that no code knows: its types, channels and fields are filled by default."""

from __future__ import annotations

from itertools import islice

import pytest

from currents_export.catalog import FORMATS, Catalog, EventType, Field, ValueRule, check_event
from currents_export.simulation import SAMPLE_TIME, World
from currents_export.simulation.fields import Draft, default_maker
from tests.support.tables import CopiedTables
from tests.support.traffic import unfilled

SEND = "users.messages.telepathy.Send"
THOUGHT = "users.messages.telepathy.ThoughtReceived"
REVIEW = "reviews.Written"
OPEN = "users.messages.email.Open"
JSON_TYPES = ("string", "integer", "number", "boolean", "object", "array<string>")


@pytest.fixture
def newer(tables: CopiedTables) -> Catalog:
    """The packaged tables and, in one version more, what nothing knows."""
    version = max(each.number for each in Catalog.versions()) + 1
    counts = {"event_types": 0, "fields": 0}
    columns = tables.lines("versions.tsv")[0].split("\t")
    tables.add(
        "versions.tsv",
        schema_version=version,
        released="2026-11-04",
        **{name: count for name, count in counts.items() if name in columns},
    )
    for name in (SEND, THOUGHT, REVIEW):
        tables.add(
            "event_types.tsv",
            event_type=name,
            family="message_engagement",
            since=version,
            status="current",
            description="Something new.",
        )
    rows: list[tuple[str, str, str, str, str]] = [
        (OPEN, "properties", "mood", "string", "no"),
        (REVIEW, "user", "user_id", "string", "no"),
        (REVIEW, "user", "tribe", "string", "yes"),
        (REVIEW, "properties", "stars", "integer", "yes"),
        (REVIEW, "properties", "session_id", "string", "yes"),
        (REVIEW, "properties", "campaign_name", "string", "no"),
    ]
    for name in (SEND, THOUGHT):
        rows += [
            *((name, "user", each, "string", "no") for each in ("external_user_id", "device_id")),
            (name, "user", "user_id", "string", "yes"),
            *(
                (name, "properties", each, "string", "no")
                for each in (
                    *("campaign_id", "campaign_name", "message_variation_id"),
                    *("canvas_id", "canvas_step_id", "canvas_variation_id", "dispatch_id"),
                    *("send_id", "message_extras", "subscription_group_id", "url", "error"),
                )
            ),
            (name, "properties", "email_address", "string", "yes"),
            (name, "properties", "brain_wave", "string", "yes"),
            (name, "properties", "abort_type", "string", "no"),
            *(
                (name, "properties", f"new_{number}", json_type, "yes" if number % 2 else "no")
                for number, json_type in enumerate(JSON_TYPES)
            ),
            *((name, "properties", f"as_{each}", "string", "no") for each in text_formats()),
            *((name, "properties", f"as_{each}", "integer", "no") for each in number_formats()),
        ]
    known = {line.split("\t")[0] for line in tables.lines("fields.tsv")}
    for event_type, part, field, json_type, required in rows:
        tables.add(
            "event_fields.tsv",
            event_type=event_type,
            part=part,
            field=field,
            json_type=json_type,
            required=required,
            pii="no",
            since=version,
        )
        if field not in known:
            known.add(field)
            tables.add("fields.tsv", field=field, description="Something new.")
    tables.add("field_values.tsv", field="brain_wave", values="alpha|beta", open="no")
    for each in (*text_formats(), *number_formats()):
        tables.add("field_values.tsv", field=f"as_{each}", format=each, open="yes")
    lines = tables.lines("field_values.tsv")
    for column, value in (("gateway", "deep_sleep"), ("users.messages.sms.Abort", "asleep")):
        lines = [
            line.replace("liquid_abort_message|", f"liquid_abort_message|{value}|")
            if line.startswith(f"{column}\t")
            else line.replace("open|click", "open|click|dream")
            for line in lines
        ]
    tables.write("field_values.tsv", "\n".join(lines) + "\n")
    return Catalog.load(directory=tables.directory)


def text_formats() -> list[str]:
    return [name for name, each in FORMATS.items() if "string" in each.json_types]


def number_formats() -> list[str]:
    return [name for name, each in FORMATS.items() if "integer" in each.json_types]


def new_types(catalog: Catalog) -> list[EventType]:
    return [catalog[name] for name in (SEND, THOUGHT, REVIEW, OPEN)]


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
        return {event.properties[field] for event in events}

    assert values(SEND, "brain_wave") == {"alpha", "beta"}
    assert "asleep" in values("users.messages.sms.Abort", "abort_type")
    assert "dream" in values("users.canvas.costep.Conversion", "conversion_type")


def test_new_channel_changes_no_other(newer: Catalog) -> None:
    world, before = World(3, users=20, catalog=newer), World(3, users=20)
    assert world.users == before.users
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
    tables.add("traffic.tsv", event_type="unused.*", weight="1")
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
    """Even where format, values and type do not fit together."""
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
