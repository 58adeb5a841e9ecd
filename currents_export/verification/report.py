"""`Report`: what a comparison of sent and received events found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from .._codes import Code
from ._masking import masked

__all__ = ["Ages", "Altered", "Example", "Findings", "Report", "Through", "Verdict"]


class Through(Code):
    """What is between the sender and what was received."""

    CURRENTS = "currents", "nothing: events are received as they were sent"
    RUDDERSTACK = "rudderstack", "RudderStack's Braze source, which makes messages of events"


class Verdict(Code):
    """Whether a stream arrived as it should have."""

    RIGHT = "right", "everything that should have arrived did, and as it should be"
    WRONG = "wrong", "something did not arrive as it should have"


#: Fields whose texts are not personal data.
_IMPERSONAL = frozenset({"timestamp", "time", "event", "event_type", "type"})


@attrs.frozen
class Example:
    """An event with a finding.

    Attributes:
        id: the event's id.
        event_type: the event type, or the name of the message if the event was never sent.
        field: the path of the field that differs; None if the finding is not about a field.
        expected: the value that was expected; None if there is none.
        got: the value that arrived; None if there is none.
    """

    id: str
    event_type: str | None = None
    field: str | None = None
    expected: Any = None
    got: Any = None

    def to_dict(self, *, personal_data: bool = False) -> dict[str, Any]:
        """Return the example as a JSON object, without a field if it is not about one.

        Args:
            personal_data: whether to show texts, which may be personal data.
        """
        named = {"id": self.id, "event_type": self.event_type}
        if self.field is None:
            return named
        values = {"expected": self.expected, "got": self.got}
        if not personal_data and self.field not in _IMPERSONAL:
            values = masked(values)
        return named | {"field": self.field} | values


@attrs.frozen
class Findings:
    """The findings of one kind.

    Attributes:
        count: how many there are.
        examples: some of them; which ones does not depend on the order of the input.
        by_event_type: the findings by event type.
    """

    count: int = 0
    examples: tuple[Example, ...] = ()
    by_event_type: Mapping[str, int] = attrs.field(factory=dict)

    def to_dict(self, *, personal_data: bool = False) -> dict[str, Any]:
        """Return the findings as a JSON object.

        Args:
            personal_data: whether to show texts of events, which may be personal data.
        """
        return {
            "count": self.count,
            "examples": [each.to_dict(personal_data=personal_data) for each in self.examples],
            "by_event_type": dict(self.by_event_type),
        }


@attrs.frozen
class Altered(Findings):
    """Events that arrived with another content.

    Attributes:
        by_field: how many of the examined ones differ, by the path of the field; list positions are
            left out.
        examined: how many were compared field by field.
    """

    by_field: Mapping[str, int] = attrs.field(factory=dict)
    examined: int = 0

    def to_dict(self, *, personal_data: bool = False) -> dict[str, Any]:
        """Return the findings as a JSON object.

        Args:
            personal_data: whether to show texts of events, which may be personal data.
        """
        more = {"by_field": dict(self.by_field), "examined": self.examined}
        return super().to_dict(personal_data=personal_data) | more


@attrs.frozen
class Ages:
    """The seconds from an event's `time` to its arrival, where both are known.

    Attributes:
        p50: half of the events were not older.
        p95: 95 of 100 events were not older.
        max: the age of the oldest event.
    """

    p50: float
    p95: float
    max: float


@attrs.frozen(kw_only=True)
class Report:
    """What a comparison of sent and received events found.

    Attributes:
        through: what is between the sender and what was received.
        sent: how many events were sent, duplicates included.
        received: how many events or messages were received, duplicates included.
        matched: how many different ids were both sent and received.
        missing: events that should have arrived and did not.
        duplicated: arrivals of an id beyond the number of times it was sent.
        altered: arrivals whose content is not the expected one.
        unexpected: arrivals that were never sent, or that should not have arrived.
        reordered: events that arrived before an event of the same user that was sent earlier.
        late: events that arrived later than allowed.
        filtered: events that the Current does not send, by the code of the reason.
        vanished: events of which RudderStack's source makes no message, by the code of the reason.
        reduced: events of which RudderStack's source is known to lose a part, by the code of the
            loss; what is left of them is compared.
        without_id: sent events without an id, which cannot be compared.
        ages: how old events were when they arrived; None if that is not known.
        exactly_once: whether a duplicate is wrong.
        in_order: whether a reordered event is wrong.
    """

    through: Through
    sent: int
    received: int
    matched: int
    missing: Findings
    duplicated: Findings
    altered: Altered
    unexpected: Findings
    reordered: Findings
    late: Findings
    filtered: Mapping[str, Findings]
    vanished: Mapping[str, Findings]
    reduced: Mapping[str, Findings] = attrs.field(factory=dict)
    without_id: int = 0
    ages: Ages | None = None
    exactly_once: bool = False
    in_order: bool = False

    @property
    def verdict(self) -> Verdict:
        """Whether the stream arrived as it should have.

        Duplicates are right where delivery is at least once, and so is another order, unless the
        caller asked for more.
        """
        wrong = [self.missing, self.altered, self.unexpected, self.late]
        wrong += [self.duplicated] if self.exactly_once else []
        wrong += [self.reordered] if self.in_order else []
        return Verdict.WRONG if any(each.count for each in wrong) else Verdict.RIGHT

    def to_dict(self, *, personal_data: bool = False) -> dict[str, Any]:
        """Return the report as a JSON object.

        Args:
            personal_data: whether to show texts of events, which may be personal data.
        """
        kinds = ("missing", "duplicated", "altered", "unexpected", "reordered", "late")
        return {
            "verdict": self.verdict.value,
            "through": self.through.value,
            "sent": self.sent,
            "received": self.received,
            "matched": self.matched,
            **{kind: getattr(self, kind).to_dict(personal_data=personal_data) for kind in kinds},
            **{
                name: {code: each.to_dict() for code, each in getattr(self, name).items()}
                for name in ("filtered", "vanished", "reduced")
            },
            "without_id": self.without_id,
            "ages": None if self.ages is None else attrs.asdict(self.ages),
        }
