"""A WSGI application in the process of its client."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from currents_export.receiver import WsgiTransport
from tests.support.receivers import PATIENCE

REQUEST = httpx.Request("POST", "http://app.test/hook?key=1", content=b"body", headers={"X-A": "b"})


def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    text = environ["wsgi.input"].read() + environ["QUERY_STRING"].encode()
    start_response("202 Accepted", [("X-Seen", environ["HTTP_X_A"])])
    return [text, b"!"]


def test_request_and_response() -> None:
    with WsgiTransport(app) as transport:
        response = transport.handle_request(REQUEST)
    assert (response.status_code, response.headers["x-seen"]) == (202, "b")
    assert response.content == b"bodykey=1!"


def test_exception_reaches_client() -> None:
    def raises(environ: Any, start_response: Any) -> list[bytes]:
        raise LookupError("no such thing")

    with WsgiTransport(raises) as transport, pytest.raises(LookupError, match="no such"):
        transport.handle_request(REQUEST)


def test_timeout_and_close() -> None:
    gate, begun = threading.Event(), threading.Semaphore(0)

    def hangs(environ: Any, start_response: Any) -> list[bytes]:
        begun.release()
        gate.wait(PATIENCE)
        start_response("200 OK", [])
        return []

    transport = WsgiTransport(hangs)
    with pytest.raises(httpx.ReadTimeout):
        transport.handle_request(
            httpx.Request("POST", "http://app.test/", extensions={"timeout": {"read": 0.02}})
        )
    with ThreadPoolExecutor() as pool:
        response = pool.submit(transport.handle_request, REQUEST)
        for _ in range(2):
            assert begun.acquire(timeout=PATIENCE)
        transport.close()
        assert isinstance(response.exception(PATIENCE), httpx.ReadError)
    with pytest.raises(httpx.ReadError, match="closed"):
        transport.handle_request(REQUEST)
    gate.set()


def test_body_that_fails() -> None:
    def fails(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"begun"
        raise LookupError("in the middle")

    with WsgiTransport(fails) as transport, pytest.raises(LookupError, match="middle"):
        transport.handle_request(REQUEST)
