"""`Event`: its attributes, and the values that it refuses."""

from __future__ import annotations

import enum
import types
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.errors import CurrentsExportError, EventError
from currents_export.events import Event
from tests.support.events import EVENT_ID, OPEN
from tests.support.strategies import Unshowable, any_events, garbage


class Name(str, enum.Enum):  # noqa: UP042 - the test is about the older spelling
    OPEN = "users.messages.email.Open"


class Text(str):
    __slots__ = ()


def test_defaults() -> None:
    one, other = Event(OPEN, 1), Event(OPEN, 1)
    assert uuid.UUID(one.id).version == 4
    assert one.id != other.id
    assert (one.user, one.properties, one.extra) == ({}, {}, {})
    assert one.user is not other.user


def test_object_has_keys_in_order() -> None:
    event = Event(OPEN, 5, {"user_id": "u"}, {"a": 1}, "x", {"more": 2})
    assert list(event.to_dict()) == ["event_type", "id", "time", "user", "properties", "more"]
    assert event.to_dict() == {
        "event_type": "users.messages.email.Open",
        "id": "x",
        "time": 5,
        "user": {"user_id": "u"},
        "properties": {"a": 1},
        "more": 2,
    }


@given(any_events)
def test_round_trip(event: Event) -> None:
    assert Event.from_dict(event.to_dict()) == event


def test_from_dict_leaves_the_object_unchanged() -> None:
    value = {"event_type": "a", "id": "b", "time": 1, "more": 2}
    assert Event.from_dict(value).extra == {"more": 2}
    assert value == {"event_type": "a", "id": "b", "time": 1, "more": 2}


def test_user_and_properties_may_be_missing() -> None:
    event = Event.from_dict({"event_type": "a", "id": "b", "time": 1})
    assert (event.user, event.properties) == ({}, {})


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("event_type", "", "''"),
        ("event_type", None, "null"),
        ("event_type", 5, "5 (int)"),
        ("event_type", Name.OPEN, "(Name)"),
        ("id", "", "''"),
        ("id", uuid.UUID(EVENT_ID), "(UUID)"),
        ("id", 10**5000, "a value of type int (int)"),
        ("id", Unshowable(), "a value of type Unshowable"),
        ("time", None, "null"),
        ("time", "1700000000", "'1700000000' (str)"),
        ("time", 1.0, "1.0 (float)"),
        ("time", True, "True (bool)"),
        ("user", None, "null"),
        ("user", [1, 2], "a list of 2"),
        ("properties", "x" * 100, "... (str)"),
        ("extra", [], "a list of 0"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_wrong_attribute_is_refused(name: str, value: Any, shown: str) -> None:
    with pytest.raises(EventError) as caught:
        Event(**{"event_type": OPEN, "time": 1, name: value})
    assert caught.value.field == name
    assert str(caught.value).startswith(f"{name} is ")
    assert shown in str(caught.value)
    assert "it must be" in str(caught.value)


def test_subclass_of_dict_is_accepted() -> None:
    class Bag(dict[str, Any]):
        pass

    assert Event(OPEN, 1, Bag(user_id="u")).user == {"user_id": "u"}
    assert (
        Event.from_dict(types.MappingProxyType({"event_type": "a", "id": "b", "time": 1})).id == "b"
    )


def test_subclass_of_str_is_text() -> None:
    assert Event(Text("a"), 1).event_type == "a"


@pytest.mark.parametrize("name", ["event_type", "id", "time", "user", "properties"])
def test_extra_cannot_have_other_keys(name: str) -> None:
    with pytest.raises(EventError, match=f"extra has {name}") as caught:
        Event(OPEN, 1, extra={name: 1, "other": 2})
    assert caught.value.field == "extra"


@pytest.mark.parametrize(
    ("value", "lacks", "field"),
    [
        ({}, "event_type, id, time", "event_type"),
        ({"event_type": "a", "time": 1}, "id", "id"),
        ({"event_type": "a", "id": "b"}, "time", "time"),
    ],
)
def test_missing_key_is_refused(value: dict[str, Any], lacks: str, field: str) -> None:
    with pytest.raises(EventError) as caught:
        Event.from_dict(value)
    assert str(caught.value) == f"the event lacks {lacks}"
    assert caught.value.field == field


FLAT = {"id": "b", "time": 1, "user_id": "u", "email_address": "a@b.c"}


@pytest.mark.parametrize(
    "value",
    [FLAT, FLAT | {"event_type": OPEN}, FLAT | {"event_type": None, "user": None}, {"user_id": ""}],
)
def test_storage_shape_is_named(value: dict[str, Any]) -> None:
    with pytest.raises(EventError, match="the flat shape of Braze's storage export") as caught:
        Event.from_dict(value)
    assert '"user": {"user_id": ...' in str(caught.value)


@pytest.mark.parametrize("part", ["user", "properties"])
def test_field_beside_user_or_properties_is_extra(part: str) -> None:
    event = Event.from_dict(FLAT | {"event_type": OPEN, part: {}})
    assert event.extra == {"user_id": "u", "email_address": "a@b.c"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "null"), ([1], "a list of 1"), ("x", "'x' (str)"), (5, "5 (int)")],
)
def test_other_value_is_refused(value: Any, shown: str) -> None:
    with pytest.raises(EventError, match="an event is a JSON object") as caught:
        Event.from_dict(value)
    assert shown in str(caught.value)
    assert caught.value.field is None
    assert isinstance(caught.value, CurrentsExportError)


def test_event_is_frozen() -> None:
    event: Any = Event(OPEN, 1)
    with pytest.raises(AttributeError):
        event.time = 5


_keys = st.sampled_from(["event_type", "id", "time", "user", "properties", "x"])


@given(
    garbage
    | st.dictionaries(_keys, garbage)
    | st.fixed_dictionaries(
        {"event_type": garbage | st.just("a"), "id": garbage | st.just("b"), "time": garbage},
        optional={"user": garbage, "properties": garbage},
    )
)
def test_garbage_is_handled(value: Any) -> None:
    try:
        event = Event.from_dict(value)
    except EventError as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        assert event.to_dict().items() >= dict(value).items()


def test_replace() -> None:
    one = Event(OPEN, 1, {"user_id": "u"}, {"a": 1}, EVENT_ID, {"more": True})
    other = one.replace(time=2, properties=one.properties | {"b": 2})
    assert (other.time, other.user, other.properties) == (2, {"user_id": "u"}, {"a": 1, "b": 2})
    assert (other.event_type, other.extra) == (OPEN, {"more": True})
    assert uuid.UUID(other.id).version == 4
    assert other.id != EVENT_ID


def test_replace_nothing_but_the_id() -> None:
    one = Event(OPEN, 1, properties={"a": 1})
    copied = one.replace()
    assert copied.id != one.id
    assert one.replace(id=one.id) == one
    copied.properties["a"] = 2
    assert one.properties == {"a": 1}


def test_replace_checks_attributes() -> None:
    with pytest.raises(EventError, match="event_type"):
        Event(OPEN, 1).replace(event_type="")
