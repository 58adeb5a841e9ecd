from __future__ import annotations

import pytest

from currents_export.cli._wording import counted


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 events"), (1, "1 event"), (2, "2 events"), (1000, "1,000 events")],
)
def test_noun_agrees_with_its_number(number: int, text: str) -> None:
    assert counted(number, "event") == text


def test_irregular_plural() -> None:
    assert [counted(each, "retry", "retries") for each in (1, 2)] == ["1 retry", "2 retries"]
