"""Values follow Braze's documentation."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from currents_export.catalog import check_event
from currents_export.events import Event
from currents_export.simulation import World
from tests.support.traffic import CANVAS, NEWEST, channel_of, every, filled, of_type

#: A glob selects the event types of a row that is not for all types.
ALL = "*"

WHOLE = re.compile(r"[1-9][0-9]*").fullmatch
SMTP = re.compile(r"[45]\d\d .*", re.DOTALL).fullmatch
FAMILIES = {"iOS", "Android", "Windows", "Mac OS X", "Linux"}
SOURCES = {
    *("SDK", "Dashboard", "Subscription Page", "REST API", "CSV Import", "Preference Center"),
    *("Inbound Message", "Migration", "User Merge", "Canvas User Update Step"),
}
GLOBAL_SOURCES = SOURCES | {"Push Token Registration", "List-Unsubscribe", "Other"}
ERROR = re.compile(r"Appboy::Communication::(SMS|RCS)::Events::[A-Z][A-Za-z]+").fullmatch
GOALS = {
    *("Makes Any Purchase", "Performs Custom Event", "Starts Session", "Upgrades App"),
    *("Opens Email", "Clicks Email"),
}


def is_goal(text: str) -> bool:
    goal = json.loads(text)
    more = {"Performs Custom Event": "custom_event_name", "Starts Session": "app_ids"}
    kind = goal["type"]
    return kind in GOALS and goal["window"] > 0 and more.get(kind, "type") in goal


def is_provenance(text: str) -> bool:
    value = json.loads(text)
    return all(
        len(key) == 1 and items and all(type(item) is int for item in items)
        for key, items in value.items()
    )


#: Values that no format of the catalog covers: event types, field, and a check of its values.
RULES: list[tuple[str, str, Callable[[Any], object]]] = [
    (ALL, "abort_log", lambda text: 0 < len(text) <= 128 and "{" not in text),
    (ALL, "retry_type", {"deprioritized", "frequency_capped"}.__contains__),
    (ALL, "retry_log", lambda text: text and "{" not in text),
    (ALL, "device_os", FAMILIES.__contains__),
    (ALL, "machine_open", "true".__eq__),
    (ALL, "channel", lambda text: text == text.lower()),
    (ALL, "conversion_behavior", is_goal),
    (ALL, "data_object_provenance", is_provenance),
    (ALL, "custom_attributes", lambda value: value and isinstance(value, dict)),
    (ALL, "custom_properties", lambda value: value and isinstance(value, dict)),
    (ALL, "purchase_properties", lambda value: value and isinstance(value, dict)),
    (ALL, "content", lambda text: isinstance(json.loads(text), dict)),
    (ALL, "message_extras", lambda text: isinstance(json.loads(text), dict)),
    (ALL, "dob", re.compile(r"\d{4}-\d\d-\d\dT00:00:00\.000\+00:00").fullmatch),
    (ALL, "bounce_reason", SMTP),
    (ALL, "deferral_reason", re.compile(r"4\d\d .*").fullmatch),
    (ALL, "dispatch_id", re.compile(r"[0-9a-f]{24}").fullmatch),
    (ALL, "send_id", re.compile(r"[0-9a-f]{24}").fullmatch),
    (ALL, "progression_type", "advance".__eq__),
    (ALL, "answer_multiple_strings", json.loads),
    (ALL, "click_url", lambda text: text.startswith("https://")),
    (ALL, "suspected_bot_click_reason", lambda reasons: reasons),
    (ALL, "thinking_level", {"low", "medium", "high"}.__contains__),
    (ALL, "http_status_code", range(400, 600).__contains__),
    ("users.messages.email.Open", "mailbox_provider", "".__eq__),
    ("users.messages.email.Open", "device_model", "".__eq__),
    ("users.messages.email.[CD]*", "mailbox_provider", bool),
    ("users.messages.[sr]*s.*", "error", ERROR),
    ("users.behaviors.subscriptiongroup.*", "state_change_source", SOURCES.__contains__),
    ("users.behaviors.subscription.*", "state_change_source", GLOBAL_SOURCES.__contains__),
    ("users.behaviors.app.SessionEnd", "duration", lambda seconds: 0 < seconds <= 3600 + 240),
    ("agentconsole.*", "duration", lambda milliseconds: type(milliseconds) is int),
]


def test_no_findings(traffic: list[Event]) -> None:
    """The catalog defines formats, listed values, types and required fields."""
    findings = [finding for event in traffic for finding in check_event(NEWEST, event)]
    assert findings == []


@pytest.mark.parametrize(("glob", "field", "is_right"), RULES, ids=lambda each: str(each)[:40])
def test_rule(
    traffic: list[Event], glob: str, field: str, is_right: Callable[[Any], object]
) -> None:
    events = traffic if glob == ALL else of_type(traffic, glob)
    values = [value for value in every(events, field) if value is not None]
    assert values
    assert [value for value in values if not is_right(value)] == []


#: Fields that are null in some events and not in others.
NULLS = {
    ("users.messages.pushnotification.Open", "button_string"),
    ("users.messages.pushnotification.Open", "button_action_type"),
    ("users.messages.inappmessage.Click", "button_id"),
    ("users.messages.pushnotification.Send", "locale_key"),
}


@pytest.mark.parametrize(("event_type", "field"), sorted(NULLS))
def test_nulls(traffic: list[Event], event_type: str, field: str) -> None:
    values = every(of_type(traffic, event_type), field)
    assert None in values
    assert len(set(values)) > 1


#: Not every type has a known device, not every channel is in a Canvas that many users enter, and
#: most surveys are in messages.
SELDOM = {
    *("user.device_id", "properties.app_id", "properties.send_id"),
    *("properties.landing_page_api_id", "properties.landing_page_name"),
    *(f"properties.{name}" for name in CANVAS),
}


def test_every_field_occurs(traffic: list[Event]) -> None:
    seen: dict[str, set[str]] = {name: set() for name in NEWEST}
    counts = Counter(event.event_type for event in traffic)
    for event in traffic:
        seen[event.event_type] |= filled(event)
    assert set.union(*seen.values()) >= SELDOM
    unseen = {
        f"{each.name}: {path}"
        for each in NEWEST.event_types
        for path in each.fields.keys() - SELDOM
        if path not in seen[each.name] and counts[each.name] > 50
    }
    # Only samples leave a Canvas, or have the dispatch of an in-app message that was seen.
    assert unseen == {
        "users.canvasstep.Progression: properties.exit_reason",
        "users.messages.inappmessage.Click: properties.dispatch_id",
        "users.messages.inappmessage.Impression: properties.dispatch_id",
    }


def test_aborts(traffic: list[Event]) -> None:
    for event in of_type(traffic, "*.Abort"):
        kind, log = event.properties["abort_type"], event.properties["abort_log"]
        rule = NEWEST[event.event_type].fields["properties.abort_type"].rule
        assert kind in rule.values
        if kind == "frequency_capped":
            assert re.fullmatch(r"Frequency cap rule: \d+ [a-z-]+ messages every 1 \w+", log)
        if "Connected Content:" in log:
            assert kind == "exhausted_cc_retries"
    logs = every(of_type(traffic, "users.messages.email.Abort"), "abort_log")
    assert "Frequency cap rule: 5 email messages every 1 week" in logs


def test_retries(traffic: list[Event]) -> None:
    """A retry is not a provider's error: the message was delayed."""
    for event in of_type(traffic, "*.Retry"):
        if event.properties["retry_type"] == "frequency_capped":
            assert event.properties["retry_log"].startswith("Frequency cap rule: ")


