"""Who may see the page, and who may act through it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from currents_export.errors import OptionError
from currents_export.receiver import Receiver, listen
from currents_export.receiver._access import Access, is_loopback
from currents_export.receiver.page import Page
from tests.receiver.page.conftest import URL, Browser
from tests.support.currents import WRITE_KEY
from tests.support.events import event
from tests.support.receivers import body

Browse = Callable[[Page], Browser]
SECRET = "a-long-enough-page-token"
PATHS = ["/", "/counts", "/_page/api/summary", "/_page/api/events", "/_page/api/stream"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", ""],
)
def test_names_of_other_hosts_are_refused(browse: Browse, path: str, host: str) -> None:
    response = browse(Page(Receiver())).client.get(path, headers={"Host": host})
    assert response.status_code == 403
    assert "only this machine may see this" in response.text


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:9", "127.0.0.1:80", "[::1]:80", "127.1.2.3"]
)
def test_own_names(browse: Browse, host: str) -> None:
    user = browse(Page(Receiver()))
    for path in ("/", "/counts", "/_page/api/summary"):
        assert user.client.get(path, headers={"Host": host}).status_code == 200


async def ask_from(app: Any, client: tuple[str, int], path: str) -> int:
    transport = httpx.ASGITransport(app=app, client=client)
    async with httpx.AsyncClient(transport=transport, base_url=URL) as asker:
        return (await asker.get(path)).status_code


@pytest.mark.parametrize("path", PATHS)
def test_other_machines_are_refused(path: str) -> None:
    import asyncio

    app = Page(Receiver()).app
    assert asyncio.run(ask_from(app, ("192.0.2.7", 1), path)) == 403


@pytest.mark.parametrize(
    ("credentials", "status"), [("?writeKey=" + WRITE_KEY, 200), ("", 401), ("?writeKey=x", 401)]
)
def test_counts_with_credentials_from_elsewhere(credentials: str, status: int) -> None:
    import asyncio

    app = Receiver(write_keys=[WRITE_KEY]).app
    assert asyncio.run(ask_from(app, ("192.0.2.7", 1), f"/counts{credentials}")) == status


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "evil.example"])
def test_counts_of_a_receiver_with_credentials(browse: Browse, host: str) -> None:
    """Whoever may see the page may see the counts; the credentials suffice, too."""
    client = browse(Page(Receiver(write_keys=[WRITE_KEY]))).client
    headers = {"Host": host}
    may_see = client.get("/", headers=headers).status_code == 200
    assert may_see is (host != "evil.example")
    assert client.get("/counts", headers=headers).status_code == (200 if may_see else 403)
    path = f"/counts?writeKey={WRITE_KEY}"
    assert client.get(path, headers=headers).status_code == 200


def test_counts_without_credentials_from_elsewhere() -> None:
    import asyncio

    assert asyncio.run(ask_from(Receiver().app, ("192.0.2.7", 1), "/counts")) == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "http://localhost:8080"},
        {"Origin": "file://127.0.0.1:8080"},
    ],
)
@pytest.mark.parametrize("path", ["faults", "clear", "requests/0/send"])
def test_other_origins_cannot_act(browse: Browse, headers: dict[str, str], path: str) -> None:
    user = browse(Page(Receiver()))
    user.send(body(event()))
    response = user.client.post(f"/_page/api/{path}", json={"kind": "503"}, headers=headers)
    assert response.status_code == 403
    assert user.ask("summary")["fault"] is None
    assert user.ask("requests")["kept"] == 1


def test_rebound_name_cannot_act(browse: Browse) -> None:
    """A website whose name resolves to this machine has the right origin, but the wrong name."""
    user = browse(Page(Receiver()))
    headers = {"Host": "evil.example", "Origin": "http://evil.example"}
    response = user.client.post("/_page/api/faults", json={"kind": "503"}, headers=headers)
    assert response.status_code == 403
    assert user.ask("summary")["fault"] is None


def test_acting_needs_post(browse: Browse) -> None:
    user = browse(Page(Receiver()))
    for path in ("faults", "clear"):
        assert user.client.get(f"/_page/api/{path}").status_code == 405


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_websites_cannot_read(browse: Browse, site: str) -> None:
    client = browse(Page(Receiver())).client
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
    assert client.get("/_page/api/events", headers=headers).status_code == 403
    assert client.get("/", headers=headers).status_code == 403
    link = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
    assert client.get("/", headers=link).status_code == 200
    assert client.get("/_page/api/events", headers=link).status_code == 403


@pytest.mark.parametrize(
    "path", ["/", "/_page/api/summary", "/_page/api/nothing/x", "/_page/static/page.js"]
)
def test_headers_are_strict(browse: Browse, path: str) -> None:
    response = browse(Page(Receiver())).client.get(path)
    if response.status_code == 404:
        return
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "DENY"


def test_no_inline_code_or_foreign_address(browse: Browse) -> None:
    client = browse(Page(Receiver())).client
    for path in ("/", "/_page/static/page.js", "/_page/static/page.css"):
        text = client.get(path).text
        foreign = text.replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in foreign.replace("http://127.0.0.1", "")
        assert "https://" not in foreign
        assert "innerHTML" not in text
    page = client.get("/").text
    assert " style=" not in page
    assert " onclick" not in page
    assert "<script>" not in page
    assert client.get("/_page/static/..%2Fpage.py").status_code == 404


class TestToken:
    @pytest.fixture
    def user(self, browse: Browse) -> Browser:
        return browse(Page(Receiver(), token=SECRET))

    @pytest.mark.parametrize("path", PATHS)
    def test_is_needed(self, user: Browser, path: str) -> None:
        response = user.client.get(path)
        assert response.status_code == 401
        assert SECRET not in response.text

    def test_opens_the_page(self, user: Browser) -> None:
        data = {"token": SECRET}
        origin = {"Origin": URL}
        opened = user.client.post("/_page/login", data=data, headers=origin)
        assert (opened.status_code, opened.headers["Location"]) == (303, "/")
        cookie = opened.headers["Set-Cookie"]
        assert SECRET not in cookie
        assert all(each in cookie for each in ("HttpOnly", "SameSite=Strict", "Path=/"))
        assert user.client.get("/").status_code == 200
        assert user.ask("summary")["events"] == 0
        assert user.client.get("/counts").status_code == 200
        assert user.act("faults", {"kind": "503"}).status_code == 200
        # A cookie does not let another website act.
        assert user.client.post("/_page/api/faults", json={"kind": ""}).status_code == 403

    def test_wrong_token(self, user: Browser) -> None:
        for data in ({"token": "wrong"}, {}, {"token": ""}):
            response = user.client.post("/_page/login", data=data, headers={"Origin": URL})
            assert response.status_code == 401
            assert "Set-Cookie" not in response.headers
        assert "not the token" in response.text
        assert user.client.post("/_page/login", data={"token": SECRET}).status_code == 403

    def test_bearer(self, user: Browser) -> None:
        headers = {"Authorization": f"Bearer {SECRET}"}
        for path in ("/", "/counts", "/_page/api/summary"):
            assert user.client.get(path, headers=headers).status_code == 200
        wrong = {"Authorization": f"Bearer {SECRET}x"}
        assert user.client.get("/counts", headers=wrong).status_code == 401

    def test_does_not_change_who_may_send(self, user: Browser) -> None:
        assert user.send(body(event())).status_code == 200


@pytest.mark.parametrize(
    "token", ["", "short", "x" * 15, "with a space in it", "ünïcödé-tökén-hére"]
)
def test_unfit_tokens(token: str) -> None:
    with pytest.raises(OptionError, match="at least 16 characters"):
        Access(token)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_page_for_all_machines_needs_a_token(host: str) -> None:
    receiver = Receiver()
    with (
        pytest.raises(OptionError, match=f"other machines could open the page on '{host}'"),
        listen(receiver, host=host, page=Page(receiver)),
    ):
        pytest.fail("the receiver listens")


def test_page_for_all_machines_with_a_token() -> None:
    receiver = Receiver()
    with listen(receiver, host="0.0.0.0", page=Page(receiver, token=SECRET)) as url:
        assert httpx.get(url).status_code == 401


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("localhost.", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("example.com", False),
        ("", False),
        ("127.0.0.1.example.com", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
