"""When people enter who are not there from the beginning."""

from __future__ import annotations

from collections.abc import Collection

import attrs
import pytest

from currents_export.simulation.journeys._calendar import Calendar
from currents_export.simulation.journeys._chances import Chances
from currents_export.simulation.journeys._entries import DAILY, SETTLING, THERE, Entries, Entry
from currents_export.simulation.people.people import People
from currents_export.simulation.workspace.make import make_workspace

START = 1_772_442_000
DAY = 86_400
WORKSPACE = make_workspace(1, None)
QUIET = attrs.evolve(WORKSPACE, campaigns=(), messages=())
HOME = People(1, THERE, WORKSPACE.apps).home


def make_entries(*, campaigns: bool = True, newcomers: bool = False) -> Entries:
    calendar = Calendar(WORKSPACE if campaigns else QUIET, START)
    return Entries(5, HOME, calendar, Chances(), START, newcomers=newcomers)


def entered(people: Collection[int], **options: bool) -> list[Entry]:
    blocks = [[*block] for block in make_entries(**options).of(people)]
    assert all(block == sorted(block) for block in blocks)
    return sorted(entry for block in blocks for entry in block)


@pytest.mark.parametrize("newcomers", [False, True])
def test_everybody_enters_once(newcomers: bool) -> None:
    entries = entered(range(THERE + 3_000), newcomers=newcomers)
    assert sorted(person for _, person, _ in entries) == [*range(THERE, THERE + 3_000)]
    assert min(time for time, *_ in entries) >= START
    # Within two weeks, a campaign reaches everybody.
    assert max(time for time, *_ in entries) < START + 15 * DAY


@pytest.mark.parametrize(
    "part",
    [
        range(1, THERE + 3_000, 3),
        range(THERE + 1_500, THERE + 1_510),
        [7, THERE, THERE + 2_999],
        range(THERE),
        [],
    ],
)
def test_part_of_the_people(part: Collection[int]) -> None:
    whole = entered(range(THERE + 3_000))
    assert entered(part) == [entry for entry in whole if entry[1] in part]


def test_more_people_change_no_entry() -> None:
    few, many = entered(range(THERE + 100)), entered(range(THERE + 2_000))
    assert few == [entry for entry in many if entry[1] < THERE + 100]


@pytest.mark.parametrize("days", [0.1, 1, 5])
def test_first_sessions_are_those_of_independent_people(days: float) -> None:
    """The share of people without a session within some days follows from their activity."""
    count = 20 * 1_024
    entries = entered(range(THERE + count), campaigns=False)
    share = sum(time < START + days * DAY and active for time, _, active in entries) / count
    assert share == pytest.approx(1 - 1 / (1 + DAILY * days), abs=0.01)


def test_campaigns_of_the_beginning_reach_nobody_else() -> None:
    entries = entered(range(THERE + 5_000))
    reached = [time for time, _, active in entries if not active]
    assert reached
    assert min(reached) > START + SETTLING