def test_drops(traffic: list[Event]) -> None:
    bounces = of_type(traffic, "users.messages.email.Bounce")
    assert {event.properties["is_drop"] for event in bounces} == {True, False}


def test_archived_profiles(traffic: list[Event]) -> None:
    assert set(every(of_type(traffic, "users.profile.Update"), "archived")) == {True, False}


def test_categories_are_of_auto_replies(traffic: list[Event]) -> None:
    sends = of_type(traffic, "users.messages.*.Send")
    values = every(sends, "category")
    assert set(values) <= {"opt-in", "opt-out", "help"}
    assert 0 < len(values) < len(sends) / 10


ANSWERS = {
    "single_choice": {"answer_single_string"},
    "single_boolean": {"answer_single_boolean"},
    "single_number": {"answer_single_number"},
    "free_form_text": {"answer_long_string"},
    "multiple_choice": {"answer_multiple_strings"},
    "nps": {"answer_single_number"},
}


def test_answers(traffic: list[Event]) -> None:
    """The kind of the question determines the field with the answer."""
    responses = of_type(traffic, "users.messages.survey.Response")
    assert set(every(responses, "answer_type")) == set(ANSWERS)
    for event in responses:
        kind = event.properties["answer_type"]
        answers = {name for name in event.properties if name.startswith("answer_")}
        comment = {"answer_single_string"} if kind == "nps" else set()
        assert answers - {"answer_type"} - comment == ANSWERS[kind]
        page = "landing_page_api_id" in event.properties
        assert page != bool(event.properties.keys() & {"campaign_id", "canvas_id"})


def test_tokens_of_combinations(world: World, traffic: list[Event]) -> None:
    steps = {step.optimizer_id for canvas in world.canvases for step in canvas.steps}
    stored = of_type(traffic, "contentoptimizer.ComponentStore")
    assert set(every(stored, "content_optimizer_step_id")) <= steps
    converted = of_type(traffic, "users.canvas.costep.Conversion")
    assert set(every(converted, "conversion_type")) == {"open", "click"}


def test_addresses_of_channels(traffic: list[Event]) -> None:
    for event in of_type(traffic, "users.messages.*"):
        if "provider_error_code" in event.properties:
            assert WHOLE(event.properties["provider_error_code"])
            assert channel_of(event) in ("sms", "rcs", "whatsapp")
