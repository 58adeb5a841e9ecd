"""Conformance: what a check finds, and that it never fails."""

from __future__ import annotations

import math
import zoneinfo
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.catalog import Catalog, Finding, check_event
from currents_export.events import Event
from tests.support.events import EVENT_ID, bare_event, good_event
from tests.support.strategies import Hostile, Unshowable, garbage

NEWEST = Catalog.load()
OPEN = NEWEST["users.messages.email.Open"]
PURCHASE = NEWEST["users.behaviors.Purchase"]


def changed(**values: Any) -> dict[str, Any]:
    """A good event with some of its top-level keys changed."""
    return good_event(OPEN) | values


def with_field(path: str, value: Any, event_type: str = OPEN.name) -> dict[str, Any]:
    event = good_event(NEWEST[event_type])
    part, _, name = path.partition(".")
    event[part][name] = value
    return event


def check(event: Any, catalog: Catalog = NEWEST) -> list[tuple[str, str, str, str]]:
    return [
        (found.level, found.field, found.problem, found.expected)
        for found in check_event(catalog, event)
    ]


@pytest.mark.parametrize("number", range(1, 11))
@pytest.mark.parametrize("optional", [False, True])
def test_a_good_event_of_any_type_shows_nothing(number: int, optional: bool) -> None:
    catalog = Catalog.load(number)
    for each in catalog.event_types:
        value = good_event(each, optional=optional)
        assert check_event(catalog, value) == []
        assert check_event(catalog, Event.from_dict(value)) == []


@pytest.mark.parametrize("optional", ["campaign_name", "device_class"])
def test_an_optional_field_may_be_null(optional: str) -> None:
    assert check(with_field(f"properties.{optional}", None)) == []


# The envelope


@pytest.mark.parametrize("key", ["event_type", "id"])
@pytest.mark.parametrize(
    ("value", "problem"), [("", 'it is ""'), (None, "it is null"), (5, "it is 5"), ([], "it is []")]
)
def test_a_name_or_an_id_that_is_no_text_is_an_error(key: str, value: Any, problem: str) -> None:
    found = check(changed(**{key: value}))
    assert found == [("error", key, problem, "it must be a string that is not empty")]


@pytest.mark.parametrize("key", ["event_type", "id", "time"])
def test_a_key_that_is_missing_is_an_error(key: str) -> None:
    event = changed()
    del event[key]
    [(level, field, problem, _)] = check(event)
    assert (level, field, problem) == ("error", key, "it is missing")


def test_an_id_that_is_no_uuid_is_a_warning() -> None:
    [(level, field, problem, expected)] = check(changed(id="abc"))
    assert (level, field, problem) == ("warning", "id", 'it is "abc"')
    assert expected.startswith("Braze sends a UUID")
    assert check(changed(id=EVENT_ID.upper())) == []


