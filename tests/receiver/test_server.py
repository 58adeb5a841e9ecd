"""A receiver on a socket."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from currents_export.errors import ReceiverError
from currents_export.receiver import Receiver, ScriptedResponse, listen
from tests.support.events import event
from tests.support.receivers import HEADERS, PATIENCE, body


def test_two_receivers() -> None:
    one, two = Receiver(), Receiver()
    with listen(one) as first, listen(two) as second:
        assert first != second
        httpx.post(first, headers=HEADERS, content=body(event(1)))
        httpx.post(second, headers=HEADERS, content=body(event(2)))
    assert one.events == [event(1).to_dict()]
    assert two.events == [event(2).to_dict()]


def test_port_in_use() -> None:
    with listen(Receiver()) as url:
        port = int(url.rpartition(":")[2])
        with (
            pytest.raises(ReceiverError, match=rf"'127.0.0.1', port {port}: "),
            listen(Receiver(), port=port),
        ):
            pytest.fail("the receiver listens")


def test_port_is_free_afterwards() -> None:
    with listen(Receiver()) as url:
        port = int(url.rpartition(":")[2])
        assert httpx.post(url).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.post(url)
    with listen(Receiver(), port=port) as again:
        assert again == url
        assert httpx.post(again).status_code == 200


@pytest.mark.parametrize("host", ["", "nowhere.invalid", "256.256.256.256", "..", "a" * 64])
def test_unknown_host(host: str) -> None:
    with pytest.raises(ReceiverError, match="cannot listen on '"), listen(Receiver(), host=host):
        pytest.fail("the receiver listens")


@pytest.mark.parametrize("port", [-1, 65_536, 70_000])
def test_impossible_port(port: int) -> None:
    with pytest.raises(ReceiverError, match="ports are 0 to 65535"), listen(Receiver(), port=port):
        pytest.fail("the receiver listens")


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_ipv6() -> None:
    with listen(Receiver(), host="::1") as url:
        assert url.startswith("http://[::1]:")
        assert httpx.post(url).status_code == 200


def test_stop_resets_delayed_responses(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun = threading.Event()

    async def forever(_: float) -> None:
        begun.set()
        await asyncio.Event().wait()

    receiver = Receiver(script=[ScriptedResponse("ok", delay=1)], sleep=forever)
    with ThreadPoolExecutor() as pool:
        with listen(receiver) as url:
            response = pool.submit(httpx.post, url, content=body(event()), timeout=PATIENCE)
            assert begun.wait(PATIENCE)
        assert isinstance(response.exception(), httpx.ReadError)
    assert receiver.counts.by_status == {"reset": 1}
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


def test_incomplete_request_is_not_counted() -> None:
    receiver = Receiver()
    with listen(receiver) as url:
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as raw:
            raw.sendall(
                b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
            )
            raw.settimeout(PATIENCE)
            assert raw.recv(100).startswith(b"HTTP/1.1 100")  # the server waits for the body
        # Requests are handled in order: after this response, the abandoned request has ended, too.
        assert httpx.get(f"{url}/counts").json()["requests"] == 0
    assert receiver.counts.requests == 0
