"""A month of many users: all types occur, and nothing is unsound.

`CURRENTS_EXPORT_LONG=1` takes 2,000 users; by default it is the shared month of 1,000.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest

from currents_export.catalog import check_event
from currents_export.coherence import check_stream
from currents_export.events import Event
from currents_export.simulation import SAMPLE_TIME, World
from tests.simulation.conftest import MONTH
from tests.support.traffic import NEWEST, of_type

LONG = bool(os.environ.get("CURRENTS_EXPORT_LONG"))


@pytest.fixture(scope="module")
def events(request: pytest.FixtureRequest) -> list[Event]:
    if not LONG:
        month: list[Event] = request.getfixturevalue("month")
        return month
    return list(World(0, users=2_000).events(start=SAMPLE_TIME, until=SAMPLE_TIME + MONTH))


def test_every_type(events: list[Event]) -> None:
    missing = set(NEWEST) - {event.event_type for event in events}
    # Of 2,000 users, one or two report spam in a month: 0.012 % of what is delivered.
    assert missing <= (set() if LONG else {"users.messages.email.MarkAsSpam"})


def test_nothing_is_unsound(events: list[Event]) -> None:
    """Every event conforms to the catalog, and all hang together."""
    checked = events if LONG else events[::7]
    assert [finding for event in checked for finding in check_event(NEWEST, event)] == []
    assert list(check_stream(events if LONG else events[:50_000])) == []
    assert len({event.id for event in events}) == len(events)


def test_abort_types(events: list[Event]) -> None:
    """Each channel aborts by caps or by its own content, and says why."""
    aborts = of_type(events, "users.messages.*.Abort")
    kinds = Counter(
        (event.event_type.split(".")[2], event.properties["abort_type"]) for event in aborts
    )
    channels = {channel for channel, _ in kinds}
    assert channels >= {"banner", "contentcard", "email", "inappmessage", "pushnotification", "sms"}
    assert {channel for channel, kind in kinds if kind == "frequency_capped"} >= {"rcs", "sms"}
    assert len({kind for _, kind in kinds}) > 12
    assert all(0 < len(event.properties["abort_log"]) <= 128 for event in aborts)
    for event in aborts:
        if event.properties["abort_type"] == "frequency_capped":
            assert event.properties["abort_log"].startswith("Frequency cap rule: ")


def test_retry_types(events: list[Event]) -> None:
    retries = of_type(events, "users.messages.*.Retry")
    kinds = {event.properties["retry_type"] for event in retries}
    assert kinds == {"deprioritized", "frequency_capped"}


def test_sources_of_state_changes(events: list[Event]) -> None:
    """They fit what led to the change."""
    changes = Counter(
        (
            event.event_type.rpartition(".")[2],
            event.properties["state_change_source"],
            event.properties["subscription_status"],
        )
        for event in (
            *of_type(events, "users.behaviors.subscription.GlobalStateChange"),
            *of_type(events, "users.behaviors.subscriptiongroup.StateChange"),
        )
    )
    sources = {source for _, source, _ in changes}
    assert sources >= {
        "CSV Import",
        "Canvas User Update Step",
        "Dashboard",
        "Inbound Message",
        "List-Unsubscribe",
        "Preference Center",
        "REST API",
        "SDK",
        "Subscription Page",
    }
    for kind, source, status in changes:
        if source in ("Inbound Message", "List-Unsubscribe"):
            assert status == "Unsubscribed"
        if source in ("Canvas User Update Step", "Migration"):
            assert status == "Subscribed"
        if source == "Push Token Registration":
            assert status == "Opted In"
        if source in ("List-Unsubscribe", "SDK", "Other"):
            assert kind == "GlobalStateChange"
