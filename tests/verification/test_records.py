"""Comparisons of a sender's record with what arrived."""

from __future__ import annotations

from typing import Any

import pytest

from currents_export.delivery import DropReason, FilterReason
from currents_export.errors import ReadError
from currents_export.receiver.rudderstack import transform
from currents_export.verification import FindingKind, Report, Verdict, reconcile
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, event

#: When the first request was sent.
SENT = 1_782_907_200.0

Value = dict[str, Any]


def attempt(
    value: Any, status: int | None = 200, *, number: int = 1, sent_at: float = SENT
) -> Value:
    """Return the line of an attempt to send an event."""
    made = value if isinstance(value, dict) else value.to_dict()
    times = {"sent_at": sent_at, "responded_at": sent_at + 0.5}
    return {"event": made, "attempt": number, "status": status, **times}


def dropped(number: int, reason: DropReason = DropReason.TOO_LARGE) -> Value:
    """Return the line of an event that was dropped."""
    return {"id": event(number).id, "event_type": OPEN, "dropped": reason.value, "error": ""}


def filtered(number: int) -> Value:
    """Return the line of an event that was filtered."""
    reason = FilterReason.NOT_SELECTED
    return {"id": event(number).id, "event_type": OPEN, "filtered": reason.value}


def messages(*values: Any, at: str = "2026-07-01T12:00:02.000Z") -> list[Value]:
    """Return the messages of events."""
    return [(transform(each) or {}) | {"receivedAt": at} for each in values]


def causes(report: Report) -> dict[str, dict[str, int]]:
    """Return the counts of the causes, where there are any."""
    kinds = {"missing": report.missing, "duplicated": report.duplicated}
    return {
        name: {code: each.count for code, each in found.by_cause.items()}
        for name, found in kinds.items()
        if found.by_cause
    }


def test_everything_arrived() -> None:
    report = reconcile([attempt(event(n)) for n in range(3)], [event(n) for n in range(3)])
    assert (report.verdict, report.has_record) == (Verdict.RIGHT, True)
    assert (report.sent, report.received, report.matched) == (3, 3, 3)
    assert report.stages[OPEN].to_dict() == {
        "sent": 3,
        "accepted": 3,
        "transformed": 3,
        "arrived": 3,
    }


def test_missing_by_cause() -> None:
    sent = [
        attempt(event(0)),
        attempt(event(1)),
        attempt(event(2), 503),
        attempt(event(2), None, number=2),
        dropped(3),
        attempt(event(4), 400),
        dropped(4, DropReason.REJECTED_ALONE),
        filtered(5),
    ]
    report = reconcile(sent, [event(0)])
    assert (report.sent, report.missing.count) == (6, 4)
    assert causes(report) == {"missing": {"lost": 1, "not_accepted": 1, "dropped": 2}}
    assert {code: each.count for code, each in report.dropped.items()} == {
        "too_large": 1,
        "rejected_alone": 1,
    }
    assert report.filtered["not_selected"].count == 1
    assert report.missing.by_cause["not_accepted"].examples[0].id == event(2).id
    assert report.stages[OPEN].to_dict() == {
        "sent": 6,
        "accepted": 2,
        "transformed": 3,
        "arrived": 1,
    }
    assert report.verdict is Verdict.WRONG


def test_filtered_event_that_arrived() -> None:
    report = reconcile([attempt(event(0)), filtered(1)], [event(0), event(1)])
    assert report.unexpected.count == 1


def test_event_that_arrived_without_a_2xx() -> None:
    sent = [attempt(event(0), None), attempt(event(1), 400), dropped(1)]
    report = reconcile(sent, [event(0), event(1)])
    assert (report.verdict, report.missing.count, report.matched) == (Verdict.RIGHT, 0, 2)


@pytest.mark.parametrize(
    ("statuses", "arrivals", "found"),
    [
        ([200], 2, {"repeated": 1}),
        ([503, 200], 1, {}),
        ([503, 200], 2, {"redelivered": 1}),
        ([None, 503, 200], 3, {"redelivered": 2}),
        ([503, 200], 4, {"redelivered": 1, "repeated": 2}),
        ([None], 2, {"redelivered": 1}),
        ([200, 200], 2, {}),
        ([200, 200], 3, {"repeated": 1}),
    ],
)
def test_duplicates_by_cause(
    statuses: list[int | None], arrivals: int, found: dict[str, int]
) -> None:
    sent = [attempt(event(), status, number=n) for n, status in enumerate(statuses, start=1)]
    report = reconcile(sent, [event()] * arrivals, exactly_once=True)
    assert causes(report).get("duplicated", {}) == found
    assert report.duplicated.count == sum(found.values())
    assert report.verdict is (Verdict.WRONG if found else Verdict.RIGHT)


def test_causes_need_a_record() -> None:
    report = reconcile([event(0), event(1)], [event(0), event(0)])
    assert causes(report) == {"missing": {"lost": 1}}
    assert [row.kind for row in report.rows] == [FindingKind.LOST, FindingKind.DUPLICATED]


def test_vanished_event() -> None:
    nobody = event(1).to_dict() | {"user": {}}
    sent = [attempt(event(0)), attempt(nobody, 503), attempt(nobody)]
    report = reconcile(sent, messages(event(0)))
    assert report.vanished["no_user"].count == 1
    assert (report.sent, report.verdict) == (2, Verdict.RIGHT)


def test_record_is_not_filtered_again() -> None:
    removed = event(0, email_address="[REDACTED]")
    current = custom(event_types=[CLICK], field_transformations={"email_address": "hash"})
    assert reconcile([attempt(removed)], [removed], current=current).verdict is Verdict.RIGHT


def test_latency() -> None:
    sent = [attempt(event(n), sent_at=SENT - n) for n in range(101)]
    report = reconcile(sent, messages(*(event(n) for n in range(101))), late_after=92)
    assert report.latency is not None
    assert (report.latency.p50, report.latency.p95, report.latency.max) == (52, 97, 102)
    assert report.late.count == 10
    assert (report.late.examples[0].expected, report.late.examples[-1].got) == (92, 102)


def test_latency_counts_from_the_request_that_was_accepted() -> None:
    sent = [attempt(event(), 503, sent_at=SENT - 60), attempt(event(), sent_at=SENT)]
    report = reconcile(sent, messages(event()))
    assert report.latency is not None
    assert report.latency.max == 2


def test_events_without_id() -> None:
    nameless = event(1).to_dict() | {"id": None}
    report = reconcile([attempt(event(0)), attempt(nameless)], [event(0)])
    assert (report.sent, report.without_id, report.verdict) == (2, 1, Verdict.RIGHT)


def test_altered_event() -> None:
    report = reconcile([attempt(event(0, x=1))], [event(0, x=2)])
    assert report.altered.by_field == {"properties.x": 1}


def test_unknown_reason() -> None:
    errors: list[ReadError] = []
    sent = [attempt(event(0)), dropped(1) | {"dropped": "mood"}]
    report = reconcile(sent, [event(0)], on_unreadable=errors.append)
    assert (report.sent, report.verdict) == (1, Verdict.RIGHT)
    assert [str(each) for each in errors] == [
        "<sent>: value 2 has an unknown reason: 'mood' is not a valid DropReason"
    ]


def test_mixed_with_events() -> None:
    errors: list[ReadError] = []
    reconcile([attempt(event(0)), event(1)], [event(0)], on_unreadable=errors.append)
    assert [str(each) for each in errors] == ["<sent>: value 2 is not a line of a sender's record"]
