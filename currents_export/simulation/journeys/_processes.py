"""The journeys of a world by name, so that a scenario can choose which of them run."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

from .._data import read_data, read_rows
from ..workspace.model import Campaign, Canvas, Workspace
from ._chances import RATES

__all__ = ["known_journeys", "rates_of", "with_journeys"]

_MONTHLY = "monthly."
#: Where the part of the name ends that campaigns and Canvases for several regions share.
_DASH = " \u2013 "
#: All campaigns of the world, all its Canvases, and what only the tables of event types know.
_CAMPAIGNS, _CANVASES, _OTHER = "campaigns", "canvases", "other-events"


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.partition(_DASH)[0].lower()).strip("-")


#: The chances with which each process begins, by the name of the process.
_PROCESSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "shopping": ("session.browse", "session.search"),
        "app-events": ("session.location", "session.other_event", "session.profile"),
        "news-feed": ("session.news_feed",),
        "content-optimizer": ("workspace.component",),
        **{
            _slug(name.removeprefix(_MONTHLY)): (name,)
            for name in RATES
            if name.startswith(_MONTHLY)
        },
    }
)


def known_journeys() -> tuple[str, ...]:
    """Return the names of the processes, campaigns and Canvases that a scenario can choose."""
    data = read_data("workspace", "workspace.toml")
    names = {row["name"] for row in read_rows("workspace", "campaigns.tsv")}
    names |= {*data["campaigns"]}
    names |= {row["name"] for row in read_data("workspace", "canvases.toml")["canvases"]}
    return tuple(sorted({*_PROCESSES, _CAMPAIGNS, _CANVASES, _OTHER, *map(_slug, names)}))


def rates_of(journeys: Collection[str] | None) -> dict[str, float]:
    """Return the rates of what does not run."""
    if journeys is None:
        return {}
    return {
        rate: 0.0 for name, rates in _PROCESSES.items() if name not in journeys for rate in rates
    }


def with_journeys(
    workspace: Workspace, journeys: Collection[str] | None
) -> tuple[tuple[Campaign, ...], tuple[Canvas, ...], bool]:
    """Return the campaigns and Canvases that run, and whether types that only tables know occur.

    Those that were declared always run.
    """
    if journeys is None:
        return workspace.campaigns, workspace.canvases, True
    campaigns = tuple(
        each
        for each in workspace.campaigns
        if each.rules or _CAMPAIGNS in journeys or _slug(each.name) in journeys
    )
    canvases = tuple(
        each
        for each in workspace.canvases
        if each.rules or _CANVASES in journeys or _slug(each.name) in journeys
    )
    return campaigns, canvases, _OTHER in journeys
