"""The flat shape of Braze's storage export."""

from __future__ import annotations

from typing import Any

import pytest

from currents_export.catalog import Catalog, check_event
from tests.support.events import EVENT_ID, OPEN, good_event
from tests.support.findings import found_in

STORED = {"id": EVENT_ID, "time": 1_782_907_200, "user_id": "5f3c", "email_address": "a@b.c"}


def flat(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event as the storage export has it."""
    return {"id": event["id"], "time": event["time"], **event["user"], **event["properties"]}


@pytest.mark.parametrize(
    "event",
    [
        STORED,
        STORED | {"time": 1.5, "unknown": 2**80},
        {"user_id": "5f3c"},
        STORED | {"event_type": OPEN},
        STORED | {"event_type": None, "user": None, "properties": None},
        flat(good_event(Catalog.load()[OPEN], optional=True)),
    ],
)
def test_one_finding_names_the_shape(event: dict[str, Any]) -> None:
    [found] = check_event(Catalog.load(), event)
    assert (found.code, found.level, found.field) == ("storage_shape", "error", "")
    assert "Braze's storage export" in found.problem
    assert all(key in found.expected for key in ("event_type", '"user"', '"properties"'))
    assert found.event_id == event.get("id")


@pytest.mark.parametrize("number", [each.number for each in Catalog.versions()])
def test_every_version_knows_the_shape(number: int) -> None:
    for each in Catalog.load(number).event_types:
        found = found_in(flat(good_event(each, optional=True)), number)
        assert [finding.code for finding in found] == ["storage_shape"]


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"id": EVENT_ID, "time": 1_782_907_200},
        {"event_type": OPEN, "id": EVENT_ID, "time": 1_782_907_200, "user": None},
        STORED | {"user": {}},
        STORED | {"properties": {}},
    ],
)
def test_other_shapes(event: dict[str, Any]) -> None:
    assert "storage_shape" not in [found.code for found in found_in(event)]
