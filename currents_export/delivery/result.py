"""`Result`: what became of the events a sender was given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from ._queues import Totals
from ._status import State
from .reasons import DropReason, FilterReason

__all__ = ["Result"]


@attrs.frozen
class Result:
    """The account of a sender so far.

    Every accepted event is in one of three places: `accepted == delivered + dropped + pending`.

    Attributes:
        accepted: events taken.
        delivered: events whose request was answered 2XX.
        dropped: events given up, by `drop_reasons`.
        filtered: events not taken because the Current does not send them, by `filter_reasons`.
        pending: events queued or on their way.
        requests: requests made, the probe for credentials not counted.
        retries: how many of them repeated an earlier one as it was.
        duration_s: seconds since the sender was made.
        by_event_type: the same account for each event type.
        drop_reasons: how many events were dropped, by reason.
        filter_reasons: how many were filtered, by reason.
        state: whether the Current is active, paused or disabled.
        reason: why it is not active, or what the trouble is.
    """

    accepted: int
    delivered: int
    dropped: int
    filtered: int
    pending: int
    requests: int
    retries: int
    duration_s: float
    by_event_type: Mapping[str, Totals]
    drop_reasons: Mapping[DropReason, int]
    filter_reasons: Mapping[FilterReason, int]
    state: State
    reason: str

    @property
    def complete(self) -> bool:
        """Whether every accepted event was delivered."""
        return self.delivered == self.accepted

    def to_dict(self) -> dict[str, Any]:
        """The result as a JSON object."""
        return attrs.asdict(self) | {
            "duration_s": round(self.duration_s, 6),
        }
