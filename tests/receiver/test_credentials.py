"""The credentials of requests to a receiver."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from currents_export.errors import OptionError
from currents_export.receiver import Receiver
from tests.support.currents import TOKEN, WRITE_KEY
from tests.support.events import event
from tests.support.receivers import Client, basic, bearer, body


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        (f"?writeKey={WRITE_KEY}", {}),
        (f"?a=b&writeKey={WRITE_KEY}&c=d", {}),
        ("", basic(WRITE_KEY)),
        ("", basic(WRITE_KEY, "password")),
        ("", {"Authorization": basic(WRITE_KEY)["Authorization"].replace("Basic", "basic")}),
        ("?writeKey=", basic(WRITE_KEY)),
        (f"?writeKey={WRITE_KEY}", basic("other")),
        ("", bearer(TOKEN)),
        ("?writeKey=other", bearer(TOKEN)),
        ("", {"Authorization": f"bearer {TOKEN}"}),
        ("?writeKey=second%20k%C3%A9y", {}),
        ("", basic("second kéy")),
    ],
)
def test_good_credentials(query: str, headers: Any, client: Client) -> None:
    receiver = Receiver(write_keys=[WRITE_KEY, "second kéy"], bearer_tokens=[TOKEN])
    response = client(receiver).post(f"/v1/webhook{query}", headers=headers, content=body(event()))
    assert (response.status_code, response.text) == (200, "ok")
    assert len(receiver.events) == 1


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {}),
        ("?writeKey=", {}),
        ("?writeKey=other", {}),
        (f"?writekey={WRITE_KEY}", {}),
        (f"?writeKey={TOKEN}", {}),
        ("?writeKey=%FF%FE", {}),
        ("?writeKey=other", basic(WRITE_KEY)),
        (f"?writeKey=other&writeKey={WRITE_KEY}", {}),
        ("", basic("")),
        ("", basic("other", WRITE_KEY)),
        ("", {"Authorization": "Basic " + base64.b64encode(WRITE_KEY.encode()).decode()}),
        ("", {"Authorization": "Basic"}),
        ("", {"Authorization": f"Basic {WRITE_KEY}"}),
        ("", {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:").decode()}),
        ("", bearer("other")),
        ("", bearer("")),
        ("", bearer(WRITE_KEY)),
        ("", {"Authorization": TOKEN}),
        ("", {"Authorization": f"Basic {TOKEN}"}),
    ],
)
@pytest.mark.parametrize("content", [b"", b'{"events":[]}', b"not JSON", body(event())])
def test_bad_credentials(query: str, headers: Any, content: bytes, client: Client) -> None:
    receiver = Receiver(write_keys=[WRITE_KEY], bearer_tokens=[TOKEN])
    response = client(receiver).post(f"/v1/webhook{query}", headers=headers, content=content)
    assert response.status_code == 401
    assert WRITE_KEY not in response.text
    assert TOKEN not in response.text
    assert receiver.events == []
    assert (receiver.counts.events, receiver.counts.by_status) == (0, {"401": 1})


def test_only_key_or_only_token(client: Client) -> None:
    only_key = client(Receiver(write_keys=[WRITE_KEY]))
    only_token = client(Receiver(bearer_tokens=[TOKEN]))
    with_key = {"url": f"/?writeKey={WRITE_KEY}"}
    with_token = {"url": "/", "headers": bearer(TOKEN)}
    assert only_key.post(**with_key).status_code == 200  # type: ignore[arg-type]
    assert only_key.post(**with_token).status_code == 401  # type: ignore[arg-type]
    assert only_token.post(**with_token).status_code == 200  # type: ignore[arg-type]
    assert only_token.post(**with_key).status_code == 401  # type: ignore[arg-type]


def test_no_credentials_required(client: Client) -> None:
    receiver = Receiver()
    for headers in ({}, bearer("any"), basic("any")):
        assert client(receiver).post("/", headers=headers).status_code == 200


@pytest.mark.parametrize("secrets", ["secret", [""], ["secret", ""]])
def test_string_and_empty_secret_are_refused(secrets: Any) -> None:
    with pytest.raises(OptionError, match="write_keys must be a list"):
        Receiver(write_keys=secrets)
    with pytest.raises(OptionError, match="bearer_tokens must be a list"):
        Receiver(bearer_tokens=secrets)


def test_key_that_is_not_unicode(client: Client) -> None:
    receiver = Receiver(write_keys=["\udcff"])  # a byte of a command line
    assert client(receiver).post("/?writeKey=other").status_code == 401


def test_any_host_header(client: Client) -> None:
    receiver = Receiver(write_keys=[WRITE_KEY])
    response = client(receiver).post(f"/?writeKey={WRITE_KEY}", headers={"Host": "[::"})
    assert response.status_code == 200


def test_counts_need_credentials(client: Client) -> None:
    to = client(Receiver(write_keys=[WRITE_KEY], bearer_tokens=[TOKEN]))
    refused = to.get("/counts")
    assert refused.status_code == 401
    assert "requests" not in refused.text
    assert to.get("/counts?writeKey=other").status_code == 401
    assert to.get(f"/counts?writeKey={WRITE_KEY}").json()["requests"] == 0
    assert to.get("/counts", headers=bearer(TOKEN)).json()["requests"] == 0
