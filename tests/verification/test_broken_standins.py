"""Streams through the stand-in for RudderStack, whole and broken in one way."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import attrs
import pytest

from currents_export.delivery import Sender
from currents_export.receiver import AppTransport
from currents_export.simulation import World
from currents_export.verification import Verdict, reconcile
from tests.support.currents import rudderstack
from tests.support.gateways import gateway

START = 1_782_907_200
CURRENT = rudderstack("http://localhost", allow_plain_http=True)

Message = dict[str, Any]
Break = Callable[[list[Message]], list[Message]]


@attrs.frozen
class Stream:
    """Events that were sent, and the messages that arrived."""

    sent: list[Any]
    messages: list[Message]


@pytest.fixture(scope="module")
def stream() -> Stream:
    """Send traffic to a stand-in."""
    events = [*islice(World(seed=8, users=200).events(start=START), 600)]
    # Each event has a null, a fraction and a whole number.
    more = {"extra": None, "price": 9.95, "session_id": 7}
    sent = [attrs.evolve(each, properties=each.properties | more) for each in events]
    standin = gateway()
    with Sender(CURRENT, transport=AppTransport(standin.app)) as sender:
        sender.send(sent)
        sender.flush()
    return Stream([each.to_dict() for each in sent], standin.messages)


def test_whole_stream(stream: Stream) -> None:
    report = reconcile(stream.sent, stream.messages, current=CURRENT, exactly_once=True)
    assert report.verdict is Verdict.RIGHT
    filtered = sum(each.count for each in report.filtered.values())
    assert report.sent == report.matched + filtered
    assert filtered > 0


def test_vanished_events_are_named(stream: Stream) -> None:
    sent = [each | {"user": {}} if n < 9 else each for n, each in enumerate(stream.sent)]
    vanishing = {each["id"] for each in sent[:9]}
    messages = [each for each in stream.messages if each["messageId"] not in vanishing]
    report = reconcile(sent, messages)
    assert report.vanished["no_user"].count >= 9
    assert vanishing <= {each.id for each in report.vanished["no_user"].examples}
    assert (report.unexpected.count, report.altered.count) == (0, 0)


def each_one(change: Callable[[Message], object]) -> Break:
    """Change each message."""

    def broken(messages: list[Message]) -> list[Message]:
        for message in messages:
            change(message)
        return messages

    return broken


def in_properties(change: Callable[[Message], object]) -> Break:
    """Change the properties of each message."""
    return each_one(lambda message: change(message.get("properties", {})))


def _swap(properties: Message) -> None:
    if "app_id" in properties and "app_group_id" in properties:
        properties["app_id"], properties["app_group_id"] = (
            properties["app_group_id"],
            properties["app_id"],
        )


def _replace_texts(change: Callable[[str], str]) -> Callable[[Message], None]:
    def changed(properties: Message) -> None:
        for name, value in properties.items():
            if isinstance(value, str):
                properties[name] = change(value)

    return changed


def _round(properties: Message) -> None:
    for name, value in properties.items():
        if isinstance(value, float):
            properties[name] = round(value)


def _drop_nulls(properties: Message) -> None:
    for name in [name for name, value in properties.items() if value is None]:
        del properties[name]


def _shift(message: Message) -> None:
    moment = datetime.fromisoformat(message["timestamp"]) + timedelta(hours=2)
    message["timestamp"] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _texts_for_numbers(properties: Message) -> None:
    for name, value in properties.items():
        if type(value) is int:
            properties[name] = str(value)


BREAKS: dict[str, tuple[Break, str, str | None]] = {
    "drops 1 %": (lambda messages: [m for n, m in enumerate(messages) if n % 100], "missing", None),
    "drops a type": (
        lambda messages: [m for m in messages if "SessionStart" not in m["event"]],
        "missing",
        None,
    ),
    "duplicates": (lambda messages: [*messages, *messages[::50]], "duplicated", None),
    "repeats a message for another": (
        lambda messages: [messages[0], *messages[:-1]],
        "missing",
        None,
    ),
    "makes up messages": (
        lambda messages: [*messages, messages[0] | {"messageId": "made up"}],
        "unexpected",
        None,
    ),
    "gives new ids": (
        lambda messages: [
            m | {"messageId": f"new {n}"} if n % 2 else m for n, m in enumerate(messages)
        ],
        "unexpected",
        None,
    ),
    "swaps two fields": (in_properties(_swap), "altered", "properties.app_id"),
    "lower-cases": (in_properties(_replace_texts(str.lower)), "altered", "properties.name"),
    "truncates": (
        in_properties(_replace_texts(lambda text: text[:20])),
        "altered",
        "properties.app_id",
    ),
    "rounds": (in_properties(_round), "altered", "properties.price"),
    "writes numbers as text": (
        in_properties(_texts_for_numbers),
        "altered",
        "properties.session_id",
    ),
    "drops nulls": (in_properties(_drop_nulls), "altered", "properties.extra"),
    "drops properties": (
        each_one(lambda m: m.pop("properties", None)),
        "altered",
        "properties",
    ),
    "shifts by a zone": (each_one(_shift), "altered", "timestamp"),
    "loses timestamps": (each_one(lambda m: m.pop("timestamp")), "altered", "timestamp"),
    "maps a wrong name": (each_one(lambda m: m.update(event="Track")), "altered", "event"),
    "loses the userId": (each_one(lambda m: m.pop("userId", None)), "altered", "userId"),
    "swaps the ids": (
        each_one(lambda m: m.update(userId=m.get("anonymousId"), anonymousId=m["userId"])),
        "altered",
        "anonymousId",
    ),
    "sends identify": (each_one(lambda m: m.update(type="identify")), "altered", "type"),
    "loses the traits": (each_one(lambda m: m.pop("traits", None)), "altered", "traits"),
    "hashes an address": (
        each_one(lambda m: "traits" in m and m["traits"].update(email="5f4dcc3b5aa7")),
        "altered",
        "traits.email",
    ),
    "loses the device": (
        each_one(lambda m: m["context"].pop("device", None)),
        "altered",
        "context.device",
    ),
    "adds a field": (each_one(lambda m: m.update(version=1)), "altered", "version"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_broken_stream(name: str, stream: Stream) -> None:
    breaking, kind, field = BREAKS[name]
    received = breaking(copy.deepcopy(stream.messages))
    report = reconcile(stream.sent, received, current=CURRENT, exactly_once=True)
    assert report.verdict is Verdict.WRONG
    assert getattr(report, kind).count > 0
    if field is not None:
        assert field in report.altered.by_field
        assert (report.missing.count, report.unexpected.count) == (0, 0)
