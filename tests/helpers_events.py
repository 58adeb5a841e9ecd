"""Events for tests: good ones built from the catalog, and strategies for bad ones."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from currents_export.catalog import EventType, Field
from currents_export.events import Event

# How long an example takes depends on the machine, and on its load.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

OPEN = "users.messages.email.Open"
EVENT_ID = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"

_LIKE: dict[str, Any] = {
    "uuid": EVENT_ID,
    "object_id": "5f3c0e1a9b8d7c6e5f4a3b2c",
    "e164": "+14155550123",
    "wamid": "wamid.abc",
    "currency": "USD",
    "timezone": "America/Argentina/Buenos_Aires",
    "locale": "en-us",
    "combination": "0_0_0",
    "json": '{"a": 1}',
}

_OF_TYPE: dict[str, Any] = {
    "string": "text",
    "integer": 3,
    "number": 1.5,
    "boolean": True,
    "object": {"a key": 1},
    "array<string>": ["a"],
}


def value_for(field: Field) -> Any:
    """A value of the right type, and like what Braze sends."""
    if field.rule.values:
        value = field.rule.values[0]
        return int(value) if field.json_type == "integer" else value
    if field.json_type == "string":
        return _LIKE.get(field.rule.format, "text")
    return _OF_TYPE[field.json_type]


def good_event(event_type: EventType, *, optional: bool = False) -> dict[str, Any]:
    """An event with the required fields of its type alone, or with the optional ones too."""
    event: dict[str, Any] = {
        "event_type": event_type.name,
        "id": EVENT_ID,
        "time": 1_700_000_000,
        "user": {},
        "properties": {},
    }
    for field in event_type.fields.values():
        if field.required or (optional and field.name != "canvas_id"):
            event[field.part][field.name] = value_for(field)
    return event


def an_event(**values: Any) -> Event:
    """A valid event, with other `values` where a test is about them."""
    usual: dict[str, Any] = {"event_type": OPEN, "time": 1_700_000_000}
    return Event(**usual | values)


#: Text that UTF-8 can hold.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)

_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)

#: Everything JSON can hold.
json_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)

json_objects = st.dictionaries(texts, json_values, max_size=4)

events = st.builds(
    Event,
    event_type=texts.filter(bool),
    id=texts.filter(bool),
    time=st.integers(-(2**63), 2**64 - 1),
    user=json_objects,
    properties=json_objects,
    extra=json_objects.map(lambda values: {f"x-{name}": value for name, value in values.items()}),
)


class Unshowable:
    """A value that cannot even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class Hostile(list[Any]):
    """A list, so not hashable, that cannot be shown either."""

    __repr__ = Unshowable.__repr__


_circular: list[Any] = []
_circular.append(_circular)

_deep: list[Any] = []
for _ in range(5000):
    _deep = [_deep]

#: Everything that Python can hold, the nastier the better.
garbage: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.sampled_from(
        [
            10**5000,
            -(10**5000),
            float("nan"),
            float("inf"),
            b"",
            (),
            {1: 2},
            {(): []},
            {"a": {"b": []}},
            {10**5000: 1},
            [1, []],
            [[]],
            [None],
            {"": None},
            "\ud800",
            "x" * 10_000,
            "[" * 100_000,
            "https://[::1",
            "https://a:b@c/d?writeKey=e",
            "*",
            "users.*",
            _circular,
            _deep,
            Unshowable(),
            Hostile([1]),
            object(),
            Event,
            int,
            len,
        ]
    ),
    json_values,
    st.dictionaries(st.text(max_size=5) | st.integers() | st.none(), st.floats(), max_size=3),
)
