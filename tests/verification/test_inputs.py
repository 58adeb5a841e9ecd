"""Inputs that are odd, broken or hostile: a clear error, and the valid rest is compared."""

from __future__ import annotations

import contextlib
import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.errors import CurrentsExportError, ReadError
from currents_export.receiver.rudderstack import transform
from currents_export.verification import Verdict, reconcile
from tests.support.events import OPEN, event, make_events

Value = dict[str, Any]
EVENTS = [each.to_dict() for each in make_events(5)]
MESSAGES = [transform(each) for each in EVENTS]


def lines(*values: Any) -> bytes:
    """Return values as JSON Lines."""
    return b"".join(orjson.dumps(each) + b"\n" for each in values)


@pytest.mark.parametrize(
    "content",
    [
        orjson.dumps(MESSAGES),
        orjson.dumps(MESSAGES, option=orjson.OPT_INDENT_2),
        lines(*MESSAGES),
        lines(MESSAGES[:2], *MESSAGES[2:]),
        b"\xef\xbb\xbf" + lines(*MESSAGES),
        b"\n\n" + lines(*MESSAGES).replace(b"\n", b"\r\n"),
    ],
    ids=["array", "indented", "lines", "arrays in lines", "byte order mark", "blank lines"],
)
def test_forms_of_messages(content: bytes, tmp_path: Path) -> None:
    received = tmp_path / "received"
    received.write_bytes(content)
    report = reconcile(EVENTS, received)
    assert (report.verdict, report.received) == (Verdict.RIGHT, 5)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it contains no events"),
        (b"\n \n", "it contains no events"),
        (b"[]", "it contains no events"),
        (b"Dear Sir or Madam\n", "not JSON: "),
        (b"\x00\x01\x02\x03", "not JSON: "),
        (b"<html></html>", "not JSON: "),
        (gzip.compress(lines(*EVENTS)), "it is compressed by gzip; decompress it first"),
        (lines(*EVENTS).decode().encode("utf-16"), "it is UTF-16; it must be UTF-8"),
        (b"id;name\n1;2\n", "not JSON: "),
        (b"7\n8\n", "none of its first values is an event"),
    ],
)
@pytest.mark.parametrize("side", ["sent", "received"])
def test_unusable_file(content: bytes, says: str, side: str, tmp_path: Path) -> None:
    path = tmp_path / "given"
    path.write_bytes(content)
    given: dict[str, Any] = {"sent": EVENTS, "received": EVENTS, side: path}
    with pytest.raises(ReadError) as caught:
        reconcile(**given)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
    errors: list[ReadError] = []
    with pytest.raises(ReadError, match=r"contains no events|none of its first"):
        reconcile(**given, on_unreadable=errors.append)


@pytest.mark.parametrize("side", ["sent", "received"])
def test_directory(side: str, tmp_path: Path) -> None:
    given: dict[str, Any] = {"sent": EVENTS, "received": EVENTS, side: tmp_path}
    with pytest.raises(ReadError, match="cannot be read: Is a directory"):
        reconcile(**given)


def test_torn_record(tmp_path: Path) -> None:
    record = tmp_path / "record"
    attempts = [{"event": each, "attempt": 1, "status": 200} for each in EVENTS]
    record.write_bytes(lines(*attempts)[:-9])
    errors: list[ReadError] = []
    report = reconcile(record, EVENTS, on_unreadable=errors.append)
    assert (report.matched, report.unexpected.count, len(errors)) == (4, 1, 1)


def test_broken_line_does_not_affect_others(tmp_path: Path) -> None:
    path = tmp_path / "given"
    path.write_bytes(lines(*EVENTS[:2]) + b'{"event_type"\n' + lines(*EVENTS[2:]))
    errors: list[ReadError] = []
    report = reconcile(EVENTS, path, on_unreadable=errors.append)
    assert report.verdict is Verdict.RIGHT
    assert [str(each).split(" ")[0] for each in errors] == [f"{path}:3:"]


def deep(levels: int) -> Any:
    """Return nested arrays and objects."""
    value: Any = 1
    for number in range(levels):
        value = [value] if number % 2 else {"a": value}
    return value


