"""Fixtures for Currents."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.tables import CopiedTables


@pytest.fixture
def tables(tmp_path: Path) -> CopiedTables:
    """Copy the packaged tables, to `tables` in the temporary directory."""
    return CopiedTables(tmp_path)
