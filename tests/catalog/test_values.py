"""The values of fields: types, formats, sets and sizes."""

from __future__ import annotations

from typing import Any

import pytest

from currents_export.catalog import Catalog, FindingCode
from currents_export.events import Event
from tests.support.events import CLICK, EVENT_ID, OPEN, event_with, good_event
from tests.support.findings import found_in

NEWEST = Catalog.load()
PURCHASE = "users.behaviors.Purchase"
WEBHOOK = "users.messages.webhook.Failure"
SMS_INBOUND = "users.messages.sms.InboundReceive"
CUSTOM = "users.behaviors.CustomEvent"
PROFILE = "users.profile.Update"


@pytest.mark.parametrize("number", [each.number for each in Catalog.versions()])
@pytest.mark.parametrize("optional", [False, True])
def test_good_events(number: int, optional: bool) -> None:
    for each in Catalog.load(number).event_types:
        value = good_event(each, optional=optional)
        assert found_in(value, number) == []
        assert found_in(Event.from_dict(value), number) == []


@pytest.mark.parametrize("optional", ["campaign_name", "device_class"])
def test_optional_field_may_be_null(optional: str) -> None:
    assert found_in(event_with(f"properties.{optional}", None)) == []


def test_required_field() -> None:
    event = good_event(NEWEST[PURCHASE])
    path, expected = "properties.price", "it is a required number"
    del event["properties"]["price"]
    assert found_in(event) == [("missing", path, "the field is missing", expected)]
    event["properties"]["price"] = None
    assert found_in(event) == [("missing", path, "the field is null", expected)]


@pytest.mark.parametrize(
    ("name", "part", "field"),
    [
        ("users.messages.whatsapp.InboundReceive", "properties", "user_phone_number"),
        ("users.messages.rcs.Click", "properties", "user_phone_number"),
        ("users.messages.rcs.InboundReceive", "user", "user_id"),
    ],
)
def test_field_that_became_optional(name: str, part: str, field: str) -> None:
    optional_since = NEWEST[name].fields[f"{part}.{field}"].optional_since
    assert optional_since is not None
    event = good_event(Catalog.load(optional_since - 1)[name])
    for value in ("absent", None):
        event[part].pop(field, None)
        if value is None:
            event[part][field] = None
        [found] = found_in(event, optional_since - 1)
        assert found[:2] == ("missing", f"{part}.{field}")
        assert found_in(event, optional_since) == []


@pytest.mark.parametrize(
    ("event_type", "path", "json_type", "value"),
    [
        (OPEN, "properties.machine_open", "string", True),
        (OPEN, "user.user_id", "string", 5),
        (OPEN, "properties.is_amp", "boolean", "true"),
        (OPEN, "properties.is_amp", "boolean", 1),
        (PURCHASE, "properties.price", "number", "9.99"),
        (PURCHASE, "properties.price", "number", False),
        (PURCHASE, "properties.purchase_properties", "object", "{}"),
        (PURCHASE, "properties.purchase_properties", "object", []),
        (PROFILE, "properties.custom_attributes", "object", '{"a": 1}'),
        (WEBHOOK, "properties.retry_count", "integer", 1.5),
        (WEBHOOK, "properties.retry_count", "integer", True),
        (WEBHOOK, "properties.retry_count", "integer", "1"),
        (SMS_INBOUND, "properties.media_urls", "array<string>", "a"),
        (SMS_INBOUND, "properties.media_urls", "array<string>", ["a", 1]),
    ],
)
def test_wrong_type(event_type: str, path: str, json_type: str, value: Any) -> None:
    [found] = found_in(event_with(path, value, event_type))
    assert found[:2] == ("wrong_type", path)
    assert found.problem.startswith("it is ")
    assert found.expected == f"it must be of type {json_type}"


