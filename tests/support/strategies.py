"""Hypothesis strategies: JSON values, events, and values that nothing should accept."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from currents_export.events import Event

#: Text that UTF-8 can encode.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)

_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)

#: Everything that JSON can represent.
json_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)

json_objects = st.dictionaries(texts, json_values, max_size=4)

any_events = st.builds(
    Event,
    event_type=texts.filter(bool),
    id=texts.filter(bool),
    time=st.integers(-(2**63), 2**64 - 1),
    user=json_objects,
    properties=json_objects,
    extra=json_objects.map(lambda values: {f"x-{name}": value for name, value in values.items()}),
)


class Unshowable:
    """A value that has no repr."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class Hostile(list[Any]):
    """A list, which is not hashable, and which has no repr."""

    __repr__ = Unshowable.__repr__


_circular: list[Any] = []
_circular.append(_circular)

_deep: list[Any] = []
for _ in range(5000):
    _deep = [_deep]

#: All kinds of values, most of them hostile.
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
