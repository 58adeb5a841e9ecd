"""A stream that begins in the middle of lives, and one that begins with them."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from currents_export.events import Event
from currents_export.simulation import SAMPLE_TIME, KeyRecord, World

HOUR = 3_600
DAY = 24 * HOUR
Keyed = list[tuple[Event, KeyRecord]]


def keyed(world: World, *, days: int, history: str) -> Keyed:
    key: list[KeyRecord] = []
    until = SAMPLE_TIME + days * DAY
    stream = world.events(start=SAMPLE_TIME, until=until, history=history, key=key.append)  # type: ignore[arg-type] # one of two
    return [(event, key.pop()) for event in stream]


@pytest.fixture(scope="module")
def running() -> Keyed:
    return keyed(World(31, users=800), days=3, history="running")


@pytest.fixture(scope="module")
def clean() -> Keyed:
    return keyed(World(31, users=400), days=3, history="clean")


def test_earlier_messages_are_opened(running: Keyed) -> None:
    """Opens of yesterday's messages come from the first hours on, and become fewer."""
    opens = [
        event.time - SAMPLE_TIME
        for event, record in running
        if record.before_start and event.event_type == "users.messages.email.Open"
    ]
    assert sum(time < 6 * HOUR for time in opens) > 5
    assert sum(time < DAY for time in opens) > sum(time > 2 * DAY for time in opens)


def test_what_began_before_goes_on(running: Keyed) -> None:
    marked = {event.event_type for event, record in running if record.before_start}
    assert marked >= {
        "users.campaigns.Conversion",
        "users.canvas.sendtodestination.Sent",
        "users.messages.contentcard.Impression",
        "users.messages.email.Open",
        "users.messages.whatsapp.Read",
    }
    # It says when the message was sent.
    for event, record in running:
        if event.event_type == "users.messages.email.Open":
            assert record.sent_at is not None
            assert (record.sent_at < SAMPLE_TIME) >= record.before_start


def test_marked_events_lack_their_cause(running: Keyed) -> None:
    seen: set[str] = set()
    for event, record in running:
        if record.cause is not None:
            assert (record.cause in seen) != record.before_start
        seen.add(event.id)


def test_sessions_are_open() -> None:
    """Some sessions began before, and end within an hour."""
    world = World(32, users=2_000)
    key: list[KeyRecord] = []
    ends = [
        key[-1]
        for _ in world.events(
            start=SAMPLE_TIME,
            until=SAMPLE_TIME + HOUR,
            event_types=["users.behaviors.app.SessionEnd"],
            key=key.append,
        )
    ]
    assert 0 < sum(record.before_start for record in ends) < len(ends) / 2


def test_sessions_are_even_from_the_beginning(running: Keyed) -> None:
    """The first day is not a rush, and not empty."""
    starts = Counter(
        (event.time - SAMPLE_TIME) // DAY
        for event, _ in running
        if event.event_type == "users.behaviors.app.SessionStart"
    )
    assert 0.75 < starts[0] / starts[2] < 1.35


def test_clean_beginning(clean: Keyed) -> None:
    """Nothing happened before: each app's first event on a device is its first session."""
    assert not any(record.before_start for _, record in clean)
    apps: dict[tuple[str, str], list[str]] = defaultdict(list)
    for event, _ in clean:
        app = event.properties.get("app_id")
        if app is not None and "device_id" in event.user:
            apps[event.user["user_id"], app].append(event.event_type)
    assert len(apps) > 100
    assert {names[0] for names in apps.values()} == {"users.behaviors.app.FirstSession"}
    assert all(names.count("users.behaviors.app.FirstSession") == 1 for names in apps.values())


def test_push_needs_the_app(clean: Keyed) -> None:
    """Nobody gets a push message before the first session on a device."""
    opened: set[str] = set()
    pushed = 0
    for event, _ in clean:
        if event.event_type == "users.behaviors.app.SessionStart":
            opened.add(event.user["device_id"])
        elif event.event_type == "users.messages.pushnotification.Send":
            assert event.user["device_id"] in opened
            pushed += 1
    assert pushed > 20
