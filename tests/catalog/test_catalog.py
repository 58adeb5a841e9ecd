"""The catalog: what it holds, and how it is searched."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.catalog import Catalog, EventType, Field, SchemaVersion, ValueRule
from currents_export.catalog._conformance import FORMATS
from currents_export.catalog._model import _rows
from currents_export.errors import CurrentsExportError, UnknownNameError
from tests.support.strategies import garbage

NEWEST = Catalog.load()
FIRST = Catalog.load(1)
FIELDS = [field for each in NEWEST.event_types for field in each.fields.values()]

#: By the Currents changelog: the day, the event types and the fields from that version on.
VERSIONS = {
    1: ("2025-04-17", 70, 1237),
    2: ("2025-07-09", 74, 1323),
    3: ("2025-10-08", 85, 1553),
    4: ("2026-01-07", 85, 1556),
    5: ("2026-01-23", 93, 1709),
    6: ("2026-02-24", 93, 1712),
    7: ("2026-04-01", 93, 1733),
    8: ("2026-04-23", 95, 1790),
    9: ("2026-05-21", 95, 1790),
    10: ("2026-06-29", 96, 1805),
}


def rule(field: str, event_type: str | None = None) -> ValueRule:
    """The rule of a field: of one event type, or the one that all share."""
    found = {
        each.rule
        for name in ([event_type] if event_type else NEWEST)
        for each in NEWEST[name].fields.values()
        if each.name == field
    }
    assert len(found) == 1
    return found.pop()


def test_the_newest_version_is_the_default() -> None:
    assert NEWEST.schema_version == 10
    assert (len(NEWEST), len(FIELDS)) == (96, 1805)


@pytest.mark.parametrize("number", VERSIONS)
def test_a_version_holds_as_much_as_the_changelog_says(number: int) -> None:
    catalog = Catalog.load(number)
    released, event_types, fields = VERSIONS[number]
    assert catalog.schema_version == number
    assert catalog.released == datetime.date.fromisoformat(released)
    assert len(catalog) == len(catalog.event_types) == event_types
    assert sum(len(each.fields) for each in catalog.event_types) == fields


def test_the_versions_are_those_and_no_other() -> None:
    assert Catalog.versions() == tuple(
        SchemaVersion(number, datetime.date.fromisoformat(day), event_types, fields)
        for number, (day, event_types, fields) in VERSIONS.items()
    )


@pytest.mark.parametrize("number", list(VERSIONS)[1:])
def test_a_version_loses_nothing_of_the_one_before(number: int) -> None:
    older, newer = Catalog.load(number - 1), Catalog.load(number)
    for name in older:
        assert older[name].fields.items() <= newer[name].fields.items()


@pytest.mark.parametrize("number", VERSIONS)
def test_a_version_holds_nothing_that_came_later(number: int) -> None:
    for each in Catalog.load(number).event_types:
        assert each.since <= number
        assert all(each.since <= field.since <= number for field in each.fields.values())


def test_a_version_is_loaded_once() -> None:
    assert Catalog.load() is Catalog.load(10) is NEWEST
    assert Catalog.load(1) is FIRST


@pytest.mark.parametrize("number", [0, 11, -1, True, 10.0, "10", [], {}, 10**5000], ids=type)
def test_a_version_that_is_none_is_refused(number: Any) -> None:
    with pytest.raises(UnknownNameError, match="is not known; versions 1 to 10 are") as caught:
        Catalog.load(number)
    assert caught.value.nearest == ()
    assert isinstance(caught.value, CurrentsExportError)


@given(garbage.filter(lambda value: value is not None and value not in list(VERSIONS)))
def test_garbage_is_no_version(number: Any) -> None:
    with pytest.raises(UnknownNameError):
        Catalog.load(number)


# Event types


def test_an_event_type_is_found_by_its_name() -> None:
    found = NEWEST["users.messages.email.Open"]
    assert isinstance(found, EventType)
    assert (found.family, found.since, found.status) == ("message_engagement", 1, "current")
    assert found.name in NEWEST
    assert "users.messages.email.Opne" not in NEWEST
    assert list(NEWEST) == [each.name for each in NEWEST.event_types] == sorted(NEWEST)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("users.messages.email.Opne", "users.messages.email.Open"),
        ("email.Click", "users.messages.email.Click"),
        ("users.behaviors.purchase", "users.behaviors.Purchase"),
    ],
)
def test_a_name_that_is_unknown_comes_with_the_nearest(name: str, nearest: str) -> None:
    for look_up in (NEWEST.__getitem__, NEWEST.select):
        with pytest.raises(
            UnknownNameError, match=f"unknown event type {name!r}; did you"
        ) as caught:
            look_up(name)
        assert caught.value.name == name
        assert caught.value.nearest[0] == nearest
        assert repr(nearest) in str(caught.value)


def test_a_name_that_is_like_none_comes_alone() -> None:
    with pytest.raises(UnknownNameError) as caught:
        NEWEST["zzz"]
    assert str(caught.value) == "unknown event type 'zzz'"
    assert caught.value.nearest == ()


@pytest.mark.parametrize(
    ("name", "since"),
    [
        ("users.canvas.costep.Send", 10),
        ("users.messages.banner.Click", 2),
        ("users.messages.banner.*", 2),
        ("agent_console", 5),
        ("agentconsole.*", 5),
        ("*.Retry", 5),
    ],
)
def test_a_name_that_came_later_says_so(name: str, since: int) -> None:
    with pytest.raises(UnknownNameError) as caught:
        FIRST.select(name)
    assert str(caught.value) == (
        f"event type {name!r} came with schema version {since}; this is version 1"
    )
    assert Catalog.load(since).select(name)
    with pytest.raises(UnknownNameError):
        Catalog.load(since - 1).select(name)


def test_looking_a_later_name_up_says_so_too() -> None:
    with pytest.raises(UnknownNameError, match="came with schema version 10; this is version 9"):
        Catalog.load(9)["users.canvas.costep.Send"]


def test_a_glob_is_no_name() -> None:
    with pytest.raises(UnknownNameError, match="unknown event type"):
        NEWEST["users.*"]
    assert "users.*" not in NEWEST


@pytest.mark.parametrize(
    ("family", "count"),
    [("message_engagement", 84), ("customer_behavior", 7), ("user", 3), ("agent_console", 2)],
)
def test_a_family_selects_its_event_types(family: str, count: int) -> None:
    found = NEWEST.select(family)
    assert {each.family for each in found} == {family}
    assert len(found) == count


def test_the_families_are_four_and_three_before_agents_came() -> None:
    assert NEWEST.families == (
        "agent_console",
        "customer_behavior",
        "message_engagement",
        "user",
    )
    assert "agent_console" not in FIRST.families


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("users.messages.email.Open", {"users.messages.email.Open"}),
        (
            "users.messages.*.Retry",
            {
                f"users.messages.{channel}.Retry"
                for channel in ("email", "line", "pushnotification", "sms", "webhook", "whatsapp")
            },
        ),
        ("users.canvas.E?try", {"users.canvas.Entry"}),
        ("users.messages.email.[OC]*", {f"users.messages.email.{x}" for x in ("Open", "Click")}),
        ("*", set(NEWEST)),
    ],
)
def test_a_glob_selects_what_it_matches(pattern: str, names: set[str]) -> None:
    assert {each.name for each in NEWEST.select(pattern)} == names


def test_a_glob_minds_the_case() -> None:
    with pytest.raises(UnknownNameError):
        NEWEST.select("USERS.*")


def test_what_several_patterns_select_comes_once_and_in_order() -> None:
    found = NEWEST.select("users.messages.email.Send", "user", "users.messages.email.*", "user")
    names = [each.name for each in found]
    assert names == sorted(set(names))
    assert {"users.UserOrphan", "users.messages.email.Send"} <= set(names)


def test_no_pattern_selects_nothing() -> None:
    assert NEWEST.select() == ()


def test_one_bad_pattern_fails_the_selection() -> None:
    with pytest.raises(UnknownNameError, match=r"'users\.nothing\.\*'"):
        NEWEST.select("*", "users.nothing.*")


@given(st.text(max_size=30))
def test_any_pattern_selects_or_is_unknown(pattern: str) -> None:
    try:
        found = NEWEST.select(pattern)
    except UnknownNameError as error:
        assert error.name == pattern  # noqa: PT017 - either outcome is right
    else:
        assert found


# Fields


def test_the_fields_of_a_type_come_by_path_those_of_the_user_first() -> None:
    for each in NEWEST.event_types:
        assert [field.path for field in each.fields.values()] == list(each.fields)
        parts = [field.part for field in each.fields.values()]
        assert parts == sorted(parts, reverse=True)


def test_a_field_says_what_it_is() -> None:
    field = NEWEST["users.behaviors.Purchase"].fields["properties.price"]
    assert (field.name, field.part, field.json_type, field.required, field.personal) == (
        "price",
        "properties",
        "number",
        True,
        False,
    )
    assert NEWEST["users.messages.email.Open"].fields["properties.email_address"].personal


def test_the_user_holds_four_fields_at_most() -> None:
    assert {field.name for field in FIELDS if field.part == "user"} == {
        "user_id",
        "external_user_id",
        "device_id",
        "timezone",
    }


def test_fields_are_found_by_name_across_the_types() -> None:
    assert len(NEWEST.fields) == 186
    assert list(NEWEST.fields) == sorted(NEWEST.fields)
    assert sum(map(len, NEWEST.fields.values())) == 1805
    assert all(each.name == name for name, found in NEWEST.fields.items() for each in found)
    assert "combination_token" not in Catalog.load(9).fields


def test_the_catalog_cannot_be_changed() -> None:
    fields: Any = NEWEST["users.behaviors.Purchase"].fields
    with pytest.raises(TypeError):
        fields["properties.price"] = None
    with pytest.raises(AttributeError):
        NEWEST.schema_version = 1  # type: ignore[misc]


def test_event_types_can_be_put_in_sets() -> None:
    assert len({*NEWEST.event_types, *Catalog.load(9).event_types}) >= 96


# What values look like


@pytest.mark.parametrize(
    ("format_name", "fields"),
    [
        ("object_id", "dispatch_id send_id agent_id content_optimizer_step_id orphaned_by_id"),
        ("object_id", "user_id"),
        ("uuid", "app_id app_group_id campaign_id canvas_id card_id session_id ad_id"),
        ("uuid", "canvas_variation_id message_variation_id subscription_group_id"),
        ("uuid", "canvas_step_id experiment_step_id next_step_id"),
        ("e164", "to_phone_number from_phone_number phone_number user_phone_number"),
        ("e164", "inbound_phone_number"),
        ("wamid", "message_id in_reply_to"),
        ("json", "message_extras flow_response_json tool_arguments custom_attributes"),
        ("json", "conversion_behavior"),
        ("currency", "currency"),
        ("timezone", "timezone"),
        ("locale", "locale_key"),
        ("combination", "combination_token"),
        ("milliseconds", "time_ms"),
    ],
)
def test_a_field_has_the_format_that_braze_gives_it(format_name: str, fields: str) -> None:
    assert {rule(field).format for field in fields.split()} == {format_name}


@pytest.mark.parametrize(
    ("field", "values", "is_open"),
    [
        ("platform", "ios|android|kindle|web|tvos|roku", False),
        ("ad_id_type", "ios_idfa|google_ad_id|windows_ad_id|roku_ad_id", False),
        ("state_change_source", "REST API|SDK|Dashboard", True),
        ("channel", "email|push|sms|whatsapp", True),
        ("esp", "SendGrid|SparkPost|Amazon SES", False),
        ("machine_open", "true", False),
        ("device_class", "mobile|desktop|tablet", False),
        ("gender", "M|F|O|N|P", False),
        ("action", "Subscribed|Unsubscribed|None", False),
        ("category", "opt-in|opt-out|help", True),
        ("button_action_type", "uri|deep_link|none|close", False),
        ("live_activity_event_type", "start|update|end", False),
        ("ios_push_token_apns_gateway", "1|2", False),
        ("push_token_state_change_type", "add|update|remove", True),
        ("webhook_failure_source", "External Endpoint", True),
        ("interaction_type", "Text URL|Reply|OpenURL", True),
        ("element_type", "Suggestion|Button", False),
        ("update_source", "REST|SDK|Dashboard", True),
    ],
)
def test_a_field_has_the_values_that_braze_lists(field: str, values: str, is_open: bool) -> None:
    assert rule(field) == ValueRule(values=tuple(values.split("|")), open=is_open)


def test_a_rule_for_one_event_type_goes_before_the_general_one() -> None:
    group = rule("subscription_status", "users.behaviors.subscriptiongroup.StateChange")
    whole = rule("subscription_status", "users.behaviors.subscription.GlobalStateChange")
    assert group.values == ("Subscribed", "Unsubscribed")
    assert whole.values == (*group.values, "Opted In")
    assert rule("duration", "users.behaviors.app.SessionEnd").format == "seconds"
    assert rule("duration", "agentconsole.ToolInvocation").format == "milliseconds"


@pytest.mark.parametrize(
    ("json_type", "names"),
    [
        ("object", {"custom_properties", "purchase_properties"}),
        ("array<string>", {"media_urls", "suspected_bot_click_reason"}),
    ],
)
def test_objects_and_arrays_are_few(json_type: str, names: set[str]) -> None:
    assert {field.name for field in FIELDS if field.json_type == json_type} == names


def test_machine_open_is_text() -> None:
    assert {field.json_type for field in NEWEST.fields["machine_open"]} == {"string"}


def test_a_duration_is_whole_only_where_it_is_milliseconds() -> None:
    found = {field.json_type: field.rule.format for field in NEWEST.fields["duration"]}
    assert found == {"number": "seconds", "integer": "milliseconds"}


# The tables


def test_every_row_of_the_tables_is_used() -> None:
    assert {row["field"] for row in _rows("fields.tsv")} == set(NEWEST.fields)
    for row in _rows("field_values.tsv"):
        types = [row["event_type"]] if row["event_type"] else list(NEWEST)
        assert any(
            field.name == row["field"] for name in types for field in NEWEST[name].fields.values()
        )
        assert row["format"] or row["values"]
        assert row["open"] in ("yes", "no")


def test_a_format_fits_the_type_of_its_field() -> None:
    formats = {field.rule.format for field in FIELDS}
    assert formats == {"", "email", "seconds", "milliseconds", *FORMATS}
    for field in FIELDS:
        if field.rule.format in FORMATS:
            assert field.json_type == "string"


def _described() -> list[EventType | Field]:
    fields = {field.name: field for field in FIELDS}
    return [*NEWEST.event_types, *fields.values()]


@pytest.mark.parametrize("described", _described(), ids=lambda each: each.name)
def test_a_description_is_a_short_plain_sentence(described: EventType | Field) -> None:
    text = described.description
    assert text.isascii()
    assert text[0].isupper()
    assert text.endswith(".")
    assert 15 <= len(text) <= 110
    assert not set(text) & set('"\t')


def test_no_two_descriptions_are_the_same() -> None:
    texts = [described.description.lower() for described in _described()]
    assert len(texts) == len(set(texts)) == 96 + 186
