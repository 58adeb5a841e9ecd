"""Comparisons with an answer key, which knows what was disturbed on purpose."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from currents_export.errors import OptionError, ReadError
from currents_export.receiver.rudderstack import transform
from currents_export.simulation.disturbances import (
    Duplicate,
    Late,
    MissingExternalUserId,
    NullNames,
    OutOfOrder,
)
from currents_export.verification import Verdict, reconcile
from tests.support.events import OPEN, event
from tests.support.keyed import START, Pair, arrival, disturbed, many

Value = dict[str, Any]
SUMMARY = {"summary": {"events": 3}}


def key_of(stream: Iterable[Pair]) -> list[Value]:
    """Return the lines of an answer key."""
    return [*(record.to_dict() for _, record in stream), SUMMARY]


def iso(seconds: int) -> str:
    """Return a time as RudderStack writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def events_of(stream: Iterable[Pair]) -> list[Value]:
    """Return the events of a stream."""
    return [each.to_dict() for each, _ in stream]


def test_intended_duplicates() -> None:
    stream = disturbed(many(10), Duplicate(share=1))
    once = events_of(many(10))
    report = reconcile(once, events_of(stream), answer_key=key_of(stream), exactly_once=True)
    assert (report.verdict, report.duplicated.count) == (Verdict.RIGHT, 0)
    assert report.disturbed["duplicate"].count == 10
    assert reconcile(once, events_of(stream), exactly_once=True).duplicated.count == 10
    more = [*events_of(stream), once[0]]
    assert reconcile(once, more, answer_key=key_of(stream)).duplicated.count == 1


def test_intended_order() -> None:
    same_user = {"user_id": "u"}
    stream = disturbed(many(40, every=1), OutOfOrder(share=0.5, at_least=1, up_to=30))
    received = [each | {"user": same_user} for each in events_of(stream)]
    sent = sorted(received, key=lambda each: (each["time"], each["id"]))
    assert reconcile(sent, received).reordered.count > 5
    report = reconcile(sent, received, answer_key=key_of(stream), in_order=True)
    assert (report.verdict, report.reordered.count) == (Verdict.RIGHT, 0)
    assert report.disturbed["out_of_order"].count > 5
    swapped = [received[1], received[0], *received[2:]]
    still = reconcile(sent, swapped, answer_key=key_of(many(40)))
    assert still.reordered.count > 0


def test_intended_lateness() -> None:
    stream = disturbed(many(20), Late(share=0.5, at_least=1_000, up_to=2_000))
    received = [
        (transform(item[0]) or {}) | {"receivedAt": iso(arrival(item) + 5)} for item in stream
    ]
    sent = events_of(many(20))
    assert reconcile(sent, received, late_after=60).late.count > 5
    report = reconcile(sent, received, answer_key=key_of(stream), late_after=60)
    assert (report.late.count, report.verdict) == (0, Verdict.RIGHT)
    assert report.disturbed["late"].count > 5


def test_disturbed_contents_are_expected_as_sent() -> None:
    kinds = (NullNames(share=1), MissingExternalUserId(share=1))
    stream = disturbed(many(5), *kinds)
    report = reconcile(events_of(stream), events_of(stream), answer_key=key_of(stream))
    assert report.verdict is Verdict.RIGHT
    assert {"missing_external_user_id"} <= report.disturbed.keys()


def test_key_as_sent() -> None:
    stream = disturbed(many(10), Duplicate(share=0.5))
    report = reconcile(key_of(stream), events_of(stream), exactly_once=True)
    assert (report.verdict, report.matched, report.sent) == (Verdict.RIGHT, 10, len(stream))
    assert report.disturbed["duplicate"].count == len(stream) - 10
    again = reconcile(key_of(stream), events_of(stream), answer_key=key_of(stream))
    assert again.disturbed == report.disturbed
    report = reconcile(key_of(stream), events_of(stream)[:3])
    assert report.missing.by_event_type.keys() == {OPEN}
    stray = reconcile(key_of(stream), [*events_of(stream), event(77)])
    assert stray.unexpected.count == 1


def test_key_as_sent_does_not_compare_contents() -> None:
    received = [each | {"time": START} for each in events_of(many(3))]
    assert reconcile(key_of(many(3)), received).verdict is Verdict.RIGHT


def test_key_read_once() -> None:
    stream = many(3)
    report = reconcile(iter(key_of(stream)), iter(events_of(stream)))
    assert (report.verdict, report.matched) == (Verdict.RIGHT, 3)


def test_key_of_another_run() -> None:
    with pytest.raises(OptionError, match="answer key has no id of a sent event"):
        reconcile(
            events_of(many(3)), events_of(many(3)), answer_key=[{"id": "x", "event_type": OPEN}]
        )


@pytest.mark.parametrize("given", [[], [SUMMARY], [event(1)]])
def test_not_a_key(given: list[Any]) -> None:
    with pytest.raises(ReadError, match="<answer key>: "):
        reconcile(events_of(many(3)), events_of(many(3)), answer_key=given)
