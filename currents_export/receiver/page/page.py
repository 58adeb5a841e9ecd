"""`Page`: show in a browser what a receiver receives, as it comes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...catalog import Catalog, Finding, check_event
from ...errors import OptionError
from .._access import Access, is_loopback
from .._endpoint import Endpoint
from .._exchange import Exchange
from ..rudderstack import RudderStack
from ._api import Api
from ._faults import Faults
from ._personal import Masks
from ._reading import id_of, row_of
from ._secrets import Secrets
from ._store import MAX_BYTES, MAX_EVENTS, MAX_REQUESTS, EventRow, RequestRow, Store, worst_of

__all__ = ["Page"]

#: Methods that a browser uses to look at something.
_READING = ("GET", "HEAD", "OPTIONS")
#: Headers that belong to a body, and not to a request that is sent again with another one.
_OF_BODY = frozenset(
    {b"content-length", b"content-encoding", b"transfer-encoding", b"expect", b"connection"}
)


class Page:
    """A page at `GET /` that shows the requests of a receiver, and can make it fail.

    It shows requests, rates, response times, conformance findings and events; the timeline of a
    user; and what RudderStack makes of an event. Personal data is masked until the viewer asks for
    it; credentials are never shown.

    Without a token, the page is only for browsers on this machine, which must open it by the name
    `localhost` or a loopback address.

    >>> from currents_export import Receiver, listen
    >>> from currents_export.receiver.page import Page
    >>> receiver = Receiver()
    >>> with listen(receiver, page=Page(receiver)) as url:
    ...     print(url)  # open it in a browser
    http://127.0.0.1:...

    Args:
        receiver: the receiver; serve `app` instead of its own, or pass the page to `listen`.
        token: what a viewer has to enter; with it, the page may be opened from other machines too.
        health: returns the state of the Current that sends, as texts and numbers by name, if the
            sender is in this process: for example, `{"state": "active", "pending": 3}`.
        catalog: what is checked if the receiver does not check events, and which fields are
            personal; the newest schema version by default.
        max_events: the most events to keep, 100,000 by default; the oldest go first.
        max_requests: the most requests to keep, 20,000 by default.
        max_bytes: the most bytes of events to keep, and of bodies, 192 MiB each by default.

    Attributes:
        app: the ASGI application: the receiver with the page.
        receiver: the receiver.

    Raises:
        OptionError: the token is too short, or a limit is not a whole number of 1 or more.
    """

    def __init__(
        self,
        receiver: Endpoint,
        *,
        token: str | None = None,
        health: Callable[[], Mapping[str, str | int]] | None = None,
        catalog: Catalog | None = None,
        max_events: int = MAX_EVENTS,
        max_requests: int = MAX_REQUESTS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        limits = {"max_events": max_events, "max_requests": max_requests, "max_bytes": max_bytes}
        for name, limit in limits.items():
            if not (type(limit) is int and limit >= 1):
                raise OptionError(f"{name} is {limit!r}; it must be a whole number of 1 or more")
        self.receiver = receiver
        receiver.access = Access(token, to_page=True)
        self._catalog = Catalog.load() if catalog is None else catalog
        self._checks = isinstance(receiver, RudderStack)
        self._masks = Masks(self._catalog)
        self._store = Store(max_events=max_events, max_requests=max_requests, max_bytes=max_bytes)
        self._most_rows = max_events
        self._faults = Faults()
        self._secrets = Secrets()
        api = Api(
            receiver=receiver,
            store=self._store,
            masks=self._masks,
            faults=self._faults,
            secrets=self._secrets,
            health=health,
            send=self._send_again,
        )
        self._pages = Starlette(routes=api.routes)
        self.app: ASGIApp = self

    def check_host(self, host: str) -> None:
        """Check that the page may be served on an address.

        Raises:
            OptionError: other machines could open the page, and it has no token.
        """
        if not (self.receiver.access.needs_token or is_loopback(host)):
            raise OptionError(
                f"other machines could open the page on {host!r}: give it a token "
                "(--page-token, or Page(token=...)), turn it off (--no-page), or listen on "
                "127.0.0.1"
            )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request, as an ASGI application does."""
        if scope["type"] != "http":
            await self.receiver.app(scope, receive, send)
        elif scope["path"].startswith("/_page/") or (
            scope["path"] == "/" and scope["method"] in _READING
        ):
            await self._pages(scope, receive, send)
        elif scope["method"] in _READING:
            await self.receiver.app(scope, receive, send)
        else:
            await self._watch(scope, receive, send)

    async def _watch(
        self, scope: Scope, receive: Receive, send: Send, *, resent: bool = False
    ) -> str:
        """Let the receiver respond to a request, and keep what was in it; return the status."""
        watch = _Watch(Exchange(fault=self._faults.take), receive, send, resent=resent)
        scope = {**scope, "state": {**scope.get("state", {}), "exchange": watch.exchange}}
        self._secrets.learn(Request(scope))
        try:
            await self.receiver.app(scope, watch.receive, watch.send)
        finally:
            self._keep(scope, watch)
        return watch.status

    def _keep(self, scope: Scope, watch: _Watch) -> None:
        exchange, store = watch.exchange, self._store
        events = exchange.events if exchange.events is not None else _events_in(exchange.body)
        ids = [each for each in map(id_of, (events or ())[: self._most_rows]) if each]
        number = store.requests.next
        request = RequestRow(
            number=number,
            at=watch.at,
            method=scope["method"],
            path=scope.get("raw_path", b"").decode("latin-1").partition("?")[0] or scope["path"],
            query=scope["query_string"],
            headers=tuple((name, value) for name, value in scope["headers"]),
            status=watch.status,
            milliseconds=(time.perf_counter() - watch.started) * 1000,
            wire_bytes=watch.wire_bytes,
            body=exchange.body,
            events=None if events is None else len(events),
            taken=exchange.taken,
            reason=exchange.refusal,
            fault=watch.fault,
            retry_of=store.request_of(ids[0]) if ids else None,
            findings=exchange.header_findings,
            resent=watch.resent,
        )
        rows = self._rows(request, exchange)
        request.first_event = rows[0].number if rows else None
        worst = {worst_of(exchange.header_findings), *(each.worst for each in rows)}
        request.worst = next((each for each in ("error", "warning") if each in worst), "")
        store.add(request, rows, ids)

    def _rows(self, request: RequestRow, exchange: Exchange) -> list[EventRow]:
        events: Sequence[Any] = exchange.events or ()
        start = max(0, len(events) - self._most_rows)
        return [
            row_of(
                events[index],
                tuple(self._findings(exchange, index)),
                number=self._store.events.next + index - start,
                request=request.number,
                index=index,
                at=request.at,
                taken=exchange.taken,
                masks=self._masks,
            )
            for index in range(start, len(events))
        ]

    def _findings(self, exchange: Exchange, index: int) -> Sequence[Finding]:
        if exchange.findings is not None:
            return exchange.findings[index] if index < len(exchange.findings) else ()
        if self._checks and exchange.events is not None:
            return check_event(self._catalog, exchange.events[index])
        return ()

    async def _send_again(self, scope: Scope, request: RequestRow | None, body: bytes) -> str:
        """Send a body to the receiver as its request came, and return the status."""
        headers = [] if request is None else request.headers
        kept = [(name, value) for name, value in headers if name.lower() not in _OF_BODY]
        again = {
            "type": "http",
            "asgi": scope["asgi"],
            "http_version": "1.1",
            "scheme": scope["scheme"],
            "server": scope.get("server"),
            "client": scope.get("client"),
            "root_path": "",
            "method": "POST" if request is None else request.method,
            "path": "/" if request is None else request.path,
            "raw_path": b"/" if request is None else request.path.encode("latin-1"),
            "query_string": b"" if request is None else request.query,
            "headers": [*kept, (b"content-length", str(len(body)).encode())],
        }
        left = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            return left.pop() if left else {"type": "http.disconnect"}

        async def send(_: Message) -> None:
            pass

        try:
            return await self._watch(again, receive, send, resent=True)
        except ConnectionResetError:  # there is no connection to reset
            return "reset"


@attrs.define
class _Watch:
    """One request while the receiver responds to it."""

    exchange: Exchange
    _receive: Receive
    _send: Send
    resent: bool
    at: float = attrs.field(factory=time.time)
    started: float = attrs.field(factory=time.perf_counter)
    wire_bytes: int = 0
    fault: bool = False
    _status: str = "gone"

    def __attrs_post_init__(self) -> None:
        take = self.exchange.fault

        def fault() -> Any:
            response = take()
            self.fault = response is not None
            return response

        self.exchange.fault = fault

    @property
    def status(self) -> str:
        """The status; `reset` if the connection was reset, `gone` if the client left before."""
        if self.exchange.gone:
            return "gone"
        return "reset" if self.exchange.reset else self._status

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self.wire_bytes += len(message.get("body", b""))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = str(message["status"])
        await self._send(message)


def _events_in(body: bytes | None) -> list[Any] | None:
    """Return the events in a body that the receiver did not look at; None if there are none."""
    try:
        value = orjson.loads(body or b"")
    except orjson.JSONDecodeError:
        return None
    events = value.get("events") if isinstance(value, dict) else None
    return events if isinstance(events, list) else None
