"""Fixtures for the tests of the receiver."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from currents_export.receiver import AppTransport
from tests.support.receivers import HEADERS, PATIENCE, Client


@pytest.fixture
def client() -> Iterator[Client]:
    """Make clients of a receiver in this process, with the headers that Braze sends."""
    with ExitStack() as stack:
        yield lambda receiver: stack.enter_context(
            httpx.Client(
                transport=AppTransport(receiver.app),
                base_url="http://127.0.0.1",
                headers=HEADERS,
                timeout=PATIENCE,
            )
        )
