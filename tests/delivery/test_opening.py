"""How a connection is opened: directly or through a proxy; and when it is used again."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable

import pytest

from currents_export.delivery import Sender
from tests.support.certificates import NAME, certificates
from tests.support.currents import custom
from tests.support.senders import PATIENCE
from tests.support.servers import over_tls, raw_server, read_request

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
PLAIN = "http://receiver.example.com/"
Script = Callable[[socket.socket], None]


class Keeping:
    """A script that responds to every request on a connection, and keeps what it got."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests: list[bytes] = []

    def __call__(self, connection: socket.socket) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError):
            while True:
                self.requests.append(read_request(connection))
                connection.sendall(OK)


def reply(*replies: bytes) -> Script:
    """Make a script that writes each reply after it has received something."""

    def script(connection: socket.socket) -> None:
        for each in replies:
            connection.recv(65536)
            connection.sendall(each)

    return script


def problem(url: str) -> str:
    with Sender(custom(url, allow_plain_http=True), timeout=10.0) as sender:
        return sender.check_credentials().message


@pytest.mark.parametrize("tls", [False, True])
def test_connection_is_used_again(tls: bool) -> None:
    keeping = Keeping()
    context = certificates().client_context()
    script = over_tls(certificates().server_context(), keeping) if tls else keeping
    with (
        raw_server(script) as url,
        Sender(custom(url.replace("http", "https" if tls else "http")), ssl_context=context) as it,
    ):
        assert [it.check_credentials().status for _ in range(3)] == [200] * 3
    assert (keeping.connections, len(keeping.requests)) == (1, 3)


def test_tunnel_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    keeping = Keeping()
    secure = over_tls(certificates().server_context(), keeping)

    def proxy(connection: socket.socket) -> None:
        assert connection.recv(65536).startswith(f"CONNECT {NAME}:443 HTTP/1.1\r\n".encode())
        connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        secure(connection)

    with raw_server(proxy) as url:
        monkeypatch.setenv("HTTPS_PROXY", url)
        context = certificates().client_context()
        with Sender(custom(f"https://{NAME}/"), ssl_context=context) as sender:
            assert [sender.check_credentials().status for _ in range(3)] == [200] * 3
    assert (keeping.connections, len(keeping.requests)) == (1, 3)


def test_closed_connection_is_not_used_again() -> None:
    closed = threading.Semaphore(0)

    def script(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(OK)
        connection.shutdown(socket.SHUT_RDWR)
        closed.release()

    with raw_server(script) as url, Sender(custom(url)) as sender:
        for _ in range(3):
            assert sender.check_credentials().status == 200
            assert closed.acquire(timeout=PATIENCE)


def test_changes_of_the_current_take_effect() -> None:
    first, second = Keeping(), Keeping()
    with (
        raw_server(first) as here,
        raw_server(second) as there,
        Sender(custom(here, bearer_token="old")) as sender,
    ):
        sender.check_credentials()
        sender.resume(custom(here, bearer_token="new"))
        sender.check_credentials()
        sender.resume(custom(f"{there}path?a=b", bearer_token="new"))
        sender.check_credentials()
    old, new = first.requests
    assert b"Bearer old\r\n" in old
    assert b"Bearer new\r\n" in new
    assert second.requests[0].startswith(b"POST /path?a=b HTTP/1.1\r\nHost: 127.0.0.1:")


def test_http_proxy_gets_the_whole_url(monkeypatch: pytest.MonkeyPatch) -> None:
    keeping = Keeping()
    with raw_server(keeping) as url:
        monkeypatch.setenv("HTTP_PROXY", url.replace("://", "://bob:pw@"))
        current = custom(f"{PLAIN}path?a=b", allow_plain_http=True)
        with Sender(current) as sender:
            assert sender.check_credentials().status == 200
    [request] = keeping.requests
    assert request.startswith(b"POST http://receiver.example.com/path?a=b HTTP/1.1\r\n")
    assert b"Host: receiver.example.com\r\n" in request
    assert b"Proxy-Authorization: Basic Ym9iOnB3\r\n" in request


def test_proxy_that_refuses_a_tunnel(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = b""

    def refuse(connection: socket.socket) -> None:
        nonlocal asked
        asked = connection.recv(65536)
        connection.sendall(b"HTTP/1.1 407 Password Required\r\ncontent-length: 0\r\n\r\n")

    with raw_server(refuse) as url:
        monkeypatch.setenv("HTTPS_PROXY", url)
        assert "network error: 407 Password Required" in problem("https://[2001:db8::1]/")
    assert asked.startswith(b"CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n")


@pytest.mark.parametrize(
    ("replies", "text"),
    [
        ([b"\x05\xff"], "does not accept the way of authentication"),
        ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], "the SOCKS proxy"),
        ([b""], "the SOCKS proxy sent something else than SOCKS"),
        (
            [b"\x05\x00", b"\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00"],
            "the SOCKS proxy could not connect: host unreachable",
        ),
    ],
)
def test_socks_proxy_that_refuses(
    monkeypatch: pytest.MonkeyPatch, replies: list[bytes], text: str
) -> None:
    pytest.importorskip("socksio")
    with raw_server(reply(*replies)) as url:
        monkeypatch.setenv("ALL_PROXY", url.replace("http:", "socks5:"))
        assert text in problem(PLAIN)


def test_host_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    assert "network error: receiver.example.com has no address" in problem(PLAIN)
