"""The names that scenarios can use, in files and in Python."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from .._forms import quoted
from .._suggestions import did_you_mean
from ..catalog import Catalog
from ..errors import OptionError
from ._data import read_data
from .journeys import DELAYS, RATES, known_journeys
from .workspace.channels import load_channels

if TYPE_CHECKING:
    from .scenario import Scenario

__all__ = ["channels", "check_names", "one_of", "regions"]


def check_names(scenario: Scenario, catalog: Catalog) -> None:
    """Refuse what a scenario that was made in Python names, and nobody knows.

    Raises:
        OptionError: a name is unknown.
        UnknownNameError: the schema version has no such event type.
    """
    for what, names, known in (
        ("rate", scenario.rates, RATES),
        ("delay", scenario.delays, DELAYS),
        ("journey", scenario.journeys or (), known_journeys()),
        (
            "channel",
            [
                *(each.channel for each in scenario.campaigns),
                *(s.channel for each in scenario.canvases for s in each.steps if s.channel),
            ],
            channels(catalog),
        ),
        ("region", [each.region for each in (*scenario.campaigns, *scenario.canvases)], regions()),
    ):
        for name in names:
            one_of(name, what=what, known=known)
    if scenario.event_types != ("*",):
        catalog.select(*scenario.event_types)


def channels(catalog: Catalog) -> list[str]:
    """Return the channels of messages."""
    return [channel.id for channel in load_channels(catalog.directory)]


def regions() -> list[str]:
    """Return the regions of campaigns."""
    return ["Global", *read_data("workspace", "workspace.toml")["regions"]]


def one_of(value: Any, *, what: str, known: Collection[str]) -> Any:
    """Refuse a name that is unknown, and name the nearest one."""
    if not isinstance(value, str) or value not in known:
        near = did_you_mean(value, known) if isinstance(value, str) else ""
        raise OptionError(f"there is no {what} {quoted(value)}{near}")
    return value
