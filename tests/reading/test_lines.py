"""JSON Lines, read line by line as a stream."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from currents_export.errors import ReadError
from currents_export.reading import Located, read_values
from tests.support.reading import ONE, THREE, TWO, dump, errors, places, read


@pytest.mark.parametrize("nothing", ["", "\n", " \n\n\t\n", "\ufeff", "\ufeff\n", "[]", "[\n]"])
def test_nothing_has_no_events(nothing: str) -> None:
    assert read(nothing) == []


def test_lines_are_numbered() -> None:
    text = f"\n{dump(ONE)}\n\n{dump(TWO)}\r\n   {dump(THREE)}"
    assert places(text) == [(ONE, 2), (TWO, 4), (THREE, 5)]
    assert errors(text) == []


def test_line_may_be_array_or_body() -> None:
    text = f"{dump([ONE, TWO])}\n{dump({'events': [THREE]})}\n{dump(ONE)}\n"
    assert places(text) == [(ONE, 1), (TWO, 1), (THREE, 2), (ONE, 3)]


def test_line_may_hold_several_values() -> None:
    assert places(f"{dump(ONE)}{dump(TWO)}\n{dump(THREE)}") == [(ONE, 1), (TWO, 1), (THREE, 2)]


def test_byte_order_mark_is_skipped() -> None:
    text = f"\ufeff{dump(ONE)}\n{dump(TWO)}"
    assert places(text) == [(ONE, 1), (TWO, 2)]
    assert errors(text) == []


def test_lines_are_streamed() -> None:
    def lines() -> Iterator[bytes]:
        yield dump(ONE).encode()
        yield dump(TWO).encode()
        pytest.fail("read too far ahead")

    items = read_values(lines())
    assert [next(items), next(items)] == [Located(ONE, "<input>", 1), Located(TWO, "<input>", 2)]


def test_broken_first_line_is_streamed() -> None:
    def lines() -> Iterator[bytes]:
        yield b"{broken}\n"
        yield dump(TWO).encode()
        pytest.fail("read too far ahead")

    items = read_values(lines())
    assert isinstance(next(items), ReadError)
    assert next(items) == Located(TWO, "<input>", 2)
