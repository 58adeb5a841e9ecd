"""`Receiver`: respond to a Current's requests as a partner's webhook should.

Source: Braze, Custom Currents export (what a receiver must do).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, cast

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from .._logs import Log
from .._redaction import shown
from ..catalog import Catalog, Finding, FindingCode, check_event
from ..errors import OptionError
from ._body import RefusedError, events_in, read_body
from ._counts import Counts, Recorder
from ._credentials import Credentials
from .capture import Capture
from .script import ScriptedResponse, play

__all__ = ["Receiver"]

_log = Log("receiver")

#: Statuses whose responses must not have a body.
_WITHOUT_BODY = (204, 205, 304)
#: The headers that Braze sends with every request.
_HEADERS = {"Content-Type": "application/json", "Braze-Currents-Version": "1"}
_UNAUTHORIZED = "the write key or the bearer token is missing or unknown"


class _LateError(Exception):
    """A request whose body was not complete in time."""


class Receiver:
    """An ASGI application that receives the requests of a Current, and what it received.

    Every POST is a request of a Current, whatever its path. The receiver checks the credentials
    before it reads the body, then the body, then the conformance of each event. It writes the
    events to the capture before it responds 200. A request without events only has its credentials
    checked. A body may be compressed with gzip. `GET /counts` asks for the same credentials and
    returns the counts as JSON, without any text that quotes the values of events.

    Args:
        write_keys: accepted write keys: the query's `writeKey`, or the user name of HTTP Basic.
        bearer_tokens: accepted bearer tokens. Without write keys and tokens, every request is
            accepted.
        script: responses to give first, in order, each to one request unless it says otherwise.
        capture: a file to append the events to, as JSON Lines; none by default. The string `-` is
            standard output.
        keep: whether to keep the events in `events` too.
        catalog: what events are checked against; the newest schema version by default.
        check: whether to check events at all.
        strict: whether to respond 400 to a request with a conformance error, and take none of its
            events.
        max_body_bytes: the largest body, both as it was sent and decoded, 16 MiB by default. A
            larger one gets 413 and is not read any further. None for no limit.
        request_timeout: the seconds a client has to send the body, 30 by default; if it takes
            longer, it gets 408. `listen` applies it to the head of the request too.
            None for no limit.
        sleep: waits a number of seconds before a delayed response; for tests.

    Attributes:
        app: the ASGI application.
        events: the events, as JSON values, in the order in which they came.
        request_timeout: the seconds a client has to send the head or the body of a request.

    Raises:
        OptionError: `write_keys` or `bearer_tokens` is a single string, or contains an empty one,
            or a limit is not greater than 0.
        ReceiverError: the capture file cannot be opened.
    """

    def __init__(
        self,
        *,
        write_keys: Iterable[str] = (),
        bearer_tokens: Iterable[str] = (),
        script: Iterable[ScriptedResponse] = (),
        capture: Path | str | None = None,
        keep: bool = True,
        catalog: Catalog | None = None,
        check: bool = True,
        strict: bool = False,
        max_body_bytes: int | None = 16 * 2**20,
        request_timeout: float | None = 30.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        _check_limit("max_body_bytes", max_body_bytes)
        _check_limit("request_timeout", request_timeout)
        self.events: list[Any] = []
        self.request_timeout = request_timeout
        self.app = Starlette(
            routes=[
                Route("/counts", self._show_counts, methods=["GET"]),
                Route("/{path:path}", self._receive, methods=["POST"]),
            ]
        )
        self._credentials = Credentials(write_keys=write_keys, bearer_tokens=bearer_tokens)
        self._script = play(script)
        self._keep = keep
        self._catalog = Catalog.load() if catalog is None else catalog
        self._check = check or strict
        self._strict = strict
        self._max_body_bytes = max_body_bytes
        self._sleep = sleep
        self._capture = None if capture is None else Capture(capture)
        # The event loop is one thread, but other threads may read the counts.
        self._lock = threading.Lock()
        self._recorder = Recorder()

    @property
    def counts(self) -> Counts:
        """What the receiver has seen so far."""
        with self._lock:
            return self._recorder.counts

    def close(self) -> None:
        """Close the capture file, if there is one; a second call does nothing."""
        if self._capture is not None:
            self._capture.close()

    async def _show_counts(self, request: Request) -> Response:
        if not self._credentials.accept(request):
            return PlainTextResponse(f"{_UNAUTHORIZED}\n", 401)
        content = orjson.dumps(self.counts.to_dict(values=False))
        return Response(content, media_type="application/json")

    async def _receive(self, request: Request) -> Response:
        try:
            return await self._respond(request)
        except ClientDisconnect:
            return Response(status_code=400)
        except _LateError:
            late = f"the body was not complete after {self.request_timeout:g} seconds\n"
            return self._counted(PlainTextResponse(late, 408, {"Connection": "close"}))
        except asyncio.CancelledError:  # the server stops before the response is due
            return self._reset(request)

    async def _respond(self, request: Request) -> Response:
        received = await self._read(request)
        with self._lock:
            scripted = next(self._script, None)
        if scripted is None:
            return self._counted(self._respond_to(request, received))
        response = self._respond_to(request, received) if scripted.takes_events else None
        if scripted.delay:
            await self._sleep(scripted.delay)
        if scripted.status == "reset":
            return self._reset(request)
        if response is None or isinstance(scripted.status, int):
            status = scripted.status if isinstance(scripted.status, int) else 200
            text = "" if status in _WITHOUT_BODY else "scripted\n"
            response = PlainTextResponse(text, status)
        if scripted.retry_after is not None:
            # The format "g" would write a million as 1e+06.
            seconds = f"{scripted.retry_after:.6f}".rstrip("0").rstrip(".")
            response.headers["Retry-After"] = seconds
        return self._counted(response)

    def _counted(self, response: Response) -> Response:
        with self._lock:
            self._recorder.record_status(str(response.status_code))
        _log.debug("request", "a request got %s", response.status_code, status=response.status_code)
        return response

    def _reset(self, request: Request) -> Response:
        with self._lock:
            self._recorder.record_status("reset")
        _log.debug("request", "a request got a reset", status=None)
        abort = getattr(request.state, "abort", None)
        if abort is None:  # in process, there is no connection to reset
            raise ConnectionResetError("the receiver reset the connection")
        abort()
        return Response()

    async def _read(self, request: Request) -> bytes | RefusedError:
        """Read the body of a request with good credentials; return why if it is not read."""
        if not self._credentials.accept(request):
            return RefusedError(401, _UNAUTHORIZED)
        try:
            return await read_body(
                request, limit=self._max_body_bytes, timeout=self.request_timeout
            )
        except RefusedError as refused:
            return refused
        except TimeoutError as error:
            raise _LateError from error

    def _respond_to(self, request: Request, received: bytes | RefusedError) -> Response:
        try:
            if isinstance(received, RefusedError):
                raise received
            self._check_headers(request)
            events = events_in(received)
            self._check_events(events)
            self._take(events)
        except RefusedError as refused:
            return PlainTextResponse(f"{refused.message}\n", refused.status)
        return PlainTextResponse("ok")

    def _check_headers(self, request: Request) -> None:
        if not self._check:
            return
        for name, value in _HEADERS.items():
            given = request.headers.get(name)
            if given is None or given.partition(";")[0].strip().lower() != value:
                problem = "the header is missing" if given is None else f"the header is {given!r}"
                code, right = FindingCode.WRONG_HEADER, f"Braze sends {value}"
                self._record([Finding(code.level, None, None, name, problem, right, code)])

    def _check_events(self, events: list[Any]) -> None:
        if not self._check:
            return
        errors, first = 0, None
        for event in events:
            findings = check_event(self._catalog, event)
            self._record(findings)
            for each in findings:
                if each.level == "error":
                    errors += 1
                    first = first or each
        if self._strict and first:
            noun = "error" if errors == 1 else "errors"
            raise RefusedError(400, f"{errors} conformance {noun}; {first}")

    def _record(self, findings: list[Finding]) -> None:
        with self._lock:
            self._recorder.record_findings(findings)

    def _take(self, events: list[Any]) -> None:
        with self._lock:
            if self._capture is not None and events:
                try:
                    self._capture.write([orjson.dumps(each) for each in events])
                except TypeError:  # orjson reads deeper than it writes
                    raise RefusedError(400, "an event is nested too deep to be captured") from None
                except (OSError, ValueError) as error:
                    raise RefusedError(500, f"the capture cannot be written: {error}") from error
            if self._keep:
                self.events.extend(events)
            self._recorder.record_events(events)


def _check_limit(name: str, limit: object) -> None:
    is_number = isinstance(limit, int | float) and not isinstance(limit, bool)
    if limit is not None and not (is_number and cast("float", limit) > 0):
        raise OptionError(f"{name} is {shown(limit)}; it must be a number greater than 0, or None")
