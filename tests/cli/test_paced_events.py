"""The events of a command come as they arrive, until it is stopped."""

from __future__ import annotations

import threading

from currents_export.cli._paced import PacedEvents
from currents_export.events import Event
from tests.support.events import OPEN

EVENTS = [Event(OPEN, time) for time in (100, 100, 160, 4_000)]


def test_all_at_once() -> None:
    source = PacedEvents(EVENTS, start=0, pace=None)
    assert list(source) == EVENTS
    assert source.taken == len(EVENTS)


def test_each_when_it_arrives() -> None:
    clock, waits = [99.5], []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        clock[0] += seconds

    for event in PacedEvents(EVENTS, start=100, pace=1.0, now=lambda: clock[0], wait=wait):
        assert clock[0] - 99.5 >= event.time - 100
        clock[0] += 0.25  # sending takes time
    assert waits == [59.5, 3_839.75]


def test_arrival_counts() -> None:
    waits: list[float] = []
    late = PacedEvents(
        EVENTS[:1],
        start=100,
        pace=2.0,
        arrival=lambda event: event.time + 60,
        now=lambda: 0.0,
        wait=waits.append,
    )
    assert list(late) == EVENTS[:1]
    assert waits == [30.0]


def test_stop_while_waiting() -> None:
    source = PacedEvents(EVENTS, start=100, pace=1.0, now=lambda: 0.0)
    seen = []
    for event in source:
        seen.append(event)
        if len(seen) == 2:
            threading.Timer(0.01, source.stop).start()
    assert seen == EVENTS[:2]
    assert source.taken == 2
    assert source.unfinished == []


def test_stop_before_the_first() -> None:
    source = PacedEvents(EVENTS, start=0, pace=None)
    source.stop()
    assert list(source) == []
    assert source.taken == 0
