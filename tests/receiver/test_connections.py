"""Connections to a receiver that misbehave: slow, endless, too many."""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from currents_export.errors import OptionError
from currents_export.receiver import Receiver, ScriptedResponse, _protocol, listen
from tests.support.currents import WRITE_KEY
from tests.support.events import event
from tests.support.receivers import PATIENCE, Client, body, connect

HALF_HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: "


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Whatever clients do, a receiver logs and prints nothing."""
    yield
    records = caplog.get_records("call")
    assert [each.getMessage() for each in records if each.levelno >= logging.WARNING] == []
    assert capfd.readouterr() == ("", "")


def rest_of(connection: socket.socket) -> bytes:
    """Return what is received until the connection ends, however it ends."""
    data = b""
    try:
        while part := connection.recv(65_536):
            data += part
    except ConnectionError:
        pass
    return data


def response_of(connection: socket.socket) -> bytes:
    """Return the next response, after which the connection may stay open."""
    data = b""
    while True:
        head, blank, content = data.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        if blank and length and len(content) >= int(length[1]):
            return data
        part = connection.recv(65_536)
        assert part, data
        data += part


def post_until_accepted(url: str) -> None:
    """Post until the receiver has room for another connection."""
    statuses = (httpx.post(url).status_code for _ in range(1_000))
    assert next(each for each in statuses if each != 503) == 200


def post(path: str = "/", length: int = 0, *headers: str) -> bytes:
    """Return the head of a request."""
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {length}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@pytest.mark.parametrize("sent", [b"", b"P", HALF_HEAD])
def test_late_head_closes_connection(sent: bytes) -> None:
    with listen(Receiver(request_timeout=0.05)) as url, connect(url) as raw:
        raw.sendall(sent)
        assert rest_of(raw) == b""
        assert httpx.post(url).status_code == 200


def test_dripping_head_closes_connection() -> None:
    with listen(Receiver(request_timeout=0.05)) as url, connect(url) as raw:
        raw.sendall(HALF_HEAD)
        left = 16_000  # a head may have 16 KiB
        while left and not select.select([raw], [], [], 0.01)[0]:
            raw.sendall(b"x")
            left -= 1
        assert left


def test_late_second_head_closes_connection() -> None:
    with listen(Receiver(request_timeout=0.05)) as url, connect(url) as raw:
        raw.sendall(post())
        assert response_of(raw).startswith(b"HTTP/1.1 200 ")
        raw.sendall(HALF_HEAD)
        assert rest_of(raw) == b""


def test_time_for_head_ends_with_head() -> None:
    class Late:
        async def __call__(self, _: float) -> None:
            await asyncio.sleep(0.2)

    receiver = Receiver(
        script=[ScriptedResponse("ok", delay=1)], sleep=Late(), request_timeout=0.05
    )
    with listen(receiver) as url:
        assert httpx.post(url, content=body(event())).status_code == 200


def test_response_comes_before_body() -> None:
    receiver = Receiver(write_keys=[WRITE_KEY], max_body_bytes=1_000)
    with listen(receiver) as url:
        for head, status in (
            (post(length=400_000_000), b"401"),
            (post(f"/?writeKey={WRITE_KEY}", 1_001), b"413"),
            (post("/", 9, "Expect: 100-continue"), b"401"),
        ):
            with connect(url) as raw:
                raw.sendall(head)
                assert response_of(raw).startswith(b"HTTP/1.1 " + status)


def test_small_rest_is_discarded() -> None:
    good, content = f"/?writeKey={WRITE_KEY}", body(event())
    receiver = Receiver(write_keys=[WRITE_KEY], max_body_bytes=200_000)
    with listen(receiver) as url, connect(url) as raw:
        for path, status in (("/", b"401"), (good, b"413")):
            raw.sendall(post(path, 300_000))
            assert response_of(raw).startswith(b"HTTP/1.1 " + status)
            raw.sendall(bytes(300_000) + post(good, len(content)) + content)
            assert response_of(raw).startswith(b"HTTP/1.1 200 ")
    assert receiver.counts.by_status == {"200": 2, "401": 1, "413": 1}


@pytest.mark.parametrize("chunked", [False, True])
def test_large_rest_closes_connection(chunked: bool) -> None:
    head = post(length=400_000_000)
    if chunked:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    part = b"8000\r\n" + bytes(0x8000) + b"\r\n"
    with listen(Receiver(write_keys=[WRITE_KEY])) as url, connect(url) as raw:
        raw.sendall(head)
        assert response_of(raw).startswith(b"HTTP/1.1 401 ")
        with pytest.raises(ConnectionError):
            raw.sendall(part * (100_000_000 // len(part)))


def test_late_rest_closes_connection() -> None:
    receiver = Receiver(write_keys=[WRITE_KEY], request_timeout=0.05)
    with listen(receiver) as url, connect(url) as raw:
        raw.sendall(post(length=100_000) + b"{")
        assert rest_of(raw).startswith(b"HTTP/1.1 401 ")


def test_client_that_does_not_read(client: Client) -> None:
    receiver, requests = Receiver(check=False, request_timeout=0.05), 200
    types = [f"{number:0300}" for number in range(1_000)]
    client(receiver).post("/", content=body(*({"event_type": each} for each in types)))
    with listen(receiver, max_connections=1) as url, connect(url) as raw:
        raw.sendall(b"GET /counts HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * requests)
        post_until_accepted(url)
        received = rest_of(raw)
    assert received.startswith(b"HTTP/1.1 200 ")
    assert len(received) < len(str(types)) * requests


def test_invalid_request_is_quiet() -> None:
    with listen(Receiver()) as url, connect(url) as raw:
        raw.sendall(b"\x16\x03\x01 is not HTTP\r\n\r\n")
        assert rest_of(raw).startswith(b"HTTP/1.1 400 ")


def test_upgrade_is_quiet() -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}
    with listen(Receiver()) as url:
        assert httpx.post(url, headers=upgrade).status_code == 200


def test_too_many_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_protocol, "_REFUSAL_TIMEOUT", PATIENCE * 10)
    receiver = Receiver()
    with listen(receiver, max_connections=2) as url, ExitStack() as stack:
        first, second, third = (stack.enter_context(connect(url)) for _ in range(3))
        for each in (first, second, third):
            each.sendall(HALF_HEAD)
        refusal = rest_of(third)
        assert refusal.startswith(b"HTTP/1.1 503 ")
        assert refusal.endswith(b"\r\n\r\ntoo many connections\n")
        for each in (first, second):
            each.sendall(b"\r\nContent-Length: 0\r\n\r\n")
            assert response_of(each).startswith(b"HTTP/1.1 200 ")
        first.close()
        third.close()
        post_until_accepted(url)


def test_refused_client_can_send_its_body() -> None:
    receiver = Receiver()
    with listen(receiver, max_connections=1) as url, connect(url) as taken:
        taken.sendall(HALF_HEAD)
        assert httpx.post(url, content=bytes(100_000)).status_code == 503
    assert receiver.counts.requests == 0


def test_refused_client_that_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_protocol, "_REFUSAL_TIMEOUT", 0.05)
    with listen(Receiver(), max_connections=1) as url, connect(url) as taken, connect(url) as other:
        assert rest_of(other).startswith(b"HTTP/1.1 503 ")
        taken.close()
        post_until_accepted(url)


def test_connections_within_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    for limit, statuses in ((4, [200, 200, 503]), (resource.RLIM_INFINITY, [200, 200, 200])):
        monkeypatch.setattr(resource, "getrlimit", lambda _, limit=limit: (limit, limit))
        with listen(Receiver()) as url, ExitStack() as stack:
            clients = [stack.enter_context(httpx.Client()) for _ in statuses]
            assert [each.post(url).status_code for each in clients] == statuses


def test_refusals_are_bounded() -> None:
    with listen(Receiver(), max_connections=1) as url, ExitStack() as stack:
        connections = [stack.enter_context(connect(url)) for _ in range(100)]
        connections[0].sendall(HALF_HEAD)
        responses = [rest_of(each) for each in connections[1:]]
        refused = [each for each in responses if each.startswith(b"HTTP/1.1 503 ")]
        assert 0 < len(refused) < 99
        assert len(refused) + responses.count(b"") == 99


def test_stop_with_connections_open() -> None:
    receiver = Receiver(write_keys=[WRITE_KEY])
    with ExitStack() as stack, listen(receiver, max_connections=3) as url:
        for sent in (b"", HALF_HEAD, post(length=9), b"", HALF_HEAD):
            raw = stack.enter_context(connect(url))
            raw.sendall(sent)
        assert rest_of(raw).startswith(b"HTTP/1.1 503 ")


@pytest.mark.parametrize("number", [0, -1, 1.5, True, None])
def test_impossible_number_of_connections(number: Any) -> None:
    with (
        pytest.raises(OptionError, match=r"max_connections is .*; it must be 1 or more"),
        listen(Receiver(), max_connections=number),
    ):
        pytest.fail("the receiver listens")


@pytest.mark.parametrize("failures", [1, 2, 7])
def test_no_descriptor_left(failures: int, monkeypatch: pytest.MonkeyPatch) -> None:
    accept = socket.socket.accept
    tried = in_a_row = most = 0

    def pause() -> None:
        nonlocal in_a_row
        in_a_row = 0

    def fail_first(listening: socket.socket) -> Any:
        nonlocal tried, in_a_row, most
        tried += 1
        if tried > failures:
            return accept(listening)
        in_a_row += 1
        most = max(most, in_a_row)
        asyncio.get_running_loop().call_soon(pause)
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(socket.socket, "accept", fail_first)
    monkeypatch.setattr("asyncio.constants.ACCEPT_RETRY_DELAY", 0.01)
    with listen(Receiver()) as url:
        assert httpx.post(url, timeout=PATIENCE).status_code == 200
    assert tried > failures
    assert most <= 2
