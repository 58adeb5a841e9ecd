"""What changes in lives over time: phones change hands, systems are updated, users stay away."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest

from currents_export.catalog import check_event
from currents_export.coherence import check_stream
from currents_export.events import Event
from currents_export.simulation import SAMPLE_TIME, World
from currents_export.simulation.scenario import Scenario
from tests.support.traffic import NEWEST

DAY = 86_400
LENGTH = 34 * DAY
USERS = 40
TOKENS = "users.behaviors.pushnotification.TokenStateChange"
RATES = {"push.token_move": 0.5, "monthly.system_update": 3.0, "monthly.token_refresh": 1.0}


@pytest.fixture(scope="module")
def restless() -> World:
    """Return a world in which phones often change hands, and systems are often updated."""
    return World(4, users=USERS, scenario=Scenario(rates=RATES))


@pytest.fixture(scope="module")
def events(restless: World) -> list[Event]:
    return list(restless.events(start=SAMPLE_TIME, until=SAMPLE_TIME + LENGTH))


def number_of(world: World, event: Event) -> int:
    return next(user.number for user in world.users if user.id == event.user["user_id"])


def moves(world: World, events: list[Event]) -> list[tuple[Event, Event]]:
    """Return the removals and additions by which tokens moved from one user to another."""
    last: dict[str, Event] = {}
    found = []
    for event in events:
        if event.event_type == TOKENS:
            before = last.get(event.properties["push_token"])
            if before is not None and before.user["user_id"] != event.user["user_id"]:
                found.append((before, event))
            last[event.properties["push_token"]] = event
    return found


def test_conforms_and_coheres(events: list[Event]) -> None:
    assert not [finding for event in events for finding in check_event(NEWEST, event)]
    assert not list(check_stream(events))


def test_token_moves_to_the_next_user(restless: World, events: list[Event]) -> None:
    found = moves(restless, events)
    assert len(found) > 3
    for removed, added in found:
        kinds = [each.properties["push_token_state_change_type"] for each in (removed, added)]
        assert kinds == ["remove", "add"]
        assert number_of(restless, added) == number_of(restless, removed) + 1
        assert 0 < added.properties["time_ms"] - removed.properties["time_ms"] <= 100
        assert added.properties["push_token_created_at"] == added.time


def test_former_user_is_done_with_the_phone(restless: World, events: list[Event]) -> None:
    phones = {device.push_token: device.id for user in restless.users for device in user.devices}
    taken = 0
    for removed, added in moves(restless, events):
        later = [
            event
            for event in events
            if event.user.get("device_id") == phones[removed.properties["push_token"]]
            and event.time > added.time + 3_600
            and not event.event_type.endswith("SessionEnd")
        ]
        assert {event.user["user_id"] for event in later} <= {added.user["user_id"]}
        taken += bool(later)
    assert taken


def test_each_life_knows_its_handovers(restless: World, events: list[Event]) -> None:
    """A user's part is the same without the other one, and in a world without the next one."""
    removed, added = moves(restless, events)[0]
    end = SAMPLE_TIME + LENGTH
    for event in (removed, added):
        alone = restless.events(start=SAMPLE_TIME, until=end, users=[number_of(restless, event)])
        assert list(alone) == [
            each for each in events if each.user.get("user_id") == event.user["user_id"]
        ]
    number = number_of(restless, removed)
    smaller = World(4, users=number + 1, scenario=Scenario(rates=RATES))
    assert list(smaller.events(start=SAMPLE_TIME, until=end, users=[number])) == [
        each for each in events if each.user.get("user_id") == removed.user["user_id"]
    ]


def test_phones_stay_where_everybody_is_new() -> None:
    world = World(4, users=USERS, scenario=Scenario(rates=RATES))
    run = world.events(start=SAMPLE_TIME, until=SAMPLE_TIME + LENGTH, history="clean")
    assert not moves(world, list(run))


def version(text: str) -> list[int]:
    return [int(part) for part in text.split(".")]


@pytest.mark.parametrize("name", ["os_version", "sdk_version"])
def test_versions_only_rise(name: str, events: list[Event]) -> None:
    versions: dict[tuple[str, str], list[list[int]]] = defaultdict(list)
    for event in events:
        if name in event.properties:
            key = (event.user["user_id"], event.user["device_id"])
            versions[key].append(version(event.properties[name]))
    assert all(before <= after for each in versions.values() for before, after in pairwise(each))
    if name == "os_version":
        assert sum(len(set(map(tuple, each))) > 1 for each in versions.values()) > 5


def test_browser_follows_the_system(restless: World, events: list[Event]) -> None:
    """The user agent of an updated iPhone has the new version."""
    first = {device.id: device for user in restless.users for device in user.devices}
    updated = [
        event
        for event in events
        if (device := first.get(event.user.get("device_id", "")))
        and event.properties.get("os_version", device.os_version) != device.os_version
    ]
    assert updated
    for event in updated:
        assert event.properties["device_model"] == first[event.user["device_id"]].model


def test_apps_are_updated() -> None:
    """Former releases are in use, and some devices change to the current one."""
    scenario = Scenario(rates={"app.former": 1.0, "session.upgrade": 0.3, "session.banner": 1.0})
    world = World(1, users=30, scenario=scenario)
    current = {app.sdk_version for app in world.apps}
    former = {app.former.sdk_version for app in world.apps}
    devices: dict[str, set[str]] = defaultdict(set)
    for event in world.events(start=SAMPLE_TIME, until=SAMPLE_TIME + 20 * DAY):
        if "sdk_version" in event.properties:
            devices[event.user["device_id"]].add(event.properties["sdk_version"])
    seen = set().union(*devices.values())
    assert seen <= current | former
    assert seen & former
    assert seen & current


def test_who_stays_away_enters_the_canvas() -> None:
    world = World(3, users=120)
    canvases = {canvas.id for canvas in world.canvases if canvas.entry == "lapsed"}
    sessions: dict[str, int] = {}
    entered = []
    for event in world.events(start=SAMPLE_TIME, until=SAMPLE_TIME + 40 * DAY, history="clean"):
        user = event.user.get("user_id", "")
        if event.event_type == "users.behaviors.app.SessionStart":
            sessions[user] = event.time
        elif event.event_type == "users.canvas.Entry" and event.properties["canvas_id"] in canvases:
            entered.append(user)
            assert event.time - sessions[user] >= 14 * DAY
    assert len(entered) > 10
    assert len(set(entered)) > len(entered) * 0.8
