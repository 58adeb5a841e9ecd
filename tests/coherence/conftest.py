"""Fixtures for the tests of coherence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.tables import CopiedTables


@pytest.fixture
def tables(tmp_path: Path) -> CopiedTables:
    return CopiedTables(tmp_path)
