from __future__ import annotations

import pytest

from currents_export.simulation import World


@pytest.fixture(scope="session")
def storyteller() -> World:
    return World(11, users=300)
