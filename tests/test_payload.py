"""Events to bytes: exactly JSON, or an error that names the field."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import hashlib
import json
import uuid
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.errors import EventError
from currents_export.events import Event
from currents_export.payload import (
    EMPTY_BODY,
    Transformation,
    encode_body,
    encode_event,
    transform,
)
from currents_export.reading import read_events, read_values
from tests.support.events import bare_event
from tests.support.strategies import any_events, garbage, json_values, texts


class Color(enum.Enum):
    RED = "red"


class Size(str, enum.Enum):  # noqa: UP042 - the older spelling is what is tried here
    BIG = "big"


class Number(enum.IntEnum):
    ONE = 1


class Text(str):
    __slots__ = ()


class Share(float):
    __slots__ = ()


Point = collections.namedtuple("Point", "x y")


@given(any_events)
def test_an_event_is_json_that_reads_back_the_same(event: Event) -> None:
    encoded = encode_event(event)
    assert Event.from_dict(json.loads(encoded)) == event
    assert list(json.loads(encoded)) == list(event.to_dict())


@given(st.lists(any_events, max_size=4))
def test_a_body_reads_back_as_its_events(some: list[Event]) -> None:
    body = encode_body(map(encode_event, some))
    assert list(json.loads(body)) == ["events"]
    assert list(read_events(read_values([body]))) == some


@given(st.lists(any_events, min_size=1, max_size=4))
def test_lines_of_events_read_back(some: list[Event]) -> None:
    lines = [encode_event(event) + b"\n" for event in some]
    assert list(read_events(read_values(lines))) == some


def test_a_body_without_events_is_the_empty_one() -> None:
    assert encode_body([]) == EMPTY_BODY
    assert json.loads(EMPTY_BODY) == {"events": []}


@pytest.mark.parametrize("part", ["user", "properties", "extra"])
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (float("nan"), "is nan, which JSON cannot hold; leave it out or use null"),
        (float("inf"), "is inf, which JSON cannot hold"),
        (float("-inf"), "is -inf, which JSON cannot hold"),
        (2**64, "is a whole number of more than 64 bits"),
        (-(2**63) - 1, "is a whole number of more than 64 bits"),
        (10**5000, "is a whole number of more than 64 bits"),
        ("a\ud800", "holds half of a surrogate pair"),
        (uuid.uuid4(), "is a UUID, which is not JSON; use str()"),
        (datetime.date(2026, 1, 1), "is a date, which is not JSON; use .isoformat()"),
        (datetime.datetime(2026, 1, 1), "is a datetime, which is not JSON; use .isoformat()"),
        (decimal.Decimal(1), "is a Decimal, which is not JSON; use float() or str()"),
        (b"a", "is a bytes, which is not JSON; decode it to text"),
        ({1}, "is a set, which is not JSON; use a list"),
        (frozenset(), "is a frozenset, which is not JSON; use a list"),
        (Point(1, 2), "is a Point, which is not JSON; use a list or a plain tuple"),
        (Color.RED, "is a Color, which is not JSON; use its .value"),
        (Size.BIG, "is a Size, which is not JSON; use its .value"),
        (Number.ONE, "is a Number, which is not JSON; use its .value"),
        (Share(0.5), "is a Share, which is not JSON"),
        (orjson.Fragment(b"{"), "is a Fragment, which is not JSON"),
        (object(), "is a object, which is not JSON"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isascii() else "",
)
@pytest.mark.parametrize(("wrap", "path"), [(0, ""), (1, "[1]"), (2, ".inner[1]")])
def test_what_json_cannot_hold_is_refused_with_its_field(
    part: str, value: Any, problem: str, wrap: int, path: str
) -> None:
    for _ in range(min(wrap, 1)):
        value = ["before", value]
    if wrap == 2:
        value = {"inner": value}
    event = bare_event(**{part: {"good": 1, "field": value}})
    with pytest.raises(EventError) as caught:
        encode_event(event)
    field = ("field" if part == "extra" else f"{part}.field") + path
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field} {problem}")


@pytest.mark.parametrize("name", ["event_type", "id"])
def test_text_that_is_not_unicode_is_refused_outside_the_parts_too(name: str) -> None:
    with pytest.raises(EventError, match="half of a surrogate pair") as caught:
        encode_event(bare_event(**{name: "\udc00"}))
    assert caught.value.field == name


def test_a_time_of_more_than_64_bits_is_refused() -> None:
    with pytest.raises(EventError, match="64 bits") as caught:
        encode_event(bare_event(time=2**64))
    assert caught.value.field == "time"


@pytest.mark.parametrize(
    "key",
    [1, None, True, Size.BIG, (), 10**5000, "\ud800"],
    ids=["int", "None", "bool", "enum", "tuple", "long int", "surrogate"],
)
@pytest.mark.parametrize(
    ("part", "path"), [("properties", "properties"), ("user", "user"), ("extra", None)]
)
def test_a_key_that_is_no_text_is_refused(key: Any, part: str, path: str | None) -> None:
    with pytest.raises(EventError, match="JSON keys are text") as caught:
        encode_event(bare_event(**{part: {key: 1}}))
    assert caught.value.field == path
    assert str(caught.value).startswith(f"{path or 'the event'} has the key")


@pytest.mark.parametrize("levels", [150, 190])
def test_deep_nesting_is_encoded(levels: int) -> None:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    assert encode_event(bare_event(properties={"a": value})).count(b"[") == levels


def test_nesting_without_end_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(EventError, match="over 200 levels deep") as caught:
        encode_event(bare_event(properties={"a": value}))
    assert str(caught.value.field).startswith("properties.a[0]")


def test_tuples_and_kinds_of_str_are_encoded_as_what_they_are() -> None:
    event = bare_event(properties={"a": (1, 2), "b": Text("x")})
    assert json.loads(encode_event(event))["properties"] == {"a": [1, 2], "b": "x"}


def test_an_encoder_that_fails_for_a_reason_of_its_own_names_the_event() -> None:
    # A kind of str that is no enum may be a value, but orjson takes no such key.
    with pytest.raises(EventError, match=r"event 'abc' cannot be written as JSON") as caught:
        encode_event(bare_event(id="abc", properties={Text("a"): 1}))
    assert caught.value.field is None


@given(st.dictionaries(texts | st.integers(), garbage, max_size=3))
def test_garbage_becomes_json_or_an_event_error(values: dict[Any, Any]) -> None:
    try:
        encoded = encode_event(bare_event(properties=values))
    except EventError as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        assert json.loads(encoded, parse_constant=pytest.fail)["properties"].keys() == values.keys()


# Transformations


def test_remove_puts_the_same_text_for_every_value() -> None:
    event = bare_event(user={"timezone": "UTC"}, properties={"gender": "F", "other": "x"})
    removed = transform(event, {"gender": Transformation.REMOVE, "timezone": Transformation.REMOVE})
    assert removed.user == {"timezone": "[REDACTED]"}
    assert removed.properties == {"gender": "[REDACTED]", "other": "x"}
    assert event.properties["gender"] == "F"


def test_hash_is_the_sha_256_of_the_text() -> None:
    event = bare_event(properties={"email_address": "abc"})
    hashed = transform(event, {"email_address": Transformation.HASH})
    assert hashed.properties["email_address"] == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


@given(texts)
def test_equal_texts_have_equal_hashes_and_the_hash_is_of_their_utf_8(text: str) -> None:
    event = bare_event(properties={"a": text, "b": text})
    hashed = transform(event, dict.fromkeys("ab", Transformation.HASH)).properties
    assert hashed["a"] == hashed["b"] == hashlib.sha256(text.encode()).hexdigest()


@given(
    st.dictionaries(st.sampled_from("abcd"), json_values),
    st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(Transformation)),
)
def test_text_alone_is_transformed_and_all_else_stays(
    values: dict[str, Any], transformations: dict[str, Transformation]
) -> None:
    event = bare_event(user=values, properties=values)
    after = transform(event, transformations)
    assert list(after.properties) == list(values)
    assert after.user == after.properties
    for name, value in values.items():
        if name not in transformations or not isinstance(value, str):
            assert after.properties[name] is value
        elif transformations[name] is Transformation.REMOVE:
            assert after.properties[name] == "[REDACTED]"
        else:
            assert after.properties[name] == hashlib.sha256(value.encode()).hexdigest()


@given(st.dictionaries(st.sampled_from("abcd"), json_values))
def test_an_event_without_the_fields_is_returned_itself(values: dict[str, Any]) -> None:
    event = bare_event(properties=values)
    assert transform(event, {"z": Transformation.HASH}) is event
    assert transform(event, {}) is event


def test_what_is_no_unicode_cannot_be_hashed_and_is_named() -> None:
    event = bare_event(user={"timezone": "\ud800"})
    with pytest.raises(EventError, match="half of a surrogate pair") as caught:
        transform(event, {"timezone": Transformation.HASH})
    assert caught.value.field == "user.timezone"
    removed = transform(event, {"timezone": Transformation.REMOVE})
    assert removed.user == {"timezone": "[REDACTED]"}
