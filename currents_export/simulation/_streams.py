"""The streams of a world: runs of its lives, disturbed and paced as they are asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import attrs

from .._forms import quoted
from ..catalog import Catalog
from ..errors import OptionError
from ..events import Event
from ..payload import encode_event
from ._checks import LAST_TIME
from ._draws import mix
from ._plans import Plans
from ._traffic import traffic_rule
from .answer_key import KeyRecord
from .disturbances import Disturbance, disturb
from .journeys import (
    Calendar,
    Chances,
    Encoded,
    Run,
    new_run,
    rates_of,
    record_of,
    unnamed_types,
    with_journeys,
)
from .pacing import paced
from .people.people import People
from .scenario import Scenario
from .workspace.model import Workspace

__all__ = ["QUIET", "Encoded", "Lives", "Place", "Stream"]

#: When an event arrives, when it happened, and the number of the user.
Place = tuple[int, int, int]

#: An end of a stream that lives decide.
QUIET = "quiet"

#: How many users are tried out, and for how long, to learn how many events users make.
_PILOTS, _PILOT_TIME = 200, 7 * 86_400


@attrs.frozen
class Lives:
    """What the runs of a world have in common.

    Attributes:
        seed: what everything is made from.
        catalog: the event types.
        workspace: the workspace without what a scenario declares.
        declared: the workspace with it.
        users: the users.
        plans: how events are made.
        scenario: the scenario.
    """

    seed: int
    catalog: Catalog
    workspace: Workspace
    declared: Workspace
    users: People
    plans: Plans
    scenario: Scenario
    _counts: dict[tuple[float, tuple[str, ...], int], int] = attrs.field(factory=dict)

    def calendar(self, start: int) -> Calendar:
        """Return the campaigns and Canvases that run, and when they happen."""
        return Calendar(self._running()[0], start)

    def run(
        self,
        names: Iterable[str],
        start: int,
        until: int | Literal["quiet"] | None,
        *,
        clean: bool,
        active: int | None = None,
    ) -> Run:
        """Return a run in which nobody lives yet.

        Args:
            names: the event types in the stream.
            start: the time of its beginning.
            until: when it ends.
            clean: whether all users are new.
            active: how many users there are in it; all by default.
        """
        scenario = self.scenario
        workspace, has_unnamed = self._running()
        unnamed = [
            (self.plans.get(name), traffic_rule(name, self.catalog.directory))
            for name in unnamed_types(list(self.catalog))
            if has_unnamed
        ]
        rates = {**scenario.rates, **rates_of(scenario.journeys)}
        quiet = until == QUIET
        return new_run(
            mix(self.seed, "lives", start),
            self.workspace,
            self.users,
            self.catalog,
            {name: self.plans.get(name) for name in names},
            chances=Chances(self.catalog, rates, scenario.delays),
            calendar=Calendar(workspace, start),
            unnamed=unnamed,
            start=start,
            until=until if isinstance(until, int) else LAST_TIME,
            newcomers=clean,
            awaited=self._awaited(workspace) if quiet else None,
            stratified=(active or len(self.users)) if scenario.mix == "stratified" else None,
        )

    def _running(self) -> tuple[Workspace, bool]:
        campaigns, canvases, unnamed = with_journeys(self.declared, self.scenario.journeys)
        return attrs.evolve(self.declared, campaigns=campaigns, canvases=canvases), unnamed

    def _awaited(self, workspace: Workspace) -> frozenset[str]:
        """Return the ids of the campaigns and Canvases that a quiet end waits for."""
        for each in workspace.campaigns:
            if each.rules and each.schedule and each.schedule.days:
                raise OptionError(
                    f"until is 'quiet', but the campaign {quoted(each.name)} goes out every week, "
                    "so the stream would not end"
                )
        chosen = self.scenario.journeys is not None
        awaited = {each.id for each in workspace.canvases if chosen or each.rules}
        awaited |= {
            each.id
            for each in workspace.campaigns
            if (chosen or each.rules) and not (each.schedule and each.schedule.days)
        }
        if not awaited:
            raise OptionError(
                "until is 'quiet', but there is nothing to wait for; it needs a scenario with "
                "Canvases, or with campaigns that do not go out every week"
            )
        return frozenset(awaited)

    def count_active(self, rate: float, names: Sequence[str], start: int) -> int:
        """Return how many users make about `rate` events a second."""
        key = (rate, tuple(names), start)
        if key in self._counts:
            return self._counts[key]
        pilots = min(_PILOTS, len(self.users))
        run = self.run(names, start, start + _PILOT_TIME, clean=False, active=pilots)
        run.enter(range(pilots))
        made = run.count()
        wanted = math.ceil(rate * _PILOT_TIME * pilots / made) if made else 0
        if not 0 < wanted <= len(self.users):
            most = made / pilots / _PILOT_TIME * len(self.users)
            raise OptionError(
                f"rate is {rate!r}; the {len(self.users):,} users of this world make about "
                f"{most:.2g} such events a second: make it larger, such as "
                f"World(users={max(wanted, 1)})"
            )
        self._counts[key] = wanted
        return wanted


@attrs.frozen
class Stream:
    """The events of a run as they arrive; see `World.events`.

    Attributes:
        run: the run.
        lives: what it has in common with others.
        disturbances: what happens to the events on their way.
        start: when it begins.
        pace: how many seconds of the world pass in a second; None for as fast as possible.
        key: called with the entry in the answer key before each event.
    """

    run: Run
    lives: Lives
    disturbances: Sequence[Disturbance]
    start: int
    pace: float | None
    key: Callable[[KeyRecord], object] | None

    def events(self, place: Callable[[Place], object] | None) -> Iterator[Event]:
        """Yield the events; `place` is called before each of them."""
        if place is None and self._is_plain():
            return (event for event, *_ in self.run.happenings())
        latest = _Latest()
        pairs = latest.pairs(self.run)
        if self.disturbances:
            pairs = disturb(
                pairs,
                self.disturbances,
                seed=self.lives.seed,
                catalog=self.lives.catalog,
                start=self.start,
                made=self.lives.calendar(self.start).made,
                mark=latest.mark,
                place=place,
            )
        elif place is not None:
            pairs = latest.placed(pairs, place)
        if self.pace is not None:
            pairs = paced(pairs, self.start, self.pace, arrival=_arrival)
        return _keyed(pairs, self.key)

    def encoded(self) -> Iterator[Encoded]:
        """Yield the type, the JSON and the place of each event."""
        if self._is_plain():
            return self.run.encoded()
        return self._encoded_singly()

    def _encoded_singly(self) -> Iterator[Encoded]:
        places: list[Place] = []
        for event in self.events(places.append):
            yield event.event_type, encode_event(event, known=True), places.pop()

    def _is_plain(self) -> bool:
        """Return whether the events of the run are all that is needed, as fast as possible."""
        return not self.disturbances and self.key is None and self.pace is None


class _Latest:
    """The time and the user of the event that was taken last from a run."""

    def __init__(self) -> None:
        self._mark = (0, 0)

    def mark(self) -> tuple[int, int]:
        """Return the time and the number of the user."""
        return self._mark

    def pairs(self, run: Run) -> Iterator[tuple[Event, KeyRecord]]:
        """Yield the events of a run with their entries in the answer key."""
        for happening in run.happenings():
            event, journey, *_ = happening
            self._mark = event.time, journey.life.number
            yield event, record_of(happening)

    def placed(
        self, pairs: Iterable[tuple[Event, KeyRecord]], place: Callable[[Place], object]
    ) -> Iterator[tuple[Event, KeyRecord]]:
        """Yield the same, and call `place` before each event."""
        for pair in pairs:
            place((self._mark[0], *self._mark))
            yield pair


def _arrival(pair: tuple[Event, KeyRecord]) -> int:
    event, record = pair
    return event.time if record.arrival is None else record.arrival


def _keyed(
    pairs: Iterable[tuple[Event, KeyRecord]], key: Callable[[KeyRecord], object] | None
) -> Iterator[Event]:
    for event, record in pairs:
        if key is not None:
            key(record)
        yield event
