"""The hooks a sender calls as things happen, and what it hands to them."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from ..events import Event
from ._queues import Drop
from ._responses import Action, Response
from ._status import NoticeKind
from .reasons import FilterReason

__all__ = ["Attempt", "Hooks", "Notice"]


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
        because = f" ({self.reason})" if self.reason else ""
        return f"{self.integration_name}: {self.kind.description}{because}"


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
    on_filtered: Callable[[Event, FilterReason], object] | None = None
    on_notice: Callable[[Notice], object] | None = None
