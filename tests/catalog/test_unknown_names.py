"""Event types and fields that a schema version does not have."""

from __future__ import annotations

from typing import Any

import pytest

from currents_export.catalog import Catalog, FindingCode
from tests.support.events import OPEN, event_with, good_event
from tests.support.findings import found_in

NEWEST = Catalog.load()
NUMBER = NEWEST.schema_version


def event_of(event_type: str) -> dict[str, Any]:
    return good_event(NEWEST[OPEN]) | {"event_type": event_type}


def test_unknown_event_type_has_the_nearest() -> None:
    [found] = found_in(event_of("users.messages.email.Opne"))
    assert found.code == "unknown_event_type"
    assert found.field == "event_type"
    assert found.problem == f"'users.messages.email.Opne' is not in schema version {NUMBER}"
    assert found.expected.startswith("no schema version has it; did you mean")
    assert repr(OPEN) in found.expected


def test_unknown_event_type_without_neighbors() -> None:
    [found] = found_in(event_of("zzz"))
    assert found.expected == "no schema version has it"


def test_event_type_of_a_later_version() -> None:
    each = NEWEST["users.canvas.costep.Send"]
    [found] = found_in(good_event(each), each.since - 1)
    assert found == (
        "not_in_schema_version",
        "event_type",
        f"{each.name!r} is not in schema version {each.since - 1}",
        f"it was introduced in schema version {each.since}",
    )
    assert found_in(good_event(each), each.since) == []


def test_very_long_event_type() -> None:
    [found] = found_in(event_of("users.messages.email.Open" * 40))
    assert len(found.problem) < 200
    assert found.expected == "no schema version has it"


def test_unknown_type_hides_no_errors() -> None:
    found = found_in({"event_type": "x", "id": "", "time": 0, "user": 5})
    assert [FindingCode(each.code).level for each in found] == ["error"] * 3 + ["warning"]


@pytest.mark.parametrize(
    ("path", "code", "expected"),
    [
        (
            "properties.campaign_nam",
            "unknown_field",
            f"no schema version has it in {OPEN}; did you mean 'campaign_name'",
        ),
        ("properties.qqq", "unknown_field", f"no schema version has it in {OPEN}"),
        ("user.x.y", "unknown_field", f"no schema version has it in {OPEN}"),
        ("user.esp", "wrong_part", "it belongs in properties"),
        ("properties.user_id", "wrong_part", "it belongs in user"),
    ],
)
def test_unknown_field(path: str, code: str, expected: str) -> None:
    [found] = found_in(event_with(path, 1))
    assert found[:3] == (code, path, f"the field is not in schema version {NUMBER}")
    assert found.expected.startswith(expected)


def test_field_of_a_later_version() -> None:
    path = "properties.error"
    field = NEWEST["agentconsole.AgentExecuted"].fields[path]
    event = event_with(path, "x", "agentconsole.AgentExecuted")
    [found] = found_in(event, field.since - 1)
    assert found == (
        "not_in_schema_version",
        path,
        f"the field is not in schema version {field.since - 1}",
        f"it was introduced in schema version {field.since}",
    )
    assert found_in(event) == []


def test_very_long_field() -> None:
    [found] = found_in(event_with("properties." + "campaign_name" * 80, 1))
    assert found.expected == f"no schema version has it in {OPEN}"


def test_all_are_warnings() -> None:
    for code in ("unknown_event_type", "not_in_schema_version", "unknown_field", "wrong_part"):
        assert FindingCode(code).level == "warning"