@pytest.mark.parametrize(
    ("event_type", "path", "value"),
    [
        (PROFILE, "properties.custom_attributes", {"listProperty": ["a"], "n": 1}),
        (SMS_INBOUND, "properties.media_urls", ["https://x.example/y.jpg", None]),
        (SMS_INBOUND, "properties.media_urls", []),
        (PURCHASE, "properties.price", 5),
        (PURCHASE, "properties.price", -0.5),
        (OPEN, "properties.send_id", "summer_sale_blast"),
        (OPEN, "properties.dispatch_id", "12345qwert"),
        (OPEN, "properties.dispatch_id", EVENT_ID),
        (CUSTOM, "properties.custom_properties", {"a.b c": [None, {"d": 1.5}]}),
    ],
)
def test_right_type(event_type: str, path: str, value: Any) -> None:
    assert found_in(event_with(path, value, event_type)) == []


def test_whole_number_with_a_point() -> None:
    path = "properties.retry_count"
    expected = "Braze writes whole numbers without a decimal point"
    [found] = found_in(event_with(path, 2.0, WEBHOOK))
    assert found == ("decimal_point", path, "it is 2.0", expected)


@pytest.mark.parametrize(
    ("event_type", "name", "value"),
    [
        (OPEN, "device_class", "tv"),
        (OPEN, "machine_open", "false"),
        (SMS_INBOUND, "action", "Paused"),
        ("users.messages.rcs.Click", "element_type", "Carousel"),
        ("users.messages.rcs.Click", "interaction_type", "Dial"),
        ("users.messages.webhook.Failure", "webhook_failure_source", "Braze"),
        ("users.messages.survey.Response", "answer_type", "matrix"),
        ("users.messages.survey.Response", "survey_completion_status", "complete"),
        ("users.behaviors.subscription.GlobalStateChange", "channel", "line"),
        ("users.behaviors.subscription.GlobalStateChange", "state_change_source", "Import"),
        ("users.campaigns.Conversion", "conversion_behavior_index", 4),
        ("users.canvasstep.Progression", "progression_type", "exit"),
        ("users.messages.liveactivity.Outcome", "live_activity_event_outcome", "Failure"),
        (PROFILE, "update_source", "Import"),
    ],
)
def test_open_set_takes_other_values(event_type: str, name: str, value: Any) -> None:
    assert found_in(event_with(f"properties.{name}", value, event_type)) == []


@pytest.mark.parametrize(
    ("event_type", "name", "value", "expected"),
    [
        (OPEN, "esp", "Sendgrid", "SendGrid, SparkPost, Amazon SES"),
        (PURCHASE, "platform", "iOS", "ios, android, kindle, web, tvos, roku"),
        (
            "users.behaviors.pushnotification.TokenStateChange",
            "ios_push_token_apns_gateway",
            3,
            "1, 2",
        ),
        (
            "users.behaviors.subscriptiongroup.StateChange",
            "subscription_status",
            "Opted In",
            "Subscribed, Unsubscribed",
        ),
    ],
)
def test_closed_set(event_type: str, name: str, value: Any, expected: str) -> None:
    [found] = found_in(event_with(f"properties.{name}", value, event_type))
    assert found[:2] == ("unlisted_value", f"properties.{name}")
    assert found.expected == f"it should be one of {expected}"


def test_closed_set_of_abort_types() -> None:
    path = "properties.abort_type"
    assert found_in(event_with(path, "missing_email", "users.messages.email.Abort")) == []
    for channel, value in (("sms", "missing_email"), ("email", "frequency_capping")):
        [found] = found_in(event_with(path, value, f"users.messages.{channel}.Abort"))
        assert found.code == "unlisted_value"


