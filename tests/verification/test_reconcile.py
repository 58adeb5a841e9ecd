"""Comparisons of sent events with what arrived."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.errors import OptionError, ReadError
from currents_export.receiver.rudderstack import VanishReason, transform
from currents_export.verification import Through, Verdict, reconcile
from tests.support.currents import custom, rudderstack
from tests.support.events import CLICK, OPEN, event, make_events
from tests.support.gateways import without_user


def events(count: int = 10) -> list[dict[str, Any]]:
    """Make events as JSON values."""
    return [each.to_dict() for each in make_events(count)]


def messages(*values: Any, **fields: Any) -> list[dict[str, Any]]:
    """Return the messages of events, with what RudderStack adds."""
    added = {"rudderId": "r", "receivedAt": "2026-07-01T12:00:00.000Z", "channel": "sources"}
    made = [message for value in values if (message := transform(value)) is not None]
    for each in made:
        each["context"]["ip"] = "127.0.0.1"
    return [each | added | fields for each in made]


def counts(sent: Any, received: Any, **options: Any) -> dict[str, int]:
    """Return the counts of the findings of a comparison."""
    report = reconcile(sent, received, **options).to_dict()
    kinds = ("missing", "duplicated", "altered", "unexpected", "reordered", "late")
    return {kind: report[kind]["count"] for kind in kinds if report[kind]["count"]}


@pytest.mark.parametrize("through", [None, "currents", Through.CURRENTS])
def test_everything_arrived(through: Any) -> None:
    report = reconcile(events(), events(), through=through)
    assert (report.verdict, report.through) == (Verdict.RIGHT, Through.CURRENTS)
    assert (report.sent, report.received, report.matched) == (10, 10, 10)
    assert report.to_dict()["missing"] == {
        "count": 0,
        "examples": [],
        "by_event_type": {},
        "by_cause": {},
    }


def test_everything_arrived_through_rudderstack() -> None:
    sent = [*events(), without_user(), event(90, constructor=1).to_dict()]
    report = reconcile(sent, messages(*sent))
    assert (report.verdict, report.through) == (Verdict.RIGHT, Through.RUDDERSTACK)
    assert (report.sent, report.received, report.matched) == (12, 10, 10)
    assert {code: each.count for code, each in report.vanished.items()} == {
        VanishReason.NO_USER: 1,
        VanishReason.UNSAFE_PROPERTY: 1,
    }
    assert report.vanished["unsafe_property"].examples[0].id == event(90).id


def test_event_objects() -> None:
    assert counts(make_events(3), make_events(3)) == {}


def test_missing() -> None:
    report = reconcile(events(), events()[:7])
    assert (report.verdict, report.missing.count) == (Verdict.WRONG, 3)
    assert [each.id for each in report.missing.examples] == [event(n).id for n in (7, 8, 9)]
    assert report.missing.by_event_type == {OPEN: 3}


def test_duplicated() -> None:
    received = [*events(), *events()[:2], events()[0]]
    report = reconcile(events(), received)
    assert (report.verdict, report.duplicated.count) == (Verdict.RIGHT, 3)
    assert reconcile(events(), received, exactly_once=True).verdict is Verdict.WRONG


def test_intended_duplicates() -> None:
    sent = [*events(), events()[0]]
    assert counts(sent, sent, exactly_once=True) == {}
    assert counts(sent, [*sent, events()[0]]) == {"duplicated": 1}
    assert counts(sent, events()) == {}


def test_unexpected() -> None:
    report = reconcile(events(3), [*events(4), event(4, CLICK).to_dict() | {"id": None}])
    assert (report.verdict, report.unexpected.count) == (Verdict.WRONG, 2)
    assert report.unexpected.by_event_type == {OPEN: 1, CLICK: 1}


def test_vanished_event_that_arrived() -> None:
    sent = [event(1).to_dict(), without_user()]
    stray = messages(event(1))[0] | {"messageId": without_user()["id"]}
    assert counts(sent, [*messages(*sent), stray]) == {"unexpected": 1}


def test_altered() -> None:
    sent = events(3)
    received = events(3)
    received[1]["properties"] = {"email_address": 7, "added": [1, {"a": True}]}
    received[2]["user"].pop("external_user_id")
    report = reconcile(sent, received)
    assert (report.altered.count, report.altered.examined) == (2, 2)
    assert report.altered.by_field == {
        "properties.email_address": 1,
        "properties.added": 1,
        "user.external_user_id": 1,
    }
    example = report.altered.examples[-1]
    assert (example.field, example.expected, example.got) == (
        "user.external_user_id",
        "user-2",
        None,
    )


@pytest.mark.parametrize(
    ("before", "after", "fields"),
    [
        (1, True, {"properties.x"}),
        (1, 1.0, {"properties.x"}),
        ("a", "A", {"properties.x"}),
        (None, 0, {"properties.x"}),
        ({"a": {"b": 1}}, {"a": {"b": 2, "c": 3}}, {"properties.x.a.b", "properties.x.a.c"}),
        ([{"a": 1}, {"a": 2}], [{"a": 1}, {"a": 3}], {"properties.x[].a"}),
        ([1], [1, 2], {"properties.x"}),
    ],
)
def test_fields_that_differ(before: Any, after: Any, fields: set[str]) -> None:
    report = reconcile(
        [event(1, x=before).to_dict()], [event(1, x=after).to_dict()], through="currents"
    )
    assert report.altered.count == 1
    assert report.altered.by_field.keys() == fields or before == after


def test_personal_data_is_masked() -> None:
    received = [event(1, email_address="other@example.com", ids=["a"]).to_dict()]
    report = reconcile([event(1, ids=["bc"]).to_dict()], received)
    assert "example.com" not in str(report.to_dict())
    first, second = report.to_dict()["altered"]["examples"]
    assert (first["got"], second["expected"]) == ("(17 characters)", "(2 characters)")
    assert "other@example.com" in str(report.to_dict(personal_data=True))


def test_known_losses_of_rudderstack() -> None:
    sent = [
        event(1, n=2**53 + 1, m=4.0).to_dict(),
        event(2, deep=[{"n": 2**60 + 1}]).to_dict(),
        event(3, m=4.0, nested={"a.b": None}).to_dict(),
        event(4).to_dict() | {"properties": {"a.b": 1, "c": None}},
        event(5).to_dict() | {"properties": {"0": 1, "c": 2}},
    ]
    report = reconcile(sent, messages(*sent))
    assert (report.verdict, report.altered.count) == (Verdict.RIGHT, 0)
    lost = {code: {each.id for each in found.examples} for code, found in report.reduced.items()}
    assert lost == {
        "precision": {event(1).id, event(2).id},
        "property_name": {event(4).id, event(5).id},
    }
    assert report.to_dict()["reduced"]["precision"]["count"] == 2
    wrong = reconcile(sent, messages(*sent, event="Wrong"))
    assert (wrong.altered.count, wrong.reduced["precision"].count) == (5, 2)
    unchanged = reconcile(sent, sent)
    assert (unchanged.verdict, unchanged.reduced) == (Verdict.RIGHT, {})


def test_custom_mapping() -> None:
    sent = events()
    renamed = messages(*sent, event="Email Opened")
    assert counts(sent, renamed, mapping={OPEN: "Email Opened"}) == {}
    report = reconcile(sent, renamed)
    assert report.altered.by_field == {"event": 10}
    assert report.to_dict()["altered"]["examples"][0]["got"] == "Email Opened"


@pytest.mark.parametrize("time", ["soon", None, 1_782_907_200_123, 0])
def test_timestamp_that_rudderstack_replaces(time: Any) -> None:
    sent = [event(1).to_dict() | {"time": time}]
    assert counts(sent, messages(*sent)) == {}
    assert counts(sent, messages(*sent, timestamp="2026-07-01T12:00:00.000Z")) == {}


def test_wrong_timestamp() -> None:
    report = reconcile(events(1), messages(*events(1), timestamp="2026-07-01T12:00:00.000Z"))
    assert report.altered.by_field == {"timestamp": 1}


def test_current_filters() -> None:
    sent = [
        *events(3),
        event(3, CLICK).to_dict(),
        event(4, "users.messages.telegram.Send").to_dict(),
        event(5).to_dict() | {"user": {"user_id": "u"}},
    ]
    current = rudderstack("http://127.0.0.1", event_types=[OPEN])
    report = reconcile(sent, messages(*events(3)), current=current)
    assert report.verdict is Verdict.RIGHT
    assert {code: each.count for code, each in report.filtered.items()} == {
        "not_selected": 1,
        "not_in_schema_version": 1,
        "no_external_user_id": 1,
    }
    leaked = messages(*events(3), sent[-1])
    assert counts(sent, leaked, current=current) == {"unexpected": 1}


def test_current_transforms_fields() -> None:
    current = custom(field_transformations={"email_address": "remove"})
    removed = [event(n, email_address="[REDACTED]").to_dict() for n in range(3)]
    assert counts(events(3), removed, current=current) == {}
    report = reconcile(events(3), events(3), current=current)
    assert report.altered.by_field == {"properties.email_address": 3}


@pytest.mark.parametrize(
    ("order", "reordered"),
    [
        ((0, 1, 2, 3, 4, 5), 0),
        ((0, 5, 2, 1, 4, 3), 1),
        ((0, 3, 2, 5, 4, 1), 2),
        ((1, 3, 5, 0, 2, 4), 0),
    ],
)
def test_reordered_events_of_a_user(order: tuple[int, ...], reordered: int) -> None:
    sent = [event(n).to_dict() | {"user": {"user_id": "ab"[n % 2]}} for n in range(6)]
    received = [sent[n] for n in order]
    report = reconcile(sent, received)
    assert (report.reordered.count, report.verdict) == (reordered, Verdict.RIGHT)
    strict = reconcile(sent, received, in_order=True)
    assert strict.verdict is (Verdict.WRONG if reordered else Verdict.RIGHT)


def test_ages_and_late_events() -> None:
    sent = [event(n).to_dict() | {"time": 1_782_907_200 - n} for n in range(101)]
    report = reconcile(sent, messages(*sent))
    assert report.ages is not None
    assert (report.ages.p50, report.ages.p95, report.ages.max) == (50, 95, 100)
    assert report.late.count == 0
    report = reconcile(sent, messages(*sent), late_after=90)
    assert (report.late.count, report.verdict) == (10, Verdict.WRONG)
    assert {each.field for each in report.late.examples} == {"time"}


def test_arrival_that_cannot_be_read() -> None:
    for received_at in (7, "soon", "2026-07-01"):
        assert reconcile(events(1), messages(*events(1), receivedAt=received_at)).ages is None


def test_events_without_id() -> None:
    nameless = event(5).to_dict()
    del nameless["id"]
    report = reconcile([*events(3), nameless], events(3))
    assert (report.sent, report.without_id, report.verdict) == (4, 1, Verdict.RIGHT)


def test_order_of_input_does_not_matter() -> None:
    sent = [*events(200), without_user()]
    received = messages(*sent)[20:] + messages(*events(3)) + messages(event(500))
    received[5]["event"] = "Wrong"
    reports = []
    for seed in range(3):
        rng = random.Random(seed)
        report = reconcile(rng.sample(sent, len(sent)), rng.sample(received, len(received)))
        reports.append(report.to_dict() | {"reordered": None})
    assert reports[0] == reports[1] == reports[2]
    assert reports[0]["missing"]["count"] == 17


@pytest.mark.parametrize("wrap", [iter, list, tuple])
def test_values_read_once(wrap: Callable[[Any], Any]) -> None:
    received = events()
    received[3]["time"] = 5
    report = reconcile(wrap(events()), wrap(received))
    assert (report.altered.count, report.altered.by_field) == (1, {"time": 1})


def test_files(tmp_path: Path) -> None:
    sent, received = tmp_path / "sent.json", tmp_path / "received.jsonl"
    sent.write_bytes(orjson.dumps({"events": events()}))
    received.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in messages(*events())))
    before = [*tmp_path.iterdir()]
    report = reconcile(sent, str(received), directory=tmp_path)
    assert (report.verdict, report.matched) == (Verdict.RIGHT, 10)
    assert [*tmp_path.iterdir()] == before


def test_truncated_file(tmp_path: Path) -> None:
    received = tmp_path / "received.jsonl"
    received.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in events())[:-20])
    with pytest.raises(ReadError, match=r"received\.jsonl:10"):
        reconcile(events(), received)
    errors: list[ReadError] = []
    report = reconcile(events(), received, on_unreadable=errors.append)
    assert (report.matched, report.missing.count, len(errors)) == (9, 1, 1)


def test_mixed_shapes() -> None:
    errors: list[ReadError] = []
    received = [7, *messages(*events(2)), event(3).to_dict(), {"x": 1}]
    report = reconcile(events(2), received, on_unreadable=errors.append)
    assert (report.received, report.verdict) == (2, Verdict.RIGHT)
    assert [str(each) for each in errors] == [
        f"<received>: value {n} is not a message of RudderStack" for n in (1, 4, 5)
    ]
    errors.clear()
    reconcile([*events(1), "x", *messages(event(1))], events(1), on_unreadable=errors.append)
    assert [str(each) for each in errors] == [f"<sent>: value {n} is not an event" for n in (2, 3)]


@pytest.mark.parametrize(
    ("sent", "received", "says"),
    [
        ([], [event()], "<sent>: it contains no events"),
        ([event()], [], "<received>: it contains no events"),
        ([event()], [{"a": 1}], "<received>: none of its first values is an event"),
        (make_events(2), [event(7)], "are the two inputs from the same run?"),
    ],
)
def test_unusable_input(sent: Any, received: Any, says: str) -> None:
    with pytest.raises((ReadError, OptionError)) as caught:
        reconcile(sent, received)
    assert says in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="none: cannot be read: No such file"):
        reconcile(tmp_path / "none", events())


def test_unknown_through() -> None:
    with pytest.raises(OptionError, match="it must be currents or rudderstack"):
        reconcile(events(), events(), through="kafka")


_numbers = st.lists(st.integers(0, 6), max_size=20)


@given(_numbers, _numbers, st.sets(st.integers(0, 6)))
def test_counts_by_definition(sent: list[int], received: list[int], wrong: set[int]) -> None:
    values = [event(n, x=0).to_dict() for n in sent]
    arrived = [event(n, x=1 if n in wrong else 0).to_dict() for n in received]
    before, after = Counter(sent), Counter(received)
    if not before or not after or not before & after:
        with pytest.raises((ReadError, OptionError)):
            reconcile(values, arrived)
        return
    expected = {
        "missing": sum(count for n, count in before.items() if n not in after),
        "unexpected": sum(count for n, count in after.items() if n not in before),
        "duplicated": sum(max(0, after[n] - before[n]) for n in before),
        "altered": sum(after[n] for n in before if n in wrong),
    }
    found = counts(values, arrived)
    found.pop("reordered", None)
    assert found == {kind: count for kind, count in expected.items() if count}
