"""Senders to applications of web frameworks, in one process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import flask
import pytest
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path
from fastapi import FastAPI, Request

from currents_export.delivery import AsyncSender, ManualClock, Sender, State
from currents_export.receiver import AppTransport, WsgiTransport
from tests.support.currents import custom
from tests.support.events import make_events


async def broken(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        raise LookupError("no such table")


def broken_wsgi(environ: Any, start_response: Any) -> list[bytes]:
    raise LookupError("no such table")


@pytest.fixture(params=["asgi", "wsgi"])
def raising(request: pytest.FixtureRequest) -> Any:
    if request.param == "asgi":
        return AppTransport(broken, raise_app_exceptions=True)
    return WsgiTransport(broken_wsgi, raise_app_exceptions=True)


@pytest.mark.parametrize("method", ["flush", "close", "check_credentials"])
def test_exception_is_raised(raising: Any, method: str) -> None:
    with raising:
        sender = Sender(custom(), transport=raising)
        sender.send(make_events(3))
        with pytest.raises(LookupError, match="no such table"):
            getattr(sender, method)()
        sender.close(timeout=0)
        assert sender.result.pending == 3


def test_exception_ends_a_send_that_waits(raising: Any) -> None:
    with raising:
        sender = Sender(custom(), transport=raising, max_pending_events=10)
        with pytest.raises(LookupError, match="no such table"):
            sender.send(make_events(1000))
        assert sender.result.state is State.PAUSED
        assert "no such table" in sender.result.reason
        sender.close(timeout=0)


def test_exception_in_context(raising: Any) -> None:
    with raising, pytest.raises(LookupError), Sender(custom(), transport=raising) as sender:
        sender.send(make_events(3))


def test_exception_in_event_loop(raising: Any) -> None:
    async def main() -> None:
        async with AsyncSender(custom(), transport=raising) as sender:
            await sender.send(make_events(3))
            await sender.flush()

    with raising, pytest.raises(LookupError, match="no such table"):
        asyncio.run(main())


def test_exception_is_a_network_error_by_default(clock: ManualClock) -> None:
    attempts = []

    async def flaky(scope: Any, receive: Any, send: Any) -> None:
        attempts.append(scope["type"])
        if len(attempts) < 4:
            raise LookupError("not yet")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    with (
        AppTransport(flaky) as transport,
        Sender(custom(), transport=transport, clock=clock) as one,
    ):
        one.send(make_events(3))
        assert one.flush().delivered == 3


def test_fastapi_state() -> None:
    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, list[Any]]]:
        yield {"received": []}
        log.append("down")

    log: list[str] = []
    app = FastAPI(lifespan=lifespan)

    @app.post("/currents")
    async def take(request: Request) -> dict[str, int]:
        request.state.received.extend((await request.json())["events"])
        log.append(f"{len(request.state.received)}")
        return {}

    current = custom("http://localhost/currents")
    with (
        AppTransport(app) as transport,
        Sender(current, transport=transport, batch_size=2, concurrency=1) as sender,
    ):
        sender.send(make_events(4))
        assert sender.flush().delivered == 4
    assert log == ["2", "4", "down"]


@pytest.mark.parametrize("fails", [False, True])
def test_flask(fails: bool) -> None:
    app = flask.Flask("receiver")
    app.testing = True
    received: list[Any] = []

    @app.post("/currents")
    def take() -> str:
        if fails:
            raise LookupError("no such table")
        received.extend(flask.request.get_json()["events"])
        return ""

    with WsgiTransport(app, raise_app_exceptions=True) as transport:
        sender = Sender(custom("http://localhost/currents"), transport=transport)
        sender.send(make_events(4))
        if fails:
            with pytest.raises(LookupError):
                sender.flush()
        else:
            assert sender.flush().delivered == len(received) == 4
        sender.close(timeout=0)


def test_django() -> None:
    bodies: list[bytes] = []

    def take(request: Any) -> HttpResponse:
        bodies.append(request.body)
        return HttpResponse(status=204)

    class Urls:
        urlpatterns = (path("currents", take),)

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="-", USE_TZ=True)
    with (
        override_settings(ROOT_URLCONF=Urls),
        WsgiTransport(get_wsgi_application()) as transport,
        Sender(custom("http://localhost/currents"), transport=transport) as sender,
    ):
        sender.send(make_events(4))
        assert sender.flush().delivered == 4
    assert b'"events":[' in bodies[0]
