"""Properties whose names RudderStack's source takes for paths."""

from __future__ import annotations

from typing import Any

import pytest

from currents_export.receiver.rudderstack import transform
from tests.support.events import event


def properties_of(properties: Any) -> Any:
    """Return the properties of the message for these properties."""
    message = transform(event().to_dict() | {"properties": properties})
    assert message is not None
    return message.get("properties")


@pytest.mark.parametrize(
    ("properties", "made"),
    [
        ({"a.b": 1, "a.c": 2}, {"a": {"b": 1, "c": 2}}),
        ({"a.b.c": {"d.e": 1}}, {"a": {"b": {"c": {"d.e": 1}}}}),
        ({"a": {"b": 5}, "a.b": 1}, {"a": {"b": 5}}),
        ({"a": {"c": 5}, "a.b": 1}, {"a": {"c": 5}}),
        ({"a": None, "a.b": 1}, {"a": {}}),
        ({"a.b": 1, "a": "text"}, {"a": "text"}),
        ({"a": [7, 8], "a.1": 1}, {"a": [7, 8]}),
        ({"a": [7], "a.x": 1}, {"a": [7]}),
        ({"a..b": 1}, {"a": {"": {"b": 1}}}),
        ({"a.": 1}, {"a": 1}),
        ({".a": 1}, {"": {"a": 1}}),
        ({".": 1}, {"": 1}),
        ({"platform.x": 1, "platform": "ios"}, {"platform": {"x": 1}}),
    ],
)
def test_dots_nest(properties: Any, made: Any) -> None:
    assert properties_of(properties) == made


def test_caller_keeps_its_objects() -> None:
    properties = {"a": {"c": [1]}, "a.c.x": 2, "": {"d": 1}, "e": 3}
    before = repr(properties)
    properties_of(properties)
    assert repr(properties) == before


@pytest.mark.parametrize(
    ("properties", "made"),
    [
        ({"before": 1, "0": "x", "after": 2}, ["x"]),
        ({"1": "b", "0": "a"}, ["a", "b"]),
        ({"before": 1, "01": "x"}, [None, "x"]),
        ({"before": 1, "1e1": "x"}, [None] * 10 + ["x"]),
        ({"before": 1, "-1": "x"}, []),
        ({"before": 1, "2.5": "x"}, [None, None, [None] * 5 + ["x"]]),
        ({"before": 1, " +1 ": "x"}, [None, "x"]),
        ({"before": 1, "0x2": "x"}, [None, None, "x"]),
        ({"before": 1, "10e-1": "x"}, [None, "x"]),
        ({"0.a": 1, "0.b": 2}, [{"a": 1, "b": 2}]),
        ({"a.0": 1, "a.x": 2, "a.x.y": 3}, {"a": [1]}),
        ({"1e-1": "x", "1e400": "y", "1_0": "z"}, {"1e-1": "x", "1e400": "y", "1_0": "z"}),
    ],
)
def test_integers_make_arrays(properties: Any, made: Any) -> None:
    assert properties_of(properties) == made


def test_elements_of_all_arrays_are_limited() -> None:
    made = properties_of({"20260701": 1, "a.4000000000": 2})
    assert len(made) == 1_000_000
    assert set(made) == {None}


@pytest.mark.parametrize(
    ("properties", "made"),
    [
        ({"before": 1, "": 2, "after": 3}, {"after": 3}),
        ({"before": 1, "": 2}, 2),
        ({"": {"x": 1}, "after": 3}, {"x": 1, "after": 3}),
        ({"": None}, None),
        ({"": 1, "0": "x"}, 1),
    ],
)
def test_empty_name_wipes_what_came_before(properties: Any, made: Any) -> None:
    assert properties_of(properties) == made


@pytest.mark.parametrize("name", ["a\\b", "a\\", "\\", "a.\\b"])
def test_name_with_backslash_is_lost(name: str) -> None:
    assert properties_of({name: 1}) is None
    assert properties_of({"before": 1, name: 2, "after": 3}) == {"before": 1, "after": 3}


@pytest.mark.parametrize("name", ["a__proto__", "constructors", "Prototype", "a b", "a/b", "ä"])
def test_similar_names_are_kept(name: str) -> None:
    assert properties_of({name: 1, "x": {"__proto__": 2}}) == {name: 1, "x": {"__proto__": 2}}
