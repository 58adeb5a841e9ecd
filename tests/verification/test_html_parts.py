"""The parts of a page: what is side by side, and the geometry of the charts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.verification import Bar, Delays, Rates, Stages
from currents_export.verification._html_charts import duration, funnels, histogram, rate_chart
from currents_export.verification._html_diff import lines_of
from currents_export.verification._sentences import shown_name, value_text
from tests.support.strategies import json_values


def differing(expected: Any, got: Any, **options: Any) -> list[tuple[str | None, str | None]]:
    options = {"personal_data": True} | options
    lines = lines_of({"a": expected}, {"a": got}, **options)
    return [(each.expected, each.got) for each in lines if each.differs]


@pytest.mark.parametrize(
    ("expected", "got", "lines"),
    [
        (1, 1, []),
        ({}, {}, []),
        (1, 2, [('  "a": 1', '  "a": 2')]),
        (1, True, [('  "a": 1', '  "a": true')]),
        (None, "", [('  "a": null', '  "a": ""')]),
        ("a  b", "a b", [('  "a": "a  b"', '  "a": "a b"')]),
        ("a\u00a0b", "a b", [('  "a": "a\\xa0b"', '  "a": "a b"')]),
        ([1, 2], [1], [("    2", None)]),
        ({"b": 1}, {"b": 1, "c": [2]}, [(None, '    "c": ['), (None, "      2"), (None, "    ]")]),
        ({"b": 1}, 1, [('  "a": {', '  "a": 1'), ('    "b": 1', None), ("  }", None)]),
        ({"b": 1}, [], [('  "a": {', '  "a": []'), ('    "b": 1', None), ("  }", None)]),
    ],
)
def test_lines(expected: Any, got: Any, lines: list[Any]) -> None:
    assert differing(expected, got) == lines


def test_long_texts_are_shown_where_they_differ() -> None:
    ((one, other),) = differing("x" * 1000 + "1", "x" * 1000 + "2")
    assert one == f'  "a": "... {"x" * 40}1"'
    assert other == f'  "a": "... {"x" * 40}2"'


def test_masked_texts_differ() -> None:
    pair = ('  "a": "(3 characters)"', '  "a": "(3 characters)"')
    assert differing("one", "two", personal_data=False) == [pair]
    lines = lines_of({"time": "9"}, {"time": "10"}, personal_data=False)
    assert ('  "time": "9"', '  "time": "10"', True, 0) in lines


@given(
    expected=st.dictionaries(st.text(), json_values),
    got=st.dictionaries(st.text(), json_values),
    personal_data=st.booleans(),
)
def test_both_sides_are_whole(
    expected: dict[str, Any], got: dict[str, Any], personal_data: bool
) -> None:
    """Equal sides have no differing line, and changing sides changes sides."""
    same = lines_of(expected, expected, personal_data=personal_data)
    assert not any(each.differs for each in same)
    lines = lines_of(expected, got, personal_data=personal_data)
    for each in lines:
        assert each.differs or each.expected == each.got
        assert "\n" not in f"{each.expected}{each.got}"
    if len(lines) < 400:
        left = [each.expected for each in lines if each.expected is not None]
        assert left[0] == "{"
        assert left[-1] == "}"


@given(st.text())
def test_names_are_safe(text: str) -> None:
    assert shown_name(text).isprintable()
    assert value_text(text).isprintable()
    assert len(shown_name(text * 300)) < 2500


def test_values_that_are_no_json() -> None:
    assert value_text(10**5000) == "a value of type int"
    assert value_text({"a": "é"}) == '{"a": "é"}'
    assert value_text("x" * 1000) == f'"{"x" * 200}... (1,000 characters)"'


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.0004, "0.4 ms"),
        (0.25, "250 ms"),
        (0.9999, "1 s"),
        (92.44, "92.4 s"),
        (599, "599 s"),
        (1000, "16.7 min"),
        (7200, "2 h"),
        (172_800, "2 d"),
        (-3, "-3 s"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def delays(*bars: tuple[float | None, int]) -> Delays:
    return Delays(0.7, 4.0, 9.0, 10, tuple(Bar(*each) for each in bars))


def test_histogram() -> None:
    chart = histogram(delays((0.1, 0), (1, 4), (2, 0), (5, 1), (None, 0)))
    assert chart is not None
    assert [each.text for each in chart.columns] == [
        "100 ms to 1 s: 4",
        "1 s to 2 s: 0",
        "2 s to 5 s: 1",
    ]
    assert [each.height for each in chart.columns] == [100, 0, 25]
    assert [each.text for each in chart.ticks] == ["1 s", "2 s", "5 s"]
    # Two thirds of the first of three bars, and of the last one.
    assert [round(each.at) for each in chart.marks] == [22, 89]


def test_histogram_with_an_open_end() -> None:
    chart = histogram(delays((0.5, 1), (None, 1_000_000)))
    assert chart is not None
    assert [each.text for each in chart.columns] == [
        "up to 500 ms: 1",
        "more than 500 ms: 1,000,000",
    ]
    assert chart.columns[0].height == 0.6  # it can be seen
    assert [each.at for each in chart.marks] == [75, 75]


def test_empty_charts() -> None:
    assert histogram(delays((1, 0))) is None
    assert histogram(delays()) is None
    assert rate_chart(Rates(0, 1, (0,), (0,))) is None
    assert funnels({}) == (None, [])


@pytest.mark.parametrize(
    ("step", "labels"),
    [
        (1, ["12:00:00", "12:00:02", "12:00:04"]),
        (1800, ["12:00", "13:00", "14:00"]),
        (20_000, ["01 Jul 12:00", "01 Jul 23:06", "02 Jul 10:13"]),
        (86_400, ["01 Jul", "03 Jul", "05 Jul"]),
        (1e15, ["01 Jul", "2000001782907200", "4000001782907200"]),
    ],
)
def test_rates(step: float, labels: list[str]) -> None:
    chart = rate_chart(Rates(1_782_907_200, step, (1, 2, 4, 0, 1), (0, 4, 4, 0, 0)))
    assert chart is not None
    assert [each.text for each in chart.ticks] == labels
    assert [each.height for each in chart.columns] == [25, 50, 100, 0, 25]
    assert chart.line.split()[:4] == ["0.0,1000.0", "200.0,1000.0", "200.0,0.0", "400.0,0.0"]


def test_rates_without_arrivals() -> None:
    chart = rate_chart(Rates(0, 1, (1,), (0,)))
    assert chart is not None
    assert chart.line == ""


def test_funnels_are_sorted_by_loss() -> None:
    whole, parts = funnels(
        {
            "few": Stages(10, None, 10, 10),
            "many": Stages(90, None, 90, 90),
            "lost": Stages(3000, None, 3000, 2999),
            "none": Stages(5, None, 0, 0),
        }
    )
    assert [each.name for each in parts] == ["lost", "many", "few", "none"]
    assert [each.arrived for each in parts] == [99.9, 100, 100, None]
    assert whole is not None
    assert [(each.name, each.number) for each in whole.stages] == [
        ("sent", 3105),
        ("should arrive", 3100),
        ("arrived", 3099),
    ]