@pytest.mark.parametrize(
    ("time", "problem", "expected"),
    [
        (None, "it is null", "it must be whole seconds since the Unix epoch"),
        ("1700000000", 'it is "1700000000"', "it must be whole seconds since the Unix epoch"),
        (True, "it is true", "it must be whole seconds since the Unix epoch"),
        (1.5, "it is 1.5", "it must be whole seconds since the Unix epoch"),
        (math.nan, "it is NaN", "it must be whole seconds since the Unix epoch"),
        (0, "it is 0", "it must be after the Unix epoch"),
        (-5, "it is -5", "it must be after the Unix epoch"),
        (
            1_700_000_000_000,
            "it is 1700000000000, far in the future",
            "it must be seconds: 1700000000 if these are milliseconds",
        ),
        (10**15, "it is 1000000000000000, far in the future", "it must be seconds"),
        (10**5000, "it is a value of type int, far in the future", "it must be seconds"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_an_impossible_time_is_an_error(time: Any, problem: str, expected: str) -> None:
    assert check(changed(time=time)) == [("error", "time", problem, expected)]


def test_the_last_second_that_can_be_is_right() -> None:
    assert check(changed(time=99_999_999_999)) == []
    assert check(changed(time=1)) == []


@pytest.mark.parametrize("part", ["user", "properties"])
@pytest.mark.parametrize(("value", "shown"), [(None, "null"), ([], "[]"), ("x", '"x"')])
def test_a_part_that_is_no_object_is_an_error(part: str, value: Any, shown: str) -> None:
    event = good_event(NEWEST["users.messages.sms.Abort"]) | {part: value}
    assert ("error", part, f"it is {shown}", "it must be an object") in check(event)


def test_a_part_that_is_missing_is_an_error_only_where_a_field_of_it_is_required() -> None:
    event = changed()
    del event["properties"]
    required = [path for path, field in OPEN.fields.items() if field.required]
    assert [field for _, field, _, _ in check(event)] == [
        path for path in required if path.startswith("properties.")
    ]


def test_unknown_keys_are_warnings_in_their_order() -> None:
    found = check(changed(zzz=1, aaa=2, mmm=3))
    assert [(level, field) for level, field, _, _ in found] == [
        ("warning", "zzz"),
        ("warning", "aaa"),
        ("warning", "mmm"),
    ]
    assert found[0][2] == "the key is not known"


# Event types


def test_an_unknown_event_type_is_a_warning_with_the_nearest() -> None:
    [(level, field, problem, expected)] = check(changed(event_type="users.messages.email.Opne"))
    assert (level, field) == ("warning", "event_type")
    assert problem == "'users.messages.email.Opne' is not in schema version 10"
    assert "'users.messages.email.Open'" in expected


def test_an_event_type_that_came_later_is_a_warning_with_its_version() -> None:
    event = good_event(NEWEST["users.canvas.costep.Send"])
    [(level, field, problem, expected)] = check(event, Catalog.load(9))
    assert (level, field) == ("warning", "event_type")
    assert "is not in schema version 9" in problem
    assert expected == "it came with schema version 10"


def test_an_unknown_event_type_does_not_hide_what_else_is_wrong() -> None:
    levels = [level for level, *_ in check({"event_type": "x", "id": "", "time": 0, "user": 5})]
    assert sorted(levels) == ["error", "error", "error", "warning"]


# Fields


def test_a_required_field_that_is_missing_or_null_is_an_error() -> None:
    event = good_event(PURCHASE)
    del event["properties"]["price"]
    expected = "it is a required number"
    assert check(event) == [("error", "properties.price", "the field is missing", expected)]
    event["properties"]["price"] = None
    assert check(event) == [("error", "properties.price", "the field is null", expected)]


@pytest.mark.parametrize(
    ("event_type", "path", "json_type", "value"),
    [
        (OPEN.name, "properties.machine_open", "string", True),
        (OPEN.name, "user.user_id", "string", 5),
        (OPEN.name, "properties.is_amp", "boolean", "true"),
        (OPEN.name, "properties.is_amp", "boolean", 1),
        (PURCHASE.name, "properties.price", "number", "9.99"),
        (PURCHASE.name, "properties.price", "number", False),
        (PURCHASE.name, "properties.purchase_properties", "object", "{}"),
        (PURCHASE.name, "properties.purchase_properties", "object", []),
        ("users.messages.webhook.Failure", "properties.retry_count", "integer", 1.5),
        ("users.messages.webhook.Failure", "properties.retry_count", "integer", True),
        ("users.messages.webhook.Failure", "properties.retry_count", "integer", "1"),
        ("users.messages.sms.InboundReceive", "properties.media_urls", "array<string>", "a"),
        ("users.messages.sms.InboundReceive", "properties.media_urls", "array<string>", ["a", 1]),
    ],
)
def test_a_value_of_the_wrong_type_is_an_error(
    event_type: str, path: str, json_type: str, value: Any
) -> None:
    [(level, field, problem, expected)] = check(with_field(path, value, event_type))
    assert (level, field) == ("error", path)
    assert problem.startswith("it is ")
    assert expected == f"it must be of type {json_type}"


def test_a_whole_number_with_a_point_is_a_warning() -> None:
    path = "properties.retry_count"
    expected = "Braze writes whole numbers without a decimal point"
    found = check(with_field(path, 2.0, "users.messages.webhook.Failure"))
    assert found == [("warning", path, "it is 2.0", expected)]
    assert check(changed(time=1_700_000_000.0)) == [
        ("warning", "time", "it is 1700000000.0", expected)
    ]


def test_a_price_may_be_whole_or_negative() -> None:
    for price in (5, -5, -0.5, 0):
        assert check(with_field("properties.price", price, PURCHASE.name)) == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("properties.campaign_nam", f"{OPEN.name} has no such field; did you mean 'campaign_name'"),
        ("user.esp", "it belongs in properties"),
        ("properties.user_id", "it belongs in user"),
        ("properties.qqq", f"{OPEN.name} has no such field"),
        ("user.x.y", f"{OPEN.name} has no such field"),
    ],
)
def test_an_unknown_field_is_a_warning(path: str, expected: str) -> None:
    [(level, field, problem, told)] = check(with_field(path, 1))
    assert (level, field, problem) == ("warning", path, "the field is not known")
    assert told.startswith(expected)


def test_a_field_that_came_later_is_a_warning_with_its_version() -> None:
    event = with_field("properties.error", "x", "agentconsole.AgentExecuted")
    assert check(event, Catalog.load(5)) == [
        ("warning", "properties.error", "the field is not known", "it came with schema version 6")
    ]
    assert check(event) == []


@pytest.mark.parametrize(
    ("event_type", "name", "value", "expected"),
    [
        (OPEN.name, "campaign_id", "x", "it is a UUID"),
        (OPEN.name, "dispatch_id", EVENT_ID, "it is 24 hexadecimal digits"),
        (OPEN.name, "machine_open", "false", "it is one of true"),
        (OPEN.name, "device_class", "watch", "it is one of mobile, desktop, tablet"),
        (OPEN.name, "esp", "Sendgrid", "it is one of SendGrid, SparkPost, Amazon SES"),
        (PURCHASE.name, "currency", "usd", "it is an ISO 4217 code"),
        (PURCHASE.name, "platform", "iOS", "it is one of ios, android"),
        ("users.messages.sms.Delivery", "to_phone_number", "0123", "it is E.164"),
        ("users.messages.sms.Send", "message_extras", "{", "it is a string that contains JSON"),
        ("users.messages.sms.Send", "message_extras", "NaN", "it is a string that contains JSON"),
        ("users.messages.sms.Send", "message_extras", "[" * 9999, "it is a string that contains"),
        ("users.messages.pushnotification.Send", "locale_key", "en_US", "it is language-region"),
        ("users.messages.whatsapp.Send", "message_id", "x", "it is a WhatsApp id"),
        ("users.canvas.costep.Send", "combination_token", "0-0", "it is indices"),
        (
            "users.behaviors.pushnotification.TokenStateChange",
            "ios_push_token_apns_gateway",
            3,
            "it is one of 1, 2",
        ),
        (
            "users.behaviors.subscriptiongroup.StateChange",
            "subscription_status",
            "Opted In",
            "it is one of Subscribed, Unsubscribed",
        ),
    ],
)
def test_a_value_unlike_those_of_braze_is_a_warning(
    event_type: str, name: str, value: Any, expected: str
) -> None:
    path = f"properties.{name}"
    [(level, field, problem, told)] = check(with_field(path, value, event_type))
    assert (level, field) == ("warning", path)
    assert problem.startswith("it is ")
    assert told.startswith(expected)


@pytest.mark.parametrize(
    "zone", ["UTC", "Etc/GMT+5", "America/Port-au-Prince", "America/Argentina/Ushuaia", "EST5EDT"]
)
def test_names_of_time_zones_are_known(zone: str) -> None:
    assert check(with_field("user.timezone", zone)) == []


def test_every_time_zone_of_this_machine_is_known() -> None:
    for zone in zoneinfo.available_timezones():
        assert check(with_field("user.timezone", zone)) == []


@pytest.mark.parametrize("zone", ["", "New York", "/x", "Etc/"])
def test_what_is_no_name_of_a_time_zone_is_a_warning(zone: str) -> None:
    [(level, *_)] = check(with_field("user.timezone", zone))
    assert level == "warning"


def test_an_open_set_takes_other_values() -> None:
    event = with_field(
        "properties.channel", "line", "users.behaviors.subscription.GlobalStateChange"
    )
    assert check(event) == []


def test_the_ids_of_a_campaign_and_of_a_canvas_together_are_a_warning() -> None:
    event = good_event(OPEN)
    event["properties"] |= {"campaign_id": EVENT_ID, "canvas_id": EVENT_ID}
    [(level, field, problem, _)] = check(event)
    assert (level, field) == ("warning", "properties.canvas_id")
    assert problem == "the event has the ids of a campaign and of a Canvas"
    event["properties"]["campaign_id"] = None
    assert check(event) == []


# Findings


def test_a_finding_reads_as_a_line_and_as_an_object() -> None:
    [found] = check_event(NEWEST, changed(time=0))
    assert str(found) == (
        f"error: {OPEN.name} {EVENT_ID}: time: it is 0; it must be after the Unix epoch"
    )
    assert found.to_dict() == {
        "level": "error",
        "event_type": OPEN.name,
        "event_id": EVENT_ID,
        "field": "time",
        "problem": "it is 0",
        "expected": "it must be after the Unix epoch",
    }
    assert Finding(**found.to_dict()) == found  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "null"), ([1], "[1]"), ("x", '"x"'), (Unshowable(), "Unshowable")]
)
def test_what_is_no_object_is_one_error(value: Any, shown: str) -> None:
    [found] = check_event(NEWEST, value)
    assert found.level == "error"
    assert str(found).startswith("error: the event is ")
    assert str(found).endswith("; it must be a JSON object")
    assert shown in found.problem


