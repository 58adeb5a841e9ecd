"""The Current that a command works with."""

from __future__ import annotations

from pathlib import Path

from ..current import Current

__all__ = ["load_current"]


def load_current(path: Path | None, catalog_dir: Path | None) -> Current:
    """Load the Current from the file and the environment.

    Args:
        path: the TOML file; None reads only the environment.
        catalog_dir: the directory of catalog tables; it overrides both.
    """
    return Current.load(path)
