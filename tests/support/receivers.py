"""Requests for receivers."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import Callable, Iterable
from typing import Any

import httpx
import orjson

from currents_export.receiver._endpoint import Endpoint
from tests.support.events import event

__all__ = [
    "HEADERS",
    "PATIENCE",
    "Client",
    "basic",
    "bearer",
    "body",
    "broken",
    "connect",
    "post_in_parts",
]

#: The headers that Braze sends.
HEADERS = {"Content-Type": "application/json", "Braze-Currents-Version": "1"}
#: Seconds after which a test gives up.
PATIENCE = 20.0

#: A function that makes a client for a receiver in this process.
Client = Callable[[Endpoint], httpx.Client]


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


def connect(url: str) -> socket.socket:
    """Open a connection to a receiver, on which reading gives up in the end."""
    return socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=PATIENCE)


def post_in_parts(
    receiver: Endpoint, parts: Iterable[bytes], headers: dict[str, str] | None = None
) -> tuple[int, str, int]:
    """Post a body in parts, in this process; one that never ends after the last part.

    Returns:
        The status and the text of the response, and how many parts the receiver asked for.
    """
    left = iter(parts)
    taken = 0
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        nonlocal taken
        for part in left:
            taken += 1
            return {"type": "http.request", "body": part, "more_body": True}
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [
            (name.lower().encode(), value.encode())
            for name, value in (HEADERS | (headers or {})).items()
        ],
    }
    asyncio.run(asyncio.wait_for(receiver.app(scope, receive, send), PATIENCE))
    text = b"".join(each.get("body", b"") for each in sent).decode()
    return sent[0]["status"], text, taken
