"""The lifespan of an application behind `AppTransport`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from currents_export.errors import ReceiverError
from currents_export.receiver import AppTransport

REQUEST = httpx.Request("POST", "http://app.test/")


def app(log: list[str], *, fails: str = "") -> Starlette:
    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[dict[str, str]]:
        log.append("up")
        if fails == "startup":
            raise LookupError("no database")
        yield {"database": "open"}
        log.append("down")
        if fails == "shutdown":
            raise LookupError("still open")

    async def show(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.state.database)

    return Starlette(routes=[Route("/", show, methods=["POST"])], lifespan=lifespan)


@pytest.mark.parametrize("entered", [True, False])
def test_state_reaches_requests(entered: bool) -> None:
    log: list[str] = []
    transport = AppTransport(app(log))
    if entered:
        transport.__enter__()
        assert log == ["up"]
    responses = [transport.handle_request(REQUEST) for _ in range(2)]
    assert [each.read() for each in responses] == [b"open"] * 2
    transport.close()
    transport.close()
    assert log == ["up", "down"]


def test_unused_transport_starts_nothing() -> None:
    log: list[str] = []
    AppTransport(app(log)).close()
    assert log == []


def test_lifespan_can_be_left_out() -> None:
    log: list[str] = []
    with AppTransport(app(log), lifespan=False) as transport, pytest.raises(AttributeError):
        transport.handle_request(REQUEST)
    assert log == []


def test_startup_that_fails() -> None:
    with (
        pytest.raises(ReceiverError, match="did not start: LookupError: no database"),
        AppTransport(app([], fails="startup")),
    ):
        pytest.fail("it must not be entered")
    transport = AppTransport(app([], fails="startup"))
    for _ in range(2):
        with pytest.raises(ReceiverError, match="did not start"):
            transport.handle_request(REQUEST)
    transport.close()


def test_shutdown_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with AppTransport(app([], fails="shutdown")):
        pass
    assert "did not shut down: LookupError: still open" in caplog.text


def test_application_without_lifespan() -> None:
    async def simple(scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def careless(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    for each in (simple, careless):
        with AppTransport(each) as transport:
            assert transport.handle_request(REQUEST).status_code == 204


def test_slow_startup_counts_as_request_time() -> None:
    async def hangs(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.Event().wait()

    transport = AppTransport(hangs)
    request = httpx.Request("POST", "http://app.test/", extensions={"timeout": {"read": 0.02}})
    with pytest.raises(httpx.ReadTimeout):
        transport.handle_request(request)
    transport.close()
