"""An ASGI application behind a synchronous httpx transport: a receiver without a socket."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx

__all__ = ["AppTransport"]


class AppTransport(httpx.BaseTransport):
    """Sends requests to an ASGI application in this process.

    httpx's own `ASGITransport` is for asynchronous clients alone. This one runs the application
    in an event loop of its own, in a thread, so that `Sender(current, transport=...)` can test
    any ASGI receiver; an exception in the application is a network error to the sender.

    Args:
        app: the ASGI application, such as `Receiver().app`.
    """

    def __init__(self, app: Any) -> None:
        self._inner = httpx.ASGITransport(app=app)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="app", daemon=True)
        self._thread.start()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The application's answer."""
        return asyncio.run_coroutine_threadsafe(self._answer(request), self._loop).result()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        body = await response.aread()
        return httpx.Response(response.status_code, headers=response.headers, content=body)

    def close(self) -> None:
        """Stop the event loop."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
