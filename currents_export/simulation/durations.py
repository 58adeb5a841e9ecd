"""Durations as people write them."""

from __future__ import annotations

from ._settings import to_duration

__all__ = ["to_duration"]
