"""Time, the mix of types, and the activity of users."""

from __future__ import annotations

import math
from collections import Counter
from itertools import islice, pairwise

import pytest

from currents_export.events import Event
from currents_export.simulation import SAMPLE_TIME, World
from tests.support.traffic import NEWEST


@pytest.mark.parametrize("rate", [0.5, 10, 400.0])
def test_rate(world: World, rate: float) -> None:
    events = world.events(start=SAMPLE_TIME, rate=rate)
    times = [event.time for event in islice(events, 4000)]
    assert times[0] == SAMPLE_TIME
    assert all(before <= after for before, after in pairwise(times))
    assert all(type(time) is int for time in times)
    assert math.isclose((times[-1] - SAMPLE_TIME) * rate, 4000, rel_tol=0.1)


def test_end_of_time() -> None:
    """A stream ends when ids can no longer represent the time."""
    events = list(World(users=1).events(start=2**32 - 2, rate=1.0))
    assert {event.time for event in events} <= {2**32 - 2, 2**32 - 1}


def test_mix(mixed: list[Event]) -> None:
    counts = Counter(event.event_type.removeprefix("users.messages.") for event in mixed)
    assert counts["email.Send"] > counts["email.Open"] > counts["email.Click"] * 2
    assert counts["email.Click"] > counts["email.Bounce"]
    assert counts["sms.Send"] > counts["sms.ShortLinkClick"] > 0
    assert counts["landingpage.Impression"] > counts["landingpage.FormSubmission"] > 0
    assert counts["users.behaviors.CustomEvent"] > counts["users.behaviors.Purchase"] * 5
    agents = sum(count for name, count in counts.items() if name.startswith("agentconsole."))
    assert 0 < agents < len(mixed) / 100
    assert len(counts) > 0.75 * len(NEWEST)


def test_every_type_occurs(traffic: list[Event]) -> None:
    assert {event.event_type for event in traffic} == set(NEWEST)


def test_activity(mixed: list[Event]) -> None:
    counts = Counter(event.user.get("user_id") for event in mixed)
    busiest = sum(count for _, count in counts.most_common(30))
    assert busiest > len(mixed) * 0.25
    assert len(counts) > 250


def test_selection(world: World) -> None:
    globs = ["users.messages.email.*", "agent_console"]
    names = {event.event_type for event in islice(world.events(event_types=globs, start=1), 2000)}
    assert names <= {each.name for each in NEWEST.select(*globs)}
    assert len(names) > 8
