"""The hooks that a sender calls, and what it passes to them."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import attrs

from ..events import Event
from ._ledger import Drop
from ._responses import Action, Response
from ._status import NoticeKind
from .reasons import FilterReason

__all__ = ["Attempt", "Hooks", "Notice"]


@attrs.frozen
class Attempt:
    """A request and its response or failure.

    Attributes:
        event_type: the type of the batch's events.
        size: the number of events in the batch.
        number: 1 for the first request with this batch, 2 for the second, and so on.
        response: the response.
        action: what the sender does with the batch next.
        at: when the response arrived, in seconds since the Unix epoch.
        duration_s: seconds from the request to the response.
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
    """A message that Braze would send to the contact email.

    Attributes:
        kind: what happened.
        integration_name: the name of the Current.
        contact_email: the address that Braze would write to.
        reason: why it happened; without secrets.
        at: when it happened, in seconds since the Unix epoch.
        since: since when requests have failed or the Current has been disabled; None if there is
            no such time.
    """

    kind: NoticeKind
    integration_name: str
    contact_email: str
    reason: str
    at: float
    since: float | None = None

    @property
    def message(self) -> str:
        """The notice as a sentence."""
        because = f" ({self.reason})" if self.reason else ""
        return f"{self.integration_name}: {self.kind.description}{because}"

    @property
    def text(self) -> str:
        """The text of an email: which Current, what happened, since when, and what to do."""
        lines = [
            f"The Current {self.integration_name}: {self.kind.description}.",
            "",
            f"When: {_utc(self.at)}",
        ]
        if self.reason:
            lines.append(f"Reason: {self.reason}")
        if self.since is not None:
            lines.append(f"Since: {_utc(self.since)}")
        return "\n".join([*lines, "", f"What to do: {_ADVICE[self.kind]}", ""])


_ADVICE = {
    NoticeKind.PAUSED: "If the reason is the URL or the credentials, correct them in the Current. "
    "Then resume it. Events that were accepted are kept, and are sent then.",
    NoticeKind.ALARM: "Check whether the receiver works. Nothing is lost yet. After 5 days without "
    "a success, the Current is disabled.",
    NoticeKind.DISABLED: "Repair the receiver, then resume the Current. New events are dropped "
    "until then, and queued events after 7 days.",
    NoticeKind.EXPIRED: "Repair the receiver, then resume the Current. The queued events are gone; "
    "send them again from their source.",
    NoticeKind.RESUMED: "Nothing.",
    NoticeKind.QUOTA: "Nothing. Events that were accepted are kept, and are sent when the quota "
    "resets. To send more in a day, use a Current that is not a Test Current.",
}


def _utc(seconds: float) -> str:
    at = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


@attrs.frozen(kw_only=True)
class Hooks:
    """Functions that a sender calls when something happens; all are optional.

    The sender calls them one at a time, in the order in which things happen, in a separate thread.
    A slow hook therefore delays only the hooks after it, not requests, and a hook may call
    `Sender.send`. `flush` and `close` wait for the hooks that are due. Whatever a hook raises is
    logged and counted in `Result.hook_failures`, and has no other effect. When more than a thousand
    calls wait, nothing is sent until some of them have ended or the sender closes.

    >>> from currents_export import Hooks
    >>> hooks = Hooks(on_delivered=lambda event_type, ids: print(event_type, len(ids)))
    >>> hooks.on_delivered("users.messages.email.Open", ("e1", "e2"))
    users.messages.email.Open 2

    Attributes:
        on_attempt: called after a request got a response or failed.
        on_batch: called after `on_attempt` with the same attempt, and the JSON of each event of the
            batch, as it was sent.
        on_delivered: called with the event type and the ids of events that were delivered.
        on_dropped: called when an accepted event was dropped.
        on_filtered: called with an event that was not accepted, and the reason.
        on_notice: called when the Current was paused, disabled or resumed, when events have been
            stuck for a day, when events expired, or when the quota of a Test Current is used up.
    """

    on_attempt: Callable[[Attempt], object] | None = None
    on_batch: Callable[[Attempt, tuple[bytes, ...]], object] | None = None
    on_delivered: Callable[[str, tuple[str, ...]], object] | None = None
    on_dropped: Callable[[Drop], object] | None = None
    on_filtered: Callable[[Event, FilterReason], object] | None = None
    on_notice: Callable[[Notice], object] | None = None

    def also(self, others: Hooks) -> Hooks:
        """Return hooks that call these and then the others, also if one of these fails.

        What the others return is returned, so that only theirs may be coroutine functions.
        """
        mine = attrs.asdict(self, recurse=False)
        for name, theirs in attrs.asdict(others, recurse=False).items():
            first = mine[name]
            mine[name] = _both(first, theirs) if first and theirs else first or theirs
        return Hooks(**mine)


def _both(first: Callable[..., object], second: Callable[..., object]) -> Callable[..., object]:
    def call(*args: object) -> object:
        try:
            first(*args)
        finally:
            result = second(*args)
        return result

    return call
