"""Events are encoded as JSON, or refused with an error that names the field."""

from __future__ import annotations

import collections
import datetime
import decimal
import enum
import hashlib
import json
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

import attrs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.errors import EventError
from currents_export.events import Event
from currents_export.payload import (
    BATCH_SIZE,
    EMPTY_BODY,
    Transformation,
    encode_array,
    encode_bodies,
    encode_body,
    encode_event,
    encode_events,
    transform,
)
from currents_export.reading import read_events, read_values
from tests.support.events import CLICK, OPEN, SEND, event, make_events
from tests.support.strategies import any_events, garbage, json_values, texts


class Color(enum.Enum):
    RED = "red"


class Size(str, enum.Enum):  # noqa: UP042 - the test is about the older spelling
    BIG = "big"


class Number(enum.IntEnum):
    ONE = 1


class Text(str):
    __slots__ = ()


class Share(float):
    __slots__ = ()


Point = collections.namedtuple("Point", "x y")


def made(**attributes: Any) -> Event:
    return attrs.evolve(event(), **attributes)


@given(any_events)
def test_event_reads_back(one: Event) -> None:
    encoded = encode_event(one)
    assert Event.from_dict(json.loads(encoded)) == one
    assert list(json.loads(encoded)) == list(one.to_dict())


@given(st.lists(any_events, max_size=4))
def test_body_reads_back(some: list[Event]) -> None:
    body = encode_body(map(encode_event, some))
    assert list(json.loads(body)) == ["events"]
    assert list(read_events(read_values([body]))) == some


@given(st.lists(any_events, min_size=1, max_size=4))
def test_lines_read_back(some: list[Event]) -> None:
    lines = [encode_event(each) + b"\n" for each in some]
    assert list(read_events(read_values(lines))) == some


def test_empty_body() -> None:
    assert encode_body([]) == EMPTY_BODY
    assert json.loads(EMPTY_BODY) == {"events": []}


@pytest.mark.parametrize("part", ["user", "properties", "extra"])
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (float("nan"), "is nan, which JSON cannot represent; leave it out or use null"),
        (float("inf"), "is inf, which JSON cannot represent"),
        (float("-inf"), "is -inf, which JSON cannot represent"),
        (2**64, f"is {2**64}, a whole number of more than 64 bits; write it as a string"),
        (-(2**63) - 1, "is -9223372036854775809, a whole number of more than 64 bits"),
        (10**90, f"is 1{'0' * 39}..., a whole number of more than 64 bits"),
        (10**5000, "is a whole number of more than 64 bits; write it as a string"),
        ("a\ud800", "contains half of a surrogate pair"),
        (uuid.uuid4(), "is of type uuid.UUID, which is not JSON; use str()"),
        (
            datetime.date(2026, 1, 1),
            "is of type datetime.date, which is not JSON; use .isoformat()",
        ),
        (
            datetime.datetime(2026, 1, 1),
            "is of type datetime.datetime, which is not JSON; use .isoformat()",
        ),
        (decimal.Decimal(1), "is of type decimal.Decimal, which is not JSON; use float() or str()"),
        (b"a", "is of type bytes, which is not JSON; decode it to text"),
        ({1}, "is of type set, which is not JSON; use a list"),
        (frozenset(), "is of type frozenset, which is not JSON; use a list"),
        (
            Point(1, 2),
            f"is of type {__name__}.Point, which is not JSON; use a list or a plain tuple",
        ),
        (Color.RED, f"is of type {__name__}.Color, which is not JSON; use its .value"),
        (Size.BIG, f"is of type {__name__}.Size, which is not JSON; use its .value"),
        (Number.ONE, f"is of type {__name__}.Number, which is not JSON; use its .value"),
        (Share(0.5), f"is of type {__name__}.Share, which is not JSON; use float()"),
        (orjson.Fragment(b"{"), "is of type orjson.Fragment, which is not JSON"),
        (object(), "is of type object, which is not JSON"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isascii() else "",
)
@pytest.mark.parametrize(("wrap", "path"), [(0, ""), (1, "[1]"), (2, ".inner[1]")])
def test_other_value_is_refused_by_field(
    part: str, value: Any, problem: str, wrap: int, path: str
) -> None:
    for _ in range(min(wrap, 1)):
        value = ["before", value]
    if wrap == 2:
        value = {"inner": value}
    one = made(**{part: {"good": 1, "field": value}})
    with pytest.raises(EventError) as caught:
        encode_event(one)
    field = ("field" if part == "extra" else f"{part}.field") + path
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field} {problem}")


