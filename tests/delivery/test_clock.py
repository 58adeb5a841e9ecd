from __future__ import annotations

import threading
import time

import pytest

from currents_export.delivery import ManualClock, SystemClock
from tests.support.senders import PATIENCE


def test_manual_clock_moves_only_forward() -> None:
    clock = ManualClock(100.0)
    clock.advance(5.0)
    clock.advance(-50.0)
    assert clock.now() == 105.0


def test_manual_clock_skips_short_pauses() -> None:
    clock = ManualClock(100.0, skip=10.0)
    condition = threading.Condition()
    with condition:
        clock.pause(condition, 110.0)
        assert clock.now() == 110.0
        clock.pause(condition, 130.0)
        assert clock.now() == 110.0


def test_manual_clock_ends_waits() -> None:
    clock = ManualClock()
    until = clock.now() + 3600.0
    condition = threading.Condition()

    def wait() -> None:
        with condition:
            while clock.now() < until:
                clock.wait(condition, until)

    thread = threading.Thread(target=wait)
    thread.start()
    clock.advance(3600.0)
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_system_clock_ignores_time_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    before = clock.now()
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: 0.0)
        assert clock.now() >= before


def test_system_clock_wait_for_past_time() -> None:
    clock = SystemClock()
    condition = threading.Condition()
    with condition:
        clock.wait(condition, clock.now() - 5.0)
        clock.pause(condition, clock.now() - 5.0)
