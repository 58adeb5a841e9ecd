"""A request has one deadline, whatever the server does with its time."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest

from currents_export.delivery import Sender
from currents_export.delivery._deadline import connect
from currents_export.delivery._endpoint import Endpoint
from currents_export.destinations import CredentialsCheck
from tests.support.currents import custom
from tests.support.senders import PATIENCE
from tests.support.servers import Responding, drip, raw_server, read_request

#: The deadline, in seconds, and by when a request must have ended on a busy machine.
TIMEOUT = 0.2
LATEST = 5.0
HEAD = b"HTTP/1.1 200 OK\r\n"


@contextlib.contextmanager
def in_time() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < LATEST


def endpoint(url: str, **options: Any) -> Endpoint:
    defaults = {"timeout": TIMEOUT, "max_retry_after": 1.0, "transport": None, "ssl_context": None}
    return Endpoint(custom(url), **defaults | options)


def ask(url: str) -> CredentialsCheck:
    with Sender(custom(url, allow_plain_http=True), timeout=TIMEOUT) as sender, in_time():
        return sender.check_credentials()


@pytest.mark.parametrize(
    "script",
    [
        drip(b"", b""),
        drip(HEAD, b"x"),
        drip(HEAD, b"x: y\r\n"),
        drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, pause=0.0001),
        drip(b"", b"HTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\n"),
    ],
    ids=["silent", "header", "headers", "100s", "flood of 100s", "103s"],
)
def test_head_without_end_is_failed_attempt(script: Callable[[socket.socket], None]) -> None:
    with raw_server(script) as url:
        check = ask(url)
    assert check.status is None
    assert "network error: timed out after 0.2 s" in check.message


def test_slow_reader_is_failed_attempt() -> None:
    """Every write makes progress, and each has far less to do than the whole."""
    ended = threading.Event()

    def script(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        while connection.recv(4096) and not ended.wait(0.001):
            pass

    with raw_server(script) as url, closing(endpoint(url)) as it, in_time():
        response = it.post(b"x" * 50_000_000)
        ended.set()
    assert str(response) == "network error: timed out after 0.2 s"


@pytest.mark.parametrize(
    ("first", "drop"),
    [
        (HEAD + b"content-length: 1000\r\n\r\n", b"x"),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n", b"0"),
        (HEAD + b"\r\n", b"x"),
    ],
    ids=["length", "chunks", "size of a chunk", "until closed"],
)
def test_body_without_end_counts_by_status(first: bytes, drop: bytes) -> None:
    with raw_server(drip(first, drop)) as url:
        assert ask(url).status == 200


def test_body_gets_no_more_than_the_rest() -> None:
    """The headers took nearly all of the time."""

    def script(connection: socket.socket) -> None:
        read_request(connection)
        threading.Event().wait(0.4)
        connection.sendall(HEAD + b"content-length: 9\r\n\r\nbe")
        with contextlib.suppress(OSError):
            connection.recv(1)

    with raw_server(script) as url, closing(endpoint(url, timeout=0.6)) as it:
        began = time.monotonic()
        response = it.post(b"{}")
        assert time.monotonic() - began < 0.4 + 0.6
    assert str(response) == "200: be"


def test_silent_socks_proxy_is_failed_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("socksio")
    greeted = threading.Event()

    def script(connection: socket.socket) -> None:
        connection.recv(100)
        greeted.set()
        connection.recv(1)

    with raw_server(script) as url:
        monkeypatch.setenv("ALL_PROXY", url.replace("http", "socks5"))
        check = ask("http://receiver.example.com/")
    assert greeted.is_set()
    assert "timed out after 0.2 s" in check.message


def test_dripping_proxy_is_failed_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    def script(connection: socket.socket) -> None:
        connection.recv(4096)
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    with raw_server(script) as url:
        monkeypatch.setenv("HTTPS_PROXY", url)
        check = ask("https://receiver.example.com/")
    assert "timed out after 0.2 s" in check.message


def test_silent_tls_server_is_failed_attempt() -> None:
    def script(connection: socket.socket) -> None:
        while connection.recv(4096):
            pass

    with raw_server(script) as url:
        assert "timed out after 0.2 s" in ask(url.replace("http", "https")).message


def test_each_address_gets_a_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that never responds leaves time for the next."""
    silent = socket.create_server(("127.0.0.1", 0), backlog=0)
    port = silent.getsockname()[1]
    waiting = [socket.socket() for _ in range(3)]  # fill its queue, so that no one else gets in
    for each in waiting:
        each.setblocking(False)
        each.connect_ex(("127.0.0.1", port))
    open_one = socket.create_server(("127.0.0.2", port))
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))
        for host in ("127.0.0.1", "127.0.0.2")
    ]
    look_up = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *args, **options: found if host == "both" else look_up(host, *args, **options),
    )
    with silent, open_one, contextlib.ExitStack() as stack:
        for each in waiting:
            stack.enter_context(each)
        stream = connect("both", port, time.monotonic() + 1.0)
        assert stream.socket.getpeername() == ("127.0.0.2", port)
        stream.close()


