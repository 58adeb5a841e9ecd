"""Stages, delays and rates, whatever the number of events."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.receiver.rudderstack import transform
from currents_export.verification import Bar, Delays, Rates, reconcile
from currents_export.verification._charting import DelayCounter, RateCounter
from tests.support.events import CLICK, OPEN, event, make_events

START = 1_782_907_200.0


def delays(*values: float) -> Delays:
    """Count delays."""
    counter = DelayCounter()
    for each in values:
        counter.add(each)
    found = counter.delays
    assert found is not None
    return found


def rates(sent: Any, arrived: Any = ()) -> Rates:
    """Count times."""
    counter = RateCounter()
    for side, times in enumerate((sent, arrived)):
        for each in times:
            counter.add(side, each)
    found = counter.rates
    assert found is not None
    return found


def test_nothing_to_count() -> None:
    assert DelayCounter().delays is None
    assert RateCounter().rates is None


def test_stages() -> None:
    vanishing = event(5).to_dict() | {"user": {}}
    sent = [*(each.to_dict() for each in (*make_events(3), event(3, CLICK))), vanishing]
    received = [transform(each) for each in sent[1:4]]
    stages = reconcile(sent, received, through="rudderstack").to_dict()["stages"]
    assert stages == {
        CLICK: {"sent": 1, "accepted": None, "transformed": 1, "arrived": 1},
        OPEN: {"sent": 4, "accepted": None, "transformed": 3, "arrived": 2},
    }


def test_duplicates_arrive_once() -> None:
    report = reconcile(make_events(1), [event(0), event(0)])
    assert report.stages[OPEN].arrived == 1


def test_percentiles() -> None:
    found = delays(*range(1, 101))
    assert (found.p50, found.p95, found.max, found.count) == (50, 95, 100, 100)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1))
def test_delays_by_definition(values: list[float]) -> None:
    found = delays(*values)
    for share, got in ((0.5, found.p50), (0.95, found.p95)):
        exact = sorted(values)[math.ceil(share * len(values)) - 1]
        assert math.isclose(got, exact, rel_tol=0.02, abs_tol=1e-9)
    assert sum(bar.count for bar in found.histogram) == found.count == len(values)
    assert len(found.histogram) <= 60


def test_histogram() -> None:
    assert delays(0.3, 0.4, 1, 1.5, 12, -3).histogram[-6:] == (
        Bar(0.5, 2),
        Bar(1, 1),
        Bar(2, 1),
        Bar(5, 0),
        Bar(10, 0),
        Bar(20, 1),
    )
    assert delays(-3).histogram == (Bar(0, 1),)
    assert delays(1e30).histogram == (Bar(None, 1),)


def test_rates_over_time() -> None:
    found = rates([START + n for n in range(100)], [START + 10 + n / 2 for n in range(60)])
    assert (found.start, found.step_s, found.outside) == (START, 1, 0)
    assert found.sent == (1,) * 100
    assert found.arrived == (0,) * 10 + (2,) * 30 + (0,) * 60


def test_rates_of_a_short_run() -> None:
    found = rates([START], [START + 0.5])
    assert (found.sent, found.arrived) == ((1, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0, 1))


def test_time_far_from_all_others() -> None:
    usual = [START + n for n in range(1000)]
    found = rates([0.0, *usual, 9e15])
    assert (found.outside, sum(found.sent)) == (2, 1000)
    assert found.start >= START - 60


@given(
    st.lists(st.integers(-(2**53), 2**53) | st.floats(0, 2e9), min_size=1, max_size=50),
    st.lists(st.floats(1.7e9, 1.8e9)),
)
def test_no_time_is_lost(sent: list[float], arrived: list[float]) -> None:
    found = rates(sent, arrived)
    assert sum(found.sent) + sum(found.arrived) + found.outside == len(sent) + len(arrived)
    assert len(found.sent) == len(found.arrived) <= 200
    assert found.step_s > 0


@pytest.mark.parametrize("spread", [1, 86_400 * 365])
def test_many_different_times(spread: int) -> None:
    times = [START + spread * n / 20_000 for n in range(20_000)]
    forward, backward = rates(times), rates(times[::-1])
    assert forward == backward
    assert sum(forward.sent) + forward.outside == 20_000
    assert len(forward.sent) > 5


def test_report_has_rates() -> None:
    sent = [each.to_dict() for each in make_events(3)]
    received = [(transform(each) or {}) | {"receivedAt": "2025-06-15T15:07:00Z"} for each in sent]
    found = reconcile(sent, received).to_dict()["rates"]
    assert (sum(found["sent"]), sum(found["arrived"])) == (3, 3)
