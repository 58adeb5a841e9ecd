"""Open the stream that the arguments of `World.events` and the scenario describe."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from ..catalog import EventType
from ..errors import OptionError
from ._checks import (
    LAST_TIME,
    below,
    check_number,
    check_start,
    check_whole,
    choose_people,
    choose_types,
)
from ._streams import QUIET, Lives, Stream
from .answer_key import KeyRecord
from .disturbances import Disturbance
from .scenario import Scenario

__all__ = ["open_stream", "types_of"]


def open_stream(
    lives: Lives,
    *,
    start: int | None = None,
    until: int | Literal["quiet"] | None = None,
    event_types: Iterable[EventType | str] | None = None,
    users: Iterable[int] | None = None,
    shard: tuple[int, int] = (0, 1),
    history: Literal["running", "clean"] | None = None,
    rate: float | None = None,
    disturbances: Iterable[Disturbance] | None = None,
    pace: float | None = None,
    key: Callable[[KeyRecord], object] | None = None,
) -> Stream:
    """Check the arguments of `World.events`, and return the stream that they describe."""
    scenario = lives.scenario
    start = check_start(scenario.start if start is None else start)
    if until is None:
        until = scenario.end(start)
    if until is not None and until != QUIET:
        check_whole("until", until, least=start, most=LAST_TIME)
    history = scenario.history if history is None else history
    if history not in ("running", "clean"):
        raise OptionError(f"history is {history!r}; it must be running or clean")
    check_number("pace", pace)
    names = choose_types(lives.catalog, types_of(scenario, event_types))
    people = choose_people(len(lives.users), users, shard)
    rate = scenario.rate if rate is None else rate
    active = None
    if rate is not None:
        check_number("rate", rate)
        active = lives.count_active(rate, names, start)
        people = below(people, active)
    steps = scenario.disturbances if disturbances is None else tuple(disturbances)
    run = lives.run(names, start, until, clean=history == "clean", active=active)
    run.enter(people)
    return Stream(run, lives, steps, start, pace, key)


def types_of(
    scenario: Scenario, event_types: Iterable[EventType | str] | None
) -> Iterable[EventType | str] | None:
    """Return the event types that are wanted: those that are given, or those of the scenario."""
    if event_types is not None or scenario.event_types == Scenario().event_types:
        return event_types
    return scenario.event_types
