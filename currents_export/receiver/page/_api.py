"""The routes of the page: its files, what it asks for, and what it can do."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from typing import Any

import attrs
import jinja2
import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ..._version import __version__
from ...errors import OptionError
from .._body import RefusedError, read_body
from .._endpoint import Endpoint
from ..rudderstack import RudderStack, WebhookDestination
from . import _queries as queries
from ._curl import curl
from ._details import event_details, request_details
from ._faults import FaultKind, Faults
from ._guard import HEADERS, cross_site_refusal
from ._lines import visible
from ._personal import Masks
from ._secrets import Secrets
from ._store import EventRow, RequestRow, Store
from ._stream import EventStream
from ._totals import summary

__all__ = ["Api"]

_STATIC = {"page.js": "text/javascript", "page.css": "text/css", "icon.svg": "image/svg+xml"}
#: The most bytes of a request to the page itself.
_MAX_BODY = 10_000
#: How many pages may be open at a time.
_MAX_STREAMS = 32

Handler = Callable[[Request], Awaitable[Response]]
SendAgain = Callable[[Scope, RequestRow | None, bytes], Awaitable[str]]


@attrs.define
class Api:
    """Respond to the requests of the page.

    Attributes:
        receiver: the receiver whose requests are shown.
        store: what is kept of them.
        masks: mask personal data.
        faults: the fault that is set by hand.
        secrets: the credentials that must not be shown.
        health: returns the state of the Current that sends; None if that is not known.
        send: sends a body again as a request came, and returns the status.
    """

    receiver: Endpoint
    store: Store
    masks: Masks
    faults: Faults
    secrets: Secrets
    health: Callable[[], Mapping[str, str | int]] | None
    send: SendAgain
    _streams: int = 0
    _templates: jinja2.Environment = attrs.field(
        factory=lambda: jinja2.Environment(
            loader=jinja2.PackageLoader(__package__ or ""),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
        )
    )

    @property
    def routes(self) -> list[Route]:
        """The routes of the page."""
        reading: dict[str, Handler] = {
            "summary": self._summary,
            "requests": self._requests,
            "requests/{number:int}": self._request,
            "requests/{number:int}/body": self._body,
            "events": self._events,
            "events/{id}": self._event,
            "events/{id}/curl": self._curl,
            "timeline": self._timeline,
        }
        acting: dict[str, Handler] = {
            "faults": self._switch_fault,
            "clear": self._clear,
            "events/{id}/send": self._send_event,
            "requests/{number:int}/send": self._send_request,
        }
        return [
            Route("/", self._guarded(self._page, login=True)),
            Route("/_page/login", self._login, methods=["POST"]),
            Route("/_page/static/{name}", self._static),
            Route("/_page/api/stream", _Stream(self)),
            *(Route(f"/_page/api/{path}", self._guarded(each)) for path, each in reading.items()),
            *(
                Route(f"/_page/api/{path}", self._guarded(each), methods=["POST"])
                for path, each in acting.items()
            ),
        ]

    def refusal(self, request: Request) -> RefusedError | None:
        """Return why a request gets nothing; None if it is answered."""
        return cross_site_refusal(request) or self.receiver.access.refusal(request)

    def _guarded(self, handler: Handler, *, login: bool = False) -> Handler:
        async def guarded(request: Request) -> Response:
            refused = self.refusal(request)
            if refused is not None and login and refused.status == 401:
                return self._login_page(wrong=False)
            try:
                response = _refused(refused) if refused else await handler(request)
            except RefusedError as error:
                response = _refused(error)
            response.headers.update(HEADERS)
            return response

        return guarded

    async def _page(self, _: Request) -> Response:
        return HTMLResponse(
            self._templates.get_template("index.html").render(
                kind=self._kind,
                version=__version__,
                faults=[(each.value, each.description) for each in FaultKind],
                is_destination=isinstance(self.receiver, WebhookDestination),
                is_rudderstack=isinstance(self.receiver, RudderStack),
            )
        )

    @property
    def _kind(self) -> str:
        if isinstance(self.receiver, RudderStack):
            return "RudderStack stand-in"
        return "Webhook destination" if self.is_destination else "Receiver"

    @property
    def is_destination(self) -> bool:
        """Whether RudderStack's messages come instead of events."""
        return isinstance(self.receiver, WebhookDestination)

    def _login_page(self, *, wrong: bool) -> Response:
        text = self._templates.get_template("login.html").render(wrong=wrong)
        return HTMLResponse(text, 401, HEADERS)

    async def _login(self, request: Request) -> Response:
        if refused := cross_site_refusal(request):
            return _refused(refused)
        try:
            form = (await read_body(request, limit=_MAX_BODY, timeout=10.0)).decode("latin-1")
        except (RefusedError, TimeoutError):
            return self._login_page(wrong=True)
        token = Request({"type": "http", "query_string": form.encode("latin-1")}).query_params
        cookie = self.receiver.access.login(request, token.get("token", ""))
        if cookie is None:
            return self._login_page(wrong=True)
        return RedirectResponse("/", 303, {**HEADERS, "Set-Cookie": cookie})

    async def _static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _STATIC:
            return _refused(RefusedError(404, "there is no such file"))
        content = files(__package__ or "").joinpath("static", name).read_bytes()
        headers = {**HEADERS, "Cache-Control": "no-cache"}
        return Response(content, media_type=_STATIC[name], headers=headers)

    def summary(self) -> dict[str, Any]:
        """Return what the page shows on top: totals, rates, response times, findings."""
        value = summary(self.receiver, self.store, now=time.time())
        value["fault"] = self.faults.to_dict()
        value["health"] = None if self.health is None else dict(self.health())
        hidden: dict[str, Any] = self.secrets.hide(value)
        return hidden

    def version(self) -> object:
        """Return a value that differs after each change of the summary."""
        health = None if self.health is None else tuple(self.health().items())
        return self.store.version, self.faults.to_dict(), health

    async def _summary(self, _: Request) -> Response:
        return _json(self.summary())

    async def _requests(self, request: Request) -> Response:
        query = request.query_params
        return self._hidden(
            queries.requests_window(
                self.store,
                failed=query.get("failed") == "1",
                before=_number(query.get("before")),
                after=-1 if (after := _number(query.get("after"))) is None else after,
                limit=_number(query.get("limit")) or 50,
                masks=self._masks_of(request),
            )
        )

    async def _events(self, request: Request) -> Response:
        query = request.query_params
        wanted = queries.Filter(
            **{each.name: query.get(each.name, "") for each in attrs.fields(queries.Filter)}
        )
        return self._hidden(
            queries.events_window(
                self.store,
                wanted,
                before=_number(query.get("before")),
                after=-1 if (after := _number(query.get("after"))) is None else after,
                limit=_number(query.get("limit")) or 50,
                masks=self._masks_of(request),
            )
        )

    async def _timeline(self, request: Request) -> Response:
        query = request.query_params
        return self._hidden(
            queries.timeline(
                self.store,
                user=query.get("user", ""),
                campaign=query.get("campaign", ""),
                masks=self._masks_of(request),
            )
        )

    async def _request(self, request: Request) -> Response:
        row = self._request_row(request)
        masks = self._masks_of(request)
        return self._hidden(request_details(row, masks=masks, secrets=self.secrets))

    async def _body(self, request: Request) -> Response:
        row = self._request_row(request)
        if self._masks_of(request) is not None:
            raise RefusedError(403, "the body has personal data; add ?reveal=1 to see it")
        if row.body is None:
            raise RefusedError(404, "the body of this request was not read")
        name = f"request-{row.number}.json"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        body = self.secrets.hide_bytes(row.body)
        return Response(body, media_type="application/octet-stream", headers=headers)

    async def _event(self, request: Request) -> Response:
        return self._hidden(
            event_details(
                self.store,
                self._event_row(request),
                mapping=self.receiver.mapping if isinstance(self.receiver, RudderStack) else None,
                is_message=self.is_destination,
                masks=self._masks_of(request),
                secrets=self.secrets,
            )
        )

    async def _curl(self, request: Request) -> Response:
        row = self._event_row(request)
        origin = f"{request.scope['scheme']}://{request.headers.get('host', '')}"
        its_request = self.store.requests.get(row.request)
        return _json({"command": curl(origin, its_request, self._body_of(row), self.secrets)})

    async def _send_event(self, request: Request) -> Response:
        row = self._event_row(request)
        its_request = self.store.requests.get(row.request)
        return _json({"status": await self.send(request.scope, its_request, self._body_of(row))})

    async def _send_request(self, request: Request) -> Response:
        row = self._request_row(request)
        if row.body is None:
            raise RefusedError(404, "the body of this request was not read")
        return _json({"status": await self.send(request.scope, row, row.body)})

    async def _switch_fault(self, request: Request) -> Response:
        try:
            body = await read_body(request, limit=_MAX_BODY, timeout=10.0)
            self.faults.switch(orjson.loads(body))
        except (orjson.JSONDecodeError, OptionError, TimeoutError) as error:
            raise RefusedError(400, str(error)) from None
        return _json({"fault": self.faults.to_dict()})

    async def _clear(self, _: Request) -> Response:
        self.store.clear()
        return _json({})

    def _body_of(self, row: EventRow) -> bytes:
        """Return the body of a request with one event."""
        return row.data if self.is_destination else b'{"events":[' + row.data + b"]}"

    def _masks_of(self, request: Request) -> Masks | None:
        return None if request.query_params.get("reveal") == "1" else self.masks

    def _request_row(self, request: Request) -> RequestRow:
        number = request.path_params["number"]
        row = self.store.requests.get(number)
        if row is None:
            raise RefusedError(404, f"request {number} is not kept any more")
        return row

    def _event_row(self, request: Request) -> EventRow:
        run, _, number = request.path_params["id"].partition("-")
        if run != self.store.run:
            raise RefusedError(404, "the event was received by another run of the receiver")
        row = self.store.events.get(_number(number) or 0)
        if row is None:
            raise RefusedError(404, "the event is not kept any more")
        return row

    def _hidden(self, value: dict[str, Any]) -> Response:
        return _json(self.secrets.hide(value))


@attrs.define(eq=False)
class _Stream:
    """The stream of summaries, for as many pages as are allowed."""

    _api: Api
    _open: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self._api.refusal(Request(scope))
        if refused is None and self._open >= _MAX_STREAMS:
            refused = RefusedError(503, f"{_MAX_STREAMS} pages are open already")
        if refused is not None:
            await _refused(refused)(scope, receive, send)
            return
        self._open += 1
        try:
            await EventStream(self._api.version, self._api.summary)(scope, receive, send)
        finally:
            self._open -= 1


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")


def _refused(refused: RefusedError) -> Response:
    body = orjson.dumps({"error": visible(refused.message)})
    return Response(body, refused.status, HEADERS, media_type="application/json")


def _number(text: str | None) -> int | None:
    """Return a whole number from a query; None without one."""
    return int(text[:18]) if text and text.isdecimal() and text.isascii() else None
