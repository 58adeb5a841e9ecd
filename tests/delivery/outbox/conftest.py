"""Fixtures for the tests of outboxes."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of an outbox that does not exist yet."""
    return tmp_path / "events.db"
