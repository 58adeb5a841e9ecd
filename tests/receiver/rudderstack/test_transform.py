"""Messages that RudderStack's source makes of events."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.events import Event
from currents_export.receiver.rudderstack import VanishReason, transform, transformed
from tests.support.events import OPEN, event
from tests.support.strategies import any_events, garbage, json_values

#: What the real source makes of an event, one a line: a title, the event, and the message.
RECORDED = [
    orjson.loads(line)
    for line in (Path(__file__).parents[2] / "data/rudderstack_messages.jsonl")
    .read_bytes()
    .splitlines()
]

#: The names that a message has of itself.
OWN_NAMES = {
    *("context", "library", "name", "version", "integration", "integrations", "Braze", "type"),
    *("event", "messageId", "anonymousId", "userId", "device", "id", "timezone", "model", "os"),
    *("userAgent", "advertisingId", "adTrackingEnabled", "traits", "email", "phone"),
    *("timestamp", "properties"),
}


def sample(**values: Any) -> dict[str, Any]:
    """Return an event with some of its keys changed."""
    return event().to_dict() | values


def properties_of(properties: Any) -> Any:
    """Return the properties of the message for these properties."""
    message = transform(sample(properties=properties))
    assert message is not None
    return message.get("properties")


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda each: str(each["title"]))
def test_recorded_message(recorded: dict[str, Any]) -> None:
    message = transform(recorded["event"])
    assert message == recorded["message"]
    assert orjson.dumps(message) == orjson.dumps(recorded["message"])


def test_event_object() -> None:
    assert transform(event(3)) == transform(event(3).to_dict())


@pytest.mark.parametrize(
    ("mapping", "name"),
    [
        ({OPEN: "Email Opened"}, "Email Opened"),
        ({OPEN: ""}, OPEN),
        ({"users.messages.email.Click": "Email Clicked"}, OPEN),
        (None, OPEN),
    ],
)
def test_mapping(mapping: dict[str, str] | None, name: str) -> None:
    message = transform(event(), mapping)
    assert message is not None
    assert message["event"] == name


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], VanishReason.NOT_AN_OBJECT),
        ("text", VanishReason.NOT_AN_OBJECT),
        (None, VanishReason.NOT_AN_OBJECT),
        ({}, VanishReason.NO_EVENT_TYPE),
        (sample(event_type=0), VanishReason.NO_EVENT_TYPE),
        (sample(user={"user_id": "", "external_user_id": None}), VanishReason.NO_USER),
        (sample(user={"user_id": 0}), VanishReason.NO_USER),
        (sample(user=["user_id"]), VanishReason.NO_USER),
        (sample(properties={"a.prototype.b": 1}), VanishReason.UNSAFE_PROPERTY),
        (sample(properties={"constructor.b\\": 1}), VanishReason.UNSAFE_PROPERTY),
    ],
)
def test_why_event_vanishes(value: Any, reason: VanishReason) -> None:
    assert transformed(value) is reason
    assert transform(value) is None
    assert reason.description


def test_one_empty_id_is_kept() -> None:
    message = transform(sample(user={"user_id": "", "external_user_id": "x"}))
    assert message is not None
    assert (message["anonymousId"], message["userId"]) == ("", "x")


@pytest.mark.parametrize(
    ("time", "timestamp"),
    [
        ("0", "1970-01-01T00:00:00.000Z"),
        (" +12 days", "1970-01-01T00:00:12.000Z"),
        ("-5", "1969-12-31T23:59:55.000Z"),
        (0.5, "1970-01-01T00:00:00.000Z"),
        (1e21, "1970-01-01T00:00:01.000Z"),
        (5e-5, "1970-01-01T00:00:00.000Z"),
        (5e-7, "1970-01-01T00:00:05.000Z"),
        (253_402_300_799, "9999-12-31T23:59:59.000Z"),
        (253_402_300_800, "10000-01-01T00:00:00.000Z"),
        (-62_135_596_801, "0000-12-31T23:59:59.000Z"),
        (-62_198_755_200, "-0001-01-01T00:00:00.000Z"),
        (8_640_000_000_000, "275760-09-13T00:00:00.000Z"),
        (8_640_000_000_001, "Invalid date"),
        ("9" * 5000, "Invalid date"),
        (10**400, "Invalid date"),
        (True, "Invalid date"),
        ({}, "Invalid date"),
        ([], "Invalid date"),
        (float("inf"), "Invalid date"),
        (float("nan"), None),
        (False, None),
        ("", None),
        (-0.0, None),
    ],
)
def test_time(time: Any, timestamp: str | None) -> None:
    message = transform(sample(time=time))
    assert message is not None
    assert message.get("timestamp") == timestamp


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (2**53, b"9007199254740992"),
        (2**53 + 1, b"9007199254740992"),
        (2**63, b"9223372036854776000"),
        (-(2**60), b"-1152921504606847000"),
        (2**64, b"1.8446744073709552e+19"),
        (-(2**63), b"-9.223372036854776e+18"),
        (1e21, b"1e+21"),
        (4.0, b"4"),
        (-0.0, b"0"),
        (0.1, b"0.1"),
        (10**400, b"null"),
        (float("-inf"), b"null"),
    ],
)
def test_number_at_every_depth(number: float, text: bytes) -> None:
    made = properties_of({"n": number, "deep": [{"n": number}]})
    assert orjson.dumps(made) == b'{"n":%b,"deep":[{"n":%b}]}' % (text, text)


def test_integer_keys_first_inside_objects() -> None:
    made = properties_of({"odd": {"b": 1, "10": 2, "01": 3, "2": 4, "4294967295": 5}})
    assert list(made["odd"]) == ["2", "10", "b", "01", "4294967295"]


def test_deep_value_is_not_changed() -> None:
    deep: list[Any] = [4.0]
    for _ in range(5000):
        deep = [deep]
    assert properties_of({"deep": deep})["deep"] is deep


def test_properties_are_an_array_or_a_text() -> None:
    assert properties_of([1.0, None]) == [1, None]
    assert properties_of([]) is None
    assert properties_of("text") is None


_keys = st.sampled_from(["event_type", "id", "time", "user", "properties"])


@given(json_values | garbage | any_events | st.dictionaries(_keys, garbage))
def test_never_raises(value: Any) -> None:
    transform(value)


def names_in(value: Any) -> Iterator[str]:
    """Yield the keys of all objects in a JSON value."""
    if isinstance(value, dict):
        yield from value
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from names_in(inner)


_parts = st.sampled_from(
    ["a", "b", "", "0", "1", "01", "1e1", "-1", "0x2", " 3 ", "\\", "é", "a\\"]
)
_names = st.lists(_parts, min_size=1, max_size=3).map(".".join)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.just("text"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(_names, _values, max_size=5))
def test_never_invents_a_name(properties: dict[str, Any]) -> None:
    value = sample(properties=properties)
    before = copy.deepcopy(value)
    message = transform(value)
    assert message is not None
    assert repr(value) == repr(before)
    given_names = {part for name in names_in(properties) for part in (name, *name.split("."))}
    assert set(names_in(message)) <= OWN_NAMES | given_names
    orjson.dumps(message, option=orjson.OPT_INDENT_2)


@given(any_events)
def test_plain_names_and_texts_are_kept(any_event: Event) -> None:
    kept = {f"p{at}": str(name) for at, name in enumerate(any_event.properties)}
    assert properties_of(kept) == (kept or None)
