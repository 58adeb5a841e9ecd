"""Events of one type on their own, without the lives that they usually belong to.

In lives, some types are rare. What matters for the fields of an event is only who it happens to,
on which device, and in which message; here these are drawn, so that every type is frequent.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from currents_export.catalog import Catalog
from currents_export.events import Event
from currents_export.simulation import SAMPLE_TIME
from currents_export.simulation._ids import uuid4
from currents_export.simulation._plan import Plan
from currents_export.simulation._plans import Plans
from currents_export.simulation.fields import Draft, pick
from currents_export.simulation.people.people import People
from currents_export.simulation.workspace.make import make_workspace

__all__ = ["PlannedEvents"]


class PlannedEvents:
    """Makes events of each type of a catalog, with drawn users, devices and messages."""

    def __init__(self, catalog: Catalog, *, seed: int = 1, users: int = 300) -> None:
        self._seed = seed
        self._workspace = make_workspace(seed, catalog.directory)
        self.users = People(seed, users, self._workspace.apps)
        self._plans = Plans(catalog, self._workspace, self.users)

    def of(
        self, event_type: str, count: int, facts: Mapping[str, Any] = MappingProxyType({})
    ) -> Iterator[Event]:
        """Yield events of a type; `facts` are properties that are known."""
        plan = self._plans.get(event_type)
        rng = random.Random(f"{self._seed}:{event_type}")
        for _ in range(count):
            yield plan.make(self._draft(plan, rng), facts, uuid4(rng.getrandbits))

    def _draft(self, plan: Plan, rng: random.Random) -> Draft:
        user, device = rng.choice(plan.audience)
        draft = Draft(
            event_type=plan.event_type,
            names=plan.names,
            workspace=self._workspace,
            random=rng.random,
            bits=rng.getrandbits,
            whole=False,
            canvas_side=False,
            time=SAMPLE_TIME + rng.randrange(10_000),
            user=user,
            device=device if rng.random() < plan.on_device else None,
        )
        if plan.pools:
            pool = plan.pools[bisect(plan.shares, rng.random())].messages[user.place.region]
            draft.message = pick(draft, pool)[0] if pool else None
        return draft
