from __future__ import annotations

from typing import Any

import pytest

from currents_export.delivery import Sender
from currents_export.errors import OptionError
from tests.support.currents import custom


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(name, value) for name in ("batch_size", "concurrency") for value in (0, 2.5, "3", True)],
        ("max_pending_events", -1),
        ("max_pending_bytes", None),
        *[("timeout", value) for value in (0, float("inf"), float("nan"), 1e12, None, "1", True)],
        ("max_age", -1.0),
        ("max_retry_after", 0),
        ("pause_after", 0),
    ],
)
def test_invalid_option_is_named(name: str, value: object) -> None:
    options: dict[str, Any] = {name: value}
    with pytest.raises(OptionError, match=f"{name} is {value!r}; it must be"):
        Sender(custom(), **options)