@pytest.mark.parametrize("name", ["event_type", "id"])
def test_invalid_unicode_is_refused(name: str) -> None:
    with pytest.raises(EventError, match="half of a surrogate pair") as caught:
        encode_event(made(**{name: "\udc00"}))
    assert caught.value.field == name


def test_large_time_is_refused() -> None:
    with pytest.raises(EventError, match="64 bits") as caught:
        encode_event(made(time=2**64))
    assert caught.value.field == "time"


@pytest.mark.parametrize(
    "key",
    [1, None, True, Size.BIG, (), 10**5000, "\ud800"],
    ids=["int", "None", "bool", "enum", "tuple", "long int", "surrogate"],
)
@pytest.mark.parametrize(
    ("part", "path"), [("properties", "properties"), ("user", "user"), ("extra", None)]
)
def test_other_key_is_refused(key: Any, part: str, path: str | None) -> None:
    with pytest.raises(EventError, match="JSON keys are text") as caught:
        encode_event(made(**{part: {key: 1}}))
    assert caught.value.field == path
    assert str(caught.value).startswith(f"{path or 'the event'} has the key")


@pytest.mark.parametrize("levels", [150, 190])
def test_deep_nesting_is_encoded(levels: int) -> None:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    assert encode_event(made(properties={"a": value})).count(b"[") == levels


def test_endless_nesting_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(EventError, match="over 200 levels deep") as caught:
        encode_event(made(properties={"a": value}))
    assert str(caught.value.field).startswith("properties.a[0]")


def test_tuples_and_strings_are_encoded() -> None:
    one = made(properties={"a": (1, 2), "b": Text("x")})
    assert json.loads(encode_event(one))["properties"] == {"a": [1, 2], "b": "x"}


def test_failing_encoder_names_the_event() -> None:
    # A subclass of str may be a value, but orjson does not accept it as a key.
    with pytest.raises(EventError, match=r"event 'abc' cannot be written as JSON") as caught:
        encode_event(made(id="abc", properties={Text("a"): 1}))
    assert caught.value.field is None


@given(st.dictionaries(texts | st.integers(), garbage, max_size=3))
def test_garbage_becomes_json_or_an_error(values: dict[Any, Any]) -> None:
    try:
        encoded = encode_event(made(properties=values))
    except EventError as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        assert json.loads(encoded, parse_constant=pytest.fail)["properties"].keys() == values.keys()


@given(st.lists(any_events, max_size=4))
def test_events_are_encoded_together(some: list[Event]) -> None:
    assert encode_events(some) == [encode_event(each) for each in some]


@given(st.lists(garbage, max_size=3))
def test_garbage_is_not_encoded_together(values: list[Any]) -> None:
    """What needs a closer look is left to the error of its own event."""
    some = [made(properties={"a": each}) for each in values]
    together = encode_events(some)
    try:
        one_by_one = [encode_event(each) for each in some]
    except EventError:
        assert together is None
    else:
        assert together in (None, one_by_one)


@pytest.mark.parametrize(
    "value", [float("nan"), Color.RED, uuid.UUID(int=1), datetime.date(2026, 1, 1), 2**70, "\ud800"]
)
@pytest.mark.parametrize("part", ["properties", "user", "extra"])
def test_other_value_is_not_encoded_together(value: Any, part: str) -> None:
    for values in ({"a": value}, {"a": [1, {"b": (value,)}]}):
        assert encode_events([event(), made(**{part: values})]) is None


# Scalars and arrays of other libraries


def foreign(name: str, base: type = object, **methods: Any) -> Any:
    """Return a value of a type like those of numpy, which need not be installed."""
    kind = type(name, (base,), {"item": None, "__module__": "numpy"} | methods)
    return kind(1) if base is not object else kind()


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (foreign("float64", float), "of type numpy.float64, which is not JSON; use .item()"),
        (foreign("int64"), "of type numpy.int64, which is not JSON; use .item()"),
        (foreign("bool"), "of type numpy.bool, which is not JSON; use .item()"),
        (
            foreign("ndarray", __len__=None),
            "of type numpy.ndarray, which is not JSON; use .tolist()",
        ),
    ],
)
def test_foreign_value_names_its_module(value: Any, problem: str) -> None:
    for properties in ({"price": value}, {"price": [value]}):
        with pytest.raises(EventError) as caught:
            encode_event(made(properties=properties))
        assert str(caught.value.field).startswith("properties.price")
        assert problem in str(caught.value)