def test_a_long_value_is_cut_short() -> None:
    [(_, _, problem, _)] = check(changed(time="x" * 10_000))
    assert len(problem) < 80


def test_any_mapping_will_do_for_an_event() -> None:
    class Table(Mapping[str, Any]):
        def __getitem__(self, key: str) -> Any:
            return good_event(OPEN)[key]

        def __iter__(self) -> Iterator[str]:
            return iter(good_event(OPEN))

        def __len__(self) -> int:
            return 5

    assert check(Table()) == []


@pytest.mark.parametrize(
    "key", [1, None, (), 10**5000, Unshowable()], ids=["1", "None", "()", "long", "no repr"]
)
def test_a_key_that_is_no_text_is_a_warning(key: Any) -> None:
    found = check(changed(properties=good_event(OPEN)["properties"] | {key: 1}))
    assert [level for level, *_ in found] == ["warning"]
    top: dict[Any, Any] = changed()
    top[key] = 1
    assert [level for level, *_ in check(top)] == ["warning"]


_paths = st.sampled_from([*OPEN.fields, "properties.unknown", "user.unknown", "user"])
_garbage = garbage | st.sampled_from([Hostile([1]), Unshowable()])


@given(_garbage)
def test_garbage_is_found_fault_with(value: Any) -> None:
    assert any(found.level == "error" for found in check_event(NEWEST, value))


@given(st.dictionaries(_paths, _garbage, max_size=3), st.sampled_from([1, 10]))
def test_garbage_in_an_event_never_fails_the_check(values: dict[str, Any], number: int) -> None:
    event = good_event(OPEN)
    for path, value in values.items():
        part, _, name = path.partition(".")
        if name and isinstance(event[part], dict):
            event[part][name] = value
        else:
            event[part] = value
    for found in check_event(Catalog.load(number), event):
        assert str(found).startswith((f"error: {OPEN.name}", f"warning: {OPEN.name}"))


@given(_garbage, _garbage, _garbage, _garbage)
def test_garbage_at_the_top_never_fails_the_check(a: Any, b: Any, c: Any, d: Any) -> None:
    event = {"event_type": a, "id": b, "time": c, "user": d, "properties": a}
    assert all(str(found) for found in check_event(NEWEST, event))


def test_an_event_whose_values_json_cannot_hold_is_checked() -> None:
    found = check(bare_event(properties={"campaign_name": {1, 2}, (): object()}))
    assert ("error", "properties.campaign_name") in [(level, field) for level, field, *_ in found]