def test_slow_lookup_is_failed_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lookups of one name share a thread."""
    ended = threading.Event()
    before = threading.active_count()

    def look_up(*_: object, **__: object) -> list[Any]:
        ended.wait(LATEST)
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    try:
        for _ in range(2):
            assert "timed out after 0.2 s" in ask("https://receiver.example.com/").message
        assert threading.active_count() == before + 1
    finally:
        ended.set()
    with closing(endpoint("https://receiver.example.com/", timeout=LATEST)) as it:
        assert "no such name" in it.post(b"{}").text


def test_large_response_is_not_read() -> None:
    """Only the first 64 KiB are, and the connection is closed then."""
    sent = 0

    def script(connection: socket.socket) -> None:
        nonlocal sent
        read_request(connection)
        connection.sendall(HEAD + b"content-length: 1000000000\r\n\r\n")
        while True:
            sent += connection.send(b"x" * 65536)

    with raw_server(script) as url:
        assert ask(url).status == 200
    assert sent < 100_000_000


@pytest.mark.parametrize("size", [10, 60_000])
def test_small_response_leaves_the_connection_open(size: int) -> None:
    connections = 0

    def script(connection: socket.socket) -> None:
        nonlocal connections
        connections += 1
        for _ in range(3):
            read_request(connection)
            connection.sendall(HEAD + b"content-length: %d\r\n\r\n" % size + b"x" * size)

    with raw_server(script) as url, Sender(custom(url), timeout=PATIENCE) as sender:
        assert [sender.check_credentials().status for _ in range(3)] == [200] * 3
    assert connections == 1


@pytest.mark.parametrize("over_socket", [True, False])
def test_bomb_is_not_decompressed(over_socket: bool) -> None:
    bomb = gzip.compress(b"boom " + bytes(200_000_000), 9)
    head = f"HTTP/1.1 500 X\r\ncontent-encoding: gzip\r\ncontent-length: {len(bomb)}\r\n\r\n"

    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(head.encode() + bomb)

    def respond(_: httpx.Request) -> httpx.Response:
        headers = {"content-encoding": "gzip"}
        return httpx.Response(500, headers=headers, stream=httpx.ByteStream(bomb))

    with contextlib.ExitStack() as stack:
        url = stack.enter_context(raw_server(script)) if over_socket else "http://127.0.0.1:9/"
        transport = None if over_socket else Responding(respond)
        sender = stack.enter_context(Sender(custom(url), transport=transport))
        tracemalloc.start()
        try:
            message = sender.check_credentials().message
            assert tracemalloc.get_traced_memory()[1] < 5_000_000
        finally:
            tracemalloc.stop()
    assert "500: boom" in message


@pytest.mark.parametrize(
    ("encoding", "body", "message"),
    [
        ("gzip", gzip.compress(b"full"), "500: full"),
        ("deflate", zlib.compress(b"full"), "500: full"),
        ("GZIP ", gzip.compress(b"full"), "500: full"),
        ("gzip", gzip.compress(b"full")[:-9], "500: full"),
        ("gzip", b"not gzip", "500"),
        ("br", b"\x0b\x02\x80", "500"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"full")), "500"),
        ("identity", b"full", "500: full"),
    ],
)
def test_encoded_text_is_shown(encoding: str, body: bytes, message: str) -> None:
    headers = {"content-encoding": encoding}
    stream = httpx.ByteStream(body)
    transport = Responding(lambda _: httpx.Response(500, headers=headers, stream=stream))
    with closing(endpoint("http://127.0.0.1:9/", transport=transport)) as it:
        assert str(it.post(b"{}")) == message


def test_lookup_without_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the interpreter's exit, no thread can be started."""

    def fail(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", fail)
            stream = connect("localhost", port, time.monotonic() + LATEST)
        stream.close()
