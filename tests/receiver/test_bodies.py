"""The body of a request to a receiver."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from currents_export.receiver import Receiver
from tests.support.currents import WRITE_KEY
from tests.support.events import OPEN, event
from tests.support.receivers import Client, body


@pytest.mark.parametrize("content", [b"", b" \r\n", b'{"events": []}', b'{"events":[],"more":1}'])
def test_request_without_events(content: bytes, client: Client) -> None:
    receiver = Receiver()
    assert client(receiver).post("/", content=content).status_code == 200
    assert (receiver.counts.requests, receiver.counts.events, receiver.events) == (1, 0, [])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "the body is not JSON"),
        (b'{"events": [NaN]}', "the body is not JSON"),
        (b'{"events": [{"id": "\xff"}]}', "the body is not JSON"),
        (b"[" * 100_000, "the body is not JSON"),
        (b"null", "must look like"),
        (b"[]", "must look like"),
        (b'"events"', "must look like"),
        (b"{}", "must look like"),
        (b'{"event": []}', "must look like"),
        (b'{"events": {}}', "must look like"),
        (b'{"events": null}', "must look like"),
        (body(event())[11:-2], "must look like"),
    ],
)
def test_invalid_body_is_400(content: bytes, says: str, client: Client) -> None:
    receiver = Receiver()
    response = client(receiver).post("/", content=content)
    assert response.status_code == 400
    assert says in response.text
    assert receiver.events == []


def test_body_over_limit_is_413(client: Client) -> None:
    content = body(event())
    receiver = Receiver(max_body_bytes=len(content))
    too_large = client(receiver).post("/", content=content + b" ")
    assert too_large.status_code == 413
    assert f"{len(content) + 1} bytes; the limit is {len(content)} bytes" in too_large.text
    assert receiver.events == []
    assert client(receiver).post("/", content=content).status_code == 200
    assert len(receiver.events) == 1


def test_credentials_precede_body_limit(client: Client) -> None:
    receiver = Receiver(write_keys=[WRITE_KEY], max_body_bytes=1)
    assert client(receiver).post("/", content=b"{}").status_code == 401


def test_events_are_kept_in_order(client: Client) -> None:
    receiver = Receiver()
    client(receiver).post("/", content=body(event(2), event(1, new="ü", deep={"a": [1, None]})))
    client(receiver).post("/any/path", content=body(event(3)))
    assert receiver.events == [
        event(2).to_dict(),
        event(1, new="ü", deep={"a": [1, None]}).to_dict(),
        event(3).to_dict(),
    ]


@pytest.mark.parametrize("value", [None, 7, "text", [], True, {}])
def test_value_that_is_not_an_event(value: Any, client: Client) -> None:
    receiver = Receiver()
    content = orjson.dumps({"events": [value, event().to_dict()]})
    assert client(receiver).post("/", content=content).status_code == 200
    assert receiver.events == [value, event().to_dict()]
    assert receiver.counts.by_event_type == {"?": 1, OPEN: 1}
    assert receiver.counts.errors >= 1


@pytest.mark.parametrize("value", [{"event_type": 7, "id": 7}, {"event_type": None, "id": []}])
def test_other_types_and_ids(value: Any, client: Client) -> None:
    receiver = Receiver(check=False)
    client(receiver).post("/", content=orjson.dumps({"events": [value, value]}))
    assert receiver.counts.by_event_type == {"?": 2}
    assert receiver.counts.duplicates == 0
