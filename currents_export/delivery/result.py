"""`Result`: what happened to the events of a sender."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from .._notebook import block, lines, table
from ._ledger import Totals
from ._quota import Quota
from ._status import State
from .reasons import DropReason, FilterReason

__all__ = ["Result"]


@attrs.frozen
class Result:
    """What happened to the events of a sender so far.

    Every accepted event is delivered, dropped or pending:
    `accepted == delivered + dropped + pending`.

    Attributes:
        accepted: events that the sender accepted, or found in its outbox.
        delivered: events whose request got a 2XX response.
        dropped: accepted events that will not be delivered; `drop_reasons` counts them by reason.
        filtered: events that the sender did not accept because the Current does not send them;
            `filter_reasons` counts them by reason.
        pending: events that are queued or in flight.
        requests: requests sent, not counting those of `Sender.check_credentials`.
        retries: how many of the requests sent the same batch again.
        duration_s: seconds since the sender was made.
        by_event_type: the totals of each event type.
        drop_reasons: how many events were dropped, by reason.
        filter_reasons: how many events were filtered, by reason.
        state: whether the Current is active, paused or disabled.
        reason: why the Current is not active, or why its requests are failing; empty if they are
            not.
        hook_failures: how many calls of hooks raised an exception; each was logged.
        carried_over: how many of the accepted events were pending in the outbox when the sender was
            made.
        skipped: events of a source that were not accepted again; see `Sender.send`.
        quota: what a Test Current may send on this day; None for any other Current.
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
    hook_failures: int = 0
    carried_over: int = 0
    skipped: int = 0
    quota: Quota | None = None

    @property
    def complete(self) -> bool:
        """Whether every accepted event was delivered."""
        return self.delivered == self.accepted

    def to_dict(self) -> dict[str, Any]:
        """Return the result as a JSON object; reasons and the state are codes."""
        return attrs.asdict(self) | {
            "duration_s": round(self.duration_s, 6),
            "drop_reasons": {each.value: count for each, count in self.drop_reasons.items()},
            "filter_reasons": {each.value: count for each, count in self.filter_reasons.items()},
            "state": self.state.value,
        }

    def _repr_html_(self) -> str:
        """Return the result for a notebook."""
        others = (
            (self.carried_over, "carried over from the outbox"),
            (self.skipped, "skipped, because they were accepted before"),
            (self.hook_failures, "failed calls of hooks"),
        )
        heading = lines(
            f"{self.state.value}: {self.state.description}",
            f"Reason: {self.reason}" if self.reason else "",
            f"Quota: {self.quota.text}" if self.quota else "",
            f"Requests: {self.requests:,}, {self.retries:,} of them retries",
            f"Duration: {self.duration_s:,.1f} s",
            *(f"{number:,} {what}" for number, what in others if number),
        )
        totals: list[tuple[str, Result | Totals]] = [("all", self)]
        totals += sorted(self.by_event_type.items())
        rows = (
            (name, each.accepted, each.delivered, each.dropped, each.pending, each.filtered)
            for name, each in totals
        )
        reasons = (
            *(("dropped", each.description, count) for each, count in self.drop_reasons.items()),
            *(("filtered", each.description, count) for each, count in self.filter_reasons.items()),
        )
        return block(
            heading,
            table(("event type", "accepted", "delivered", "dropped", "pending", "filtered"), rows),
            table(("what", "reason", "events"), reasons),
        )
