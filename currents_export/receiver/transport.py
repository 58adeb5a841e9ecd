"""Synchronous httpx transports to an application in this process, without a socket."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Iterable, MutableMapping
from concurrent.futures import CancelledError
from typing import Any, Self

import httpx

from .._logs import Log
from ..errors import ReceiverError
from ._lifespan import Lifespan

__all__ = ["AppTransport", "WsgiTransport"]

_log = Log("receiver")


class AppTransport(httpx.BaseTransport):
    """Send requests to an ASGI application in this process.

    httpx's own `ASGITransport` is only for asynchronous clients. This one runs the application in
    an event loop in a separate thread, so that `Sender(current, transport=...)` can test any ASGI
    receiver. Several threads may use it, and so may a thread with a running event loop.

    The application's lifespan begins when the transport is entered as a context or used first, and
    ends when it is closed. Its state reaches the requests.

    >>> import httpx
    >>> from currents_export import AppTransport, Receiver
    >>> with AppTransport(Receiver().app) as app, httpx.Client(transport=app) as client:
    ...     client.post("http://localhost", json={"events": []}).text
    'ok'

    Args:
        app: the ASGI application, such as `Receiver().app`.
        raise_app_exceptions: what a sender does with an exception in the application. If true, it
            pauses the Current and raises the exception in `send`, `flush` or `close`; otherwise it
            treats the exception as a network error, and retries.
        lifespan: whether to run the application's lifespan.
    """

    def __init__(
        self, app: Any, *, raise_app_exceptions: bool = False, lifespan: bool = True
    ) -> None:
        self.raises_in_sender = raise_app_exceptions
        self._app = app
        self._lifespan: Lifespan | None = None
        self._wants_lifespan = lifespan
        self._inner = httpx.ASGITransport(app=self._call)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="app", daemon=True)
        self._thread.start()
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> Self:
        """Start the application.

        Raises:
            ReceiverError: it cannot start.
        """
        try:
            asyncio.run_coroutine_threadsafe(self._start(), self._loop).result()
        except BaseException:
            self.close()
            raise
        return self

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the application and return its response.

        Raises:
            httpx.ReadTimeout: there was no response within the request's read timeout.
            httpx.ReadError: the transport is closed, or was closed before the response.
            ReceiverError: the application cannot start.
        """
        with self._lock:
            if self._closed:
                raise httpx.ReadError("the transport is closed", request=request)
            response = asyncio.run_coroutine_threadsafe(self._respond_to(request), self._loop)
        try:
            return response.result()
        except CancelledError:
            raise httpx.ReadError("the transport was closed", request=request) from None

    async def _start(self) -> None:
        if self._wants_lifespan:
            self._lifespan = self._lifespan or Lifespan(self._app)
            await self._lifespan.start()

    async def _call(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if self._lifespan is not None:
            scope = {**scope, "state": self._lifespan.state.copy()}
        await self._app(scope, receive, send)

    async def _respond_to(self, request: httpx.Request) -> httpx.Response:
        limit = asyncio.timeout(request.extensions.get("timeout", {}).get("read"))
        try:
            async with limit:
                await self._start()
                response = await self._inner.handle_async_request(request)
                # Use the raw bytes, because the client that gets the response decodes them.
                body = b"".join([part async for part in response.aiter_raw()])
        except Exception:
            if not limit.expired():
                raise
            raise httpx.ReadTimeout("there was no response in time", request=request) from None
        return httpx.Response(response.status_code, headers=response.headers, content=body)

    def close(self) -> None:
        """End the requests in flight, the application and the loop; a second call does nothing.

        If the shutdown of the application fails, that is logged.
        """
        with self._lock:
            if self._closed:
                return
            self._closed = True
        try:
            asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        except ReceiverError as error:
            _log.error("shutdown_failed", "%s", error)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        lifespan = self._lifespan
        kept = {asyncio.current_task()} | ({lifespan.task} if lifespan else set())
        await _cancel(asyncio.all_tasks() - kept)
        try:
            if lifespan is not None:
                await lifespan.stop(_PATIENCE)
        finally:
            await _cancel(asyncio.all_tasks() - {asyncio.current_task()})


#: Seconds for an application to shut down.
_PATIENCE = 10.0


async def _cancel(tasks: Iterable[asyncio.Task[Any] | None]) -> None:
    others = [each for each in tasks if each is not None]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


class WsgiTransport(httpx.BaseTransport):
    """Send requests to a WSGI application in this process, such as one of Flask or Django.

    The application runs in a separate thread for each request, so that a request can time out.
    Several threads may use the transport.

    >>> import httpx
    >>> from currents_export import WsgiTransport
    >>> def app(environ, start_response):
    ...     start_response("200 OK", [])
    ...     return [b"ok"]
    >>> with httpx.Client(transport=WsgiTransport(app)) as client:
    ...     client.post("http://localhost").text
    'ok'

    Args:
        app: the WSGI application.
        raise_app_exceptions: as for `AppTransport`. Flask passes an exception on only with
            `app.testing = True`, and Django with `DEBUG_PROPAGATE_EXCEPTIONS = True`; otherwise
            they respond with 500.
    """

    def __init__(self, app: Any, *, raise_app_exceptions: bool = False) -> None:
        self.raises_in_sender = raise_app_exceptions
        self._inner = httpx.WSGITransport(app=app)
        self._lock = threading.Lock()
        self._closed = False
        self._open: set[concurrent.futures.Future[httpx.Response]] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to the application and return its response.

        Raises:
            httpx.ReadTimeout: there was no response within the request's read timeout.
            httpx.ReadError: the transport is closed, or was closed before the response.
        """
        response: concurrent.futures.Future[httpx.Response] = concurrent.futures.Future()
        with self._lock:
            if self._closed:
                raise httpx.ReadError("the transport is closed", request=request)
            self._open.add(response)
        threading.Thread(
            target=self._respond, args=(request, response), name="app", daemon=True
        ).start()
        seconds = request.extensions.get("timeout", {}).get("read")
        try:
            return response.result(seconds)
        except TimeoutError:
            if response.done():  # it is one of the application
                raise
            raise httpx.ReadTimeout("there was no response in time", request=request) from None
        except CancelledError:
            raise httpx.ReadError("the transport was closed", request=request) from None
        finally:
            self._open.discard(response)

    def _respond(
        self, request: httpx.Request, result: concurrent.futures.Future[httpx.Response]
    ) -> None:
        try:
            response = self._inner.handle_request(request)
            assert isinstance(response.stream, httpx.SyncByteStream)  # noqa: S101 - not async
            try:
                body = b"".join(response.stream)
            finally:
                response.close()
            whole = httpx.Response(response.status_code, headers=response.headers, content=body)
        except BaseException as error:  # noqa: BLE001 - raised where the response is awaited
            if result.set_running_or_notify_cancel():
                result.set_exception(error)
        else:
            if result.set_running_or_notify_cancel():
                result.set_result(whole)

    def close(self) -> None:
        """End the waits for responses; the application's threads end when it returns."""
        with self._lock:
            self._closed = True
        for each in [*self._open]:
            each.cancel()
