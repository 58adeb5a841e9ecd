"""What a comparison finds: the kinds, causes and examples of findings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from .._codes import Code
from ._masking import masked, masked_object

__all__ = ["IMPERSONAL", "Altered", "Caused", "Example", "FindingKind", "Findings", "Pair", "Row"]


class FindingKind(Code):
    """What is found about events; the description says what it means and where to look."""

    LOST = (
        "lost",
        (
            "should have arrived and did not: look for errors of the source and of its "
            "destinations after the 200, and for a transformation or a filter there"
        ),
    )
    NOT_ACCEPTED = (
        "not_accepted",
        "was sent and got no 2XX: look at the statuses in the record, and send what is pending",
    )
    DROPPED = (
        "dropped",
        "was dropped by the sender, so that it could not arrive: look at the reason",
    )
    DUPLICATED = (
        "duplicated",
        (
            "arrived more often than sent: the sender sends again when a response is lost, and a "
            "record of the sender (send --record) shows which duplicates are its own"
        ),
    )
    REDELIVERED = (
        "redelivered",
        (
            "arrived more often than sent because the sender sent it again after a request without "
            "2XX: delivery is at least once, so the consumer must deduplicate by id"
        ),
    )
    REPEATED = (
        "repeated",
        (
            "arrived more often than sent: look for retries between the source and what "
            "received it, or for two destinations that write to the same place"
        ),
    )
    WRONG_TIME = (
        "wrong_time",
        (
            "arrived with another time: look for code that parses times without a time zone, or in "
            "another unit"
        ),
    )
    UNMAPPED_NAMES = (
        "unmapped_names",
        (
            "arrived under another name: look at the custom mapping of the source, and whether "
            "--mapping names the same one"
        ),
    )
    CLEAR_PERSONAL_DATA = (
        "clear_personal_data",
        (
            "arrived with personal data in clear that the Current removes or hashes: look at the "
            "field transformations of the Current, and for another sender"
        ),
    )
    CHANGED = (
        "changed",
        "arrived with another content: look at the fields, and for transformations that touch them",
    )
    UNEXPECTED = (
        "unexpected",
        "arrived and should not have: look for another sender, or another run",
    )
    REORDERED = (
        "reordered",
        (
            "arrived before an earlier event of the same user, which parallel requests cause: sort "
            "by time where order matters"
        ),
    )
    LATE = "late", "arrived later than allowed: look at the queues on the way, and at retries"
    FILTERED = "filtered", "is not sent by the Current: look at its event types and its form"
    VANISHED = "vanished", "gets a 200, and the source makes no message of it, by rule"
    REDUCED = "reduced", "arrived without what the source is known to lose; the rest is compared"
    DISTURBED = (
        "disturbed",
        "was disturbed on purpose, according to the answer key, which is not a finding",
    )


#: Names at the top of an event or a message whose texts are not personal data.
IMPERSONAL = frozenset(
    {"timestamp", "time", "event", "event_type", "type", "id", "messageId", "receivedAt"}
)


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
        if not personal_data and self.field not in IMPERSONAL:
            values = masked(values)
        return named | {"field": self.field} | values


@attrs.frozen
class Pair:
    """An altered event: the whole of what was expected, and the whole of what arrived.

    Attributes:
        id: the event's id.
        event_type: the event type.
        expected: what was expected: an event, or a message without what RudderStack adds.
        got: what arrived, in the same form.
        fields: the paths of the fields that differ, such as `properties.items[].price`.
    """

    id: str
    event_type: str
    expected: Mapping[str, Any]
    got: Mapping[str, Any]
    fields: tuple[str, ...] = ()

    def to_dict(self, *, personal_data: bool = False) -> dict[str, Any]:
        """Return the pair as a JSON object.

        Args:
            personal_data: whether to show texts, which may be personal data.
        """
        values = {"expected": dict(self.expected), "got": dict(self.got)}
        if not personal_data:
            values = {name: masked_object(value, IMPERSONAL) for name, value in values.items()}
        named = {"id": self.id, "event_type": self.event_type}
        return named | {"fields": list(self.fields)} | values


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
class Caused(Findings):
    """Findings that have different causes.

    Attributes:
        by_cause: the findings by the code of a `FindingKind`. An altered event can be among several
            of them.
    """

    by_cause: Mapping[str, Findings] = attrs.field(factory=dict)

    def to_dict(self, *, personal_data: bool = False) -> dict[str, Any]:
        """Return the findings as a JSON object.

        Args:
            personal_data: whether to show texts of events, which may be personal data.
        """
        causes = {
            code: each.to_dict(personal_data=personal_data) for code, each in self.by_cause.items()
        }
        return super().to_dict(personal_data=personal_data) | {"by_cause": causes}


@attrs.frozen
class Altered(Caused):
    """Events that arrived with another content.

    Attributes:
        by_field: how many of the examined ones differ, by the path of the field, without positions
            in lists; those after the first 1,000 paths have one name in common.
        examined: how many were compared field by field; only these are in `by_cause`.
        pairs: some of them as a whole.
        shift_s: the seconds by which the times that arrived differ from those that were expected,
            if all that were examined differ by the same number; None otherwise. A whole number of
            hours is a time zone.
    """

    by_field: Mapping[str, int] = attrs.field(factory=dict)
    examined: int = 0
    pairs: tuple[Pair, ...] = ()
    shift_s: float | None = None

    def to_dict(self, *, personal_data: bool = False) -> dict[str, Any]:
        """Return the findings as a JSON object.

        Args:
            personal_data: whether to show texts of events, which may be personal data.
        """
        more = {
            "by_field": dict(self.by_field),
            "examined": self.examined,
            "pairs": [each.to_dict(personal_data=personal_data) for each in self.pairs],
            "shift_s": self.shift_s,
        }
        return super().to_dict(personal_data=personal_data) | more


@attrs.frozen
class Row:
    """A line of a table of findings.

    Attributes:
        kind: what is found.
        findings: the findings.
        is_wrong: whether they make the verdict wrong.
        reason: the code of the reason, such as `no_external_user_id`; None if there is none.
        meaning: what it means and where to look, in words.
    """

    kind: FindingKind
    findings: Findings
    is_wrong: bool
    reason: str | None
    meaning: str
