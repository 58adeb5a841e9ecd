"""`Receiver`: answer a Current's requests as a partner's webhook should.

Source: Braze, Custom Currents export (what a receiver must do).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from .._json import NumberError, loads
from ..catalog import Catalog, Finding, FindingCode, check_event
from ._counts import Counts, Recorder
from ._credentials import Credentials
from .capture import Capture
from .script import ScriptedResponse, play

__all__ = ["Receiver"]

_GZIP = b"\x1f\x8b"
#: Statuses whose responses must not have a body.
_WITHOUT_BODY = (204, 205, 304)
#: The headers that Braze sends with every request.
_HEADERS = {"Content-Type": "application/json", "Braze-Currents-Version": "1"}


class _RefusedError(Exception):
    """A request that is not answered with 2XX."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Receiver:
    """An ASGI application that takes the requests of a Current, and what it received.

    Every POST is a request of a Current, whatever its path. The receiver checks the credentials,
    then the body, then the conformance of each event. It writes the events to the capture before
    it answers 200. A request without events only has its credentials checked. `GET /counts`
    returns the counts as JSON.

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
        strict: whether to answer 400 to a request with a conformance error, and take none of its
            events.
        max_body_bytes: the largest body; a larger one is answered with 413. No limit by default.
        sleep: waits a number of seconds before a delayed response; for tests.

    Attributes:
        app: the ASGI application.
        events: the events, as JSON values, in the order in which they came.

    Raises:
        OptionError: `write_keys` or `bearer_tokens` is a single string, or contains an empty one.
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
        max_body_bytes: int | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.events: list[Any] = []
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

    async def _show_counts(self, _: Request) -> Response:
        return Response(orjson.dumps(self.counts.to_dict()), media_type="application/json")

    async def _receive(self, request: Request) -> Response:
        try:
            return await self._respond(request)
        except ClientDisconnect:
            return Response(status_code=400)
        except asyncio.CancelledError:  # the server stops before the response is due
            return self._reset(request)

    async def _respond(self, request: Request) -> Response:
        body = await request.body()
        with self._lock:
            scripted = next(self._script, None)
        if scripted is None:
            return self._counted(self._respond_to(request, body))
        response = self._respond_to(request, body) if scripted.takes_events else None
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
        return response

    def _reset(self, request: Request) -> Response:
        with self._lock:
            self._recorder.record_status("reset")
        abort = getattr(request.state, "abort", None)
        if abort is None:  # in process, there is no connection to reset
            raise ConnectionResetError("the receiver reset the connection")
        abort()
        return Response()

    def _respond_to(self, request: Request, body: bytes) -> Response:
        try:
            if not self._credentials.accept(request):
                raise _RefusedError(401, "the write key or the bearer token is missing or unknown")
            if self._max_body_bytes is not None and len(body) > self._max_body_bytes:
                limit = f"the limit is {self._max_body_bytes} bytes"
                raise _RefusedError(413, f"the body has {len(body)} bytes; {limit}")
            _check_encoding(request, body)
            self._check_headers(request)
            events = _events_in(body)
            findings = self._check_events(events)
            if self._strict and (errors := [each for each in findings if each.level == "error"]):
                noun = "error" if len(errors) == 1 else "errors"
                raise _RefusedError(400, f"{len(errors)} conformance {noun}; {errors[0]}")
            self._take(events)
        except _RefusedError as refused:
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

    def _check_events(self, events: list[Any]) -> list[Finding]:
        if not self._check:
            return []
        findings = [each for event in events for each in check_event(self._catalog, event)]
        self._record(findings)
        return findings

    def _record(self, findings: list[Finding]) -> None:
        with self._lock:
            self._recorder.record_findings(findings)

    def _take(self, events: list[Any]) -> None:
        with self._lock:
            if self._capture is not None and events:
                try:
                    self._capture.write([orjson.dumps(each) for each in events])
                except TypeError:  # orjson reads deeper than it writes
                    raise _RefusedError(400, "an event is nested too deep to be captured") from None
                except (OSError, ValueError) as error:
                    raise _RefusedError(500, f"the capture cannot be written: {error}") from error
            if self._keep:
                self.events.extend(events)
            self._recorder.record_events(events)


def _check_encoding(request: Request, body: bytes) -> None:
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if body.startswith(_GZIP):
        encoding = "gzip"
    if encoding not in ("", "identity"):
        raise _RefusedError(415, f"the body is compressed ({encoding}); it must be plain JSON")


def _events_in(body: bytes) -> list[Any]:
    if not body.strip():
        return []
    try:
        value = loads(body)
    except NumberError as error:
        raise _RefusedError(400, str(error)) from None
    except orjson.JSONDecodeError as error:
        raise _RefusedError(400, f"the body is not JSON: {error}") from None
    events = value.get("events") if isinstance(value, dict) else None
    if not isinstance(events, list):
        raise _RefusedError(400, 'the body must look like {"events": [...]}')
    return events
