"""The work of reading is proportional to the length of the input, broken or not.

The work is the number of characters that the parser is given, and that the search for the end of a
value goes through. No clock is involved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from currents_export.reading import _brackets, _documents, _lines, _recovery, read_values

#: How often each character may be processed; the known maximum is six times.
TIMES = 8

EVENT = '{"event_type":"a","id":"b","time":1,"properties":{"a":[1,{"b":2}]}}'

UNITS = [
    "{\n",
    "[\n",
    "[",
    "{",
    '{"a":',
    '{"a":\n',
    '[\n{"a":[',
    '{"a": "x\n',
    '"\n',
    '"',
    "x",
    "[{",
    "[{]}",
    '\\"',
    '{"id":1,x},',
    f"{EVENT},",
    f"{EVENT},\n",
    f"{EVENT[:-1]},",
    f"{EVENT[:-1]},\n",
    '{"id":1,{"id":1},',
    '{"a":"x,{"event_type":"x,',
    '{"event_type":1,',
    '{"events":[',
    '{"events":[{x},',
    "1 ",
    ",",
    "}",
    ",\n ",
    '{"n":123456789012345678901234567890},',
    '{"n":1e400},\n',
    "{\n[1],\n[\n2]\n},\n",
    '{"a":[1,\n',
    '{"a":[1,{"event_type":"x"},',
]


class Work:
    """Count the characters that reading processes."""

    def __init__(self) -> None:
        self.done = 0

    def parse(self, real: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
        def parse(raw: bytes) -> Any:
            self.done += len(raw)
            return real(raw)

        return parse

    def search(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def search(raw: bytes, begin: int, *args: Any, **options: Any) -> Any:
            found = real(raw, begin, *args, **options)
            self.done += (found[0] if isinstance(found, tuple) else found) - begin
            return found

        return search


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    counted = Work()
    for module in (_documents, _lines, _recovery):
        monkeypatch.setattr(module, "parse", counted.parse(module.parse))
    for module in (_documents, _recovery):
        monkeypatch.setattr(module, "end_of_value", counted.search(module.end_of_value))
    monkeypatch.setattr(_recovery, "next_start", counted.search(_brackets.next_start))
    return counted


def read(work: Work, text: str) -> float:
    """Return how often each character of the text is processed."""
    work.done = 0
    raw = text.encode()
    lines: Iterator[bytes] = iter(raw.splitlines(keepends=True))
    for _ in read_values(lines):
        pass
    return work.done / len(raw)


@pytest.mark.parametrize("start", ["", "[", "[\n", '{"events":[', "{}\n", "{x}\n"])
@pytest.mark.parametrize("end", ["", "x" + "}" * 500, "x" + "]}" * 500])
@pytest.mark.parametrize("unit", UNITS)
def test_work_is_linear(unit: str, start: str, end: str, work: Work) -> None:
    assert read(work, start + unit * 500 + end) < TIMES


@given(
    st.lists(st.sampled_from([*UNITS, *'{}[],:"\n ', "]}", '"a":', "null"]), min_size=1, max_size=4)
)
@example(["{"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_work_is_linear_for_any_units(work: Work, units: list[str]) -> None:
    assert read(work, "[" + "".join(units) * 200) < TIMES


def test_each_broken_line_is_one_error(work: Work) -> None:
    lines = [b"{\n"] * 5000
    assert len(list(read_values(lines))) == 5000
    assert work.done < TIMES * 2 * 5000
