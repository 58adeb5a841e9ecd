"""Certificates, proxies, and the authorization header of requests."""

from __future__ import annotations

import base64
import ssl
import sys
from pathlib import Path

import httpx
import pytest

from currents_export.delivery import Sender
from currents_export.errors import CurrentsExportError
from tests.support.currents import custom
from tests.support.servers import Responding, raw_server, say

HTTPS = "https://receiver.example.com/"
LOCAL = "http://127.0.0.1:9/"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
        "ssl_cert_file",
        "ssl_cert_dir",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def refusal(url: str) -> str:
    with pytest.raises(CurrentsExportError) as caught:
        Sender(custom(url))
    chain: BaseException | None = caught.value
    while chain is not None:
        assert "s3cret" not in f"{chain}{chain!r}"
        chain = chain.__cause__ or chain.__context__
    return str(caught.value)


def test_missing_certificates_name_the_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gone = tmp_path / "gone.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(gone))
    assert refusal(HTTPS) == (
        f"SSL_CERT_FILE is {gone}: the certificates cannot be read: No such file or directory"
    )
    gone.write_text("not a certificate", "utf-8")
    assert refusal(HTTPS).startswith(f"SSL_CERT_FILE is {gone}: the certificates cannot be read: ")


def test_plain_http_needs_no_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    with Sender(custom(LOCAL)) as sender:
        assert sender.check_credentials().status is None


def test_change_to_https_verifies_certificates(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verified: list[bool] = []
    create = httpx.create_ssl_context

    def spy(*, verify: bool) -> ssl.SSLContext:
        verified.append(verify)
        return create(verify=verify)

    monkeypatch.setattr(httpx, "create_ssl_context", spy)
    with Sender(custom(LOCAL)) as sender:
        sender.resume(custom(HTTPS))
        sender.resume(custom(LOCAL))
    assert verified == [False, True]


@pytest.mark.parametrize(
    "proxy",
    [
        "http://bob:s3cretpw@host:3128x",
        "bob:s3cretpw@host:3128x",
        "http://[::1",
        "ftp://s3cret@h/",
        "http://:3128",
        "http://bob:s3cretpw@",
        "s3cret://",
    ],
)
def test_unusable_proxy_hides_its_password(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    message = refusal(HTTPS)
    assert "HTTPS_PROXY" in message
    assert message.endswith("it must be a URL such as http://host:port")
    assert "\n" not in message


def test_socks_proxy_names_the_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://bob:s3cretpw@host:1080")
    monkeypatch.setitem(sys.modules, "socksio", None)
    assert refusal(HTTPS).endswith("SOCKS proxies need the package socksio")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_with_a_password_is_used(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://bob:pw@127.0.0.1:9")
    with Sender(custom(HTTPS)) as sender:
        assert sender.check_credentials().status is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_loopback_is_reached_without_a_proxy(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """A proxy would see the write key, and cannot reach this machine."""
    with raw_server(say("200 OK")) as url, raw_server(say("502 Bad Gateway")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        with Sender(custom(url.replace("127.0.0.1", host))) as sender:
            assert sender.check_credentials().status == 200


def test_other_hosts_use_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_server(say("204 No Content")) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        current = custom("http://receiver.example.com/", allow_plain_http=True)
        with Sender(current) as sender:
            assert sender.check_credentials().status == 204


def test_user_name_without_a_password() -> None:
    transport = Responding(lambda _: 200)
    with Sender(custom("https://KEY@host/path"), transport=transport) as sender:
        sender.check_credentials()
    [request] = transport.requests
    assert request.headers["Authorization"] == f"Basic {base64.b64encode(b'KEY:').decode()}"
    assert request.url == "https://host/path"


def test_echoed_header_is_redacted() -> None:
    header = base64.b64encode(b"s3cretuser:").decode()
    transport = Responding(lambda request: httpx.Response(401, text=f"no: Basic {header}"))
    with Sender(custom("https://s3cretuser@host/"), transport=transport) as sender:
        assert header not in sender.check_credentials().message
