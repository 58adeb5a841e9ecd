"""`AppTransport`: a synchronous httpx transport to an ASGI application, without a socket."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError
from typing import Any

import httpx

__all__ = ["AppTransport"]


class AppTransport(httpx.BaseTransport):
    """Send requests to an ASGI application in this process.

    httpx's own `ASGITransport` is only for asynchronous clients. This one runs the application in
    an event loop in a separate thread, so that `Sender(current, transport=...)` can test any ASGI
    receiver. The sender treats an exception in the application as a network error. Several threads
    may use it, and so may a thread with a running event loop.

    Args:
        app: the ASGI application, such as `Receiver().app`.
    """

    def __init__(self, app: Any) -> None:
        self._inner = httpx.ASGITransport(app=app)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="app", daemon=True)
        self._thread.start()
        self._lock = threading.Lock()
        self._closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the application and return its response.

        Raises:
            httpx.ReadTimeout: there was no response within the request's read timeout.
            httpx.ReadError: the transport is closed, or was closed before the response.
        """
        with self._lock:
            if self._closed:
                raise httpx.ReadError("the transport is closed", request=request)
            response = asyncio.run_coroutine_threadsafe(self._respond_to(request), self._loop)
        try:
            return response.result()
        except CancelledError:
            raise httpx.ReadError("the transport was closed", request=request) from None

    async def _respond_to(self, request: httpx.Request) -> httpx.Response:
        limit = asyncio.timeout(request.extensions.get("timeout", {}).get("read"))
        try:
            async with limit:
                response = await self._inner.handle_async_request(request)
                # Use the raw bytes, because the client that gets the response decodes them.
                body = b"".join([part async for part in response.aiter_raw()])
        except Exception:
            if not limit.expired():
                raise
            raise httpx.ReadTimeout("there was no response in time", request=request) from None
        return httpx.Response(response.status_code, headers=response.headers, content=body)

    def close(self) -> None:
        """End the requests in flight and the event loop; a second call does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        asyncio.run_coroutine_threadsafe(_cancel_others(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
