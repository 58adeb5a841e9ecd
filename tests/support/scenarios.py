"""Scenario files, and loading them."""

from __future__ import annotations

from pathlib import Path

import pytest

from currents_export.catalog import Catalog
from currents_export.errors import ScenarioError
from currents_export.simulation.scenario import Scenario, load_scenario


def load(path: Path, catalog: Catalog | None = None) -> Scenario:
    """Load a scenario file."""
    return load_scenario(path, catalog=catalog)


def scenario(directory: Path, text: str, catalog: Catalog | None = None) -> Scenario:
    """Load a scenario from text."""
    path = directory / "scenario.toml"
    path.write_text(text, "utf-8")
    return load(path, catalog)


def problems_of(directory: Path, text: str) -> list[str]:
    """Return the problems that the message about a scenario lists, each with its line."""
    with pytest.raises(ScenarioError) as caught:
        scenario(directory, text)
    head, *lines = str(caught.value).splitlines()
    noun = "problem" if len(lines) == 1 else "problems"
    assert head == f"{directory / 'scenario.toml'}: the scenario has {len(lines)} {noun}:"
    assert len(caught.value.problems) == len(lines)
    return [line.removeprefix("  - ") for line in lines]
