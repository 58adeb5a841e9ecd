"""Which proxy a URL is reached through, and that its password is not shown."""

from __future__ import annotations

import base64
import logging
import socket
import urllib.request

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.delivery import Sender
from currents_export.delivery._proxies import choose_proxy, proxy_for, proxy_secrets, read_proxy
from tests.support.currents import custom
from tests.support.servers import raw_server, read_request, say

PROXIES = {"http": "http://plain:1", "https": "http://secure:2", "all": "socks5://all:3"}


@pytest.mark.parametrize(
    ("url", "proxies", "proxy"),
    [
        ("http://host/", {}, None),
        ("http://host/", PROXIES, "http://plain:1"),
        ("https://host/", PROXIES, "http://secure:2"),
        ("https://host/", {"http": "http://plain:1"}, None),
        ("https://host/", {"http": "http://plain:1", "all": "http://all:3"}, "http://all:3"),
        ("http://host/", {"all": "socks5://all:3"}, "socks5://all:3"),
        ("http://host/", {"http": "", "all": ""}, None),
        ("http://host/", {"http": "proxy.corp.example:3128"}, "http://proxy.corp.example:3128"),
        ("http://host/", {"http": "bob:pw@proxy:3128"}, "http://bob:pw@proxy:3128"),
        ("http://host/", {"ftp": "http://ftp:4"}, None),
    ],
)
def test_proxy_of_a_scheme(url: str, proxies: dict[str, str], proxy: str | None) -> None:
    assert choose_proxy(url, proxies) == proxy


@pytest.mark.parametrize(
    ("no_proxy", "host", "direct"),
    [
        ("", "example.com", False),
        (",", "example.com", False),
        ("*", "example.com", True),
        ("other.com, *", "example.com", True),
        ("example.com", "example.com", True),
        ("example.com", "www.example.com", True),
        ("example.com", "wwwexample.com", False),
        ("example.com", "example.com.evil.org", False),
        ("EXAMPLE.com", "www.Example.COM", True),
        ("example.com.", "example.com", True),
        (".example.com", "www.example.com", True),
        (".example.com", "example.com", False),
        ("*.example.com", "www.example.com", True),
        ("*.example.com", "example.com", False),
        ("other.com,example.com", "example.com", True),
        (" other.com , example.com ", "example.com", True),
        ("example.com:443", "example.com", True),
        ("example.com:8443", "example.com:8443", True),
        ("example.com:8443", "example.com", False),
        ("https://example.com", "example.com", True),
        ("http://example.com", "example.com", False),
        ("all://example.com", "example.com", True),
        ("localhost", "www.localhost", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3", "10.1.2.4", False),
        ("10.1.2.3:443", "10.1.2.3", True),
        ("10.1.2.3:80", "10.1.2.3", False),
        ("1.2.3", "10.1.2.3", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.1/8", "10.1.2.3", True),
        ("10.0.0.0/8", "ten.example.com", False),
        ("fd00::/8", "[fd00::1]", True),
        ("fd00::/8", "[fe00::1]", False),
        ("fd00::1", "[fd00::1]", True),
        ("[fd00::1]", "[fd00:0::1]", True),
        ("[fd00::1]:443", "[fd00::1]", True),
        ("10.0.0.0/99", "10.1.2.3", False),
        (":::", "10.1.2.3", False),
        (".", "example.com", False),
    ],
)
def test_hosts_without_a_proxy(no_proxy: str, host: str, direct: bool) -> None:
    proxies = {"https": "http://proxy:1", "all": "http://proxy:1", "no": no_proxy}
    assert choose_proxy(f"https://{host}/", proxies) == (None if direct else "http://proxy:1")


@given(st.text(max_size=20) | st.text("*.:/[]0123456789abc,", max_size=30))
def test_any_no_proxy_is_read(no_proxy: str) -> None:
    for host in ("example.com", "10.1.2.3", "[fd00::1]"):
        chosen = choose_proxy(f"https://{host}/", {"all": "proxy:1", "no": no_proxy})
        assert chosen in (None, "http://proxy:1")


def test_systems_exceptions_are_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """On macOS and Windows, they are not among the proxies."""
    module = "currents_export.delivery._proxies"
    monkeypatch.setattr(f"{module}.getproxies", lambda: {"https": "http://proxy:1"})
    monkeypatch.setattr(f"{module}.getproxies_environment", dict)
    monkeypatch.setattr(f"{module}.proxy_bypass", lambda host: host == "inside.example.com")
    assert proxy_for("https://inside.example.com/") is None
    assert proxy_for("https://outside.example.com/") == "http://proxy:1"


def test_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in urllib.request.getproxies_environment():
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name.upper()}_PROXY", raising=False)
    monkeypatch.setenv("ALL_PROXY", "proxy:1")
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8")
    assert proxy_for("https://example.com/") == "http://proxy:1"
    assert proxy_for("https://10.1.1.1/") is None
    assert proxy_for("http://127.0.0.1/") is None
    assert proxy_for("http://[::1]/") is None


def test_secrets_of_a_proxy() -> None:
    assert proxy_secrets(read_proxy("http://proxy:1")) == set()
    assert proxy_secrets(read_proxy("http://bob@proxy:1")) == set()
    header = base64.b64encode("bob:s3/crët".encode()).decode()
    assert proxy_secrets(read_proxy("http://bob:s3%2Fcr%C3%ABt@proxy:1")) == {
        "s3/crët",
        "s3%2Fcr%C3%ABt",
        header,
    }


def test_password_of_http_proxy_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    header = base64.b64encode(b"bob:s3cretpw").decode()
    echo = say(
        "407 Proxy Authentication Required", f"no: {header} bob:s3cretpw", f"x-you: {header}"
    )
    with raw_server(echo) as url:
        monkeypatch.setenv("HTTP_PROXY", url.replace("://", "://bob:s3cretpw@"))
        with Sender(custom("http://receiver.example.com/", allow_plain_http=True)) as sender:
            shown = f"{sender.check_credentials()} {caplog.text}"
    assert "no: **** bob:****" in shown
    assert "s3cretpw" not in shown
    assert header not in shown


def test_password_of_socks_proxy_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("socksio")
    caplog.set_level(logging.DEBUG)
    received = b""

    def refuse(connection: socket.socket) -> None:
        nonlocal received
        connection.recv(100)
        connection.sendall(b"\x05\x02")
        received = connection.recv(100)
        connection.sendall(b"\x01\x01")

    with raw_server(refuse) as url:
        monkeypatch.setenv("ALL_PROXY", url.replace("http://", "socks5://bob:s3cretpw@"))
        with Sender(custom("http://receiver.example.com/", allow_plain_http=True)) as sender:
            shown = f"{sender.check_credentials()} {caplog.text}"
    assert b"s3cretpw" in received
    assert "the SOCKS proxy refused the user name and password" in shown
    assert "s3cretpw" not in shown


def test_request_passes_through_socks_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("socksio")

    def script(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(b"\x05\x00")
        connection.recv(100)
        connection.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50")
        assert b"host: receiver.example.com" in read_request(connection).lower()
        connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with raw_server(script) as url:
        monkeypatch.setenv("ALL_PROXY", url.replace("http://", "socks5://"))
        with Sender(custom("http://receiver.example.com/", allow_plain_http=True)) as sender:
            assert sender.check_credentials().status == 204


def test_proxy_without_a_scheme_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(say("204 No Content")) as url:
        monkeypatch.setenv("HTTP_PROXY", url.removeprefix("http://").rstrip("/"))
        with Sender(custom("http://receiver.example.com/", allow_plain_http=True)) as sender:
            assert sender.check_credentials().status == 204
