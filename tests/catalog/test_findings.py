"""Findings as lines, objects and codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pytest

from currents_export.catalog import Catalog, Finding, FindingCode, check_event
from tests.support.events import EVENT_ID, OPEN, good_event
from tests.support.strategies import Unshowable

NEWEST = Catalog.load()


def late() -> Finding:
    [found] = check_event(NEWEST, good_event(NEWEST[OPEN]) | {"time": 0})
    return found


def test_finding_as_a_line() -> None:
    assert str(late()) == (
        f"error: {OPEN} {EVENT_ID}: time: it is 0; it must be after the Unix epoch"
    )


def test_finding_as_an_object() -> None:
    found = late()
    assert found.to_dict() == {
        "level": "error",
        "event_type": OPEN,
        "event_id": EVENT_ID,
        "field": "time",
        "problem": "it is 0",
        "expected": "it must be after the Unix epoch",
        "code": "impossible_time",
    }
    assert orjson.loads(orjson.dumps(found.to_dict())) == found.to_dict()
    assert Finding(**found.to_dict()) == found  # type: ignore[arg-type]


def test_unknown_code_is_refused() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        Finding("error", None, None, "", "", "", "nonsense")


@pytest.mark.parametrize("code", FindingCode)
def test_codes_have_descriptions_and_levels(code: FindingCode) -> None:
    assert code == code.value == str(code) == code.name.lower()
    assert code.description[0].islower()
    assert code.level in ("error", "warning")


@pytest.mark.parametrize(
    ("value", "shown"), [(None, "null"), ([1], "[1]"), ("x", '"x"'), (Unshowable(), "Unshowable")]
)
def test_not_an_object(value: Any, shown: str) -> None:
    [found] = check_event(NEWEST, value)
    assert found.code == "not_an_object"
    assert str(found).startswith("error: the event is ")
    assert str(found).endswith("; it must be a JSON object")
    assert shown in found.problem


def test_any_mapping_is_an_event() -> None:
    class Table(Mapping[str, Any]):
        def __getitem__(self, key: str) -> Any:
            return good_event(NEWEST[OPEN])[key]

        def __iter__(self) -> Iterator[str]:
            return iter(good_event(NEWEST[OPEN]))

        def __len__(self) -> int:
            return 5

    assert check_event(NEWEST, Table()) == []
