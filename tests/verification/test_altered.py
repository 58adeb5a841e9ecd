"""Why events arrived with another content."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from currents_export.receiver.rudderstack import transform
from currents_export.verification import FindingKind, reconcile
from tests.support.currents import custom, rudderstack
from tests.support.events import OPEN, event, make_events

Value = dict[str, Any]
EVENTS = [each.to_dict() for each in make_events(3)]


def messages(*values: Any, **fields: Any) -> list[Value]:
    """Return the messages of events, with other fields."""
    return [(transform(each) or {}) | fields for each in values]


def causes(sent: Any, received: Any, **options: Any) -> dict[str, int]:
    """Return the counts of the causes of altered events."""
    altered = reconcile(sent, received, **options).altered
    return {code: each.count for code, each in altered.by_cause.items()}


@pytest.mark.parametrize("seconds", [3600, -7200, 19_800, 1])
def test_constant_shift(seconds: int) -> None:
    received = [each | {"time": each["time"] + seconds} for each in EVENTS]
    altered = reconcile(EVENTS, received).altered
    assert (*altered.by_cause, altered.shift_s) == ("wrong_time", seconds)
    through = reconcile(EVENTS, messages(*received), through="rudderstack").altered
    assert (*through.by_cause, through.shift_s) == ("wrong_time", seconds)


def test_different_shifts() -> None:
    received = [each | {"time": each["time"] + n} for n, each in enumerate(EVENTS, start=1)]
    altered = reconcile(EVENTS, received).altered
    assert (altered.by_cause["wrong_time"].count, altered.shift_s) == (3, None)


@pytest.mark.parametrize("time", ["soon", None, "2026-07-01T12:00:00"])
def test_times_that_are_not_times(time: Any) -> None:
    altered = reconcile(EVENTS, messages(*EVENTS, timestamp=time), through="rudderstack").altered
    assert (*altered.by_cause, altered.shift_s) == ("wrong_time", None)


def test_names() -> None:
    mapping = {OPEN: "Email Opened"}
    renamed, plain = messages(*EVENTS, event="Email Opened"), messages(*EVENTS)
    assert causes(EVENTS, plain, mapping=mapping) == {"unmapped_names": 3}
    assert causes(EVENTS, renamed) == {"unmapped_names": 3}
    assert causes(EVENTS, messages(*EVENTS, event="Wrong"), mapping=mapping) == {"changed": 3}


@pytest.mark.parametrize("is_sent", [True, False], ids=["as sent", "as given"])
def test_personal_data_in_clear(is_sent: bool) -> None:
    current = custom(field_transformations={"email_address": "remove", "user_id": "hash"})
    hashed = [
        each | {"user": each["user"] | {"user_id": _hash(each["user"]["user_id"])}}
        for each in EVENTS
    ]
    removed = [each | {"properties": {"email_address": "[REDACTED]"}} for each in hashed]
    sent, used = (removed, None) if is_sent else (EVENTS, current)
    altered = reconcile(sent, EVENTS, current=used).altered
    assert {code: each.count for code, each in altered.by_cause.items()} == {
        "clear_personal_data": 3
    }
    assert altered.by_field == {"user.user_id": 3, "properties.email_address": 3}
    wrong = [each | {"properties": {"email_address": None}} for each in hashed]
    assert causes(sent, wrong, current=used) == {"changed": 3}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_personal_data_in_clear_through_rudderstack() -> None:
    current = rudderstack("http://127.0.0.1", field_transformations={"email_address": "remove"})
    altered = reconcile(EVENTS, messages(*EVENTS), current=current).altered
    assert altered.by_field == {"traits.email": 3}
    assert altered.by_cause.keys() == {"clear_personal_data"}


def test_event_with_several_causes() -> None:
    received = [each | {"time": 1, "properties": {}} for each in EVENTS]
    assert causes(EVENTS, received) == {"wrong_time": 3, "changed": 3}


def test_pairs() -> None:
    received = [each | {"properties": {"a": [1, "x"], "email_address": "e"}} for each in EVENTS]
    altered = reconcile(EVENTS, messages(*received), through="rudderstack").altered
    first = altered.pairs[0]
    assert (first.id, first.event_type, len(altered.pairs)) == (EVENTS[0]["id"], OPEN, 3)
    assert first.fields == ("traits.email", "properties")
    assert first.expected["event"] == first.got["event"] == OPEN
    assert first.got["properties"] == {"a": [1, "x"]}
    shown = first.to_dict(personal_data=True)
    assert shown["expected"]["traits"]["email"] == EVENTS[0]["properties"]["email_address"]
    hidden = first.to_dict()
    assert hidden["got"]["properties"] == {"a": [1, "(1 characters)"]}
    assert (hidden["got"]["messageId"], hidden["got"]["event"]) == (EVENTS[0]["id"], OPEN)
    assert EVENTS[0]["properties"]["email_address"] not in str(hidden)


def test_masked_pair_has_no_other_texts() -> None:
    secret = "very private"
    odd = event(1).to_dict() | {secret: [{"x": secret}], "time": 5}
    pair = reconcile([odd], [odd | {"time": 6}]).altered.pairs[0].to_dict()
    assert pair["got"][secret] == [{"x": "(12 characters)"}]
    assert (pair["expected"]["time"], pair["got"]["time"]) == (5, 6)


def test_pairs_are_few() -> None:
    many = [each.to_dict() for each in make_events(50)]
    altered = reconcile(many, [each | {"time": 1} for each in many]).altered
    assert (altered.count, altered.examined, len(altered.pairs)) == (50, 50, 5)


def test_rows_of_altered_events() -> None:
    received = [EVENTS[0] | {"time": 1}, EVENTS[1] | {"user": {}}, EVENTS[2]]
    rows = {row.kind: row for row in reconcile(EVENTS, received).rows}
    assert rows.keys() == {FindingKind.WRONG_TIME, FindingKind.CHANGED}
    assert all(row.is_wrong for row in rows.values())
    assert rows[FindingKind.WRONG_TIME].findings.examples[0].field == "time"
