"""The answer key."""

from __future__ import annotations

import attrs

__all__ = ["KeyRecord"]


@attrs.frozen
class KeyRecord:
    id: str
    event_type: str
    cause: str | None
    journey: str | None
    campaign: str | None
    canvas: str | None
    step: str | None
    before_start: bool
    disturbance: str | None
