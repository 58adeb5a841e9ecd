"""The answer key: what each event of a stream is, and what its consumer should count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import attrs
import orjson

from ..events import Event

__all__ = ["DUPLICATE", "Funnel", "KeyRecord", "KeySummary"]

#: The disturbance of an event that arrives again.
DUPLICATE: Final = "duplicate"


@attrs.frozen
class KeyRecord:
    """What is known about one event of a stream: one line of the answer key.

    Attributes:
        id: the id of the event.
        event_type: what happened. A disturbance may have given the event another type.
        cause: the id of the event that caused it; None for the beginning of a story.
        journey: the name of the story it belongs to.
        campaign: the id of its campaign.
        canvas: the id of its Canvas.
        step: the id of its Canvas step.
        before_start: whether its cause happened before the stream began, so that the stream does
            not contain it.
        disturbance: the kinds of disturbances that changed it or its arrival, separated by commas;
            None if it was left as it is. A duplicate has a record of its own with the same id.
        arrival: when it arrives, in seconds since the epoch; None if that is when it happened.
        sent_at: when its message was sent, in seconds since the epoch; None for events that do not
            follow from a message.
        revenue: for a conversion, what the purchases that caused it cost, by currency. A purchase
            that counts for several conversions of a receipt belongs to the first of them.
    """

    id: str
    event_type: str
    cause: str | None = None
    journey: str | None = None
    campaign: str | None = None
    canvas: str | None = None
    step: str | None = None
    before_start: bool = False
    disturbance: str | None = None
    arrival: int | None = None
    sent_at: int | None = None
    revenue: Mapping[str, float] | None = attrs.field(default=None, hash=False)

    @property
    def disturbances(self) -> tuple[str, ...]:
        """The kinds of disturbances, in the order in which they were applied."""
        return tuple(self.disturbance.split(",")) if self.disturbance else ()

    def to_dict(self) -> dict[str, Any]:
        """Return the record without what is None or false."""
        found = {
            name: value
            for name in _NAMES
            if (value := getattr(self, name)) is not None and value is not False
        }
        if self.revenue is not None:
            found["revenue"] = dict(self.revenue)
        return found

    def to_json(self) -> bytes:
        """Return the record as a line of JSON Lines, with its line feed."""
        return orjson.dumps(self.to_dict(), option=orjson.OPT_APPEND_NEWLINE)


_NAMES = tuple(field.name for field in attrs.fields(KeyRecord))


@attrs.define
class Funnel:
    """The counts of a campaign or Canvas.

    Each event counts once, however often it arrives. A message is told apart by its `user_id`,
    `dispatch_id` and Canvas step; where events have no `dispatch_id`, such as those of in-app
    messages, a user has one message of each campaign or Canvas step.

    Attributes:
        name: its name; None if no event has it.
        sent: Send events. Some channels have none.
        delivered: Delivery events. Some channels have none.
        opened: messages with an Open, Read or Impression event of a person.
        machine_opened: messages with an Open event that has `machine_open`. They may be among those
            of `opened`, too.
        clicked: messages with a click that is not a suspected bot's.
        bot_clicked: messages with a click that is a suspected bot's.
        conversions: Conversion events by the letter of the conversion event, `A` for the primary
            one; those of the control group are included.
        revenue: what the purchases that caused the conversions cost, by currency; refunds are not
            subtracted.
    """

    name: str | None = None
    sent: int = 0
    delivered: int = 0
    opened: int = 0
    machine_opened: int = 0
    clicked: int = 0
    bot_clicked: int = 0
    conversions: Counter[str] = attrs.field(factory=Counter)
    revenue: dict[str, Decimal] = attrs.field(factory=dict)

    def merge(self, other: Funnel) -> None:
        """Add the counts of the same campaign or Canvas for other users."""
        self.name = self.name or other.name
        self.sent += other.sent
        self.delivered += other.delivered
        self.opened += other.opened
        self.machine_opened += other.machine_opened
        self.clicked += other.clicked
        self.bot_clicked += other.bot_clicked
        self.conversions.update(other.conversions)
        for currency, amount in other.revenue.items():
            self.revenue[currency] = self.revenue.get(currency, Decimal()) + amount

    @property
    def converted(self) -> int:
        """Conversions by the primary conversion event."""
        return self.conversions["A"]

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as JSON values."""
        return {
            "name": self.name,
            "sent": self.sent,
            "delivered": self.delivered,
            "opened": self.opened,
            "machine_opened": self.machine_opened,
            "clicked": self.clicked,
            "bot_clicked": self.bot_clicked,
            "converted": self.converted,
            "conversions": dict(sorted(self.conversions.items())),
            "revenue": {code: float(amount) for code, amount in sorted(self.revenue.items())},
        }


