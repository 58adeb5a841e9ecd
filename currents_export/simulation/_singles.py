"""Events of a world on demand: samples, placeholders, events with given fields, and journeys."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import attrs

from ..catalog import Catalog
from ..events import Event
from ._checks import LAST_TIME
from ._ids import uuid4
from ._placeholders import make_placeholder
from ._plan import Plan
from ._plans import Plans, required_fields
from ._samples import fill, make_sample
from ._traffic import traffic_rule
from .fields import Draft
from .people.model import User
from .people.people import People
from .stories import find_outcome, find_story, make_journey, make_single, parts_of
from .workspace.model import Workspace

__all__ = ["Singles"]


@attrs.frozen
class Singles:
    """What the events on demand of a world have in common.

    Attributes:
        seed: what everything is made from.
        catalog: the event types.
        workspace: the workspace.
        users: the users.
        plans: how events are made.
    """

    seed: int
    catalog: Catalog
    workspace: Workspace
    users: People
    plans: Plans

    def sample(
        self,
        name: str,
        time: int,
        properties: Mapping[str, Any],
        *,
        canvas: bool,
        event_id: str | None,
    ) -> Event:
        """Return a sample of a type; see `World.sample`."""
        plan = self.plans.get(name)
        drafts = [
            self._draft(f"{self.seed}:{name}:{side}", plan, time, whole=True, canvas_side=side)
            for side in (False, True)
        ]
        first = make_sample(plan, drafts[0], self._id(name, "", time))
        second = make_sample(
            plan,
            drafts[1],
            self._id(name, "canvas", time),
            beside=frozenset((*first.user, *first.properties)),
        )
        fill(first, plan, drafts[0], others=second)
        sample = second if canvas else first
        if not properties and event_id is None:
            return sample
        parts = parts_of(plan.event_type, properties)
        for field, value in properties.items():
            values = getattr(sample, parts[field])
            if value is None:
                values.pop(field, None)
            else:
                values[field] = value
        if properties and event_id is None:
            event_id = self._id(name, f"{canvas}:{sorted(properties.items())!r}", time)
        return sample.replace(id=event_id)

    def placeholder(self, name: str, time: int) -> Event:
        """Return a placeholder of a type; see `World.placeholder`."""
        event_id = self._id(name, "placeholder", time)
        return make_placeholder(self.catalog[name], time=time, event_id=event_id)

    def event(
        self, name: str, user: int | User | None, time: int, properties: Mapping[str, Any]
    ) -> Event:
        """Return an event of a type with the given fields; see `World.event`."""
        plan = self.plans.get(name)
        number = user.number if isinstance(user, User) else user
        key = f"{self.seed}:{name}:single:{number}:{time}:{sorted(properties.items())!r}"
        return make_single(
            plan,
            traffic_rule(name, self.catalog.directory),
            required_fields(plan.event_type),
            self._draft(key, plan, time, whole=False),
            uuid4(random.Random(key).getrandbits),
            users=self.users,
            user=user,
            properties=properties,
        )

    def journey(
        self,
        name: str,
        user: int | User | None,
        start: int,
        outcome: str | None,
        properties: Mapping[str, Any],
    ) -> list[Event]:
        """Return the events of a journey; see `World.journey`."""
        story = find_story(name)
        return make_journey(
            story,
            find_outcome(story, outcome),
            seed=self.seed,
            workspace=self.workspace,
            users=self.users,
            catalog=self.catalog,
            plan_of=self.plans.get,
            user=user,
            start=start,
            until=LAST_TIME,
            properties=properties,
        )

    def _draft(
        self, key: str, plan: Plan, time: int, *, whole: bool, canvas_side: bool = False
    ) -> Draft:
        rng = random.Random(key)
        return Draft(
            event_type=plan.event_type,
            names=plan.names,
            workspace=self.workspace,
            random=rng.random,
            bits=rng.getrandbits,
            whole=whole,
            canvas_side=canvas_side,
            time=time,
            user=self.users[0],
        )

    def _id(self, name: str, kind: str, time: int) -> str:
        return uuid4(random.Random(f"{self.seed}:{name}:{kind}:{time}").getrandbits)
