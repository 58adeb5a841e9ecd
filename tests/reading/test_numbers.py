"""Numbers that do not fit into 64 bits: refused with their field, never changed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from currents_export._json import NumberError, loads
from currents_export.catalog import Catalog, check_event
from currents_export.errors import EventError
from currents_export.events import Event
from currents_export.payload import encode_event
from currents_export.reading import Located, read_values
from tests.support.events import OPEN
from tests.support.reading import ONE, TWO, dump, errors, read, values
from tests.support.strategies import json_values

LARGE = "123456789012345678901234567890"
TOO_LARGE = [LARGE, f"-{LARGE}", str(2**64), str(-(2**63) - 1), "9" * 5000]
FITTING = [str(2**64 - 1), str(-(2**63)), "0", "-0", f'"{LARGE}"', f'"a {LARGE}, b"', f"{LARGE}.5"]


def with_number(number: str) -> str:
    event = {"event_type": OPEN, "id": "x", "time": 1, "properties": {"a": {"list": [1, "N"]}}}
    return dump(event).replace('"N"', number)


LAYOUTS: dict[str, Callable[[list[str]], str]] = {
    "lines": "\n".join,
    "array line": lambda some: f"[{','.join(some)}]",
    "array": lambda some: "[\n" + ",\n".join(some) + "\n]",
    "body": lambda some: '{"events": [\n' + ",\n".join(some) + "\n]}",
    "cut array": lambda some: "[\n" + ",\n".join(some),
    "bodies": lambda some: f'[{{"events":[{",".join(some)}]}}]',
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("number", TOO_LARGE)
def test_large_number_is_refused_by_field(number: str, layout: str) -> None:
    text = LAYOUTS[layout]([dump(ONE), with_number(number), dump(TWO)])
    line = text[: text.index(number)].count("\n") + 1
    error = errors(text)[0]
    assert values(text) == [ONE, TWO]
    assert str(error).startswith(f"f:{line}: properties.a.list[1] is {number[:30]}")
    assert str(error).endswith("a whole number of more than 64 bits; write it as a string")
    assert len(str(error)) < 200


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("number", ["1e400", "-1e400", "1.5E+9999"])
def test_infinite_number_is_refused_by_field(number: str, layout: str) -> None:
    text = LAYOUTS[layout]([dump(ONE), with_number(number), dump(TWO)])
    assert values(text) == [ONE, TWO]
    problem = f"properties.a.list[1] is {number}, a number beyond the range of a 64-bit float"
    assert problem in str(errors(text)[0])


@pytest.mark.parametrize("number", FITTING)
def test_number_that_fits_is_exact(number: str) -> None:
    text = with_number(number)
    assert values(text) == [json.loads(text)]
    assert errors(text) == []


@given(
    st.integers(-(2**70), 2**70) | st.sampled_from([2**64 - 1, 2**64, -(2**63), -(2**63) - 1]),
    json_values,
)
@example(10**30, "1" * 40)
def test_whole_numbers_never_change(number: int, other: Any) -> None:
    value = {"other": other, "list": [[number]]}
    fits = -(2**63) <= number < 2**64
    for item in read(dump(value)):
        assert isinstance(item, Located) == fits
        assert not isinstance(item, Located) or item.value["list"] == [[number]]


@pytest.mark.parametrize("number", TOO_LARGE[:4])
def test_reading_and_encoding_agree(number: str) -> None:
    event = json.loads(with_number(number))
    with pytest.raises(EventError) as caught:
        encode_event(Event.from_dict(event))
    [read_error] = errors(with_number(number))
    assert str(read_error) == f"f:1: {caught.value}"
    assert caught.value.field == "properties.a.list[1]"
    [found] = [each for each in check_event(Catalog.load(), event) if each.field.endswith("[1]")]
    where = f"{found.field} {found.problem.removeprefix('it ')}; {found.expected}"
    assert where == str(caught.value)


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (LARGE, ""),
        (f"[0, {LARGE}]", "[1]"),
        (f'{{"a": [{{"b": {LARGE}}}]}}', "a[0].b"),
        (f'{{"a": 1, "b": {LARGE}, "c": {LARGE}}}', "b"),
        ('{"a": [1e400]}', "a[0]"),
    ],
)
def test_loads_names_the_first_field(raw: str, field: str) -> None:
    with pytest.raises(NumberError) as caught:
        loads(raw.encode())
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field or 'the value'} is 1")


def test_message_cuts_a_long_path() -> None:
    with pytest.raises(NumberError) as caught:
        loads(f'{{"{"k" * 5000}": {LARGE}}}'.encode())
    assert caught.value.field == "k" * 5000
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("raw", [b"{", b"NaN", b'["\\ud800", 1e400]', b"[1e400, NaN", b"\xff"])
def test_loads_refuses_what_is_not_json(raw: bytes) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        loads(raw)


def test_deeply_nested_number_is_refused() -> None:
    text = "[" * 1000 + LARGE + "]" * 1000
    items = list(read_values(io.BytesIO(text.encode())))
    assert items
    assert not any(isinstance(item, Located) for item in items)


@given(json_values)
def test_loads_agrees_with_the_parser(value: Any) -> None:
    raw = orjson.dumps(value)
    assert loads(raw) == orjson.loads(raw)
