"""What scenarios decide in the streams of a world."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from currents_export import check_stream
from currents_export.catalog import Catalog, check_event
from currents_export.errors import OptionError, UnknownNameError
from currents_export.events import Event
from currents_export.simulation import (
    CampaignSchedule,
    DeclaredCampaign,
    DeclaredCanvas,
    DeclaredStep,
    Duplicate,
    KeyRecord,
    Scenario,
    World,
    load_scenario,
)
from tests.support.scenarios import DAY, HOUR, MONDAY, events_of, world_of
from tests.support.traffic import of_type

SAMPLES = Path(__file__).parents[2] / "samples"
SEND = "users.messages.email.Send"
PEOPLE = 150
ONCE = DeclaredCampaign(
    name="Once", channel="email", schedule=CampaignSchedule(once="33h", zone="UTC")
)
HELLO = DeclaredCanvas(
    name="Hello", entry="first_session", steps=[DeclaredStep(name="Mail", channel="email")]
)


@cache
def sample(name: str) -> tuple[World, list[Event], list[KeyRecord]]:
    """Return the world of a sample, its events and their records."""
    world = World(scenario=load_scenario(SAMPLES / f"{name}.toml"))
    records: list[KeyRecord] = []
    # Fewer people than the file says are enough for these tests.
    users = range(min(len(world.users), PEOPLE))
    events = list(world.events(key=records.append, users=users))
    return world, events, records


def disturbed(records: list[KeyRecord], kind: str) -> list[KeyRecord]:
    return [record for record in records if kind in record.disturbances]


# Samples


@pytest.mark.parametrize("name", ["welcome-series", "black-friday", "small-shop"])
def test_sample_is_coherent(name: str) -> None:
    world, events, records = sample(name)
    assert [record.id for record in records] == [event.id for event in events]
    drifted = {record.id for record in disturbed(records, "drift")}
    assert not [
        problem
        for event in events
        if event.id not in drifted
        for problem in check_event(world.catalog, event.to_dict())
    ]
    # Where nothing is disturbed, nothing is incoherent.
    whole = world.scenario.history == "clean"
    plain = world.events(disturbances=(), users=range(min(len(world.users), 100)))
    assert list(check_stream(plain, whole=whole)) == []


def test_names_of_a_sample_are_null_for_an_hour() -> None:
    _, events, _ = sample("small-shop")
    assert not [each for each in check_stream(events) if each.rule.value == "names"]


def test_welcome_series() -> None:
    world, events, records = sample("welcome-series")
    first = [
        event
        for event, record in zip(events, records, strict=True)
        if "duplicate" not in record.disturbances
    ]
    counts = Counter(event.event_type for event in first)
    assert counts[SEND] == counts["users.canvas.Entry"] == len(world.users) == 50
    assert counts["users.messages.email.Bounce"] == 1
    assert counts["users.messages.email.Delivery"] == 49
    assert len(disturbed(records, "duplicate")) == pytest.approx(0.1 * len(first), rel=0.4)
    late = disturbed(records, "late")
    assert len(late) == pytest.approx(0.03 * len(events), rel=0.4)
    times = {event.id: event.time for event in events}
    for record in late:
        assert record.arrival is not None
        if "duplicate" not in record.disturbances:
            assert 0 < record.arrival - times[record.id] <= 2 * HOUR
    assert events[-1].time - events[0].time < 40 * DAY


def test_black_friday() -> None:
    world, events, records = sample("black-friday")
    start = world.scenario.start
    assert start is not None
    mails = [
        event
        for event in of_type(events, SEND)
        if event.properties.get("campaign_name") == "Black Friday Doors Open"
    ]
    assert len(mails) > 100
    # A few are tried again later, for example because of a frequency cap.
    at_once = sum(0 <= event.time - start - 8 * HOUR <= 300 for event in mails)
    assert at_once > 0.95 * len(mails)
    burst = [record.arrival for record in disturbed(records, "burst")]
    assert len(burst) > 300
    assert all(0 <= 10 * HOUR - (each - start) <= 300 for each in burst if each is not None)
    assert of_type(events, "users.messages.pushnotification.Send")
    controls = of_type(events, "users.campaigns.EnrollInControl")
    assert "Black Friday Doors Open" in {each.properties["campaign_name"] for each in controls}


def test_small_shop() -> None:
    _, events, records = sample("small-shop")
    sends = of_type(events, SEND)
    campaigns = Counter(event.properties.get("campaign_name") for event in sends)
    assert campaigns["Tuesday Newsletter"] > 200
    orders = [event for event in sends if "send_id" in event.properties]
    assert any(
        str(event.properties.get("campaign_name")).startswith("Order Confirmation")
        for event in orders
    )
    names = {event.properties.get("canvas_name") for event in of_type(events, "users.canvas.Entry")}
    assert "Cart Reminder" in names
    kinds = {kind for record in records for kind in record.disturbances}
    assert kinds >= {
        "duplicate",
        "out_of_order",
        "null_names",
        "missing_external_user_id",
        "drift",
    }
    drifted = disturbed(records, "drift")
    shares = len(drifted) / sum(event.time >= 1_777_593_600 + 20 * DAY for event in events)
    assert shares == pytest.approx(0.2, abs=0.03)


# Settings


def test_arguments_override_the_scenario() -> None:
    scenario = Scenario(
        users=30,
        seed=5,
        start=MONDAY,
        until="2d",
        history="clean",
        event_types=["users.behaviors.app.*"],
        disturbances=[Duplicate(share=0.5)],
    )
    world = World(scenario=scenario)
    events = list(world.events())
    assert events == list(World(5, users=30, scenario=scenario).events(start=MONDAY))
    assert {event.event_type.rpartition(".")[0] for event in events} == {"users.behaviors.app"}
    assert len(events) > len({event.id for event in events})
    assert "users.behaviors.app.FirstSession" in {event.event_type for event in events}
    assert max(event.time for event in events) < MONDAY + 2 * DAY

    other = World(6, users=20, scenario=scenario)
    assert (len(other.users), other.users[0]) == (20, World(6).users[0])
    plain = list(world.events(disturbances=()))
    assert len(plain) == len({event.id for event in plain}) == len({event.id for event in events})
    later = list(world.events(start=MONDAY + DAY))
    assert MONDAY + 2 * DAY < max(event.time for event in later) < MONDAY + 3 * DAY
    assert len(list(world.events(until=MONDAY + DAY))) < len(events)
    assert {
        each.event_type for each in world.events(event_types=[SEND], until=MONDAY + 9 * DAY)
    } == {SEND}


def test_empty_scenario_changes_nothing() -> None:
    events = list(World(1, users=20).events(start=MONDAY, until=MONDAY + DAY))
    world = World(1, users=20, scenario=Scenario())
    assert events == list(world.events(start=MONDAY, until=MONDAY + DAY))


def test_start_is_needed() -> None:
    with pytest.raises(OptionError, match="start is missing; only a scenario can give it"):
        World().events()


def test_rate_of_a_scenario() -> None:
    world = world_of(users=400, rate=0.005, until="7d")
    assert world.count_active(0.005) < 400
    assert len(list(world.events())) == pytest.approx(0.005 * 7 * DAY, rel=0.25)


def test_rates_and_delays() -> None:
    rates = {"email.open": 1.0, "email.machine_open": 0.0, "reach.email": 1.0}
    events = events_of(
        campaigns=[ONCE],
        rates=rates,
        delays={"email.open": "5m", "email.delivery": "2s"},
    )
    sends = {event.user["user_id"]: event.time for event in of_type(events, SEND)}
    opens = of_type(events, "users.messages.email.Open")
    delays = Counter(event.time - sends[event.user["user_id"]] for event in opens)
    assert delays[302] > 0.8 * len(sends)


def test_journeys_that_run() -> None:
    nothing = events_of(journeys=[])
    assert {event.event_type.rpartition(".")[0] for event in nothing} <= {
        "users.behaviors.app",
        "users.behaviors.pushnotification",
        "users.behaviors",
    }
    assert not [event for event in nothing if event.event_type == "users.behaviors.CustomEvent"]
    chosen = events_of(journeys=["welcome-series", "price-drop"], history="clean", until="20d")
    names = {
        str(event.properties.get("canvas_name") or event.properties.get("campaign_name"))
        for event in of_type(chosen, SEND)
    }
    assert {name.partition(" \u2013")[0] for name in names} == {"Welcome Series"}
    everything = {event.event_type for event in events_of(journeys=None, until="10d")}
    of_groups = events_of(journeys=["campaigns", "canvases", "shopping"], until="10d")
    assert len({event.event_type for event in of_groups} - everything) < 5
    assert of_type(of_groups, "users.messages.banner.Impression")


def test_journeys_leave_sessions_as_they_are() -> None:
    fewer, more = (
        [
            event
            for event in events_of(journeys=journeys, until="20d")
            if event.event_type.startswith("users.behaviors.app.")
        ]
        for journeys in (["agent"], ["agent", "profile", "content-optimizer"])
    )
    assert fewer == more


def test_new_campaign_changes_no_other_event() -> None:
    """It has keys of its own. What users do because of it, such as visits, is new as well."""
    hook = DeclaredCampaign(name="Hook", channel="webhook", schedule=CampaignSchedule(at="10:00"))
    for more in ({"campaigns": [hook]}, {"canvases": [hook_canvas()]}):
        without = events_of(journeys=None, until="6d", users=40)
        settings: dict[str, Any] = {"journeys": None, "until": "6d", "users": 40, **more}
        known = {event.id for event in without}
        events = events_of(**settings)
        assert [event for event in events if event.id in known] == without
        new = {each.event_type for each in events if each.id not in known}
        assert "users.messages.webhook.Send" in new


def hook_canvas() -> DeclaredCanvas:
    steps = [DeclaredStep(name="Hook", channel="webhook")]
    return DeclaredCanvas(name="Hooks", entry="session_start", steps=steps)


# Exact shares


@pytest.mark.parametrize(("users", "share", "bounces"), [(50, 0.02, 1), (200, 0.1, 20), (40, 0, 0)])
@pytest.mark.parametrize("seed", [1, 2])
def test_stratified_shares_are_exact(users: int, share: float, bounces: int, seed: int) -> None:
    events = events_of(
        users=users,
        seed=seed,
        mix="stratified",
        rates={"email.hard_bounce": share, "email.deferral": 0.0, "message.abort": 0.0},
        campaigns=[ONCE],
    )
    sends = len(of_type(events, SEND))
    found = sum(event.event_type == "users.messages.email.Bounce" for event in events)
    assert found == round(sends * share)
    if share and bounces:
        assert abs(found - bounces) <= 0.2 * bounces


def test_random_shares_are_not_exact() -> None:
    found = {
        len(
            [
                e
                for e in events_of(seed=seed, campaigns=[ONCE], rates={"email.hard_bounce": 0.2})
                if e.event_type == "users.messages.email.Bounce"
            ]
        )
        for seed in range(5)
    }
    assert len(found) > 2


def test_stratified_parts_are_the_whole() -> None:
    world = world_of(mix="stratified", users=30, until="3d", campaigns=[ONCE])
    whole = list(world.events())
    parts = [list(world.events(shard=(number, 3))) for number in range(3)]
    assert sorted(chain(*parts), key=id_of) == sorted(whole, key=id_of)


# Quiet ends


def test_quiet_waits_for_the_last_journey() -> None:
    world = world_of(until="quiet", history="clean", canvases=[HELLO], users=40)
    records: list[KeyRecord] = []
    events = list(world.events(key=records.append))
    longer = list(world.events(until=MONDAY + 28 * DAY))
    canvas = world.canvases[-1].id

    def hello(stream: list[Event]) -> list[Event]:
        return [each for each in stream if each.properties.get("canvas_id") == canvas]

    assert hello(events) == hello(longer)
    assert len(events) < len(longer)
    assert set(map(id_of, events)) <= set(map(id_of, longer))
    assert len({event.user["user_id"] for event in of_type(events, "users.canvas.Entry")}) > 35


def id_of(event: Event) -> str:
    return event.id


def test_quiet_waits_for_a_campaign() -> None:
    once = DeclaredCampaign(name="Once", channel="email", schedule=CampaignSchedule(once="20d"))
    events = events_of(until="quiet", campaigns=[once], users=40)
    sends = [e for e in of_type(events, SEND) if e.properties.get("campaign_name") == "Once"]
    assert len(sends) > 20


def test_quiet_end_of_users_who_hand_phones_over() -> None:
    """Handovers do not belong to a message, and nobody waits for them."""
    once = DeclaredCampaign(name="Once", channel="email", schedule=CampaignSchedule(once="20d"))
    rates = {"push.token_move": 1.0}
    assert of_type(events_of(until="quiet", campaigns=[once], rates=rates, users=40), SEND)


def test_quiet_needs_something_to_wait_for() -> None:
    with pytest.raises(OptionError, match="but there is nothing to wait for"):
        World().events(start=MONDAY, until="quiet")
    weekly = DeclaredCampaign(name="A", channel="email", schedule=CampaignSchedule(at="10:00"))
    with pytest.raises(OptionError, match="'A' goes out every week"):
        world_of(campaigns=[weekly]).events(until="quiet")


# Names


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"rates": {"email.opne": 0.1}},
            "there is no rate 'email.opne'; did you mean 'email.open'",
        ),
        ({"delays": {"email.opne": "1h"}}, "there is no delay 'email.opne'"),
        ({"journeys": ["shoping"]}, "there is no journey 'shoping'; did you mean 'shopping'"),
        (
            {"campaigns": [DeclaredCampaign(name="A", channel="mail", entry="purchase")]},
            "there is no channel 'mail'",
        ),
        (
            {
                "canvases": [
                    DeclaredCanvas(name="A", entry="purchase", region="Mars", steps=HELLO.steps)
                ]
            },
            "there is no region 'Mars'",
        ),
    ],
)
def test_unknown_names_in_python(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        World(scenario=Scenario(**settings))


def test_event_types_are_those_of_the_catalog() -> None:
    scenario = Scenario(event_types=["users.messages.banner.Click"])
    with pytest.raises(UnknownNameError):
        World(scenario=scenario, catalog=Catalog.load(1))


def test_only_scenarios_are_scenarios() -> None:
    with pytest.raises(OptionError, match=r"it must be a Scenario, such as load_scenario"):
        World(scenario="samples/small-shop.toml")  # type: ignore[arg-type]
