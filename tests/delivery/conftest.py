"""Fixtures for the tests of delivery."""

from __future__ import annotations

import pytest

from currents_export.delivery import ManualClock
from tests.support.senders import PATIENCE, HookLog
from tests.support.servers import Responding


@pytest.fixture
def log() -> HookLog:
    """Return a log of what a sender passes to its hooks."""
    return HookLog()


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that skips the waits between attempts."""
    return ManualClock(skip=PATIENCE)


@pytest.fixture
def ok() -> Responding:
    """Return a transport that responds 200 to every request."""
    return Responding(lambda _: 200)
