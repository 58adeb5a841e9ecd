"""Fixtures for the tests of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from currents_export.receiver import AppTransport
from currents_export.receiver.page import Page
from tests.support.receivers import HEADERS, PATIENCE

URL = "http://127.0.0.1:8080"


class Browser:
    """A client of a page and of its receiver, in this process."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def send(self, body: bytes, *, path: str = "/", **headers: str) -> httpx.Response:
        """Send a request as a Current does."""
        return self.client.post(path, content=body, headers={**HEADERS, **headers})

    def ask(self, path: str, **parameters: Any) -> Any:
        """Return what the page gets from a path."""
        response = self.client.get(f"/_page/api/{path}", params=parameters)
        assert response.status_code == 200, response.text
        return response.json()

    def act(self, path: str, value: Any = None) -> httpx.Response:
        """Do what a button of the page does."""
        return self.client.post(f"/_page/api/{path}", json=value or {}, headers={"Origin": URL})


@pytest.fixture
def browse() -> Iterator[Callable[[Page], Browser]]:
    """Make browsers of pages."""
    with ExitStack() as stack:

        def make(page: Page) -> Browser:
            transport = AppTransport(page.app)
            client = httpx.Client(transport=transport, base_url=URL, timeout=PATIENCE)
            return Browser(stack.enter_context(client))

        yield make
