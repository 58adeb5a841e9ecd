"""The packaged tables: formats, values and descriptions of fields."""

from __future__ import annotations

import pytest

from currents_export.catalog import FORMATS, Catalog, EventType, Field, ValueRule, read_table

NEWEST = Catalog.load()
FIELDS = [field for each in NEWEST.event_types for field in each.fields.values()]
GLOBAL_STATE = "users.behaviors.subscription.GlobalStateChange"


def rule(field: str, event_type: str | None = None) -> ValueRule:
    """Return the rule of a field in one event type, or the rule that all types share."""
    found = {
        each.rule
        for name in ([event_type] if event_type else NEWEST)
        for each in NEWEST[name].fields.values()
        if each.name == field
    }
    assert len(found) == 1
    return found.pop()


@pytest.mark.parametrize(
    ("format_name", "fields"),
    [
        ("object_id", "user_id agent_id content_optimizer_step_id orphaned_by_id"),
        ("uuid", "app_id app_group_id campaign_id canvas_id card_id session_id ad_id"),
        ("uuid", "canvas_variation_id message_variation_id subscription_group_id"),
        ("uuid", "canvas_step_id experiment_step_id next_step_id"),
        ("uuid", "canvas_step_message_variation_api_id landing_page_api_id"),
        ("uuid", "survey_id question_id"),
        ("ascii64", "send_id"),
        ("", "dispatch_id survey_session_id response_id retry_type exit_reason"),
        ("e164", "to_phone_number from_phone_number phone_number user_phone_number"),
        ("e164", "inbound_phone_number"),
        ("wamid", "message_id in_reply_to"),
        ("json", "message_extras flow_response_json tool_arguments content"),
        ("json", "data_object_provenance"),
        ("json_object", "conversion_behavior"),
        ("json_strings", "answer_multiple_strings"),
        ("", "custom_attributes custom_properties purchase_properties"),
        ("currency", "currency"),
        ("timezone", "timezone"),
        ("locale", "locale_key"),
        ("combination", "combination_token"),
        ("iso_date", "dob"),
        ("unix_seconds", "send_time"),
        ("unix_milliseconds", "time_ms"),
        ("http_status", "http_status_code"),
    ],
)
def test_formats(format_name: str, fields: str) -> None:
    assert {rule(field).format for field in fields.split()} == {format_name}


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("platform", "ios|android|kindle|web|tvos|roku"),
        ("ad_id_type", "ios_idfa|google_ad_id|windows_ad_id|roku_ad_id"),
        ("esp", "SendGrid|SparkPost|Amazon SES"),
        ("gender", "M|F|O|N|P"),
        ("button_action_type", "uri|deep_link|none|close"),
        ("live_activity_event_type", "start|update|end"),
        ("ios_push_token_apns_gateway", "1|2"),
        ("push_token_state_change_type", "add|update|remove"),
        ("conversion_type", "open|click"),
    ],
)
def test_closed_sets(field: str, values: str) -> None:
    assert rule(field) == ValueRule(values=tuple(values.split("|")), open=False)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("channel", "email|push|sms|whatsapp"),
        ("machine_open", "true"),
        ("device_class", "mobile|desktop|tablet"),
        ("action", "Subscribed|Unsubscribed|None"),
        ("category", "opt-in|opt-out|help"),
        ("webhook_failure_source", "External Endpoint"),
        ("interaction_type", "Text URL|Reply|OpenURL"),
        ("element_type", "Suggestion|Button"),
        ("update_source", "REST|SDK|Dashboard"),
        ("conversion_behavior_index", "0|1|2|3"),
        ("progression_type", "advance"),
        ("live_activity_event_outcome", "Success"),
        ("survey_completion_status", "completed|incomplete"),
    ],
)
def test_open_sets(field: str, values: str) -> None:
    assert rule(field) == ValueRule(values=tuple(values.split("|")), open=True)


def test_subscription_states() -> None:
    group = rule("subscription_status", "users.behaviors.subscriptiongroup.StateChange")
    whole = rule("subscription_status", GLOBAL_STATE)
    assert group.values == ("Subscribed", "Unsubscribed")
    assert whole.values == (*group.values, "Opted In")


def test_sources_of_subscription_changes() -> None:
    group = rule("state_change_source", "users.behaviors.subscriptiongroup.StateChange")
    whole = rule("state_change_source", GLOBAL_STATE)
    assert {"CSV import", "CSV Import", "User Merge"} <= set(group.values)
    more = ("Push Token Registration", "List-Unsubscribe", "Other")
    assert whole.values == (*group.values, *more)
    assert group.open
    assert whole.open


def test_durations() -> None:
    assert rule("duration", "users.behaviors.app.SessionEnd").format == "seconds"
    assert rule("duration", "agentconsole.ToolInvocation").format == "milliseconds"
    found = {field.json_type: field.rule.format for field in NEWEST.fields["duration"]}
    assert found == {"number": "seconds", "integer": "milliseconds"}


ABORTS = [name for name in NEWEST if name.endswith(".Abort")]


@pytest.mark.parametrize("name", ABORTS)
def test_abort_types_of_a_channel(name: str) -> None:
    found = rule("abort_type", name)
    assert not found.open
    assert {"liquid_abort_message", "frequency_capped"} <= set(found.values)
    assert len(found.values) == len(set(found.values))
    assert not {"quiet_hours", "frequency_capping"} & set(found.values)


def test_abort_types_differ_by_channel() -> None:
    def own(channel: str) -> set[str]:
        return set(rule("abort_type", f"users.messages.{channel}.Abort").values)

    assert own("newsfeedcard") == own("rcs") == set.intersection(*map(own, ("sms", "email", "rcs")))
    assert "missing_email" in own("email") - own("sms")
    assert "mms_not_supported" in own("sms") - own("email")


@pytest.mark.parametrize(
    ("json_type", "names"),
    [
        ("object", {"custom_attributes", "custom_properties", "purchase_properties"}),
        ("array<string>", {"media_urls", "suspected_bot_click_reason"}),
    ],
)
def test_objects_and_arrays(json_type: str, names: set[str]) -> None:
    assert {field.name for field in FIELDS if field.json_type == json_type} == names


def test_machine_open_is_text() -> None:
    assert {field.json_type for field in NEWEST.fields["machine_open"]} == {"string"}


def test_every_row_is_used() -> None:
    assert {row["field"] for row in read_table("fields.tsv")} == set(NEWEST.fields)
    for row in read_table("field_values.tsv"):
        types = [row["event_type"]] if row["event_type"] else list(NEWEST)
        assert any(
            field.name == row["field"] for name in types for field in NEWEST[name].fields.values()
        )


def test_every_format_is_used_and_fits() -> None:
    assert {field.rule.format for field in FIELDS} == {"", *FORMATS}
    for field in FIELDS:
        if field.rule.format:
            assert field.json_type in FORMATS[field.rule.format].json_types


def described() -> list[EventType | Field]:
    fields = {field.name: field for field in FIELDS}
    return [*NEWEST.event_types, *fields.values()]


@pytest.mark.parametrize("each", described(), ids=lambda each: each.name)
def test_description_is_one_short_sentence(each: EventType | Field) -> None:
    text = each.description
    assert text.isascii()
    assert text[0].isupper()
    assert text.endswith(".")
    assert 15 <= len(text) <= 110
    assert not set(text) & set('"\t')


def test_descriptions_are_unique() -> None:
    texts = [each.description.lower() for each in described()]
    assert len(texts) == len(set(texts))
