"""Small worlds for the proofs about lives, and what a long run adds."""

from __future__ import annotations

import pytest

from currents_export.events import Event
from currents_export.simulation import SAMPLE_TIME, World
from tests.simulation.conftest import MONTH
from tests.support.rates import Measured


@pytest.fixture(scope="session")
def measured(world: World, month: list[Event]) -> Measured:
    """Return what is measured in the shared month."""
    return Measured(world, SAMPLE_TIME + MONTH).feed(month)
