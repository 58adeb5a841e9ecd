"""Count the messages that a stand-in for RudderStack makes, or that come from RudderStack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from .._counts import MAX_IDS, MAX_KINDS, Ids, cut
from ._transform import VanishReason

__all__ = ["GatewayCounts", "MessageCounts", "MessageRecorder"]


@attrs.frozen
class MessageCounts:
    """The messages that were taken so far, in bounded memory.

    Attributes:
        requests: requests that got a response or were reset.
        by_status: the requests by status; `reset` for those that were reset.
        messages: messages that were taken, duplicates included.
        duplicates: messages whose `messageId` is one of the last 1,000,000 different ones.
        by_event: the messages by event name; `?` for those without one. Of more than 1,000 names,
            the later ones are counted together, as `other`.
    """

    requests: int
    by_status: Mapping[str, int]
    messages: int
    duplicates: int
    by_event: Mapping[str, int]

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as a JSON object."""
        return attrs.asdict(self)


@attrs.frozen
class GatewayCounts(MessageCounts):
    """What a stand-in for RudderStack's gateway has seen so far.

    Attributes:
        events: events in requests that got 200; always the sum of `messages`, `vanished` and
            `suppressed`.
        vanished: events of which the source made no message, by the code of a `VanishReason`.
        suppressed: messages of suppressed users.
        delivered: messages that the consumer accepted.
        given_up: messages that the consumer refused, or did not accept in time.
        waiting: messages that are still to be delivered.
    """

    events: int
    vanished: Mapping[str, int]
    suppressed: int
    delivered: int = 0
    given_up: int = 0
    waiting: int = 0


class MessageRecorder:
    """Count requests and messages as they come; the caller holds the lock."""

    def __init__(self) -> None:
        self._ids = Ids(MAX_IDS)
        self._by_status: Counter[str] = Counter()
        self._by_event: Counter[str] = Counter()
        self._duplicates = 0
        self._vanished: Counter[str] = Counter()
        self._suppressed = 0

    def record_status(self, status: str) -> None:
        """Record a request by the status of its response, or `reset`."""
        self._by_status[status] += 1

    def record_messages(self, messages: Iterable[Mapping[str, Any]]) -> None:
        """Record messages that were taken."""
        for message in messages:
            event, message_id = message.get("event"), message.get("messageId")
            name = cut(event) if isinstance(event, str) else "?"
            if name not in self._by_event and len(self._by_event) >= MAX_KINDS:
                name = "other"
            self._by_event[name] += 1
            if isinstance(message_id, str):
                self._duplicates += self._ids.add(message_id)

    def record_losses(self, vanished: Iterable[VanishReason], suppressed: int) -> None:
        """Record events that vanished, and the number of suppressed messages."""
        self._vanished.update(each.value for each in vanished)
        self._suppressed += suppressed

    @property
    def counts(self) -> MessageCounts:
        """What was recorded so far, without losses."""
        return MessageCounts(
            requests=self._by_status.total(),
            by_status=dict(sorted(self._by_status.items())),
            messages=self._by_event.total(),
            duplicates=self._duplicates,
            by_event=dict(sorted(self._by_event.items())),
        )

    def gateway_counts(self, *, delivered: int, given_up: int, waiting: int) -> GatewayCounts:
        """Return what was recorded so far, with the counts of the forwarding."""
        counts = self.counts
        return GatewayCounts(
            **attrs.asdict(counts),
            events=counts.messages + self._vanished.total() + self._suppressed,
            vanished=dict(sorted(self._vanished.items())),
            suppressed=self._suppressed,
            delivered=delivered,
            given_up=given_up,
            waiting=waiting,
        )
