"""The type, id, time and parts that every event has."""

from __future__ import annotations

import math
from typing import Any

import pytest

from currents_export.catalog import Catalog, FindingCode
from currents_export.errors import EventError
from currents_export.events import Event
from tests.support.events import EVENT_ID, OPEN, good_event
from tests.support.findings import Found, found_in

NEWEST = Catalog.load()


def changed(**values: Any) -> dict[str, Any]:
    """Make a good event with some of its top-level keys changed."""
    return good_event(NEWEST[OPEN]) | values


@pytest.mark.parametrize("key", ["event_type", "id"])
@pytest.mark.parametrize(
    ("value", "code", "problem"),
    [
        ("", "missing", 'it is ""'),
        (None, "missing", "it is null"),
        (5, "wrong_type", "it is 5"),
        ([], "wrong_type", "it is []"),
    ],
)
def test_type_and_id_are_text(key: str, value: Any, code: str, problem: str) -> None:
    expected = "it must be a non-empty string"
    assert found_in(changed(**{key: value})) == [(code, key, problem, expected)]


@pytest.mark.parametrize("key", ["event_type", "id", "time"])
def test_missing_key(key: str) -> None:
    event = changed()
    del event[key]
    [found] = found_in(event)
    assert found[:3] == ("missing", key, "it is missing")


def test_id_is_a_uuid() -> None:
    [found] = found_in(changed(id="abc"))
    assert found[:3] == ("bad_format", "id", 'it is "abc"')
    assert found.expected.startswith("Braze sends a UUID")
    assert found_in(changed(id=EVENT_ID.upper())) == []


WHOLE = "it must be whole seconds since the Unix epoch"
NO_POINT = "it must be whole seconds, written without a decimal point"


@pytest.mark.parametrize(
    ("time", "code", "problem", "expected"),
    [
        (None, "missing", "it is null", WHOLE),
        ("1700000000", "wrong_type", 'it is "1700000000"', WHOLE),
        (True, "wrong_type", "it is true", WHOLE),
        (1.5, "wrong_type", "it is 1.5", WHOLE),
        (math.nan, "wrong_type", "it is NaN", WHOLE),
        (math.inf, "wrong_type", "it is Infinity", WHOLE),
        (1_782_907_200.0, "wrong_type", "it is 1782907200.0", NO_POINT),
        (0, "impossible_time", "it is 0", "it must be after the Unix epoch"),
        (-5, "impossible_time", "it is -5", "it must be after the Unix epoch"),
        (
            1_700_000_000_000,
            "impossible_time",
            "it is 1700000000000, far in the future",
            "it must be seconds: 1700000000 if these are milliseconds",
        ),
        (
            10**15,
            "impossible_time",
            "it is 1000000000000000, far in the future",
            "it must be seconds",
        ),
        (
            10**5000,
            "impossible_time",
            "it is a value of type int, far in the future",
            "it must be seconds",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_bad_time(time: Any, code: str, problem: str, expected: str) -> None:
    assert found_in(changed(time=time)) == [(code, "time", problem, expected)]
    assert FindingCode(code).level == "error"


@pytest.mark.parametrize("time", [1, 1_782_907_200, 99_999_999_999])
def test_good_time(time: int) -> None:
    assert found_in(changed(time=time)) == []


@pytest.mark.parametrize("time", [1_782_907_200.0, 1.5, "1", True, None])
def test_event_refuses_the_same_times(time: Any) -> None:
    assert found_in(changed(time=time))
    with pytest.raises(EventError, match="time is"):
        Event.from_dict(changed(time=time))


@pytest.mark.parametrize("part", ["user", "properties"])
@pytest.mark.parametrize(("value", "shown"), [(None, "null"), ([], "[]"), ("x", '"x"')])
def test_part_is_an_object(part: str, value: Any, shown: str) -> None:
    event = good_event(NEWEST["users.messages.sms.Abort"]) | {part: value}
    expected = Found("not_an_object", part, f"it is {shown}", "it must be an object")
    assert expected in found_in(event)


def test_missing_part_is_missing_fields() -> None:
    event = changed()
    del event["properties"]
    required = [path for path, field in NEWEST[OPEN].fields.items() if field.required]
    assert [found.field for found in found_in(event)] == [
        path for path in required if path.startswith("properties.")
    ]


def test_unknown_keys_in_their_order() -> None:
    found = found_in(changed(zzz=1, aaa=2, mmm=3))
    assert [each[:3] for each in found] == [
        ("unknown_key", name, "the key is not known") for name in ("zzz", "aaa", "mmm")
    ]


def test_long_value_is_cut_short() -> None:
    [found] = found_in(changed(time="x" * 10_000))
    assert len(found.problem) < 80
