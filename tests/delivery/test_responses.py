from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.delivery import Action, Response
from currents_export.delivery._responses import decide, retry_after

TABLE = [
    (200, Action.DELIVERED),
    (202, Action.DELIVERED),
    (204, Action.DELIVERED),
    (299, Action.DELIVERED),
    (100, Action.RETRY),
    (301, Action.RETRY),
    (302, Action.RETRY),
    (304, Action.RETRY),
    (307, Action.RETRY),
    (308, Action.RETRY),
    (400, Action.SPLIT_TO_ONES),
    (401, Action.PAUSE),
    (402, Action.RETRY),
    (403, Action.PAUSE),
    (404, Action.PAUSE),
    (405, Action.RETRY),
    (408, Action.RETRY),
    (410, Action.RETRY),
    (413, Action.SPLIT_SMALLER),
    (418, Action.RETRY),
    (422, Action.RETRY),
    (429, Action.RETRY),
    (500, Action.RETRY),
    (502, Action.RETRY),
    (503, Action.RETRY),
    (504, Action.RETRY),
    (599, Action.RETRY),
    (None, Action.RETRY),
]


@pytest.mark.parametrize(("status", "action"), TABLE)
def test_each_status_has_its_action(status: int | None, action: Action) -> None:
    assert decide(status, size=100, split_off=False) is action


@pytest.mark.parametrize(
    ("status", "size", "split_off", "action"),
    [
        (400, 1, False, Action.SPLIT_TO_ONES),  # the only event in its queue is sent once more
        (400, 1, True, Action.DROP),
        (413, 2, False, Action.SPLIT_SMALLER),
        (413, 1, False, Action.DROP),
        (413, 1, True, Action.DROP),
        (500, 1, True, Action.RETRY),
        (200, 1, True, Action.DELIVERED),
        (401, 1, True, Action.PAUSE),
    ],
)
def test_single_event(status: int, size: int, split_off: bool, action: Action) -> None:
    assert decide(status, size=size, split_off=split_off) is action


@given(st.integers(100, 599) | st.none(), st.integers(1, 100))
def test_statuses_that_drop_a_single_event(status: int | None, size: int) -> None:
    split_off = size == 1
    assert (decide(status, size=size, split_off=split_off) is Action.DROP) == (
        size == 1 and status in (400, 413)
    )


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("0.5", 0.5),
        ("1_0", None),
        ("1e3", None),
        ("\u0661", None),
        (" 7 ", 7.0),
        ("Wed, 21 Oct 2015 07:30:00 GMT", 120.0),
        ("Wednesday, 21-Oct-15 07:30:00 GMT", 120.0),
        ("Wed Oct 21 07:30:00 2015", 120.0),
        ("Wed, 21 Oct 2015 09:30:00 +0200", 120.0),
        ("1767225600", 3600.0),
        ("9" * 400, 3600.0),
        ("Thu, 22 Oct 2015 07:30:00 GMT", 3600.0),
        ("0", None),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        ("Wed, 21 Oct 2015 07:20:00 GMT", None),
        ("Wed, 99 Oct 2015 07:20:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_date(header: str, seconds: float | None) -> None:
    headers = {"retry-after": header, "date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    assert retry_after(headers, now=0.0, most=3600.0) == seconds


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_asctime_is_gmt(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        headers = {"retry-after": "Wed Jul  1 12:01:00 2026"}
        assert retry_after(headers, now=1_782_907_200.0, most=3600.0) == 60.0
    finally:
        monkeypatch.undo()
        time.tzset()


def test_retry_after_date_without_date_header() -> None:
    headers = {"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}
    assert retry_after(headers, now=40.0, most=3600.0) == 60.0


def test_no_retry_after() -> None:
    assert retry_after({}, now=0.0, most=3600.0) is None


@given(st.text() | st.integers().map(str), st.floats(0.001, 1e6))
def test_any_retry_after_is_bounded(header: str, most: float) -> None:
    seconds = retry_after({"retry-after": header}, now=0.0, most=most)
    assert seconds is None or 0 < seconds <= most


@pytest.mark.parametrize(
    ("response", "text"),
    [
        (Response(503), "503"),
        (Response(503, "busy"), "503: busy"),
        (Response(None, "refused"), "network error: refused"),
    ],
)
def test_response_as_text(response: Response, text: str) -> None:
    assert str(response) == text