@pytest.mark.parametrize(
    ("event_type", "name", "value", "expected"),
    [
        (OPEN, "campaign_id", "x", "a UUID"),
        (OPEN, "send_id", "é", "ASCII text"),
        (CLICK, "send_id", "x" * 65, "ASCII text of at most 64 characters"),
        (PURCHASE, "currency", "usd", "an ISO 4217 code"),
        ("users.messages.sms.Delivery", "to_phone_number", "0123", "a phone number in E.164"),
        ("users.messages.sms.Send", "message_extras", "{", "a string that contains JSON"),
        ("users.messages.pushnotification.Send", "locale_key", "en_US", "language and region"),
        ("users.messages.whatsapp.Send", "message_id", "x", "a WhatsApp id"),
        ("users.canvas.costep.Send", "combination_token", "0-0", "indices"),
        ("users.canvas.Conversion", "conversion_behavior", "[]", "a string that contains a JSON"),
        (
            "users.messages.survey.Response",
            "answer_multiple_strings",
            "a, b",
            "a string that contains a JSON array of strings",
        ),
        (PROFILE, "dob", "13.04.1996", "an ISO 8601 date"),
        (
            "users.behaviors.pushnotification.TokenStateChange",
            "time_ms",
            1_782_907_200,
            "a time in milliseconds",
        ),
    ],
)
def test_bad_format(event_type: str, name: str, value: Any, expected: str) -> None:
    path = f"properties.{name}"
    [found] = found_in(event_with(path, value, event_type))
    assert found[:2] == ("bad_format", path)
    assert found.problem.startswith("it is ")
    assert found.expected.startswith(f"it should be {expected}")


def test_campaign_and_canvas_together() -> None:
    event = good_event(NEWEST[OPEN])
    event["properties"] |= {"campaign_id": EVENT_ID, "canvas_id": EVENT_ID}
    [found] = found_in(event)
    assert found[:2] == ("campaign_and_canvas", "properties.canvas_id")
    event["properties"]["campaign_id"] = None
    assert found_in(event) == []


# Whole numbers of more than 64 bits

LARGE = 2**64


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("properties.custom_properties", {"n": LARGE}, "properties.custom_properties.n"),
        ("properties.custom_properties", {"n": -(2**63) - 1}, "properties.custom_properties.n"),
        (
            "properties.custom_properties",
            {"a": "b", "list": [1, {"n": [LARGE]}]},
            "properties.custom_properties.list[1].n[0]",
        ),
        ("properties.custom_properties", {"n": 10**5000}, "properties.custom_properties.n"),
    ],
)
def test_large_number_inside_a_field(path: str, value: Any, where: str) -> None:
    [found] = found_in(event_with(path, value, CUSTOM))
    assert found[:2] == ("number_too_large", where)
    assert found.problem.endswith("a whole number of more than 64 bits")
    assert found.expected == "write it as a string"
    assert FindingCode(found.code).level == "error"


@pytest.mark.parametrize(
    ("event_type", "path", "value"),
    [
        (WEBHOOK, "properties.retry_count", LARGE),
        (WEBHOOK, "properties.retry_count", 1e300),
        (PURCHASE, "properties.price", LARGE),
    ],
)
def test_large_number_as_a_field(event_type: str, path: str, value: Any) -> None:
    [found] = found_in(event_with(path, value, event_type))
    assert found[:2] == ("number_too_large", path)
    # A string would be wrong in a field of whole numbers.
    is_integer = path.endswith("count")
    expected = "it must fit into 64 bits" if is_integer else "write it as a string"
    assert found.expected == expected


def test_large_number_elsewhere() -> None:
    event = event_with("properties.qqq", [LARGE]) | {"more": {"n": LARGE}}
    assert [(each.code, each.field) for each in found_in(event)] == [
        ("unknown_key", "more"),
        ("number_too_large", "more.n"),
        ("unknown_field", "properties.qqq"),
        ("number_too_large", "properties.qqq[0]"),
    ]


def test_large_number_in_unknown_type() -> None:
    event = event_with("properties.x", {"n": LARGE}) | {"event_type": "x.y"}
    assert [(each.code, each.field) for each in found_in(event)] == [
        ("unknown_event_type", "event_type"),
        ("number_too_large", "properties.x.n"),
    ]


def test_first_large_number_is_reported() -> None:
    [found] = found_in(event_with("properties.custom_properties", {"n": [LARGE] * 9}, CUSTOM))
    assert found.field == "properties.custom_properties.n[0]"


@pytest.mark.parametrize("value", [2**64 - 1, -(2**63), 1e300, -1e300, True])
def test_largest_numbers(value: Any) -> None:
    assert found_in(event_with("properties.custom_properties", {"n": value}, CUSTOM)) == []
