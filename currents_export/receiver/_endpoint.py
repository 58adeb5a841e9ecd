"""`Endpoint`: what all receivers do with a request, whoever sends it."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, cast

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from .._logs import Log
from .._redaction import shown
from ..errors import OptionError
from ._access import Access
from ._body import RefusedError, read_body
from ._exchange import exchange_of
from .capture import Capture
from .script import ScriptedResponse, play

__all__ = ["Endpoint", "check_limit"]

_log = Log("receiver")

#: Statuses whose responses must not have a body.
_WITHOUT_BODY = (204, 205, 304)


class _LateError(Exception):
    """A request whose body was not complete in time."""


class _Recorder(Protocol):
    def record_status(self, status: str) -> None: ...


class Endpoint(ABC):
    """An ASGI application that gives scripted responses first, and counts its requests.

    Args:
        routes: the routes of the application, besides `GET /counts`.
        recorder: counts the requests.
        script: responses to give first, in order.
        capture: a file to append what was taken to, as JSON Lines; none by default.
        max_body_bytes: the largest body; None for no limit.
        request_timeout: the seconds a client has to send the body; None for no limit.
        response_timeout: the seconds after which a request without a response is reset; None, the
            default, for no limit.
        sleep: waits a number of seconds before a delayed response; for tests.

    Attributes:
        app: the ASGI application.
        request_timeout: the seconds a client has to send the head or the body of a request.
        access: who may see the counts without credentials of the receiver: with a page, whoever may
            see the page; otherwise, this machine, and only if there are no credentials.

    Raises:
        OptionError: a limit is not greater than 0.
        ReceiverError: the capture file cannot be opened.
    """

    #: The bodies of scripted responses by status; `scripted` for others.
    _texts: ClassVar[Mapping[int, str]] = {}

    def __init__(
        self,
        *,
        routes: Sequence[Route],
        recorder: _Recorder,
        script: Iterable[ScriptedResponse],
        capture: Path | str | None,
        max_body_bytes: int | None,
        request_timeout: float | None,
        response_timeout: float | None = None,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        check_limit("max_body_bytes", max_body_bytes)
        check_limit("request_timeout", request_timeout)
        check_limit("response_timeout", response_timeout)
        self.request_timeout = request_timeout
        self.access = Access()
        self.app = Starlette(routes=[Route("/counts", self._show_counts), *routes])
        self._script = play(script)
        self._max_body_bytes = max_body_bytes
        self._response_timeout = response_timeout
        self._sleep = sleep
        self._capture = None if capture is None else Capture(capture)
        # The event loop is one thread, but other threads may read the counts.
        self._lock = threading.Lock()
        self._statuses = recorder

    def close(self) -> None:
        """Close the capture file, if there is one; a second call does nothing."""
        if self._capture is not None:
            self._capture.close()

    @abstractmethod
    def _refusal(self, request: Request) -> RefusedError | None:
        """Return why the body of a request is not read; None if its credentials are valid."""

    @abstractmethod
    def _has_credentials(self) -> bool:
        """Return whether only some credentials are valid."""

    @abstractmethod
    async def _respond_to(self, request: Request, received: bytes | RefusedError, /) -> Response:
        """Respond to a request as if there was no script; `received` is its body."""

    @abstractmethod
    def _public_counts(self) -> dict[str, Any]:
        """Return the counts as a JSON object without values of events."""

    async def _show_counts(self, request: Request) -> Response:
        refused = self._refusal(request)
        # The page shows the counts, too, so whoever may see it needs no other credentials.
        if self.access.to_page if refused else not self._has_credentials():
            refused = self.access.refusal(request)
        if refused is not None:
            return _refused(refused)
        return Response(orjson.dumps(self._public_counts()), media_type="application/json")

    async def _receive(self, request: Request) -> Response:
        try:
            async with asyncio.timeout(self._response_timeout):
                return await self._respond(request)
        except ClientDisconnect:
            exchange_of(request).gone = True
            return Response(status_code=400)
        except _LateError:
            late = f"the body was not complete after {self.request_timeout:g} seconds\n"
            return self._counted(PlainTextResponse(late, 408, {"Connection": "close"}))
        # The response is too late, or the server stops before it is due.
        except (TimeoutError, asyncio.CancelledError):
            return self._reset(request)

    async def _respond(self, request: Request) -> Response:
        received = await self._read(request)
        scripted = exchange_of(request).fault()
        if scripted is None:
            with self._lock:
                scripted = next(self._script, None)
        if scripted is None:
            return self._counted(await self._respond_normally(request, received))
        response = (
            await self._respond_normally(request, received) if scripted.takes_events else None
        )
        if scripted.delay:
            await self._sleep(scripted.delay)
        if scripted.status == "reset":
            return self._reset(request)
        if response is None or isinstance(scripted.status, int):
            status = scripted.status if isinstance(scripted.status, int) else 200
            text = f"{self._texts.get(status, 'scripted')}\n"
            response = PlainTextResponse("" if status in _WITHOUT_BODY else text, status)
        if scripted.retry_after is not None:
            # The format "g" would write a million as 1e+06.
            seconds = f"{scripted.retry_after:.6f}".rstrip("0").rstrip(".")
            response.headers["Retry-After"] = seconds
        return self._counted(response)

    async def _respond_normally(self, request: Request, received: bytes | RefusedError) -> Response:
        try:
            return await self._respond_to(request, received)
        except RefusedError as refused:
            exchange_of(request).refusal = refused.message
            return _refused(refused)

    def _counted(self, response: Response) -> Response:
        with self._lock:
            self._statuses.record_status(str(response.status_code))
        _log.debug("request", "a request got %s", response.status_code, status=response.status_code)
        return response

    def _reset(self, request: Request) -> Response:
        exchange_of(request).reset = True
        with self._lock:
            self._statuses.record_status("reset")
        _log.debug("request", "a request got a reset", status=None)
        abort = getattr(request.state, "abort", None)
        if abort is None:  # in process, there is no connection to reset
            raise ConnectionResetError("the receiver reset the connection")
        abort()
        return Response()

    async def _read(self, request: Request) -> bytes | RefusedError:
        """Read the body of a request with good credentials; return why if it is not read."""
        if (refused := self._refusal(request)) is not None:
            return refused
        try:
            body = await read_body(
                request, limit=self._max_body_bytes, timeout=self.request_timeout
            )
            exchange_of(request).body = body
            return body
        except RefusedError as unread:
            return unread
        except TimeoutError as error:
            raise _LateError from error

    def _write(self, values: Iterable[Any]) -> None:
        """Append values to the capture, if there is one; the caller holds the lock.

        Raises:
            RefusedError: they cannot be written.
        """
        if self._capture is None:
            return
        try:
            self._capture.write([orjson.dumps(each) for each in values])
        except TypeError:  # orjson reads deeper than it writes
            raise RefusedError(400, "an event is nested too deep to be captured") from None
        except (OSError, ValueError) as error:
            raise RefusedError(500, f"the capture cannot be written: {error}") from error


def _refused(refused: RefusedError) -> Response:
    return PlainTextResponse(f"{refused.message}\n", refused.status)


def check_limit(name: str, limit: object) -> None:
    """Check a limit.

    Raises:
        OptionError: it is neither None nor a number greater than 0.
    """
    is_number = isinstance(limit, int | float) and not isinstance(limit, bool)
    if limit is not None and not (is_number and cast("float", limit) > 0):
        raise OptionError(f"{name} is {shown(limit)}; it must be a number greater than 0, or None")
