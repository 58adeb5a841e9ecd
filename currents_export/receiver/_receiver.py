"""`Receiver`: takes a Current's requests as a partner's webhook should.

Source: Braze, Custom Currents export (what a receiver must do).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import attrs
import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from .._json import NumberError, loads
from ..catalog import Catalog, Finding, check_event
from ..errors import OptionError
from ._capture import Capture
from ._script import ScriptedResponse, play

__all__ = ["Counts", "FindingCount", "Receiver"]

_GZIP = b"\x1f\x8b"
#: Responses that HTTP allows no body.
_WITHOUT_BODY = (204, 205, 304)
#: Findings are counted apart up to this many kinds, and all together beyond.
_MAX_KINDS = 1000


@attrs.frozen
class FindingCount:
    """How often something was not as the catalog has it.

    Attributes:
        level: `error` or `warning`.
        event_type: the type of the events; None for what is wrong with requests.
        field: the path of the field, or the name of the header.
        problem: what was wrong, the first time.
        expected: what is right.
        count: how often.
    """

    level: str
    event_type: str | None
    field: str
    problem: str
    expected: str
    count: int


@attrs.frozen
class Counts:
    """What a receiver has seen so far.

    Attributes:
        requests: requests answered or reset.
        by_status: how many of them by what was answered: a status, or `reset`.
        events: events taken, those that came again included.
        duplicates: how many of them had an id that was taken before.
        by_event_type: events taken, by type.
        errors: conformance errors in events, those of refused requests included.
        warnings: conformance warnings in events and requests.
        findings: the same by kind, the most frequent first.
    """

    requests: int
    by_status: Mapping[str, int]
    events: int
    duplicates: int
    by_event_type: Mapping[str, int]
    errors: int
    warnings: int
    findings: tuple[FindingCount, ...]

    def to_dict(self) -> dict[str, Any]:
        """The counts as a JSON object."""
        return attrs.asdict(self) | {"findings": [attrs.asdict(each) for each in self.findings]}


class _Refused(Exception):
    """A request that is not answered 2XX."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Receiver:
    """Takes the requests of a Current: an ASGI application, with what it received.

    Every POST, whatever its path, is a request of a Current: credentials first, then the body,
    then each event's conformance; what is taken is captured before it is answered 200. A request
    without events is a no-op once its credentials are found good. `GET /counts` tells the counts.

    Args:
        write_keys: accepted write keys: the query's `writeKey`, or the user name of HTTP Basic.
        bearer_tokens: accepted bearer tokens. With neither, every request is let in.
        script: responses to give first, in their order, one request each unless they say more.
        capture: a file that the events taken are appended to, as JSON Lines; none by default.
        keep: whether the events taken are kept in `events` too.
        schema_version: the schema version events are checked against; the newest by default.
        check: whether events are checked at all.
        strict: whether a request with an event that has a conformance error is answered 400, and
            nothing of it taken.
        max_body_bytes: a larger body is answered 413; no limit by default.
        sleep: waits a number of seconds before a delayed response; for tests.

    Attributes:
        app: the ASGI application.
        events: the events taken, as JSON values, in the order they came.

    Raises:
        OptionError: `write_keys` or `bearer_tokens` is a single text, or holds an empty one.
        UnknownNameError: there is no such schema version.
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
        schema_version: int | None = None,
        check: bool = True,
        strict: bool = False,
        max_body_bytes: int | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.events: list[Any] = []
        self.app = Starlette(
            routes=[
                Route("/counts", self._tell_counts, methods=["GET"]),
                Route("/{path:path}", self._receive, methods=["POST"]),
            ]
        )
        self._write_keys = _secrets("write_keys", write_keys)
        self._bearer_tokens = _secrets("bearer_tokens", bearer_tokens)
        self._script = play(script)
        self._keep = keep
        self._catalog = Catalog.load(schema_version)
        self._check = check or strict
        self._strict = strict
        self._max_body_bytes = max_body_bytes
        self._sleep = sleep
        self._capture = None if capture is None else Capture(Path(capture))
        # The event loop is one thread, but whoever asks for the counts may be another.
        self._lock = threading.Lock()
        self._ids: set[str] = set()
        self._by_status: Counter[str] = Counter()
        self._by_event_type: Counter[str] = Counter()
        self._duplicates = 0
        self._levels: Counter[str] = Counter()
        self._findings: dict[tuple[str, str | None, str, str], FindingCount] = {}

    @property
    def counts(self) -> Counts:
        """What was seen so far."""
        with self._lock:
            return Counts(
                requests=self._by_status.total(),
                by_status=dict(sorted(self._by_status.items())),
                events=self._by_event_type.total(),
                duplicates=self._duplicates,
                by_event_type=dict(sorted(self._by_event_type.items())),
                errors=self._levels["error"],
                warnings=self._levels["warning"],
                findings=tuple(sorted(self._findings.values(), key=lambda each: -each.count)),
            )

    def close(self) -> None:
        """Close the capture file; harmless when there is none."""
        if self._capture is not None:
            self._capture.close()

    async def _tell_counts(self, _: Request) -> Response:
        return Response(orjson.dumps(self.counts.to_dict()), media_type="application/json")

    async def _receive(self, request: Request) -> Response:
        try:
            return await self._respond(request)
        except ClientDisconnect:
            return Response(status_code=400)
        except asyncio.CancelledError:  # the server ends before the response was due
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
            # Not by "g", which writes a million as 1e+06.
            seconds = f"{scripted.retry_after:.6f}".rstrip("0").rstrip(".")
            response.headers["Retry-After"] = seconds
        return self._counted(response)

    def _counted(self, response: Response) -> Response:
        with self._lock:
            self._by_status[str(response.status_code)] += 1
        return response

    def _reset(self, request: Request) -> Response:
        with self._lock:
            self._by_status["reset"] += 1
        abort = getattr(request.state, "abort", None)
        if abort is None:  # in process there is no connection to reset
            raise ConnectionResetError("the receiver reset the connection")
        abort()
        return Response()

    def _respond_to(self, request: Request, body: bytes) -> Response:
        try:
            self._check_credentials(request)
            if self._max_body_bytes is not None and len(body) > self._max_body_bytes:
                limit = f"the limit is {self._max_body_bytes} bytes"
                raise _Refused(413, f"the body has {len(body)} bytes; {limit}")
            _check_encoding(request, body)
            self._check_headers(request)
            events = _events_in(body)
            findings = self._check_events(events)
            if self._strict and (errors := [each for each in findings if each.level == "error"]):
                raise _Refused(400, f"{len(errors)} conformance errors; {errors[0]}")
            self._take(events)
        except _Refused as refused:
            return PlainTextResponse(f"{refused.message}\n", refused.status)
        return PlainTextResponse("ok")

    def _check_credentials(self, request: Request) -> None:
        if not self._write_keys and not self._bearer_tokens:
            return
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        tokens = [given] if scheme.lower() == "bearer" else []
        # Not `request.url`: it is made from the Host header too, which may be anything.
        query = request.scope["query_string"].decode("latin-1")
        keys = parse_qs(query).get("writeKey", [])[:1]
        if not keys and scheme.lower() == "basic":
            keys = _user_name(given)
        if not _any_equal(tokens, self._bearer_tokens) and not _any_equal(keys, self._write_keys):
            raise _Refused(401, "the write key or the bearer token is missing or not known")

    def _check_headers(self, request: Request) -> None:
        if not self._check:
            return
        for name, value in (
            ("Content-Type", "application/json"),
            ("Braze-Currents-Version", "1"),
        ):
            given = request.headers.get(name)
            if given is None or given.partition(";")[0].strip().lower() != value:
                problem = "the header is missing" if given is None else f"the header is {given!r}"
                finding = Finding("warning", None, None, name, problem, f"Braze sends {value}")
                self._note([finding])

    def _check_events(self, events: list[Any]) -> list[Finding]:
        if not self._check:
            return []
        findings = [each for event in events for each in check_event(self._catalog, event)]
        self._note(findings)
        return findings

    def _note(self, findings: list[Finding]) -> None:
        with self._lock:
            for each in findings:
                self._levels[each.level] += 1
                kind = (each.level, each.event_type, each.field, each.expected)
                known = self._findings.get(kind)
                if known is None and len(self._findings) >= _MAX_KINDS:
                    continue
                self._findings[kind] = FindingCount(
                    each.level,
                    each.event_type,
                    each.field,
                    known.problem if known else each.problem,
                    each.expected,
                    known.count + 1 if known else 1,
                )

    def _take(self, events: list[Any]) -> None:
        with self._lock:
            if self._capture is not None and events:
                try:
                    self._capture.write([orjson.dumps(each) for each in events])
                except TypeError:  # orjson reads deeper than it writes
                    raise _Refused(400, "an event is nested too deep to be captured") from None
                except (OSError, ValueError) as error:
                    raise _Refused(500, f"the capture cannot be written: {error}") from error
            if self._keep:
                self.events.extend(events)
            for event in events:
                known = isinstance(event, dict)
                event_type = event.get("event_type") if known else None
                self._by_event_type[event_type if isinstance(event_type, str) else "?"] += 1
                event_id = event.get("id") if known else None
                if isinstance(event_id, str):
                    self._duplicates += event_id in self._ids
                    self._ids.add(event_id)


def _secrets(name: str, given: Iterable[str]) -> tuple[str, ...]:
    # The letters of a text would each be let in, and an empty secret is none.
    secrets = () if isinstance(given, str) else tuple(given)
    if isinstance(given, str) or not all(secrets):
        raise OptionError(f"{name} must be a list of texts that are not empty")
    return secrets


def _check_encoding(request: Request, body: bytes) -> None:
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if body.startswith(_GZIP):
        encoding = "gzip"
    if encoding not in ("", "identity"):
        raise _Refused(415, f"the body is compressed ({encoding}); it must be plain JSON")


def _events_in(body: bytes) -> list[Any]:
    if not body.strip():
        return []
    try:
        value = loads(body)
    except NumberError as error:
        raise _Refused(400, str(error)) from None
    except orjson.JSONDecodeError as error:
        raise _Refused(400, f"the body is not JSON: {error}") from None
    events = value.get("events") if isinstance(value, dict) else None
    if not isinstance(events, list):
        raise _Refused(400, 'the body must look like {"events": [...]}')
    return events


def _user_name(credentials: str) -> list[str]:
    try:
        text = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return []
    return [text.partition(":")[0]]


def _any_equal(given: list[str], known: tuple[str, ...]) -> bool:
    return any(hmac.compare_digest(_bytes(a), _bytes(b)) for a in given for b in known)


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
