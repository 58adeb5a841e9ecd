"""Valid JSON documents in any layout."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.reading import ONE, THREE, TWO, dump, errors, places, read, values
from tests.support.strategies import json_values


@pytest.mark.parametrize(
    "body", [{"events": []}, {"events": [{"events": []}]}, [{"events": []}, []]]
)
@pytest.mark.parametrize("indent", [None, 2])
def test_empty_body_has_no_events(body: Any, indent: int | None) -> None:
    assert read(dump(body, indent=indent)) == []


@pytest.mark.parametrize("document", [[ONE, TWO, THREE], {"events": [ONE, TWO, THREE]}])
@pytest.mark.parametrize("indent", [None, 0, 2, 4])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_layout_does_not_matter(document: Any, indent: int | None, mark: str) -> None:
    text = mark + dump(document, indent=indent)
    assert values(text) == [ONE, TWO, THREE]
    assert errors(text) == []


def test_elements_have_lines() -> None:
    text = f"\n[\n  {dump(ONE)},\n\n  {dump(TWO, indent=2)},\n  {dump(THREE)}\n]\n"
    assert places(text) == [(ONE, 3), (TWO, 5), (THREE, 10)]


def test_commas_may_begin_lines() -> None:
    text = f"[ {dump(ONE)}\n, {dump(TWO)}\n, {dump(THREE)}\n]"
    assert places(text) == [(ONE, 1), (TWO, 2), (THREE, 3)]
    assert errors(text) == []


def test_event_may_span_lines() -> None:
    assert places(f"\n{dump(ONE, indent=2)}") == [(ONE, 2)]


def test_values_in_sequence() -> None:
    text = "\n".join(dump(each, indent=2) for each in (ONE, TWO, THREE))
    assert places(text) == [(ONE, 1), (TWO, 6), (THREE, 11)]
    assert errors(text) == []


def test_arrays_in_sequence() -> None:
    text = f"[\n{dump(ONE)},\n{dump(TWO)}\n]\n[\n{dump(THREE)}\n]\n5\n"
    assert places(text) == [(ONE, 2), (TWO, 3), (THREE, 6), (5, 8)]
    assert errors(text) == []


def test_arrays_and_bodies_nest() -> None:
    nested = [ONE, {"events": [TWO]}, [[THREE], ONE]]
    for indent in (None, 2):
        assert values(dump(nested, indent=indent)) == [ONE, TWO, THREE, ONE]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "value",
    [
        {"events": [1], "event_type": "x"},
        {"event_type": "x", "events": [1]},
        {"events": {"a": 1}},
        {"events": None},
    ],
)
def test_body_like_object_is_one_value(value: Any, indent: int | None) -> None:
    assert values(dump(value, indent=indent)) == [value]
    assert errors(dump(value, indent=indent)) == []


def test_body_may_have_other_keys() -> None:
    body = {"version": 1, "events": [ONE, TWO], "more": [3]}
    assert values(dump(body)) == values(dump(body, indent=2)) == [ONE, TWO]


def test_last_of_two_equal_keys_counts() -> None:
    text = f'{{"events": [\n{dump(ONE)}\n],\n"events": [\n{dump(TWO)},\n{dump(THREE)}\n]}}'
    assert values(text) == [TWO, THREE]
    assert errors(text) == []


@given(st.lists(json_values.filter(lambda value: isinstance(value, dict)), max_size=4))
@example([{"events": [1]}])
def test_all_layouts_hold_the_same_values(some: list[Any]) -> None:
    lines = [dump(value) for value in some]
    expected = values("\n".join(lines))
    assert len(expected) >= len([value for value in some if "events" not in value])
    for text in (
        dump(some),
        dump(some, indent=2),
        dump(some, indent=0),
        dump({"events": some}),
        dump({"events": some}, indent=1),
        "[\n" + ",\n".join(lines) + "\n]",
        # A first line that is JSON makes the input JSON Lines.
        "\n".join(dump(value, indent=2 if all(some) else None) for value in some),
    ):
        assert values(text) == expected
        assert errors(text) == []
