"""How much happens, and when, against what is published: the figures and their sources are in
`effects.tsv`, `rates.tsv` and `delays.tsv`.

By default, small worlds are measured, and chance is allowed for. `CURRENTS_EXPORT_LONG=1` measures
a month of 10,000 users, and new users for 32 days.
"""

from __future__ import annotations

import os
from itertools import pairwise
from statistics import median

import pytest

from currents_export.simulation import SAMPLE_TIME, World
from tests.simulation.conftest import MONTH
from tests.support.rates import DAY, Figure, Measured, is_near

LONG = bool(os.environ.get("CURRENTS_EXPORT_LONG"))
HOUR = 3_600
DELIVERY = "Delivery"


@pytest.fixture(scope="module")
def figures(request: pytest.FixtureRequest) -> Measured:
    """Return what is measured in a month."""
    if not LONG:
        measured: Measured = request.getfixturevalue("measured")
        return measured
    until = SAMPLE_TIME + MONTH
    world = World(11, users=10_000)
    return Measured(world, until).feed(world.events(start=SAMPLE_TIME, until=until))


@pytest.fixture(scope="module")
def newcomers() -> Measured:
    """Return what is measured of users whose first session is yet to come."""
    world = World(12, users=10_000 if LONG else 1_000)
    until = SAMPLE_TIME + (32 if LONG else 9) * DAY
    return Measured(world, until).feed(
        world.events(
            start=SAMPLE_TIME,
            until=until,
            history="clean",
            event_types=["users.behaviors.app.*", "users.behaviors.pushnotification.*"],
        )
    )


#: Channel, whether of Canvases and action-based campaigns (None: of all), the stages, what they are
#: of, and the share.
SHARES = [
    ("email", None, [DELIVERY], "Send", 0.985),
    ("email", None, ["Bounce"], "Send", 0.0040),
    ("email", None, ["SoftBounce"], "Send", 0.0061),
    ("email", False, ["open", "machine"], DELIVERY, 0.38),
    ("email", True, ["open", "machine"], DELIVERY, 0.49),
    ("email", False, ["click"], DELIVERY, 0.013),
    ("email", True, ["click"], DELIVERY, 0.047),
    ("email", False, ["order"], DELIVERY, 0.0008),
    ("email", True, ["order"], DELIVERY, 0.014),
    ("email", None, ["Unsubscribe"], DELIVERY, 0.0025),
    ("email", None, ["MarkAsSpam"], DELIVERY, 0.00012),
    ("pushnotification", False, ["Open"], "Send", 0.042),
    ("pushnotification", True, ["Open"], "Send", 0.144),
    ("sms", None, [DELIVERY], "Send", 0.95),
    ("sms", False, ["click"], DELIVERY, 0.05),
    ("sms", True, ["click"], DELIVERY, 0.10),
    ("whatsapp", None, [DELIVERY], "Send", 0.95),
    ("whatsapp", None, ["Read"], DELIVERY, 0.70),
]


@pytest.mark.parametrize("row", SHARES, ids=lambda row: f"{row[0]}-{row[1]}-{row[2][0]}")
def test_shares(figures: Measured, row: tuple[str, bool | None, list[str], str, float]) -> None:
    channel, flow, what, base, share = row
    figure = figures.of(channel, flow, what, base)
    assert figure.total > 50
    assert is_near(figure, share), figure


def test_machine_opens(figures: Measured) -> None:
    assert is_near(Figure(figures.machine_opens, figures.opens), 0.5)


@pytest.mark.parametrize(("hours", "share"), [(1, 0.33), (6, 0.52), (24, 0.78), (24 * 7, 0.95)])
def test_time_to_open(figures: Measured, hours: int, share: float) -> None:
    figure = figures.within("email", "open", DELIVERY, hours * HOUR)
    assert is_near(figure, share, 0.05), figure


def test_delays(figures: Measured) -> None:
    assert 2 <= median(figures.delays("email", DELIVERY, "Send")) <= 4
    opens = figures.delays("pushnotification", "Open", "Send")
    assert is_near(Figure(sum(each < 48 * 60 for each in opens), len(opens)), 0.5)


@pytest.mark.parametrize(("platform", "share"), [("ios", 0.56), ("android", 0.67)])
def test_push_is_allowed(newcomers: Measured, platform: str, share: float) -> None:
    devices = newcomers.devices[platform]
    assert is_near(Figure(len(newcomers.tokens[platform]), len(devices)), share)


@pytest.mark.parametrize(("day", "share"), [(1, 0.27), (7, 0.12), *([(30, 0.06)] if LONG else [])])
def test_retention(newcomers: Measured, day: int, share: float) -> None:
    figure = newcomers.retention(day)
    assert is_near(figure, share), figure


def test_sessions(figures: Measured) -> None:
    sessions = figures.sessions()
    wanted = {"median": 2.0, "mean": 5.0, "below a minute": 0.34, "of each active user": 14.0}
    assert sessions == pytest.approx(wanted, rel=0.1)


def test_few_have_most_sessions(figures: Measured) -> None:
    counts = sorted(map(len, figures.starts.values()), reverse=True)
    assert sum(counts[: len(counts) // 5]) > 0.4 * sum(counts)


def test_day_curve(figures: Measured) -> None:
    """It is lowest from 2 to 5, rises from 6, and is highest from 19 to 21, in local time."""
    hours = [figures.hours[hour] for hour in range(24)]
    assert all(hour in (18, 19, 20, 21) for hour in sorted(range(24), key=hours.__getitem__)[-3:])
    assert min(range(24), key=hours.__getitem__) in (2, 3, 4)
    assert max(hours[2:5]) < 0.3 * sum(hours) / 24
    assert all(before < after for before, after in pairwise(hours[5:9]))
    assert max(hours) > 1.7 * sum(hours) / 24


def test_weekends(figures: Measured) -> None:
    """People shop a tenth more on weekends; the month begins on a Wednesday and has 30 days."""
    days = [figures.weekdays[day] / (5 if day in (2, 3) else 4) for day in range(7)]
    weekend, others = (days[5] + days[6]) / 2, sum(days[:5]) / 5
    assert 1.0 < weekend / others < 1.25
