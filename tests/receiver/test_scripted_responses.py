"""Scripted responses, as a client sees them."""

from __future__ import annotations

import socket

import httpx
import pytest

from currents_export.receiver import Receiver, ScriptedResponse, listen
from tests.support.currents import WRITE_KEY
from tests.support.events import event
from tests.support.receivers import HEADERS, PATIENCE, Client, body


class Slept:
    """A sleep that only records its length."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def test_script_then_normal_responses(client: Client) -> None:
    script = [ScriptedResponse(503, times=2), ScriptedResponse("ok"), ScriptedResponse(429)]
    receiver = Receiver(script=script)
    statuses = [client(receiver).post("/", content=body(event(n))).status_code for n in range(6)]
    assert statuses == [503, 503, 200, 429, 200, 200]
    assert [each["id"] for each in receiver.events] == [event(n).id for n in (2, 4, 5)]
    assert receiver.counts.by_status == {"200": 3, "429": 1, "503": 2}


def test_response_forever(client: Client) -> None:
    receiver = Receiver(script=[ScriptedResponse(503, times=None), ScriptedResponse("ok")])
    assert {client(receiver).post("/").status_code for _ in range(20)} == {503}


def test_ok_is_normal_response(client: Client) -> None:
    receiver = Receiver(write_keys=[WRITE_KEY], script=[ScriptedResponse("ok", times=None)])
    assert client(receiver).post("/").status_code == 401
    assert client(receiver).post(f"/?writeKey={WRITE_KEY}", content=b"{").status_code == 400
    good = client(receiver).post(f"/?writeKey={WRITE_KEY}", content=body(event()))
    assert (good.status_code, good.text) == (200, "ok")


@pytest.mark.parametrize("status", [200, 201, 202, 299])
def test_2xx_takes_events(status: int, client: Client) -> None:
    receiver = Receiver(script=[ScriptedResponse(status)])
    response = client(receiver).post("/", content=body(event()))
    assert (response.status_code, response.text) == (status, "scripted\n")
    assert receiver.events == [event().to_dict()]


@pytest.mark.parametrize("status", [204, 205, 304])
def test_status_without_body(status: int) -> None:
    receiver = Receiver(script=[ScriptedResponse(status)])
    with listen(receiver) as url:
        response = httpx.post(url, headers=HEADERS, content=body(event()))
    assert (response.status_code, response.content) == (status, b"")
    assert receiver.counts.events == (status < 300)


@pytest.mark.parametrize("status", [300, 400, 404, 500, 599])
def test_others_take_events_only_with_keep(status: int, client: Client) -> None:
    receiver = Receiver(script=[ScriptedResponse(status), ScriptedResponse(status, keep=True)])
    assert client(receiver).post("/", content=body(event(1))).status_code == status
    assert receiver.events == []
    assert client(receiver).post("/", content=body(event(2))).status_code == status
    assert receiver.events == [event(2).to_dict()]


@pytest.mark.parametrize(
    ("seconds", "header"),
    [
        (0, "0"),
        (1, "1"),
        (2.0, "2"),
        (0.25, "0.25"),
        (120, "120"),
        (1_000_000, "1000000"),
        (12_345_678, "12345678"),
        (0.00001, "0.00001"),
    ],
)
def test_retry_after_is_plain_number(seconds: float, header: str, client: Client) -> None:
    receiver = Receiver(script=[ScriptedResponse(503, retry_after=seconds)])
    assert client(receiver).post("/").headers["retry-after"] == header
    assert "retry-after" not in client(receiver).post("/").headers


def test_ok_with_retry_after(client: Client) -> None:
    receiver = Receiver(script=[ScriptedResponse("ok", retry_after=3)])
    response = client(receiver).post("/", content=b"{")
    assert (response.status_code, response.headers["retry-after"]) == (400, "3")


def test_delay_is_slept(client: Client) -> None:
    slept = Slept()
    script = [
        ScriptedResponse("ok", delay=2.5),
        ScriptedResponse(503, delay=7),
        ScriptedResponse("ok"),
    ]
    receiver = Receiver(script=script, sleep=slept)
    statuses = [client(receiver).post("/", content=body(event(n))).status_code for n in range(4)]
    assert statuses == [200, 503, 200, 200]
    assert slept.seconds == [2.5, 7]


def test_events_are_taken_before_delay(client: Client) -> None:
    receiver: Receiver
    seen: list[int] = []

    async def look(_: float) -> None:
        seen.append(receiver.counts.events)

    receiver = Receiver(script=[ScriptedResponse("ok", delay=1)], sleep=look)
    client(receiver).post("/", content=body(event()))
    assert seen == [1]


@pytest.mark.parametrize(("keep", "events"), [(False, 0), (True, 1)])
def test_reset_over_socket(keep: bool, events: int) -> None:
    receiver = Receiver(script=[ScriptedResponse("reset", keep=keep)])
    with listen(receiver) as url, httpx.Client(headers=HEADERS) as over_socket:
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as raw:
            content = body(event())
            head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n"
            raw.sendall(head.encode() + content)
            with pytest.raises(ConnectionResetError):
                raw.recv(1)
        assert over_socket.post(url, content=body(event(9))).status_code == 200
    assert receiver.counts.by_status == {"200": 1, "reset": 1}
    assert receiver.counts.events == events + 1


def test_reset_spares_other_connections() -> None:
    receiver = Receiver(script=[ScriptedResponse("ok"), ScriptedResponse("reset")])
    with listen(receiver) as url, httpx.Client() as one, httpx.Client() as other:
        assert one.post(url).status_code == 200
        with pytest.raises(httpx.ReadError):
            other.post(url)
        assert one.post(url).status_code == 200


def test_reset_in_process(client: Client) -> None:
    receiver = Receiver(script=[ScriptedResponse("reset")])
    with pytest.raises(ConnectionResetError, match="reset the connection"):
        client(receiver).post("/")
    assert receiver.counts.by_status == {"reset": 1}
