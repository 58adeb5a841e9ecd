"""A consumer of RudderStack's webhook destination."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest

from currents_export.receiver import ScriptedResponse, WebhookDestination
from tests.support.currents import TOKEN, WRITE_KEY
from tests.support.receivers import Client, basic, bearer


def message(number: int = 0, **values: Any) -> dict[str, Any]:
    """Return a message whose id follows from its number."""
    return {"type": "track", "event": "Opened", "messageId": f"id-{number}"} | values


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        (message(1), [1]),
        ([message(1), message(2)], [1, 2]),
        ({"batch": [message(1), message(2)]}, [1, 2]),
        (message(1, batch=7), [1]),
        ([], []),
    ],
)
def test_messages(value: Any, numbers: list[int], client: Client) -> None:
    consumer = WebhookDestination()
    for method in ("POST", "PUT"):
        response = client(consumer).request(method, "/any/path", content=orjson.dumps(value))
        assert (response.status_code, response.text) == (200, "ok")
    assert [each["messageId"] for each in consumer.messages] == [f"id-{n}" for n in numbers] * 2
    assert consumer.counts.duplicates == len(numbers)


def test_empty_body(client: Client) -> None:
    consumer = WebhookDestination()
    assert client(consumer).post("/").status_code == 200
    assert consumer.messages == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "the body is not JSON: "),
        (b"7", "a message must be a JSON object\n"),
        (b'[{}, "x"]', "a message must be a JSON object\n"),
        (b'{"batch": [1]}', "a message must be a JSON object\n"),
        (gzip.compress(b"{}"), "the body is compressed (gzip)"),
    ],
)
def test_bad_body(content: bytes, says: str, client: Client) -> None:
    consumer = WebhookDestination()
    response = client(consumer).post("/", content=content)
    assert 400 <= response.status_code < 500
    assert says in response.text
    assert consumer.messages == []


def test_gzip(client: Client) -> None:
    consumer = WebhookDestination()
    content = gzip.compress(orjson.dumps(message()))
    client(consumer).post("/", content=content, headers={"Content-Encoding": "gzip"})
    assert consumer.messages == [message()]


def test_number_that_javascript_wrote(client: Client) -> None:
    consumer = WebhookDestination()
    client(consumer).post("/", content=b'{"n": 18446744073709552000, "m": 1e+21}')
    assert consumer.messages == [{"n": 2.0**64, "m": 1e21}]


def test_credentials(client: Client) -> None:
    consumer = WebhookDestination(write_keys=[WRITE_KEY], bearer_tokens=[TOKEN])
    content = orjson.dumps(message())
    for headers, status in ((basic(WRITE_KEY), 200), (bearer(TOKEN), 200), (bearer("x"), 401)):
        assert client(consumer).post("/", headers=headers, content=content).status_code == status
        assert client(consumer).get("/counts", headers=headers).status_code == status
    assert len(consumer.messages) == 2


def test_counts(client: Client) -> None:
    consumer = WebhookDestination(keep=False)
    for each in (message(1), message(1), message(2, event="Clicked"), message(3, event=None)):
        client(consumer).post("/", content=orjson.dumps(each))
    assert consumer.messages == []
    assert client(consumer).get("/counts").json() == consumer.counts.to_dict()
    assert consumer.counts.to_dict() == {
        "requests": 4,
        "by_status": {"200": 4},
        "messages": 4,
        "duplicates": 1,
        "by_event": {"?": 1, "Clicked": 1, "Opened": 2},
    }


def test_event_names_are_bounded(client: Client) -> None:
    consumer = WebhookDestination()
    many = [message(n, event=f"event {n}") for n in range(1_100)]
    client(consumer).post("/", content=orjson.dumps(many))
    by_event = consumer.counts.by_event
    assert (by_event["other"], len(by_event), consumer.counts.messages) == (100, 1_001, 1_100)


def test_script_and_capture(tmp_path: Path, client: Client) -> None:
    script = [ScriptedResponse(503), ScriptedResponse(500, keep=True)]
    consumer = WebhookDestination(script=script, capture=tmp_path / "messages.jsonl")
    statuses = [
        client(consumer).post("/", content=orjson.dumps(message(n))).status_code for n in range(3)
    ]
    assert statuses == [503, 500, 200]
    consumer.close()
    lines = (tmp_path / "messages.jsonl").read_bytes().splitlines()
    assert [orjson.loads(line) for line in lines] == [message(1), message(2)] == consumer.messages
