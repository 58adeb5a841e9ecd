"""The totals: what happened to the events of each type, without threads.

Every accepted event is delivered, dropped or pending. The ledger counts the first two as they
happen; what is left is pending.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import NamedTuple

import attrs

from .reasons import DropReason, FilterReason

__all__ = ["Drop", "Ledger", "Totals"]


class Drop(NamedTuple):
    """An event that was accepted but will not be delivered.

    Attributes:
        event_type: the event's type.
        id: the event's id.
        reason: why it was dropped.
        response: the response that led to the drop, without secrets; empty if there was none.
    """

    event_type: str
    id: str
    reason: DropReason
    response: str = ""


@attrs.frozen
class Totals:
    """What happened to the events of one type.

    Attributes:
        accepted: accepted by `send`; always `delivered + dropped + pending`.
        delivered: sent in a request that got a 2XX response.
        dropped: will not be delivered.
        filtered: not accepted, because the Current does not send them.
        pending: queued or in flight.
    """

    accepted: int = 0
    delivered: int = 0
    dropped: int = 0
    filtered: int = 0
    pending: int = 0


@attrs.define
class _Line:
    accepted: int = 0
    delivered: int = 0
    dropped: int = 0
    filtered: int = 0


class Ledger:
    """The totals of each event type, the reasons, and the numbers of requests.

    Attributes:
        requests: requests sent.
        retries: how many of the requests sent the same batch again.
        skipped: how many events of a source were accepted before.
        drop_reasons: how many events were dropped, by reason.
        filter_reasons: how many events were filtered, by reason.
    """

    def __init__(self) -> None:
        self._lines: defaultdict[str, _Line] = defaultdict(_Line)
        self.requests = 0
        self.retries = 0
        self.skipped = 0
        self.drop_reasons: Counter[DropReason] = Counter()
        self.filter_reasons: Counter[FilterReason] = Counter()

    def accept(self, event_type: str, count: int = 1) -> None:
        """Count events that `send` accepted."""
        self._lines[event_type].accepted += count

    def deliver(self, event_type: str, count: int) -> None:
        """Count accepted events that were delivered."""
        self._lines[event_type].delivered += count

    def drop(self, event_type: str, reason: DropReason, count: int = 1) -> None:
        """Count accepted events that will not be delivered."""
        if count:
            self._lines[event_type].dropped += count
            self.drop_reasons[reason] += count

    def filter(self, event_type: str, reason: FilterReason) -> None:
        """Count an event that was not accepted."""
        self._lines[event_type].filtered += 1
        self.filter_reasons[reason] += 1

    def skip(self, count: int) -> None:
        """Count events of a source that were accepted before."""
        self.skipped += count

    def totals_by_type(self) -> dict[str, Totals]:
        """Return the totals of each event type, in alphabetical order."""
        return {
            name: Totals(
                line.accepted,
                line.delivered,
                line.dropped,
                line.filtered,
                line.accepted - line.delivered - line.dropped,
            )
            for name, line in sorted(self._lines.items())
        }
