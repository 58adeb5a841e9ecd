from __future__ import annotations

import threading
import time

import pytest

from currents_export.delivery import ManualClock, SystemClock


def test_manual_clock_moves_only_forward() -> None:
    clock = ManualClock(100.0)
    clock.advance(5.0)
    clock.advance(-50.0)
    assert clock.now() == 105.0


def test_manual_clock_skips_short_pauses() -> None:
    clock = ManualClock(100.0, skip=10.0)
    clock.skip(110.0)
    assert clock.now() == 110.0
    clock.skip(130.0)
    assert clock.now() == 110.0


def test_manual_clock_is_looked_at_again() -> None:
    clock = ManualClock(100.0)
    assert 0 < clock.timeout(110.0) < 1
    clock.advance(10.0)
    assert clock.timeout(110.0) == 0.0
    assert clock.timeout(None) == threading.TIMEOUT_MAX


def test_system_clock_ignores_time_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    before = clock.now()
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: 0.0)
        assert clock.now() >= before


def test_system_clock_times_out() -> None:
    clock = SystemClock()
    assert clock.timeout(clock.now() - 5.0) == 0.0
    assert 4.0 < clock.timeout(clock.now() + 5.0) <= 5.0
    assert clock.timeout(None) == clock.timeout(float("inf")) == threading.TIMEOUT_MAX
    clock.skip(clock.now() + 1e6)
    assert clock.timeout(clock.now() + 5.0) > 0
