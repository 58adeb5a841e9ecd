"""Make the world of a command's events."""

from __future__ import annotations

import random
import shlex
from pathlib import Path

from ..catalog import Catalog
from ..simulation import Scenario, World, load_scenario
from ._time import parse_instant

__all__ = ["begin_of", "describe", "new_world", "read_scenario"]


def read_scenario(path: Path | None, catalog: Catalog) -> Scenario | None:
    """Return the scenario in a file, if there is one."""
    return None if path is None else load_scenario(path, catalog=catalog)


def new_world(
    seed: int | None, *, users: int | None, catalog: Catalog, scenario: Scenario | None = None
) -> tuple[World, int]:
    """Make a world and return it with the seed it was made from.

    The seed is the scenario's by default, and a random one without a scenario.
    """
    if seed is None:
        seed = scenario.seed if scenario else random.SystemRandom().randrange(2**32)
    return World(seed, users=users, catalog=catalog, scenario=scenario), seed


def describe(scenario_file: Path | None, seed: int, start: int) -> str:
    """Return the options that repeat a stream."""
    options = f"--seed {seed} --start {start}"
    if scenario_file is None:
        return options
    return f"--scenario {shlex.quote(str(scenario_file))} {options}"


def begin_of(start: str | None, scenario: Scenario) -> int:
    """Return when a stream begins: as the option says, as the scenario says, or now."""
    if start is None:
        return parse_instant("now") if scenario.start is None else scenario.start
    return parse_instant(start)
