"""TLS: which certificates are trusted, the client's own, and TLS within TLS."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from currents_export.delivery import Sender
from tests.support.certificates import NAME, certificates
from tests.support.currents import custom
from tests.support.events import make_events
from tests.support.servers import over_tls, raw_server, say, tunnel


@contextlib.contextmanager
def tls_server(*, mutual: bool = False) -> Iterator[str]:
    context = certificates().server_context(mutual=mutual)
    with raw_server(over_tls(context, say("200 OK", "secure"))) as url:
        yield url.replace("http:", "https:")


def check(url: str, context: ssl.SSLContext | None = None) -> str:
    with Sender(custom(url), ssl_context=context, timeout=10.0) as sender:
        found = sender.check_credentials()
    return str(found.status or found.message)


def test_unknown_authority_is_network_error() -> None:
    with tls_server() as url:
        assert "certificate verify failed" in check(url)


def test_given_authority_is_trusted() -> None:
    with tls_server() as url:
        assert check(url, certificates().client_context()) == "200"


def test_name_of_the_server_is_verified() -> None:
    with tls_server() as url:
        wrong = check(url.replace("127.0.0.1", "localhost"), certificates().client_context())
    assert "certificate is not valid for 'localhost'" in wrong


def test_client_certificate_is_sent() -> None:
    with tls_server(mutual=True) as url:
        assert "network error" in check(url, certificates().client_context())
        assert check(url, certificates().client_context(own=True)) == "200"


def test_settings_hold_after_a_change_of_endpoint() -> None:
    context = certificates().client_context()
    with tls_server() as url, Sender(custom(), ssl_context=context) as sender:
        sender.resume(custom(url))
        assert sender.check_credentials().status == 200


def test_tls_through_http_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with tls_server() as url, raw_server(tunnel(_port(url))) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        assert check(f"https://{NAME}/", certificates().client_context()) == "200"


def test_tls_within_tls_of_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    context = certificates().server_context()
    with tls_server() as url, raw_server(over_tls(context, tunnel(_port(url)))) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.replace("http:", "https:"))
        with Sender(custom(f"https://{NAME}/"), ssl_context=certificates().client_context()) as it:
            assert it.check_credentials().status == 200
            it.send(make_events(3_000))
            assert it.flush().delivered == 3_000


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 200 OK\r\n\r\n", b"\x16\x03\x03\x00\x05hello"])
def test_no_tls_within_tls_is_network_error(monkeypatch: pytest.MonkeyPatch, reply: bytes) -> None:
    def script(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        connection.recv(65536)
        connection.sendall(reply)

    with raw_server(over_tls(certificates().server_context(), script)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.replace("http:", "https:"))
        assert "network error" in check(f"https://{NAME}/", certificates().client_context())


def test_dripping_tls_within_tls_is_failed_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    def script(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        connection.recv(65536)
        connection.sendall(b"\x16\x03\x03\x3f\xff")  # the head of a record of 16 KiB
        while True:
            connection.sendall(b"\x00")
            threading.Event().wait(0.01)

    with raw_server(over_tls(certificates().server_context(), script)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.replace("http:", "https:"))
        context = certificates().client_context()
        with Sender(custom(f"https://{NAME}/"), ssl_context=context, timeout=0.3) as sender:
            assert "timed out after 0.3 s" in sender.check_credentials().message


def _port(url: str) -> int:
    return urlsplit(url).port or 443
