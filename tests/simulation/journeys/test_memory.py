"""A stream without an end needs no more memory the longer it is."""

from __future__ import annotations

import gc

from currents_export.simulation import World
from currents_export.simulation.journeys._life import Journey

START = 1_772_442_000
DAY = 86_400


def _journeys() -> int:
    gc.collect()
    # isinstance would look into the proxies of other packages.
    return sum(issubclass(type(each), Journey) for each in gc.get_objects())


def test_journeys_do_not_pile_up() -> None:
    before, counts, day = _journeys(), [], 0
    for event in World(2, users=60).events(start=START, until=START + 241 * DAY):
        if event.time >= START + day * DAY:
            counts.append(_journeys() - before)
            day += 60
    first, *_, last = counts[1:]
    assert last < 1.3 * first
