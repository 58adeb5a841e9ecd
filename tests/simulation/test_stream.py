"""Time, the mix of types, and the activity of users."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

from currents_export.events import Event
from currents_export.simulation import SAMPLE_TIME, World
from tests.support.traffic import NEWEST, RARE, of_type

WEEK = 7 * 86_400


def test_rate() -> None:
    """The users that are chosen for a rate make about so many events."""
    world = World(3, users=2_000)
    times = [
        event.time for event in world.events(start=SAMPLE_TIME, until=SAMPLE_TIME + WEEK, rate=0.02)
    ]
    assert all(before <= after for before, after in pairwise(times))
    assert math.isclose(len(times), 0.02 * WEEK, rel_tol=0.15)


def test_rate_of_some_types(world: World) -> None:
    """Fewer of the events count, so more users are active."""
    emails = world.count_active(0.001, start=SAMPLE_TIME, event_types=["users.messages.email.*"])
    assert emails > world.count_active(0.001, start=SAMPLE_TIME)


def test_end_of_time() -> None:
    """A stream ends when ids can no longer represent the time."""
    events = list(World(users=20).events(start=2**32 - 40_000))
    assert events
    assert max(event.time for event in events) < 2**32


def test_mix(mixed: list[Event]) -> None:
    counts = Counter(event.event_type.removeprefix("users.messages.") for event in mixed)
    assert counts["email.Send"] > counts["email.Open"] > counts["email.Click"] * 2
    assert counts["email.Click"] > counts["email.Bounce"]
    assert counts["sms.Send"] > counts["sms.ShortLinkClick"] > 0
    assert counts["landingpage.Impression"] > counts["landingpage.FormSubmission"]
    assert counts["users.behaviors.CustomEvent"] > counts["users.behaviors.Purchase"] * 5
    agents = sum(count for name, count in counts.items() if name.startswith("agentconsole."))
    assert 0 < agents < len(mixed) / 100
    assert len(counts) > 0.75 * len(NEWEST)


def test_every_type_occurs(traffic: list[Event]) -> None:
    assert set(NEWEST) - {event.event_type for event in traffic} <= RARE


def test_activity(month: list[Event]) -> None:
    """Few users have most of the sessions."""
    starts = of_type(month, "users.behaviors.app.SessionStart")
    counts = Counter(event.user["user_id"] for event in starts)
    busiest = sum(count for _, count in counts.most_common(100))
    assert busiest > len(starts) * 0.25


def test_selection(world: World) -> None:
    globs = ["users.messages.email.*", "agent_console"]
    stream = world.events(event_types=globs, start=SAMPLE_TIME, until=SAMPLE_TIME + WEEK)
    names = {event.event_type for event in stream}
    assert names <= {each.name for each in NEWEST.select(*globs)}
    assert len(names) > 8