_LETTERS = "ABCD"
_OPENS = frozenset({"Open", "Read", "Impression"})
_CLICKS = frozenset({"Click", "ShortLinkClick"})
_CONVERSIONS = frozenset({"users.campaigns.Conversion", "users.canvas.Conversion"})
#: What is shown on a landing page is not a message, even where it names a campaign.
_NOT_MESSAGES = frozenset({"landingpage", "survey"})


class KeySummary:
    """The totals of an answer key, added up while its events pass.

    It keeps a few counters for each campaign and Canvas, and 8 bytes of hash for each message that
    was opened or clicked, since messages are counted once.

    Attributes:
        events: how many different events there were, by event type (`KeyRecord.event_type`).
        campaigns: the funnels of the campaigns, by their ids.
        canvases: the funnels of the Canvases, by their ids.
        disturbances: how many events each kind of disturbance changed or moved. For `duplicate`,
            how many copies there are; no other number contains the copies.
    """

    def __init__(self) -> None:
        self.events: Counter[str] = Counter()
        self.campaigns: dict[str, Funnel] = {}
        self.canvases: dict[str, Funnel] = {}
        self.disturbances: Counter[str] = Counter()
        self._seen: set[int] = set()

    def add(self, event: Event, record: KeyRecord) -> None:
        """Count an event with its record."""
        if record.disturbance is not None:
            kinds = record.disturbances
            if DUPLICATE in kinds:
                self.disturbances[DUPLICATE] += 1
                return
            self.disturbances.update(kinds)
        self.events[record.event_type] += 1
        if record.campaign is not None:
            funnel = self.campaigns.setdefault(record.campaign, Funnel())
            self._count(funnel, "campaign_name", event, record)
        elif record.canvas is not None:
            funnel = self.canvases.setdefault(record.canvas, Funnel())
            self._count(funnel, "canvas_name", event, record)

    def merge(self, other: KeySummary) -> None:
        """Add the totals of events of other users, such as those of another shard."""
        self.events.update(other.events)
        self.disturbances.update(other.disturbances)
        for mine, theirs in (
            (self.campaigns, other.campaigns),
            (self.canvases, other.canvases),
        ):
            for key, funnel in theirs.items():
                mine.setdefault(key, Funnel()).merge(funnel)

    def _count(self, funnel: Funnel, naming: str, event: Event, record: KeyRecord) -> None:
        if funnel.name is None:
            funnel.name = event.properties.get(naming)
        if record.event_type in _CONVERSIONS:
            _count_conversion(funnel, event, record)
            return
        family, _, rest = record.event_type.partition(".messages.")
        channel, _, what = rest.partition(".")
        if family != "users" or channel in _NOT_MESSAGES:
            return
        if what == "Send":
            funnel.sent += 1
        elif what == "Delivery":
            funnel.delivered += 1
        elif what in _OPENS:
            if event.properties.get("machine_open") == "true":
                funnel.machine_opened += self._is_first("machine_opened", event, record)
            else:
                funnel.opened += self._is_first("opened", event, record)
        elif what in _CLICKS:
            if event.properties.get("is_suspected_bot_click"):
                funnel.bot_clicked += self._is_first("bot_clicked", event, record)
            else:
                funnel.clicked += self._is_first("clicked", event, record)

    def _is_first(self, stage: str, event: Event, record: KeyRecord) -> bool:
        """Return whether no other event of the message has reached the stage of the funnel."""
        dispatch, user = event.properties.get("dispatch_id"), event.user.get("user_id")
        key = hash((stage, user, dispatch, record.campaign, record.canvas, record.step))
        if key in self._seen:
            return False
        self._seen.add(key)
        return True

    def to_dict(self) -> dict[str, Any]:
        """Return the totals as JSON values."""
        return {
            "events": self.events.total(),
            "event_types": dict(sorted(self.events.items())),
            "campaigns": {key: each.to_dict() for key, each in sorted(self.campaigns.items())},
            "canvases": {key: each.to_dict() for key, each in sorted(self.canvases.items())},
            "disturbances": dict(sorted(self.disturbances.items())),
        }


def _count_conversion(funnel: Funnel, event: Event, record: KeyRecord) -> None:
    index = event.properties.get("conversion_behavior_index")
    # Without an index, it is the only conversion event, hence the primary one.
    letter = _LETTERS[index] if isinstance(index, int) and 0 <= index < len(_LETTERS) else "A"
    funnel.conversions[letter] += 1
    for currency, amount in (record.revenue or {}).items():
        # Decimals add up without the rounding errors of floats.
        funnel.revenue[currency] = funnel.revenue.get(currency, Decimal()) + Decimal(repr(amount))
