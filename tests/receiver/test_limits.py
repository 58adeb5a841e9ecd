"""How much of a body a receiver reads, and for how long."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from currents_export.errors import OptionError
from currents_export.receiver import Receiver, ScriptedResponse, listen
from tests.support.currents import WRITE_KEY
from tests.support.events import event
from tests.support.receivers import Client, body, connect, post_in_parts

PART = bytes(1_000)


def endless() -> Iterator[bytes]:
    while True:
        yield PART


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "400000000"}])
def test_body_without_credentials_is_not_read(headers: dict[str, str]) -> None:
    receiver = Receiver(write_keys=[WRITE_KEY])
    status, _, taken = post_in_parts(receiver, endless(), headers)
    assert (status, taken) == (401, 0)
    assert receiver.counts.by_status == {"401": 1}


def test_scripted_response_without_credentials() -> None:
    script = [ScriptedResponse(503), ScriptedResponse(200), ScriptedResponse("ok")]
    receiver = Receiver(write_keys=[WRITE_KEY], script=script)
    results = [post_in_parts(receiver, endless()) for _ in script]
    assert [(status, taken) for status, _, taken in results] == [(503, 0), (200, 0), (401, 0)]
    assert receiver.events == []


@pytest.mark.parametrize("length", ["10001", "0010001", "9" * 5_000])
def test_length_over_limit_is_refused_at_once(length: str) -> None:
    receiver = Receiver(max_body_bytes=10_000)
    headers = {"Content-Length": length}
    status, text, taken = post_in_parts(receiver, endless(), headers)
    assert (status, taken) == (413, 0)
    assert text.endswith("the limit is 10000 bytes\n")


@pytest.mark.parametrize("length", [None, "5", "x", "-1"])
def test_body_over_limit_is_not_read_further(length: str | None) -> None:
    receiver = Receiver(max_body_bytes=10_000)
    headers = {} if length is None else {"Content-Length": length}
    status, text, taken = post_in_parts(receiver, endless(), headers)
    assert (status, taken) == (413, 11)
    assert text == "the body has more than 10000 bytes, the limit\n"


def test_default_limit() -> None:
    limit = 16 * 2**20
    for length, status in ((limit, 408), (limit + 1, 413)):
        headers = {"Content-Length": str(length)}
        assert post_in_parts(Receiver(request_timeout=0.01), [], headers)[0] == status


def test_no_limit(client: Client) -> None:
    receiver = Receiver(max_body_bytes=None, request_timeout=None)
    content = body(event()) + b" " * (17 * 2**20)
    assert client(receiver).post("/", content=content).status_code == 200
    packed = {"content": gzip.compress(content), "headers": {"Content-Encoding": "gzip"}}
    assert client(receiver).post("/", **packed).status_code == 200  # type: ignore[arg-type]


def test_gzip_bomb_is_not_expanded() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    parts = [bomb[at : at + 10] for at in range(0, len(bomb), 10)]
    receiver = Receiver(max_body_bytes=100_000)
    status, text, taken = post_in_parts(receiver, parts, {"Content-Encoding": "gzip"})
    assert status == 413
    assert text == "the decoded body has more than 100000 bytes, the limit\n"
    # Deflate expands at most 1,032 times.
    assert taken <= 100_000 / (10 * 1_000) + 10


def test_gzip_bomb_in_one_part() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    receiver = Receiver(max_body_bytes=100_000)
    tracemalloc.start()
    try:
        status, _, _ = post_in_parts(receiver, [bomb], {"Content-Encoding": "gzip"})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert status == 413
    assert peak < 5_000_000


@pytest.mark.parametrize(("spare", "status"), [(0, 200), (-1, 413)])
def test_decoded_size_counts(spare: int, status: int, client: Client) -> None:
    content = body(event()) + b" " * 10_000
    receiver = Receiver(max_body_bytes=len(content) + spare)
    headers = {"Content-Encoding": "gzip"}
    response = client(receiver).post("/", content=gzip.compress(content), headers=headers)
    assert response.status_code == status


def test_compressed_size_counts_too() -> None:
    def empty_blocks() -> Iterator[bytes]:
        yield gzip.compress(b"")[:10]
        while True:
            yield b"\x00\x00\x00\xff\xff" * 200  # stored blocks of no bytes

    receiver = Receiver(max_body_bytes=10_000)
    status, _, taken = post_in_parts(receiver, empty_blocks(), {"Content-Encoding": "gzip"})
    assert (status, taken) == (413, 11)


def test_late_body_is_answered_408() -> None:
    receiver = Receiver(script=[ScriptedResponse(503)], request_timeout=0.01)
    status, text, taken = post_in_parts(receiver, [b"{", b'"events"'])
    assert (status, taken) == (408, 2)
    assert text == "the body was not complete after 0.01 seconds\n"
    assert receiver.counts.by_status == {"408": 1}
    with listen(receiver) as url:  # the script is still there for the first whole request
        assert httpx.post(url).status_code == 503


def test_late_body_closes_connection() -> None:
    with listen(Receiver(request_timeout=0.05)) as url, connect(url) as raw:
        raw.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{")
        response = raw.makefile("rb").read()
    assert response.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in response.lower()


@pytest.mark.parametrize("name", ["max_body_bytes", "request_timeout"])
@pytest.mark.parametrize("limit", [0, -1, float("nan"), True, "9"])
def test_impossible_limits(name: str, limit: Any) -> None:
    with pytest.raises(OptionError, match=f"{name} is .*; it must be a number greater than 0"):
        Receiver(**{name: limit})
