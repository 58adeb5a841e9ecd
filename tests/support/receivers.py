"""Requests for receivers."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import httpx
import orjson

from currents_export.receiver import Receiver
from tests.support.events import event

__all__ = ["HEADERS", "PATIENCE", "Client", "basic", "bearer", "body", "broken"]

#: The headers that Braze sends.
HEADERS = {"Content-Type": "application/json", "Braze-Currents-Version": "1"}
#: Seconds after which a test gives up.
PATIENCE = 20.0

#: A function that makes a client for a receiver in this process.
Client = Callable[[Receiver], httpx.Client]


def body(*events: Any) -> bytes:
    """Return the body of a request with these events."""
    values = [each if isinstance(each, dict) else each.to_dict() for each in events]
    return orjson.dumps({"events": values})


def broken(number: int = 0) -> dict[str, Any]:
    """Return an event with one conformance error."""
    return event(number).to_dict() | {"properties": {"email_address": 7}}


def basic(user: str, password: str = "") -> dict[str, str]:
    """Return the header of HTTP Basic."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    """Return the header of a bearer token."""
    return {"Authorization": f"Bearer {token}"}
