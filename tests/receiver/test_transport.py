"""A receiver in the process of its client."""

from __future__ import annotations

import asyncio
import gzip
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from currents_export.receiver import AppTransport, Receiver, ScriptedResponse
from tests.support.events import event
from tests.support.receivers import HEADERS, PATIENCE, body


async def raises(scope: Any, receive: Any, send: Any) -> None:
    raise LookupError("no such thing")


def test_exception_reaches_client() -> None:
    with (
        httpx.Client(transport=AppTransport(raises)) as one,
        pytest.raises(LookupError, match="no such thing"),
    ):
        one.post("http://app.test/")


def test_closed_transport() -> None:
    transport = AppTransport(Receiver().app)
    transport.close()
    transport.close()
    with pytest.raises(httpx.ReadError, match="closed"):
        transport.handle_request(httpx.Request("POST", "http://app.test/"))


def test_several_threads() -> None:
    together = threading.Barrier(8)
    receiver = Receiver()

    def go(number: int) -> list[int]:
        together.wait(PATIENCE)
        return [
            one.post("http://app.test/", headers=HEADERS, content=body(event(n))).status_code
            for n in range(number * 10, number * 10 + 10)
        ]

    with httpx.Client(transport=AppTransport(receiver.app)) as one, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(go, range(8))) == [[200] * 10] * 8
    assert (receiver.counts.events, receiver.counts.duplicates) == (80, 0)
    assert {each["id"] for each in receiver.events} == {event(n).id for n in range(80)}


def test_inside_running_event_loop() -> None:
    receiver = Receiver()

    async def ask() -> int:
        with httpx.Client(transport=AppTransport(receiver.app)) as one:
            return one.post("http://app.test/").status_code

    assert asyncio.run(ask()) == 200


def test_read_timeout() -> None:
    hangs = asyncio.Event()

    async def forever(_: float) -> None:
        await hangs.wait()

    receiver = Receiver(script=[ScriptedResponse("ok", delay=1)], sleep=forever)
    with httpx.Client(transport=AppTransport(receiver.app), timeout=0.05) as one:
        with pytest.raises(httpx.ReadTimeout):
            one.post("http://app.test/")
        assert one.post("http://app.test/").status_code == 200


def test_timeout_error_of_the_application() -> None:
    async def impatient(scope: Any, receive: Any, send: Any) -> None:
        raise TimeoutError("its own")

    with (
        httpx.Client(transport=AppTransport(impatient)) as one,
        pytest.raises(TimeoutError, match="its own"),
    ):
        one.post("http://app.test/")


def test_close_ends_requests_in_flight() -> None:
    begun = threading.Event()

    async def hangs(scope: Any, receive: Any, send: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    transport = AppTransport(hangs)
    with ThreadPoolExecutor() as pool:
        request = httpx.Request("POST", "http://app.test/")
        response = pool.submit(transport.handle_request, request)
        assert begun.wait(PATIENCE)
        transport.close()
        assert isinstance(response.exception(PATIENCE), httpx.ReadError)


def test_encoded_response_is_decoded_once() -> None:
    async def zips(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-encoding", b"gzip")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": gzip.compress(b"good morning")})

    with httpx.Client(transport=AppTransport(zips)) as one:
        assert one.post("http://app.test/").text == "good morning"
