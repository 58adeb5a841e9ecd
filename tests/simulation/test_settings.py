"""The values of settings, and how they are written."""

from __future__ import annotations

import datetime
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.errors import OptionError
from currents_export.simulation._settings import (
    Delay,
    TimePoint,
    to_action,
    to_actions,
    to_behavior,
    to_delay,
    to_duration,
    to_moment,
    to_share,
    to_time_of_day,
    to_time_point,
    to_wall_time,
)
from tests.support.strategies import garbage

CONVERTERS = (
    to_action,
    to_actions,
    to_behavior,
    to_delay,
    to_duration,
    to_moment,
    to_share,
    to_time_of_day,
    to_time_point,
    to_wall_time,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("5m", 300),
        ("2h", 7200),
        ("1d", 86400),
        ("1w", 604800),
        (" 1.5 h ", 5400),
        (7, 7),
        (0, 0),
        (1.6, 2),
        ("0s", 0),
    ],
)
def test_duration(text: Any, seconds: int) -> None:
    assert to_duration(text) == seconds
    assert type(to_duration(text)) is int


@pytest.mark.parametrize(
    "text", ["", "h", "5", "5x", "-5m", "5m 3s", -1, True, None, float("nan"), 10**400, "9" * 5000]
)
def test_duration_is_checked(text: Any) -> None:
    with pytest.raises(OptionError, match="such as 90s, 5m, 2h or 1d"):
        to_duration(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("00:00", 0),
        ("08:30", 30600),
        ("23:59:59", 86399),
        (datetime.time(8, 30), 30600),
        (86399, 86399),
    ],
)
def test_time_of_day(text: Any, seconds: int) -> None:
    assert to_time_of_day(text) == seconds


@pytest.mark.parametrize("text", ["24:00", "8:30", "08:60", "", 86_400, -1, True, None, 1.5])
def test_time_of_day_is_checked(text: Any) -> None:
    with pytest.raises(OptionError, match="not a time of day; it looks like 08:30"):
        to_time_of_day(text)


_ZONED = datetime.datetime(2026, 3, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))


@pytest.mark.parametrize(
    ("value", "time"),
    [
        ("2026-03-01T00:00:00Z", 1_772_323_200),
        ("2026-03-01", 1_772_323_200),
        (datetime.date(2026, 3, 1), 1_772_323_200),
        (_ZONED.replace(tzinfo=None), 1_772_326_800),
        (_ZONED, 1_772_323_200),
    ],
)
def test_time(value: Any, time: int) -> None:
    assert to_time_point(value) == TimePoint(time=time)
    assert to_time_point(value).at(5) == time
    assert to_moment(value) == time


def test_time_after_the_start() -> None:
    assert to_time_point("2h") == to_time_point(7200) == TimePoint(after=7200)
    assert to_time_point("2h").at(1000) == 8200


@pytest.mark.parametrize("value", ["noon", -1, None, True, "1960-01-01", datetime.date(2200, 1, 1)])
def test_time_is_checked(value: Any) -> None:
    with pytest.raises(OptionError):
        to_time_point(value)
    with pytest.raises(OptionError):
        to_moment(value)


def test_moment_is_not_a_duration() -> None:
    assert to_moment(1_772_323_200) == 1_772_323_200
    with pytest.raises(OptionError, match="'2h' is not a time between 1970 and 2106"):
        to_moment("2h")


def test_delay_of_one_duration() -> None:
    delay = to_delay("2h")
    assert {delay.at(share) for share in (0.0, 0.5, 0.999)} == {7200}
    assert to_delay(7200) == delay == to_delay(delay)


@pytest.mark.parametrize(
    ("text", "share", "seconds"),
    [
        ("1s 5%, 3s 50%, 10m 100%", 0.0, 0),
        ("1s 5%, 3s 50%, 10m 100%", 0.05, 1),
        ("1s 5%, 3s 50%, 10m 100%", 0.5, 3),
        ("1s 5%, 3s 50%, 10m 100%", 0.75, 301),
        ("10s 0%, 20s 100 %", 0.0, 10),
        ("10s 0%, 20s 100 %", 0.5, 15),
        ("1m 100%", 0.3, 60),
    ],
)
def test_delay_by_quantiles(text: str, share: float, seconds: int) -> None:
    assert to_delay(text).at(share) == seconds


@given(st.lists(st.tuples(st.integers(1, 99), st.integers(0, 9999)), max_size=5), st.data())
def test_delay_ascends(points: list[tuple[int, int]], data: st.DataObject) -> None:
    shares = [*sorted({share for share, _ in points}), 100]
    seconds = sorted(data.draw(st.integers(0, 9999)) for _ in shares)
    text = ", ".join(f"{each}s {share}%" for share, each in zip(shares, seconds, strict=True))
    delay = to_delay(text)
    found = [delay.at(number / 200) for number in range(200)]
    assert found == sorted(found)
    assert 0 <= found[0] <= found[-1] <= seconds[-1]
    for share, each in zip(shares[:-1], seconds, strict=False):
        assert abs(delay.at(share / 100) - each) <= 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1s 5%",
        "1s 50%, 2s 40%, 3s 100%",
        "3s 50%, 2s 100%",
        "1s 50%, 2s 50%, 3s 100%",
        "1s 101%",
        "x 50%, 2s 100%",
        "1s 50% 2s 100%",
        None,
        True,
        [],
        {},
    ],
)
def test_delay_is_checked(text: Any) -> None:
    with pytest.raises(OptionError, match="is not a delay"):
        Delay.parse(text)


@pytest.mark.parametrize("convert", CONVERTERS)
@given(value=garbage)
def test_garbage_is_refused(convert: Any, value: Any) -> None:
    """A converter accepts a value, and then also what it made of it, or raises its error."""
    try:
        made = convert(value)
    except OptionError:
        return
    assert convert(made) == made


def test_values_can_be_pickled() -> None:
    for value in (to_delay("2h"), to_time_point("2h")):
        assert pickle.loads(pickle.dumps(value)) == value
