"""Server-sent events: what is new, a few times a second at most."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

__all__ = ["EventStream"]

#: Seconds between two looks at what is new, and the most looks without a message, after which the
#: charts move on.
_LOOK, _QUIET_LOOKS = 0.4, 3


class EventStream:
    """An ASGI response that sends the summary whenever it changed, until the client leaves.

    Args:
        version: returns a value that differs after each change.
        summary: returns what to send.
    """

    def __init__(self, version: Callable[[], Any], summary: Callable[[], Any]) -> None:
        self._version = version
        self._summary = summary

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request."""
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", b"text/event-stream; charset=utf-8"),
                    (b"cache-control", b"no-store"),
                    (b"x-accel-buffering", b"no"),
                ],
            }
        )
        leaving = asyncio.ensure_future(_left(Request(scope, receive)))
        try:
            await self._send_changes(leaving, send)
        except asyncio.CancelledError:  # the server stops
            pass
        finally:
            leaving.cancel()
        await send({"type": "http.response.body", "body": b""})

    async def _send_changes(self, leaving: asyncio.Future[None], send: Send) -> None:
        sent: Any = None
        quiet = 0
        while not leaving.done():
            version = self._version()
            quiet += 1
            if version != sent or quiet >= _QUIET_LOOKS:
                sent, quiet = version, 0
                body = b"data: " + orjson.dumps(self._summary()) + b"\n\n"
                await send({"type": "http.response.body", "body": body, "more_body": True})
            await asyncio.wait([leaving], timeout=_LOOK)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
