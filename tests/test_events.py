"""`Event`: what it holds, and what it refuses."""

from __future__ import annotations

import enum
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.errors import CurrentsExportError, EventError
from currents_export.events import Event
from tests.support.events import EVENT_ID, bare_event
from tests.support.strategies import Unshowable, any_events, garbage


class Name(str, enum.Enum):  # noqa: UP042 - the older spelling is what is tried here
    OPEN = "users.messages.email.Open"


class Text(str):
    __slots__ = ()


def test_an_event_has_a_fresh_uuid_and_nothing_else_by_default() -> None:
    one, other = bare_event(), bare_event()
    assert uuid.UUID(one.id).version == 4
    assert one.id != other.id
    assert (one.user, one.properties, one.extra) == ({}, {}, {})
    assert one.user is not other.user


def test_the_object_has_the_five_keys_in_the_order_of_the_wire() -> None:
    event = bare_event(id="x", user={"user_id": "u"}, properties={"a": 1}, extra={"more": 2})
    assert list(event.to_dict()) == ["event_type", "id", "time", "user", "properties", "more"]
    assert event.to_dict() == {
        "event_type": "users.messages.email.Open",
        "id": "x",
        "time": 1_700_000_000,
        "user": {"user_id": "u"},
        "properties": {"a": 1},
        "more": 2,
    }


@given(any_events)
def test_an_event_is_the_same_after_a_round_trip(event: Event) -> None:
    assert Event.from_dict(event.to_dict()) == event


def test_reading_an_event_leaves_the_object_alone() -> None:
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
def test_a_wrong_attribute_is_refused_by_name(name: str, value: Any, shown: str) -> None:
    with pytest.raises(EventError) as caught:
        bare_event(**{name: value})
    assert caught.value.field == name
    assert str(caught.value).startswith(f"{name} is ")
    assert shown in str(caught.value)
    assert "it must be" in str(caught.value)


def test_a_kind_of_str_is_text() -> None:
    assert bare_event(event_type=Text("a")).event_type == "a"


@pytest.mark.parametrize("name", ["event_type", "id", "time", "user", "properties"])
def test_extra_cannot_hold_what_the_event_has_itself(name: str) -> None:
    with pytest.raises(EventError, match=f"extra holds {name}") as caught:
        bare_event(extra={name: 1, "other": 2})
    assert caught.value.field == "extra"


@pytest.mark.parametrize(
    ("value", "lacks", "field"),
    [
        ({}, "event_type, id, time", "event_type"),
        ({"event_type": "a", "time": 1}, "id", "id"),
        ({"event_type": "a", "id": "b"}, "time", "time"),
    ],
)
def test_an_object_that_lacks_a_key_is_refused(
    value: dict[str, Any], lacks: str, field: str
) -> None:
    with pytest.raises(EventError) as caught:
        Event.from_dict(value)
    assert str(caught.value) == f"the event lacks {lacks}"
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "null"), ([1], "a list of 1"), ("x", "'x' (str)"), (5, "5 (int)")],
)
def test_what_is_no_object_is_no_event(value: Any, shown: str) -> None:
    with pytest.raises(EventError, match="an event is a JSON object") as caught:
        Event.from_dict(value)
    assert shown in str(caught.value)
    assert caught.value.field is None
    assert isinstance(caught.value, CurrentsExportError)


def test_an_event_cannot_be_changed() -> None:
    event: Any = bare_event()
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
def test_garbage_is_an_event_or_an_event_error(value: Any) -> None:
    try:
        event = Event.from_dict(value)
    except EventError as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        assert event.to_dict().items() >= dict(value).items()
