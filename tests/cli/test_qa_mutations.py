"""The comparison of `qa` finds each way in which a source can be wrong, and names it rightly."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from pathlib import Path

import attrs
import httpx
import orjson
import pytest

from currents_export.cli._qa import compare
from currents_export.current import Current
from currents_export.delivery import Sender, SendRecord
from currents_export.events import Event
from currents_export.receiver import AppTransport
from currents_export.verification import FindingKind, Report, Verdict, sentence, to_html, to_junit
from tests.support.currents import rudderstack
from tests.support.events import CLICK, OPEN, SEND, make_events
from tests.support.gateways import gateway
from tests.support.mutations import MUTATIONS, Message

#: What each event has, so that each mutation changes something.
MORE = {
    "first": "0123456789abcdefghijklmnopqrstuvwxyz",
    "second": "zyx",
    "session_number": 7,
    "price": 9.95,
    "nothing": None,
    "flag": True,
    "city": "Zürich",
    "padded": " x ",
    "large": 2**40 + 1,
    "zero": 0,
    "list": ["b", "a", "c"],
    "details": {"size": "L", "color": "red"},
    "email_address": "ada@example.com",
    "to_phone_number": "+15550100",
    "device_model": "Pixel",
}


@attrs.frozen
class Run:
    """What was sent, and what a right source sends on."""

    record: Path
    messages: list[Message]


def traffic() -> Iterator[Event]:
    for number, each in enumerate(make_events(600)):
        event_type = (OPEN, CLICK, SEND)[number % 3]
        user = {"user_id": f"braze-{number % 20}", "external_user_id": f"user-{number % 20}"}
        properties = each.properties | MORE
        yield attrs.evolve(each, event_type=event_type, user=user, properties=properties)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Send traffic through a stand-in and its webhook destination, recorded as `qa` does."""
    arrived: list[Message] = []

    def take(request: httpx.Request) -> httpx.Response:
        arrived.append(orjson.loads(request.content))
        return httpx.Response(200)

    record = tmp_path_factory.mktemp("qa") / "sent.jsonl"
    current: Current = rudderstack(
        "http://localhost",
        allow_plain_http=True,
        field_transformations={"email_address": "hash"},
    )
    standin = gateway(
        now=time.time,
        forward="http://consumer/",
        forward_transport=httpx.MockTransport(take),
        forward_patience=60,
    )
    with SendRecord(record) as kept:
        transport = AppTransport(standin.app)
        with Sender(current, transport=transport, hooks=kept.hooks) as sender:
            sender.send(traffic())
    standin.close()
    assert len(arrived) == 600
    return Run(record, arrived)


def report_of(whole: Run, messages: list[Message], directory: Path) -> Report:
    arrived = directory / "received.jsonl"
    arrived.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in messages))

    return compare(whole.record, arrived, exactly_once=True, late_after=600)


def wrong_kinds(report: Report) -> set[FindingKind]:
    return {row.kind for row in report.rows if row.is_wrong}


def test_right_source(whole: Run, tmp_path: Path) -> None:
    report = report_of(whole, whole.messages, tmp_path)
    assert report.verdict is Verdict.RIGHT
    assert [row for row in report.rows if row.kind is not FindingKind.REORDERED] == []
    assert (report.sent, report.matched) == (600, 600)
    assert sentence(report) == (
        "The RudderStack source is right: all 600 messages that should have arrived did, as they "
        "should."
    )


@pytest.mark.parametrize("name", MUTATIONS)
def test_wrong_source(name: str, whole: Run, tmp_path: Path) -> None:
    mutation = MUTATIONS[name]
    report = report_of(whole, mutation.change(copy.deepcopy(whole.messages)), tmp_path)
    assert report.verdict is Verdict.WRONG
    assert wrong_kinds(report) == mutation.kinds
    assert set(report.altered.by_field) == mutation.fields
    if mutation.event_type is not None:
        types = {each for row in report.rows if row.is_wrong for each in row.findings.by_event_type}
        assert types == {mutation.event_type}
    assert sentence(report).startswith("The RudderStack source is not right: ")
    # The files of the report name them as well.
    page, junit = to_html(report), to_junit(report)
    for kind in mutation.kinds:
        assert f'data-kind="{kind}"' in page
        assert f'name="{kind}" time="0">\n      <failure' in junit


def test_there_are_enough_mutations() -> None:
    assert len(MUTATIONS) >= 30


def test_shift_is_named(whole: Run, tmp_path: Path) -> None:
    messages = MUTATIONS["shifts times by a zone"].change(copy.deepcopy(whole.messages))
    report = report_of(whole, messages, tmp_path)
    assert sentence(report).endswith("600 with a wrong time (2 h later).")
