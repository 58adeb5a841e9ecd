"""What a sender tells: results, and the hooks it calls as things happen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from ..events import Event
from ._queues import Drop, Totals
from ._responses import Action, Response
from ._status import NoticeKind, State

__all__ = ["Attempt", "Hooks", "Notice", "Result"]


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
    drop_reasons: Mapping[str, int]
    filter_reasons: Mapping[str, int]
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
            "state": self.state.value,
        }


@attrs.frozen
class Attempt:
    """A request that was answered, or failed.

    Attributes:
        event_type: the type of the batch's events.
        size: how many events the batch has.
        number: 1 for the batch's first request, 2 for its second, and so on.
        response: what came back.
        action: what it leads to.
        at: when the response was there, in seconds since the Unix epoch.
        duration_s: seconds until then from when it was sent.
    """

    event_type: str
    size: int
    number: int
    response: Response
    action: Action
    at: float
    duration_s: float


_NOTICES = {
    NoticeKind.PAUSED: "paused; nothing is sent until it is resumed ({reason})",
    NoticeKind.ALARM: "events have been stuck for 24 hours ({reason})",
    NoticeKind.DISABLED: "disabled after 5 days of trouble; new events are dropped ({reason})",
    NoticeKind.EXPIRED: "events kept for 7 days after it was disabled have been dropped",
    NoticeKind.RESUMED: "resumed",
}


@attrs.frozen
class Notice:
    """What Braze would write to the contact email.

    Attributes:
        kind: what happened.
        integration_name: the Current it happened to.
        contact_email: who is to be told.
        reason: what the trouble is; no secrets.
        at: when, in seconds since the Unix epoch.
    """

    kind: NoticeKind
    integration_name: str
    contact_email: str
    reason: str
    at: float

    @property
    def message(self) -> str:
        """The notice as a sentence."""
        return f"{self.integration_name}: {_NOTICES[self.kind].format(reason=self.reason)}"


@attrs.frozen(kw_only=True)
class Hooks:
    """Functions that a sender calls as things happen; all are optional.

    They are called one after the other, in the order in which things happened, from a thread of
    their own: a slow hook holds up no request (what is due piles up behind it), and a hook may
    call `Sender.send`. `flush` and `close` wait for the hooks that are due. An exception in a hook
    is logged and changes nothing.

    Attributes:
        on_attempt: a request was answered, or failed.
        on_delivered: the event type and the ids of events that were delivered.
        on_dropped: an accepted event was given up.
        on_filtered: an event was not taken, and why.
        on_notice: the Current was paused, disabled, resumed, or is in trouble for a day.
    """

    on_attempt: Callable[[Attempt], object] | None = None
    on_delivered: Callable[[str, tuple[str, ...]], object] | None = None
    on_dropped: Callable[[Drop], object] | None = None
    on_filtered: Callable[[Event, str], object] | None = None
    on_notice: Callable[[Notice], object] | None = None
