"""`Report`: what a comparison of sent and received events found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from .._codes import Code
from .._notebook import block, lines, table
from ..delivery import DropReason, FilterReason
from ..receiver.rudderstack import Loss, VanishReason
from .charts import Delays, Rates, Stages
from .findings import Altered, Caused, FindingKind, Findings, Row

__all__ = ["Report", "Through", "Verdict"]


class Through(Code):
    """What is between the sender and what was received."""

    CURRENTS = "currents", "nothing: events are received as they were sent"
    RUDDERSTACK = "rudderstack", "RudderStack's Braze source, which makes messages of events"


class Verdict(Code):
    """Whether a stream arrived as it should have."""

    RIGHT = "right", "everything that should have arrived did, and as it should be"
    WRONG = "wrong", "something did not arrive as it should have"


@attrs.frozen(kw_only=True)
class Report:
    """What a comparison of sent and received events found.

    Attributes:
        through: what is between the sender and what was received.
        sent: how many events were sent, duplicates included.
        received: how many events or messages were received, duplicates included.
        matched: how many different ids were both sent and received.
        missing: events that should have arrived and did not. Causes: `lost`, `not_accepted`,
            `dropped`.
        duplicated: arrivals of an id beyond the number of times it was sent. Causes, which only a
            record shows: `redelivered`, `repeated`.
        altered: arrivals whose content is not the expected one. Causes: `wrong_time`,
            `unmapped_names`, `clear_personal_data`, `changed`.
        unexpected: arrivals that were never sent, or that should not have arrived.
        reordered: events that arrived before an event of the same user that was sent earlier.
        late: events that arrived later than allowed.
        filtered: events that the Current does not send, by the code of the reason.
        dropped: events that the sender dropped and that did not arrive, by the code of the reason;
            they are among `missing`.
        vanished: events of which RudderStack's source makes no message, by the code of the reason.
        reduced: events of which RudderStack's source is known to lose a part, by the code of the
            loss; what is left of them is compared.
        disturbed: events that the answer key explains, by the kind of the disturbance. They are
            not findings.
        without_id: sent events without an id, which cannot be compared.
        absent: the paths of fields for which a warehouse's table has no column, so that they cannot
            be compared; at most 1,000.
        stages: how far the events of each type came.
        ages: the seconds from events' `time` to their arrival; None if that is not known.
        latency: the seconds from the request that delivered an event to its arrival; None if no
            record says when that was.
        rates: events over time; None if no times are known.
        has_record: whether `sent` was a record of a sender.
        exactly_once: whether a duplicate is wrong.
        in_order: whether a reordered event is wrong.
    """

    through: Through
    sent: int
    received: int
    matched: int
    missing: Caused
    duplicated: Caused
    altered: Altered
    unexpected: Findings
    reordered: Findings
    late: Findings
    filtered: Mapping[str, Findings]
    vanished: Mapping[str, Findings]
    dropped: Mapping[str, Findings] = attrs.field(factory=dict)
    reduced: Mapping[str, Findings] = attrs.field(factory=dict)
    disturbed: Mapping[str, Findings] = attrs.field(factory=dict)
    without_id: int = 0
    absent: tuple[str, ...] = ()
    stages: Mapping[str, Stages] = attrs.field(factory=dict)
    ages: Delays | None = None
    latency: Delays | None = None
    rates: Rates | None = None
    has_record: bool = False
    exactly_once: bool = False
    in_order: bool = False

    @property
    def verdict(self) -> Verdict:
        """Whether the stream arrived as it should have.

        Duplicates are right where delivery is at least once, and so is another order, unless the
        caller asked for more.
        """
        return Verdict.WRONG if any(row.is_wrong for row in self.rows) else Verdict.RIGHT

    @property
    def rows(self) -> tuple[Row, ...]:
        """A table of what was found, in the order of the attributes; it may be empty.

        The causes of missing, duplicated and altered events are separate rows. Rows that are not
        wrong explain what did not arrive, or what is allowed.
        """
        return tuple(row for row in self._rows() if row.findings.count)

    def _rows(self) -> Iterator[Row]:
        for kind, findings in _by_cause(self.missing, FindingKind.LOST):
            if kind is not FindingKind.DROPPED:
                yield Row(kind, findings, True, None, kind.description)
        yield from self._explained(FindingKind.DROPPED, self.dropped, DropReason, is_wrong=True)
        for kind, findings in _by_cause(self.duplicated, FindingKind.DUPLICATED):
            yield Row(kind, findings, self.exactly_once, None, kind.description)
        for kind, findings in _by_cause(self.altered, FindingKind.CHANGED):
            meaning = kind.description
            if kind is FindingKind.WRONG_TIME and self.altered.shift_s:
                meaning += f"; {_shift(self.altered.shift_s)}"
            yield Row(kind, findings, True, None, meaning)
        for kind, findings, is_wrong in (
            (FindingKind.UNEXPECTED, self.unexpected, True),
            (FindingKind.REORDERED, self.reordered, self.in_order),
            (FindingKind.LATE, self.late, True),
        ):
            yield Row(kind, findings, is_wrong, None, kind.description)
        yield from self._explained(FindingKind.FILTERED, self.filtered, FilterReason)
        yield from self._explained(FindingKind.VANISHED, self.vanished, VanishReason)
        yield from self._explained(FindingKind.REDUCED, self.reduced, Loss)
        for reason, findings in self.disturbed.items():
            disturbed = FindingKind.DISTURBED
            yield Row(disturbed, findings, False, reason, disturbed.description)

    def _explained(
        self,
        kind: FindingKind,
        found: Mapping[str, Findings],
        reasons: type[Code],
        *,
        is_wrong: bool = False,
    ) -> Iterator[Row]:
        for reason, findings in found.items():
            meaning = f"{kind.description} ({reasons(reason).description})"
            yield Row(kind, findings, is_wrong, reason, meaning)

    def to_dict(self, *, personal_data: bool = False) -> dict[str, Any]:
        """Return the report as a JSON object.

        Args:
            personal_data: whether to show texts of events, which may be personal data.
        """
        kinds = ("missing", "duplicated", "altered", "unexpected", "reordered", "late")
        explained = ("filtered", "dropped", "vanished", "reduced", "disturbed")
        return {
            "verdict": self.verdict.value,
            "through": self.through.value,
            "sent": self.sent,
            "received": self.received,
            "matched": self.matched,
            **{kind: getattr(self, kind).to_dict(personal_data=personal_data) for kind in kinds},
            **{
                name: {code: each.to_dict() for code, each in getattr(self, name).items()}
                for name in explained
            },
            "without_id": self.without_id,
            "absent": list(self.absent),
            "stages": {name: each.to_dict() for name, each in self.stages.items()},
            **{
                name: None if (each := getattr(self, name)) is None else each.to_dict()
                for name in ("ages", "latency", "rates")
            },
        }

    def _repr_html_(self) -> str:
        """Return the report for a notebook; it contains no texts of events."""
        heading = lines(
            f"{self.verdict.value}: {self.verdict.description}",
            f"{self.sent:,} sent, {self.received:,} received, {self.matched:,} matched",
        )
        rows = (
            (
                row.kind.value,
                row.reason or "",
                row.findings.count,
                "yes" if row.is_wrong else "no",
                row.meaning,
            )
            for row in self.rows
        )
        return block(heading, table(("found", "reason", "events", "wrong", "meaning"), rows))


def _shift(seconds: float) -> str:
    """Return by how much all times differ, in words."""
    where = "later" if seconds > 0 else "earlier"
    hours = abs(seconds) / 3600
    if hours.is_integer():
        return f"all are {_counted(hours, 'hour')} {where}, as with another time zone"
    return f"all are {_counted(abs(seconds), 'second')} {where}"


def _counted(number: float, unit: str) -> str:
    return f"{number:g} {unit}" if number == 1 else f"{number:g} {unit}s"


def _by_cause(found: Caused, otherwise: FindingKind) -> Iterator[tuple[FindingKind, Findings]]:
    """Yield the findings of each cause; all of them have one cause if the report names none."""
    if not found.by_cause:
        yield otherwise, found
    for code, findings in found.by_cause.items():
        yield FindingKind(code), findings
