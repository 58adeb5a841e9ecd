"""The events of a journey come as they happen."""

from __future__ import annotations

import threading

from currents_export.cli._told import Told
from currents_export.events import Event
from tests.support.events import OPEN

EVENTS = [Event(OPEN, time) for time in (100, 100, 160, 4_000)]


def test_all_at_once() -> None:
    told = Told(EVENTS, waiting=False, now=lambda: 0.0)
    assert list(told) == EVENTS
    assert list(told.rest()) == []


def test_each_when_it_happens() -> None:
    clock, waits = [99.5], []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        clock[0] += seconds

    for event in Told(EVENTS, waiting=True, now=lambda: clock[0], wait=wait):
        assert clock[0] >= event.time
        clock[0] += 0.25  # sending takes time
    assert waits == [0.5, 59.5, 3_839.75]


def test_stop_while_waiting() -> None:
    told = Told(EVENTS, waiting=True, now=lambda: 150.0)
    taken = []
    for event in told:
        taken.append(event)
        if len(taken) == 2:
            threading.Timer(0.01, told.stop).start()
    assert taken == EVENTS[:2]
    assert list(told.rest()) == EVENTS[2:]
    assert told.unfinished == []


def test_stop_before_the_first() -> None:
    told = Told(EVENTS, waiting=False)
    told.stop()
    assert list(told) == []
    assert list(told.rest()) == EVENTS
