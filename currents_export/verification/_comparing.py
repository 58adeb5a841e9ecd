"""Compare the rows of sent events with those of arrivals, a partition at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from heapq import nsmallest
from itertools import chain

import attrs

from ..delivery import DropReason, FilterReason
from ..receiver.rudderstack import VanishReason
from ._cases import Case
from ._charting import DelayCounter
from ._collect import Collector
from ._rows import REASONS, Arrival, Kinds, Known, Sent, reason_number
from ._store import PARTITIONS, Partitions, Row
from .charts import Stages
from .findings import FindingKind, Findings

__all__ = ["MAX_EXAMINED", "Comparison", "Found"]

#: How many altered arrivals are compared field by field.
MAX_EXAMINED = 10_000
#: The kinds of disturbances that change when an event arrives.
MOVING = frozenset({"duplicate", "late", "out_of_order", "open_before_send", "burst", "gap"})


@attrs.define
class Found:
    """What a comparison finds, as it finds it."""

    missing: Collector = attrs.field(factory=Collector)
    duplicated: Collector = attrs.field(factory=Collector)
    altered: Collector = attrs.field(factory=Collector)
    unexpected: Collector = attrs.field(factory=Collector)
    late: Collector = attrs.field(factory=Collector)
    causes: dict[FindingKind, Collector] = attrs.field(
        factory=lambda: {kind: Collector() for kind in FindingKind}
    )
    reasons: tuple[Collector, ...] = attrs.field(
        factory=lambda: tuple(Collector() for _ in REASONS)
    )
    disturbed: dict[str, Collector] = attrs.field(factory=dict)
    ages: DelayCounter = attrs.field(factory=DelayCounter)
    latency: DelayCounter = attrs.field(factory=DelayCounter)
    matched: int = 0
    known: int = 0
    to_examine: list[tuple[str, int, int]] = attrs.field(factory=list)

    def by_reason(
        self, reasons: type[FilterReason] | type[VanishReason] | type[DropReason]
    ) -> dict[str, Findings]:
        """Return what should not arrive by the code of the reason, where there is any."""
        found = {each.value: self.reasons[reason_number(each)].findings for each in reasons}
        return {code: each for code, each in found.items() if each.count}


class Comparison:
    """Compare all partitions.

    Args:
        found: where findings are collected.
        kinds: the event types.
        has_record: whether the sent rows are attempts of a sender.
        late_after: the seconds from which an event is late; None if none is.
        pairs: where the events that arrived are added, by user.
    """

    def __init__(
        self,
        found: Found,
        kinds: Kinds,
        *,
        has_record: bool,
        late_after: float | None,
        pairs: Partitions,
    ) -> None:
        self._found = found
        self._kinds = kinds
        self._has_record = has_record
        self._late_after = late_after
        self._pairs = pairs
        # By the number of the event type.
        self._sent: Counter[int] = Counter()
        self._accepted: Counter[int] = Counter()
        self._expected: Counter[int] = Counter()
        self._arrived: Counter[int] = Counter()

    def compare(self, sent: Partitions, arrived: Partitions, known: Partitions) -> None:
        """Compare all partitions; they are empty afterwards."""
        for number in range(PARTITIONS):
            self._pairs.add_all(
                self._compared(sent.take(number), arrived.take(number), known.take(number))
            )

    def _compared(
        self, sent: Iterable[Row], arrived: Iterable[Row], known: Iterable[Row]
    ) -> Iterator[Row]:
        """Compare a partition, and yield a row for each event that arrived, by its user."""
        # Most ids occur once on each side, so that a list for each would cost more than the rest.
        sent_rows, more_sent = _by_id(sent)
        arrivals, more_arrivals = _by_id(arrived)
        key: dict[str, list[Row]] = {}
        for row in known:
            key.setdefault(row[0], []).append(row)
        disturbed = {event_id for event_id, rows in key.items() if rows[1:] or any(rows[0][1:])}
        special = more_sent.keys() | more_arrivals.keys() | disturbed
        plain: Counter[int] = Counter()
        for event_id, row in sent_rows.items():
            arrival = arrivals.pop(event_id, None)
            _, number, digest, timestamp, kind, reason, user, time, sent_at, is_accepted = row
            if (
                arrival is not None
                and digest == arrival[2]
                and (timestamp is None or timestamp == arrival[3])
                and reason is None
                and is_accepted is not False
                and event_id not in special
            ):
                plain[kind] += 1
                self._found.known += event_id in key
                if (at := arrival[5]) is not None:
                    self._count_time(event_id, kind, at, time, sent_at=sent_at)
                if user is not None:
                    yield user, number, arrival[1], kind, event_id, False
                continue
            pair = self._compare_id(
                [Sent(*each) for each in (row, *more_sent.get(event_id, ()))],
                [Arrival(*each) for each in (arrival, *more_arrivals.get(event_id, ())) if each],
                [Known(*each) for each in key.get(event_id, ())],
            )
            if pair is not None:
                yield pair
        self._count_plain(plain)
        for event_id, arrival in arrivals.items():
            count = 1 + len(more_arrivals.get(event_id, ()))
            self._found.unexpected.add(event_id, self._kinds.names[arrival[4]], count=count)

    def _count_plain(self, plain: Counter[int]) -> None:
        """Count events that were sent once and arrived once, unchanged."""
        self._found.matched += plain.total()
        self._sent.update(plain)
        self._expected.update(plain)
        self._arrived.update(plain)
        if self._has_record:
            self._accepted.update(plain)

    def _compare_id(
        self, rows: list[Sent], arrivals: list[Arrival], known: list[Known]
    ) -> Row | None:
        """Compare what was sent with an id with what arrived; return the pair, if there is one."""
        found, (event_id, kind) = self._found, (rows[0].id, rows[0].kind)
        event_type = self._kinds.names[kind]
        case = (Case.of_record if self._has_record else Case.of_events)(rows)
        found.matched += bool(arrivals)
        found.known += bool(known)
        self._sent[kind] += case.copies
        self._accepted[kind] += case.accepted
        self._expected[kind] += case.expected
        for row in case.ruled_out:
            found.reasons[row.reason or 0].add(event_id, event_type)
        if not case.tries and not case.drops:
            if arrivals:
                found.unexpected.add(event_id, event_type, count=len(arrivals))
            return None
        disturbances = self._count_disturbances(event_id, event_type, known)
        if not arrivals:
            self._miss(case, event_id, event_type)
            return None
        self._arrived[kind] += min(len(arrivals), case.expected)
        extra = len(arrivals) - max(case.allowed, len(known))
        if extra > 0:
            self._repeat(case, event_id, event_type, extra)
        if case.tries:
            first = case.tries[0]
            self._compare_contents(case.tries, arrivals, event_type)
            self._compare_times(case.tries, arrivals, known)
            if first.user is not None:
                pair = (first.user, first.number, arrivals[0].number, kind, event_id)
                return *pair, disturbances
        return None

    def _count_disturbances(self, event_id: str, event_type: str, known: list[Known]) -> bool:
        """Count what was disturbed on purpose; return whether its place in the order was."""
        kinds = [each.disturbance.split(",") for each in known if each.disturbance]
        for kind in chain.from_iterable(kinds):
            self._found.disturbed.setdefault(kind, Collector()).add(event_id, event_type)
        return not MOVING.isdisjoint(chain.from_iterable(kinds))

    def _miss(self, case: Case, event_id: str, event_type: str) -> None:
        """Count an event that did not arrive, by cause."""
        found = self._found
        count = case.expected + len(case.drops)
        found.missing.add(event_id, event_type, count=count)
        if case.expected:
            is_lost = case.accepted or not self._has_record
            cause = FindingKind.LOST if is_lost else FindingKind.NOT_ACCEPTED
            found.causes[cause].add(event_id, event_type, count=case.expected)
        for row in case.drops:
            found.causes[FindingKind.DROPPED].add(event_id, event_type)
            found.reasons[row.reason or 0].add(event_id, event_type)

    def _repeat(self, case: Case, event_id: str, event_type: str, extra: int) -> None:
        """Count arrivals that are too many, by cause."""
        found = self._found
        found.duplicated.add(event_id, event_type, count=extra)
        if not self._has_record:
            return
        redelivered = min(extra, case.failed)
        for cause, count in (
            (FindingKind.REDELIVERED, redelivered),
            (FindingKind.REPEATED, extra - redelivered),
        ):
            if count:
                found.causes[cause].add(event_id, event_type, count=count)

    def _compare_contents(
        self, tries: Sequence[Sent], arrivals: list[Arrival], event_type: str
    ) -> None:
        expected = {(each.digest, each.timestamp) for each in tries}
        if (None, None) in expected:  # the content is not known
            return
        for arrival in arrivals:
            if not expected & {(arrival.digest, arrival.timestamp), (arrival.digest, None)}:
                self._found.altered.add(arrival.id, event_type)
                to_examine = self._found.to_examine
                to_examine.append((arrival.id, tries[0].number, arrival.number))
                if len(to_examine) >= 2 * MAX_EXAMINED:
                    to_examine[:] = nsmallest(MAX_EXAMINED, to_examine)

    def _compare_times(
        self, tries: Sequence[Sent], arrivals: list[Arrival], known: list[Known]
    ) -> None:
        at = min((each.at for each in arrivals if each.at is not None), default=None)
        if at is None:
            return
        sent = [each for each in tries if each.at is not None]
        accepted = [each.at for each in sent if each.is_accepted] or [each.at for each in sent]
        meant = max((each.arrival for each in known if each.arrival is not None), default=None)
        first = min((each for each in accepted if each is not None), default=None)
        row = tries[0]
        self._count_time(row.id, row.kind, at, row.time, sent_at=first, meant=meant)

    def _count_time(
        self,
        event_id: str,
        kind: int,
        at: float,
        time: float | None,
        *,
        sent_at: float | None = None,
        meant: float | None = None,
    ) -> None:
        """Count how long an event took.

        Args:
            event_id: its id.
            kind: the number of its event type.
            at: when it arrived.
            time: its time.
            sent_at: when it was sent, if a record says so; being late then counts from here.
            meant: when it was meant to arrive, if an answer key says so.
        """
        delay = None
        if time is not None:
            delay = at - (time if meant is None else max(time, meant))
            self._found.ages.add(at - time)
        if sent_at is not None:
            delay = at - sent_at
            self._found.latency.add(delay)
        if self._late_after is not None and delay is not None and delay > self._late_after:
            self._found.late.add(
                event_id,
                self._kinds.names[kind],
                field="time",
                expected=self._late_after,
                got=round(delay, 3),
            )

    @property
    def stages(self) -> dict[str, Stages]:
        """How far the events of each type came."""
        return {
            self._kinds.names[kind]: Stages(
                self._sent[kind],
                self._accepted[kind] if self._has_record else None,
                self._expected[kind],
                self._arrived[kind],
            )
            for kind in sorted(self._sent, key=self._kinds.names.__getitem__)
        }

    @property
    def sent(self) -> int:
        """How many events were sent, with an id."""
        return self._sent.total()


def _by_id(rows: Iterable[Row]) -> tuple[dict[str, Row], dict[str, list[Row]]]:
    """Return the first row of each id, and its other ones, where there are any."""
    first: dict[str, Row] = {}
    more: dict[str, list[Row]] = {}
    for row in rows:
        if first.setdefault(row[0], row) is not row:
            more.setdefault(row[0], []).append(row)
    return first, more
