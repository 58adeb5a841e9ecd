from __future__ import annotations

import pytest

from currents_export.receiver.page._rates import SECONDS, Latencies, Rates


def test_rate_is_the_mean_of_complete_seconds() -> None:
    rates = Rates()
    for second in range(100, 105):
        rates.add(second + 0.5, failed=False, types=["a", "a", "b"])
    value = rates.to_dict(105.9)
    assert value["events_per_second"] == 3
    assert value["requests_per_second"] == 1
    assert [(each["type"], each["per_second"]) for each in value["types"]] == [("a", 2), ("b", 1)]
    assert value["events"][-7:] == [0, 3, 3, 3, 3, 3, 0]
    assert len(value["events"]) == SECONDS


def test_failed_requests_and_old_seconds() -> None:
    rates = Rates()
    rates.add(10.0, failed=True, types=[])
    rates.add(9.0, failed=False, types=["a"])  # the clock was set back
    assert rates.to_dict(10.0)["failed"][-1] == 1
    assert rates.to_dict(10.0)["events"][-1] == 1
    assert sum(rates.to_dict(10.0 + SECONDS)["requests"]) == 0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], (None, None, None)),
        ([5.0], (5, 5, 5)),
        (range(1, 101), (50, 95, 99)),
        ([1.0, 2.0], (1, 2, 2)),
    ],
)
def test_percentiles(values: list[float], expected: tuple[float | None, ...]) -> None:
    latencies = Latencies()
    for each in values:
        latencies.add(each)
    assert tuple(latencies.to_dict().values()) == expected
