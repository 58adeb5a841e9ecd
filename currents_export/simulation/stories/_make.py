"""Make a journey: run the engine on one life, with only the chances that the outcome asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import attrs

from ..._suggestions import nearest, question
from ...catalog import Catalog
from ...errors import OptionError, UnknownNameError
from ...events import Event
from .._draws import mix
from .._plan import Plan
from ..journeys import Chances, begin_script, local_time, new_run
from ..people.model import User
from ..people.people import People
from ..workspace.model import Campaign, Workspace
from ._people import find_user
from ._stories import Outcome, Story

__all__ = ["make_journey"]

_DAY = 86_400
_EVERYWHERE = "Global"
#: The separator in the names of the world's own campaigns and Canvases.
_DASH = " \u2013 "


class _Plans(Mapping[str, Plan]):
    """The plans of a catalog's types, made when they are needed."""

    def __init__(self, catalog: Catalog, plan_of: Callable[[str], Plan]) -> None:
        self._catalog = catalog
        self._plan_of = plan_of

    def __getitem__(self, name: str) -> Plan:
        if name not in self._catalog:
            raise KeyError(name)
        return self._plan_of(name)

    def __contains__(self, name: object) -> bool:
        return name in self._catalog

    def __iter__(self) -> Iterator[str]:
        return iter(self._catalog)

    def __len__(self) -> int:
        return len(self._catalog)


def make_journey(
    story: Story,
    outcome: Outcome,
    *,
    seed: int,
    workspace: Workspace,
    users: People,
    catalog: Catalog,
    plan_of: Callable[[str], Plan],
    user: int | User | None,
    start: int,
    until: int,
    properties: Mapping[str, Any],
) -> list[Event]:
    """Return the events of a journey; see `World.journey`."""
    what = f"the journey {story.name!r} with the outcome {outcome.name!r}"
    owner = find_user(users, what, outcome.needs, user)
    for name in outcome.types:
        try:
            catalog[name]
        except UnknownNameError as error:
            raise OptionError(f"{what} is not possible: {error}") from error
    campaign = _campaign(story, workspace)
    run = new_run(
        mix(seed, "story", story.name, outcome.name, start),
        _narrowed(story, workspace, campaign),
        users,
        catalog,
        _Plans(catalog, plan_of),
        chances=Chances(catalog, delays=outcome.delays, forced=outcome.forced),
        unnamed=(),
        start=start,
        until=until,
        newcomers=True,
        begins=lambda life, _: begin(life),
    )
    wait = _wait(outcome, owner, start)
    steps = [(name, after + wait) for name, after in outcome.steps]
    begin = partial(
        begin_script, name=story.name, steps=steps, campaign=campaign, owner=owner.number
    )
    others = [owner.number + 1] if "next user" in outcome.needs else []
    run.enter([owner.number, *others])
    events = [happening[0] for happening in run.happenings()]
    return _with_properties(events, catalog, properties, what)


def _campaign(story: Story, workspace: Workspace) -> Campaign | None:
    if not story.campaign:
        return None
    name, channel = story.campaign
    for campaign in workspace.campaigns:
        if (campaign.channel, campaign.region) == (channel, _EVERYWHERE) and (
            campaign.name.startswith(f"{name}{_DASH}")
        ):
            return campaign
    raise OptionError(f"the world has no campaign of the channel {channel!r} for {story.name!r}")


def _narrowed(story: Story, workspace: Workspace, campaign: Campaign | None) -> Workspace:
    """Return the workspace with only what the journey is about."""
    canvases = [
        each for each in workspace.canvases if each.name == f"{story.canvas}{_DASH}{each.region}"
    ]
    return attrs.evolve(
        workspace, campaigns=(campaign,) if campaign else (), canvases=tuple(canvases)
    )


def _wait(outcome: Outcome, user: User, start: int) -> int:
    """Return how many seconds after `start` the journey begins."""
    if outcome.at is None:
        return 0
    return (outcome.at - local_time(user.place.timezone, start)) % _DAY


def _with_properties(
    events: list[Event], catalog: Catalog, properties: Mapping[str, Any], what: str
) -> list[Event]:
    """Set the given properties of the events that have them."""
    if not properties:
        return events
    parts = {
        name: {field.name: field.part for field in catalog[name].fields.values()}
        for name in {event.event_type for event in events}
    }
    known = {name for fields in parts.values() for name in fields}
    for name in properties:
        if name not in known:
            close = nearest(name, known)
            raise UnknownNameError(
                f"no event of {what} has a field {name!r}{question(close)}",
                name=name,
                nearest=close,
            )
    return [_set(event, parts[event.event_type], properties) for event in events]


def _set(event: Event, parts: Mapping[str, str], properties: Mapping[str, Any]) -> Event:
    values = {"user": dict(event.user), "properties": dict(event.properties)}
    for name, value in properties.items():
        if name in parts:
            if value is None:
                values[parts[name]].pop(name, None)
            else:
                values[parts[name]][name] = value
    return Event(event.event_type, event.time, values["user"], values["properties"], event.id)
