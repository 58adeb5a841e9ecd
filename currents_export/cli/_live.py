"""The events of a world as they happen, in real time."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from itertools import chain
from typing import Any

import attrs
import orjson

from ..current import Current
from ..errors import OptionError
from ..events import Event
from ..simulation import Scenario, World
from ._streams import print_error
from ._workers import WorkerError, batches_of

__all__ = ["MOST_USERS", "LiveEvents", "Size", "made_by", "sends", "size_for", "warm_up"]

#: The largest world.
MOST_USERS = 10_000_000
#: A pilot has about this many events, this many users at most, and looks this far ahead (seconds).
_PILOT_EVENTS, _PILOT_USERS, _PILOT_TIME = 3_000, 200_000, 3_600
#: How many times as fast users live at most.
_MOST_PACE = 100
#: About how many events a user makes in a second.
_USUAL = 5e-5
#: Seconds after the start of a world in which it becomes as busy as it stays, and how many events
#: of them each process makes at most, because that takes time.
_WARM_UP, _WARM_UP_EVENTS = 600, 5_000


def sends(current: Current) -> Callable[[Event], bool]:
    """Return a function that says whether the Current sends an event."""
    selected = current.selected
    anonymous = not current.destination.needs_external_user_id

    def is_sent(event: Event) -> bool:
        return event.event_type in selected and (
            anonymous or bool(event.user.get("external_user_id"))
        )

    return is_sent


def warm_up(rate: float, workers: int) -> int:
    """Return how many seconds before its first event a world begins."""
    return min(_WARM_UP, int(_WARM_UP_EVENTS * workers / rate))


@attrs.frozen
class Size:
    """How large a world is for a rate.

    Attributes:
        users: how many users it has.
        pace: how many seconds of the world pass in a second: 1, unless even the largest world makes
            too few events.
    """

    users: int
    pace: float = 1.0


def size_for(
    rate: float,
    current: Current,
    seed: int,
    options: Mapping[str, Any],
    *,
    after: int,
    lasts: int | None,
    scenario: Scenario | None,
) -> Size:
    """Return the size of the world that makes about this many events a second.

    It is measured: the first users of the world live as long as the traffic lasts, but at most an
    hour. If even the largest world makes too few events, its users live faster; without an end,
    they cannot, because the times of the events would soon be in the future.

    Args:
        rate: how many events a second the Current sends.
        current: the Current.
        seed: the seed of the world.
        options: arguments of `World.events`.
        after: when the traffic begins, in seconds since the epoch.
        lasts: how many seconds the traffic lasts; None for without an end.
        scenario: the scenario of the world.

    Raises:
        OptionError: no world makes that many events.
    """

    def wanted(pace: float) -> float:
        seconds = max(60, min(math.ceil((lasts or _PILOT_TIME) * pace), _PILOT_TIME))
        users = max(1_000, min(_PILOT_USERS, int(_PILOT_EVENTS / _USUAL / seconds)))
        pilot = World(seed, users=users, catalog=current.catalog, scenario=scenario)
        is_sent = sends(current)
        made = sum(
            is_sent(event) and event.time >= after
            for event in pilot.events(**dict(options) | {"until": after + seconds})
        )
        return rate * seconds * users / made if made else math.inf

    users = wanted(1.0)
    if users <= MOST_USERS:
        return Size(max(1, math.ceil(users)))
    if lasts is not None and users <= MOST_USERS * _MOST_PACE:
        # Users who live faster are measured over a longer time, in which more happens.
        users = wanted(users / MOST_USERS)
        if users <= MOST_USERS * _MOST_PACE:
            return Size(MOST_USERS, max(1.0, round(users / MOST_USERS, 1)))
    most = rate * MOST_USERS / users * (1 if lasts is None else _MOST_PACE)
    raise OptionError(
        f"--rate is {rate:g}, but even {MOST_USERS:,} users make only about {most:.2g} events a "
        "second of the types that the Current sends; choose a lower rate or more types"
    )


def made_by(
    world: World, workers: int, options: Mapping[str, Any]
) -> Iterator[tuple[float, Event]]:
    """Yield the events of a world with the times at which they arrive.

    Args:
        world: the world.
        workers: how many processes make the events.
        options: arguments of `World.events`.

    Raises:
        WorkerError: a process ended early; all events before were yielded.
    """
    if workers > 1:
        with closing(batches_of(world, workers, **options)) as batches:
            for batch in batches:
                for arrival, line in zip(batch.arrivals, batch.lines, strict=True):
                    yield arrival, Event(**orjson.loads(line))
        return
    at = 0

    def keep(place: tuple[int, int, int]) -> None:
        nonlocal at
        at = place[0]

    for event in world.events(**options, place=keep):
        yield at, event


class LiveEvents:
    """Events that are yielded when they happen, and that can be stopped at any time.

    The clock starts when the first event is asked for.

    Args:
        made: the events with the times at which they arrive, in order.
        start: when the traffic begins, in seconds since the epoch; events before are left out.
        lasts: how many seconds it lasts; None for without an end.
        is_sent: whether an event is wanted.
        pace: how many seconds of the world pass in a second.
        now: returns the seconds that have passed since some moment.
        wait: waits for some seconds, or until the input is stopped.

    Attributes:
        taken: how many events were taken.
        late: by how many seconds the last event was late, because events cannot be made or sent
            as fast as they happen.
        failure: why no more events can be made, if so.
        unfinished: nothing, because what was not taken has not happened.
    """

    def __init__(
        self,
        made: Iterable[tuple[float, Event]],
        *,
        start: int,
        lasts: int | None,
        is_sent: Callable[[Event], bool],
        pace: float = 1.0,
        now: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self.taken = 0
        self.late = 0.0
        self.failure: WorkerError | None = None
        self.unfinished: list[str] = []
        self._made = iter(made)
        self._start = start
        self._lasts = lasts
        self._is_sent = is_sent
        self._pace = pace
        self._now = now
        self._began: float | None = None
        self._stopped = threading.Event()
        self._wait = wait or self._stopped.wait

    def prepare(self) -> None:
        """Make the first event, which takes time.

        Raises:
            WorkerError: a process that makes events ended early.
        """
        first = next(self._wanted(), None)
        if first is not None:
            self._made = chain((first,), self._made)

    def share_passed(self) -> float | None:
        """Return how much of the time has passed, from 0 to 1; None if there is no end."""
        if self._lasts is None or self._began is None:
            return None if self._lasts is None else 0.0
        return min(1.0, (self._now() - self._began) / self._lasts)

    def stop(self) -> None:
        """Yield no more events, even while one is being waited for; called from any thread."""
        self._stopped.set()

    def __iter__(self) -> Iterator[Event]:
        try:
            yield from self._paced()
        except WorkerError as error:
            self.failure = error
            print_error(error)

    def _paced(self) -> Iterator[Event]:
        began = self._began = self._now()
        for arrival, event in self._wanted():
            due, passed = (arrival - self._start) / self._pace, self._now() - began
            if self._lasts is not None and (passed >= self._lasts or due > self._lasts):
                break
            early = due - passed
            self.late = max(0.0, -early)
            if early > 0:
                self._wait(early)
                if self._stopped.is_set():
                    return
            self.taken += 1
            yield event
        if self._lasts is not None:
            self._wait(max(0.0, began + self._lasts - self._now()))

    def _wanted(self) -> Iterator[tuple[float, Event]]:
        for arrival, event in self._made:
            if self._stopped.is_set():
                return
            if arrival >= self._start and self._is_sent(event):
                yield arrival, event