# Bodies and arrays


def sizes(bodies: Iterable[bytes]) -> list[tuple[str, list[str]]]:
    events = [json.loads(body)["events"] for body in bodies]
    return [(some[0]["event_type"], [each["id"] for each in some]) for some in events]


def test_bodies_have_one_type() -> None:
    types = [OPEN, CLICK, OPEN, SEND, CLICK, CLICK, OPEN]
    events = [event(number, name) for number, name in enumerate(types)]
    ids = [each.id for each in events]
    assert sizes(encode_bodies(events, 2)) == [
        (OPEN, [ids[0], ids[2]]),
        (CLICK, [ids[1], ids[4]]),
        (SEND, [ids[3]]),
        (CLICK, [ids[5]]),
        (OPEN, [ids[6]]),
    ]


def test_default_body_has_100_events() -> None:
    found = sizes(encode_bodies(make_events(2 * BATCH_SIZE + 1)))
    assert [len(ids) for _, ids in found] == [BATCH_SIZE, BATCH_SIZE, 1]


def test_full_body_is_yielded_at_once() -> None:
    def events() -> Iterator[Event]:
        yield from make_events(2)
        pytest.fail("read too far ahead")

    assert len(json.loads(next(encode_bodies(events(), 2)))["events"]) == 2


def test_no_events_have_no_bodies() -> None:
    assert list(encode_bodies([])) == []


@given(st.lists(any_events, max_size=8), st.integers(1, 3))
def test_bodies_hold_every_event_once(some: list[Event], batch_size: int) -> None:
    bodies = [list(read_events(read_values([body]))) for body in encode_bodies(some, batch_size)]
    found = [each for body in bodies for each in body]
    assert all(0 < len(body) <= batch_size for body in bodies)
    for name in {each.event_type for each in some}:
        of_type = [each for each in some if each.event_type == name]
        assert [each for each in found if getattr(each, "event_type", None) == name] == of_type


@pytest.mark.parametrize("count", [0, 1, 3])
def test_array_has_one_value_per_line(count: int) -> None:
    items = [b'{"a":%d}' % number for number in range(count)]
    text = b"".join(encode_array(items))
    assert json.loads(text) == [{"a": number} for number in range(count)]
    assert text.count(b"\n") == count + 2


# Transformations


def test_codes_of_transformations() -> None:
    assert [str(each) for each in Transformation] == ["remove", "hash"]
    assert all(each.description for each in Transformation)


def test_remove_replaces_the_text() -> None:
    one = made(user={"timezone": "UTC"}, properties={"gender": "F", "other": "x"})
    removed = transform(one, {"gender": Transformation.REMOVE, "timezone": Transformation.REMOVE})
    assert removed.user == {"timezone": "[REDACTED]"}
    assert removed.properties == {"gender": "[REDACTED]", "other": "x"}
    assert one.properties["gender"] == "F"


def test_hash_is_sha_256() -> None:
    one = made(properties={"email_address": "abc"})
    hashed = transform(one, {"email_address": Transformation.HASH})
    assert hashed.properties["email_address"] == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


@given(texts)
def test_hash_is_of_the_utf_8(text: str) -> None:
    one = made(properties={"a": text, "b": text})
    hashed = transform(one, dict.fromkeys("ab", Transformation.HASH)).properties
    assert hashed["a"] == hashed["b"] == hashlib.sha256(text.encode()).hexdigest()


@given(
    st.dictionaries(st.sampled_from("abcd"), json_values),
    st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(Transformation)),
)
def test_only_text_is_transformed(
    values: dict[str, Any], transformations: dict[str, Transformation]
) -> None:
    one = made(user=values, properties=values)
    after = transform(one, transformations)
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
def test_event_without_the_fields_is_returned(values: dict[str, Any]) -> None:
    one = made(properties=values)
    assert transform(one, {"z": Transformation.HASH}) is one
    assert transform(one, {}) is one


def test_invalid_unicode_cannot_be_hashed() -> None:
    one = made(user={"timezone": "\ud800"})
    with pytest.raises(EventError, match="half of a surrogate pair") as caught:
        transform(one, {"timezone": Transformation.HASH})
    assert caught.value.field == "user.timezone"
    removed = transform(one, {"timezone": Transformation.REMOVE})
    assert removed.user == {"timezone": "[REDACTED]"}
