"""Campaigns that a scenario declares: everything they say has an effect."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson
import pytest

from currents_export.events import Event
from currents_export.simulation import (
    CampaignSchedule,
    DeclaredCampaign,
    FrequencyCap,
    Goal,
    QuietHours,
    World,
)
from tests.support.scenarios import DAY, HOUR, MONDAY, events_of, local_clock, world_of
from tests.support.traffic import of_type

SEND = "users.messages.email.Send"
EVERY_DAY = CampaignSchedule(at="10:00")
ONCE = CampaignSchedule(once="33h", zone="UTC")
#: All of those who have an email address get the email.
EVERYONE = {"reach.email": 1.0, "message.abort": 0.0, "message.deprioritized": 0.0}
#: How long a burst lasts at most.
BURST = 300


def campaign(**settings: Any) -> DeclaredCampaign:
    return DeclaredCampaign(**{"name": "Spring", "channel": "email", **settings})


def run(*campaigns: DeclaredCampaign, **settings: Any) -> list[Event]:
    settings.setdefault("rates", EVERYONE)
    return events_of(campaigns=campaigns, **settings)


def user_of(event: Event) -> str:
    return str(event.user["user_id"])


def users_of(events: list[Event]) -> set[str]:
    return {user_of(event) for event in events}


def test_it_goes_out_once_at_a_time_in_utc() -> None:
    sends = of_type(run(campaign(schedule=ONCE)), SEND)
    assert all(0 <= event.time - MONDAY - 33 * HOUR <= BURST for event in sends)
    assert len({event.properties["dispatch_id"] for event in sends}) == 1
    assert int(sends[0].properties["dispatch_id"][:8], 16) == MONDAY + 33 * HOUR
    assert len(users_of(sends)) == len(sends) > 50


@pytest.mark.parametrize("once", ["2026-03-03T09:00:00", "33h"])
def test_it_goes_out_once_on_everyones_clock(once: str) -> None:
    world = world_of(campaigns=[campaign(schedule=CampaignSchedule(once=once))], rates=EVERYONE)
    sends = of_type(list(world.events()), SEND)
    assert all(0 <= local_clock(each, world) - MONDAY - 33 * HOUR <= BURST for each in sends)
    assert max(each.time for each in sends) - min(each.time for each in sends) > 6 * HOUR
    assert len({event.properties["dispatch_id"] for event in sends}) == 1


def test_it_goes_out_on_days_of_the_week() -> None:
    schedule = CampaignSchedule(days=("Tue", "Thu"), at="07:30", zone="UTC")
    sends = of_type(run(campaign(schedule=schedule), until="9d"), SEND)
    days = Counter((event.time - MONDAY - 7 * HOUR - HOUR // 2) // DAY for event in sends)
    assert days.keys() == {1, 3, 8}
    assert len({event.properties["dispatch_id"] for event in sends}) == 3


def test_start_decides_when_a_duration_ends() -> None:
    world = world_of(campaigns=[campaign(schedule=ONCE)], rates=EVERYONE)
    later = of_type(list(world.events(start=MONDAY + DAY)), SEND)
    assert {(event.time - MONDAY) // DAY for event in later} == {2}


def test_campaigns_of_the_same_moment_go_out() -> None:
    pair = [campaign(name="A", schedule=ONCE), campaign(name="B", schedule=ONCE)]
    counts = Counter(each.properties["campaign_name"] for each in of_type(run(*pair), SEND))
    assert counts["A"] == counts["B"] > 50


@pytest.mark.parametrize("trigger", ["action", "api"])
def test_it_follows_an_action(trigger: str) -> None:
    events = run(campaign(entry="custom:Product Viewed", delay="10m", trigger=trigger))
    viewed = {
        (user_of(event), event.time)
        for event in of_type(events, "users.behaviors.CustomEvent")
        if event.properties["name"] == "Product Viewed"
    }
    sends = of_type(events, SEND)
    later = [event for event in sends if event.time > MONDAY + 600]
    assert all((user_of(event), event.time - 600) in viewed for event in later)
    assert len({event.properties["dispatch_id"] for event in sends}) == len(sends)


def test_send_id_is_asked_for() -> None:
    with_id, without = (
        of_type(run(campaign(entry="session_start", trigger="api", send_id=asked)), SEND)
        for asked in (True, False)
    )
    assert len({event.properties["send_id"] for event in with_id}) == len(with_id) > 3
    assert not any("send_id" in event.properties for event in without)


def test_share_is_of_the_users() -> None:
    """With a share, it is always the same users."""
    declared = campaign(schedule=EVERY_DAY, share=0.5, frequency_cap=FrequencyCap(messages=50))
    events = run(declared, users=200)
    counts = Counter(user_of(event) for event in of_type(events, SEND))
    assert 80 < len(counts) < 120
    assert sum(count >= 3 for count in counts.values()) > 0.9 * len(counts)


def test_variations_and_control_divide_the_users() -> None:
    declared = campaign(schedule=ONCE, variations=["Long", "Short"], control=0.3)
    events = run(declared, users=300)
    names = Counter(each.properties["message_variation_name"] for each in of_type(events, SEND))
    control = of_type(events, "users.campaigns.EnrollInControl")
    assert names.keys() == {"Long", "Short"}
    assert abs(names["Long"] - names["Short"]) < 50
    assert 60 < len(control) < 120
    assert not users_of(control) & users_of(of_type(events, SEND))


def test_control_of_one_gets_nothing() -> None:
    events = run(campaign(schedule=ONCE, control=1))
    assert not [event for event in events if event.event_type == SEND]
    assert len(of_type(events, "users.campaigns.EnrollInControl")) > 50


def test_region_is_where_users_live() -> None:
    world = world_of(campaigns=[campaign(schedule=ONCE, region="EU")], rates=EVERYONE)
    regions = {user.id: user.place.region for user in world.users}
    assert {regions[each] for each in users_of(of_type(list(world.events()), SEND))} == {"EU"}


def test_path_is_in_the_links() -> None:
    rates = {**EVERYONE, "email.open": 0.8, "email.click": 0.8}
    clicks = of_type(
        run(campaign(schedule=ONCE, path="sale/spring"), rates=rates), "users.messages.email.Click"
    )
    pages = {
        event.properties["url"].partition("?")[0].partition(".example/")[2] for event in clicks
    }
    assert "sale/spring" in pages
    assert pages <= {"sale/spring", "help"}


def test_goals_convert() -> None:
    goals = [
        Goal(behavior="session_start", window="2d"),
        Goal(behavior="custom:Product Viewed", window="1h"),
        Goal(behavior="email_open"),
    ]
    events = run(campaign(schedule=ONCE, goals=goals), users=200)
    conversions = of_type(events, "users.campaigns.Conversion")
    deliveries = of_type(events, "users.messages.email.Delivery")
    received = {user_of(event): event.time for event in deliveries}
    found = Counter(event.properties["conversion_behavior_index"] for event in conversions)
    assert found.keys() == {0, 1, 2}
    for event in conversions:
        behavior = orjson.loads(event.properties["conversion_behavior"])
        assert 0 <= event.time - received[user_of(event)] <= behavior["window"]
    assert not of_goals(run(campaign(schedule=ONCE)))


def of_goals(events: list[Event]) -> list[Event]:
    return [event for event in events if event.event_type == "users.campaigns.Conversion"]


def test_frequency_cap_stops_it() -> None:
    capped = campaign(schedule=EVERY_DAY, frequency_cap=FrequencyCap(messages=2, days=3))
    events = run(capped, until="9d")
    per_user: dict[str, list[int]] = {}
    for event in of_type(events, SEND):
        per_user.setdefault(user_of(event), []).append(event.time)
    for times in per_user.values():
        assert all(third - first > 2 * DAY for first, third in zip(times, times[2:], strict=False))
    logs = {each.properties["abort_log"] for each in of_type(events, "users.messages.email.Abort")}
    assert logs == {"Frequency cap rule: 2 email messages every 3 days"}


def test_frequency_cap_can_be_higher() -> None:
    """A cap of its own replaces that of the workspace, which is 5 emails a week."""
    free = campaign(schedule=EVERY_DAY, frequency_cap=FrequencyCap(messages=50))
    counts = Counter(user_of(event) for event in of_type(run(free, until="12d"), SEND))
    assert max(counts.values()) > 10
    usual = campaign(schedule=EVERY_DAY)
    counts = Counter(user_of(event) for event in of_type(run(usual, until="12d"), SEND))
    assert max(counts.values()) < 10


def test_cap_of_a_channel_without_caps() -> None:
    capped = campaign(
        channel="webhook", schedule=EVERY_DAY, frequency_cap=FrequencyCap(messages=1, days=14)
    )
    events = run(capped, history="clean")
    assert set(Counter(map(user_of, of_type(events, "users.messages.webhook.Send"))).values()) == {
        1
    }


def test_quiet_hours_hold_it_back() -> None:
    quiet = QuietHours(start="09:00", end="11:30")
    world = world_of(campaigns=[campaign(schedule=EVERY_DAY, quiet_hours=quiet)], rates=EVERYONE)
    clocks = [local_clock(each, world) % DAY for each in of_type(list(world.events()), SEND)]
    assert all(11.5 * HOUR <= clock < 12.5 * HOUR for clock in clocks)


def test_quiet_hours_over_midnight() -> None:
    late = CampaignSchedule(at="23:00")
    quiet = QuietHours(start="22:00", end="06:00")
    world = world_of(campaigns=[campaign(schedule=late, quiet_hours=quiet)], rates=EVERYONE)
    clocks = [local_clock(each, world) % DAY for each in of_type(list(world.events()), SEND)]
    assert all(6 * HOUR <= clock < 7 * HOUR for clock in clocks)


def test_quiet_hours_of_nearly_a_day_end() -> None:
    quiet = QuietHours(start="10:00", end="09:59")
    sends = of_type(run(campaign(schedule=EVERY_DAY, quiet_hours=quiet)), SEND)
    assert len(sends) > 50


def test_own_quiet_hours_replace_those_of_the_workspace() -> None:
    """Push waits from 21:00 to 08:00 by default."""
    declared = campaign(
        channel="pushnotification",
        schedule=CampaignSchedule(at="22:00"),
        quiet_hours=QuietHours(start="01:00", end="02:00"),
    )
    world = world_of(campaigns=[declared], rates=EVERYONE, history="clean")
    sends = of_type(list(world.events()), "users.messages.pushnotification.Send")
    assert all(22 * HOUR <= local_clock(each, world) % DAY < 22.1 * HOUR for each in sends)


@pytest.mark.parametrize("channel", ["inappmessage", "banner", "featureflag"])
@pytest.mark.parametrize(
    "how", [{"schedule": ONCE}, {"entry": "custom:Product Viewed"}], ids=["scheduled", "action"]
)
def test_it_is_seen_in_a_session(channel: str, how: dict[str, Any]) -> None:
    events = run(campaign(channel=channel, **how), users=150)
    seen = of_type(events, f"users.messages.{channel}.Impression")
    assert {event.properties["campaign_name"] for event in seen} == {"Spring"}
    if "schedule" in how:
        assert min(event.time for event in seen) >= MONDAY + 33 * HOUR
        assert len(users_of(seen)) == len(seen)
    else:
        viewed = {
            user_of(event)
            for event in of_type(events, "users.behaviors.CustomEvent")
            if event.properties["name"] == "Product Viewed"
        }
        assert users_of(seen) <= viewed


@pytest.mark.parametrize("channel", ["sms", "whatsapp", "rcs", "line", "contentcard", "webhook"])
def test_it_goes_out_on_every_channel(channel: str) -> None:
    events = run(campaign(channel=channel, schedule=ONCE), rates={"reach.group": 1.0}, users=100)
    assert of_type(events, f"users.messages.{channel}.Send")


def test_unknown_custom_event_happens() -> None:
    """A custom event that only the scenario names is one that users do in sessions."""
    events = run(campaign(entry="custom:Trial Started"))
    trials = [
        event
        for event in of_type(events, "users.behaviors.CustomEvent")
        if event.properties["name"] == "Trial Started"
    ]
    assert users_of(of_type(events, SEND)) <= users_of(trials)


def test_they_are_in_the_world() -> None:
    world = world_of(campaigns=[campaign(schedule=ONCE)])
    made = world.campaigns[-1]
    assert (made.name, made.region, made.share) == ("Spring", "Global", 1.0)
    assert made.rules is not None
    assert made.rules.path == "spring"
    assert World(3, users=60).campaigns == world.campaigns[:-1]