@pytest.mark.parametrize("levels", [50, 150, 900])
def test_deep_values(levels: int) -> None:
    sent = [*EVENTS, event(9, x=deep(levels)).to_dict()]
    received = [*EVENTS, event(9, x=deep(levels + 1)).to_dict()]
    report = reconcile(sent, received)
    assert report.altered.count == 1
    assert report.to_dict()["altered"]["count"] == 1
    assert reconcile(sent, sent).verdict is Verdict.RIGHT
    row = {"id": event(9).id, "event_text": OPEN, "x": deep(levels)}
    assert reconcile(sent[-1:], [row]).matched == 1


def test_event_without_anything_but_its_type() -> None:
    bare = {name: EVENTS[1][name] for name in ("id", "event_type")}
    altered = reconcile(EVENTS, [EVENTS[0], bare, *EVENTS[2:]]).altered
    assert altered.by_field == {"user": 1, "time": 1, "properties": 1}
    assert reconcile([*EVENTS, bare], [*EVENTS, bare]).verdict is Verdict.RIGHT


def test_long_ids() -> None:
    sent = [{**EVENTS[0], "id": "x" * 100_000 + str(n)} for n in range(3)]
    report = reconcile(sent, sent[:2])
    assert (report.matched, report.missing.count) == (2, 1)
    assert len(report.missing.examples[0].id) < 200


def test_many_event_types() -> None:
    sent = [{**EVENTS[0], "id": str(n), "event_type": f"type-{n}"} for n in range(1_200)]
    report = reconcile(sent, sent[:1])
    assert report.missing.count == sum(report.missing.by_event_type.values()) == 1_199
    assert len(report.missing.by_event_type) <= 1_001
    assert report.stages["other"].sent == 200


def test_many_fields() -> None:
    sent = [event(n).to_dict() for n in range(12)]
    received = [each | {f"{n}-{k}": 1 for k in range(100)} for n, each in enumerate(sent)]
    by_field = reconcile(sent, received).altered.by_field
    assert (len(by_field), by_field["(others)"]) == (1_001, 200)


def test_many_copies_of_an_id() -> None:
    sent = [event(0, n=n % 7).to_dict() for n in range(2_000)]
    report = reconcile(sent, [*sent, *sent[:1]])
    assert (report.matched, report.duplicated.count, report.altered.count) == (1, 1, 0)


def test_more_rows_than_fit_into_memory_at_once(tmp_path: Path) -> None:
    sent = [{**EVENTS[n % 5], "id": f"{n}"} for n in range(300)] * 3
    report = reconcile(iter(sent), iter(sent[::-1]), directory=tmp_path)
    assert (report.sent, report.matched, report.verdict) == (900, 300, Verdict.RIGHT)
    assert [*tmp_path.iterdir()] == []


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
_names = st.sampled_from(
    [
        *("id", "event_type", "user", "time", "properties", "messageId", "event", "timestamp"),
        *("receivedAt", "context", "attempt", "status", "dropped", "filtered", "disturbance"),
        *("event_text", "anonymous_id", "received_at", "sent_at", "arrival", "summary"),
    ]
)
_values = st.lists(st.dictionaries(_names, _json, max_size=8) | _json, max_size=4)


@given(_values, _values, st.none() | _values, st.sampled_from([None, "currents", "rudderstack"]))
def test_any_values(sent: Any, received: Any, key: Any, through: str | None) -> None:
    good = EVENTS[0] if through == "currents" else MESSAGES[0]
    given: dict[str, Any] = {"answer_key": key, "through": through}
    if key is not None:
        # A key may be of another run, or be none.
        with contextlib.suppress(CurrentsExportError):
            reconcile(EVENTS, [good, *received], **given, on_unreadable=lambda _: None)
        del given["answer_key"]
    report = reconcile([EVENTS[0], *sent], [good, *received], **given, on_unreadable=lambda _: None)
    assert report.matched >= 1
    assert report.sent >= report.matched
    assert orjson.dumps(report.to_dict(), option=orjson.OPT_NON_STR_KEYS, default=str)
