"""Events as lines, with findings, and with personal data masked."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.catalog import Catalog, check_event
from currents_export.receiver.page._lines import MOST_LINES, lines_of, visible
from currents_export.receiver.page._personal import Masks
from tests.support.events import event
from tests.support.receivers import broken

MASKS = Masks(Catalog.load())

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=20,
)


def written(lines: list[dict[str, Any]]) -> str:
    return "".join((f"{line['key']}: " if "key" in line else "") + line["text"] for line in lines)


@given(JSON)
def test_lines_are_the_value(value: Any) -> None:
    lines = lines_of(value)
    assert orjson.loads(written(lines)) == value
    assert all(line["text"].isprintable() for line in lines)


def test_invisible_characters_are_escapes() -> None:
    value = {"a\u202eb": "x\u202ey\x00\u200f\x9b</script>"}
    text = written(lines_of(value))
    assert "\\u202e" in text
    assert text.isprintable()
    assert "</script>" in text
    assert visible("a\u2066b\nc") == "a\\u2066b\\nc"


def test_long_values_are_cut() -> None:
    (line,) = lines_of("x" * 1_000_000)
    assert line["text"].endswith("… and 998,000 more characters")
    assert len(line["text"]) < 2100
    lines = lines_of(list(range(100_000)))
    assert len(lines) == MOST_LINES + 1
    assert lines[-1]["kind"] == "more"


def test_deep_nesting() -> None:
    value: Any = 1
    for _ in range(1000):
        value = [value]
    lines = lines_of(value)
    assert max(line["depth"] for line in lines) == 24
    assert len(lines) == 2001


def test_findings_mark_their_fields() -> None:
    value = broken()
    lines = lines_of(value, check_event(Catalog.load(), value))
    marked = {line["key"]: line for line in lines if "marks" in line}
    assert marked['"email_address"']["marks"][0]["code"] == "wrong_type"
    assert "7" in marked['"email_address"']["marks"][0]["text"]


def test_missing_fields_get_lines() -> None:
    value = event().to_dict()
    del value["id"], value["properties"]["email_address"]
    lines = lines_of(value, check_event(Catalog.load(), value))
    missing = {line["key"]: line for line in lines if line["kind"] == "missing"}
    assert set(missing) >= {"id"}
    assert all(line["marks"] for line in missing.values())


@pytest.mark.parametrize("value", [7, "text", [], {}, [{"a": 1}]])
def test_any_value_with_findings(value: Any) -> None:
    lines = lines_of(value, check_event(Catalog.load(), value))
    assert sum(len(line.get("marks", ())) for line in lines) >= 1


def test_personal_data_is_masked() -> None:
    value = event(7).to_dict()
    value["properties"]["note"] = "write to Anna.Lee@example.com or +49 30 1234567 soon"
    value["properties"]["traits"] = {"anything": "Anna Lee", "age": 7}
    value["user"]["timezone"] = "Europe/Berlin"
    findings = check_event(Catalog.load(), value)
    text = written(lines_of(value, findings, masks=MASKS))
    shown = text + str([line.get("marks") for line in lines_of(value, findings, masks=MASKS)])
    for secret in ("user7@", "example.com", "user-7", f"{7:024x}", "Anna", "1234567"):
        assert secret not in shown
    assert "Europe/Berlin" in text
    assert MASKS.tag("user-7") in text
    assert "user7@example.com" in written(lines_of(value))


def test_masked_findings_do_not_quote() -> None:
    value = broken() | {"time": "secret-time"}
    marks = [
        mark
        for line in lines_of(value, check_event(Catalog.load(), value), masks=MASKS)
        for mark in line.get("marks", ())
    ]
    assert marks
    assert "secret-time" not in str(marks)


def test_tags_differ_between_pages() -> None:
    assert Masks(Catalog.load()).tag("a") != MASKS.tag("a") != MASKS.tag("b")
    assert MASKS.tag("a") == MASKS.tag("a")
