"""`Receiver`: respond to a Current's requests as a partner's webhook should.

Source: Braze, Custom Currents export (what a receiver must do).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ..catalog import Catalog, Finding, FindingCode, check_event
from ._body import RefusedError, events_in
from ._counts import Counts, Recorder
from ._credentials import Credentials
from ._endpoint import Endpoint
from ._exchange import Exchange, exchange_of
from .script import ScriptedResponse

__all__ = ["Receiver"]

#: The headers that Braze sends with every request.
_HEADERS = {"Content-Type": "application/json", "Braze-Currents-Version": "1"}
_UNAUTHORIZED = "the write key or the bearer token is missing or unknown"


class Receiver(Endpoint):
    """An ASGI application that receives the requests of a Current, and what it received.

    Every POST is a request of a Current, whatever its path. The receiver checks the credentials
    before it reads the body, then the body, then the conformance of each event. It writes the
    events to the capture before it responds 200. A request without events only has its credentials
    checked. A body may be compressed with gzip. `GET /counts` asks for the same credentials, or is
    only for clients on this machine if there are none, and
    returns the counts as JSON, without any text that quotes the values of events.

    >>> import httpx
    >>> from currents_export import AppTransport, Receiver, ScriptedResponse
    >>> receiver = Receiver(script=[ScriptedResponse(503)])
    >>> with AppTransport(receiver.app) as app, httpx.Client(transport=app) as client:
    ...     [client.post("http://localhost", json={"events": []}).status_code for _ in range(2)]
    [503, 200]
    >>> receiver.counts.requests
    2

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
        self._recorder = Recorder()
        self._credentials = Credentials(write_keys=write_keys, bearer_tokens=bearer_tokens)
        super().__init__(
            routes=[Route("/{path:path}", self._receive, methods=["POST"])],
            recorder=self._recorder,
            script=script,
            capture=capture,
            max_body_bytes=max_body_bytes,
            request_timeout=request_timeout,
            sleep=sleep,
        )
        self.events: list[Any] = []
        self._keep = keep
        self._catalog = Catalog.load() if catalog is None else catalog
        self._check = check or strict
        self._strict = strict

    @property
    def counts(self) -> Counts:
        """What the receiver has seen so far."""
        with self._lock:
            return self._recorder.counts

    def _public_counts(self) -> dict[str, Any]:
        return self.counts.to_dict(values=False)

    def _refusal(self, request: Request) -> RefusedError | None:
        accepted = self._credentials.accept(request)
        return None if accepted else RefusedError(401, _UNAUTHORIZED)

    def _has_credentials(self) -> bool:
        return self._credentials.required

    async def _respond_to(self, request: Request, received: bytes | RefusedError) -> Response:
        if isinstance(received, RefusedError):
            raise received
        exchange = exchange_of(request)
        self._check_headers(request, exchange)
        exchange.events = events = events_in(received)
        self._check_events(events, exchange)
        self._take(events)
        exchange.taken = True
        return PlainTextResponse("ok")

    def _check_headers(self, request: Request, exchange: Exchange) -> None:
        if not self._check:
            return
        for name, value in _HEADERS.items():
            given = request.headers.get(name)
            if given is None or given.partition(";")[0].strip().lower() != value:
                problem = "the header is missing" if given is None else f"the header is {given!r}"
                code, right = FindingCode.WRONG_HEADER, f"Braze sends {value}"
                finding = Finding(code.level, None, None, name, problem, right, code)
                exchange.header_findings.append(finding)
                self._record([finding])

    def _check_events(self, events: list[Any], exchange: Exchange) -> None:
        if not self._check:
            return
        errors, first = 0, None
        exchange.findings = of_events = []
        for event in events:
            findings = check_event(self._catalog, event)
            of_events.append(findings)
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
            if events:
                self._write(events)
            if self._keep:
                self.events.extend(events)
            self._recorder.record_events(events)
