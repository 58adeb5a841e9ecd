"""The responses of the stand-in for RudderStack, and the messages it takes."""

from __future__ import annotations

import gzip
import uuid
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from currents_export.delivery import Sender
from currents_export.errors import OptionError
from currents_export.events import Event
from currents_export.receiver import AppTransport, ScriptedResponse, listen
from currents_export.receiver.rudderstack import VanishReason, transform
from tests.support.currents import WRITE_KEY, rudderstack
from tests.support.events import CLICK, OPEN, event, make_events
from tests.support.gateways import RECEIVED_AT, WEBHOOK, gateway, without_user
from tests.support.receivers import HEADERS, Client, basic, body


@pytest.mark.parametrize(
    ("url", "status", "text"),
    [
        ("/v1/webhook", 401, "failed to read writekey from query params\n"),
        ("/v1/webhook?writeKey=", 401, "failed to read writekey from query params\n"),
        ("/v1/webhook?writeKey=other", 401, "invalid write key\n"),
        ("/v1/webhook?writeKey=disabled", 404, "source is disabled\n"),
        (WEBHOOK, 200, "ok"),
        ("/v1/other", 404, "Not Found"),
    ],
)
def test_write_key(url: str, status: int, text: str, client: Client) -> None:
    standin = gateway(disabled_keys=["disabled"])
    response = client(standin).post(url, content=body(event()))
    assert (response.status_code, response.text) == (status, text)
    assert len(standin.messages) == (status == 200)
    assert "retry-after" not in response.headers


def test_write_key_in_basic(client: Client) -> None:
    standin = gateway()
    content = body(event())
    for query in ("", "?writeKey="):
        url, headers = f"/v1/webhook{query}", basic(WRITE_KEY)
        assert client(standin).post(url, headers=headers, content=content).status_code == 200
    other = client(standin).post("/v1/webhook", headers=basic("other"), content=content)
    assert (other.status_code, other.text) == (401, "invalid write key\n")
    empty = client(standin).post("/v1/webhook", headers=basic(""), content=content)
    assert empty.text == "failed to read writekey from query params\n"


def test_any_write_key_by_default(client: Client) -> None:
    standin = gateway(write_keys=(), disabled_keys=["disabled"])
    statuses = [
        client(standin).post(f"/v1/webhook?writeKey={key}", content=body(event())).status_code
        for key in ("one", "other", "disabled", "")
    ]
    assert statuses == [200, 200, 404, 401]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"{", "Malformed JSON in request body\n"),
        (b" ", "Malformed JSON in request body\n"),
        (b'{"events": [NaN]}', "Malformed JSON in request body\n"),
        (b'{"events": [1e999, Infinity]}', "Malformed JSON in request body\n"),
        (b'{"events": [1e999' + b"[" * 100_000, "Malformed JSON in request body\n"),
        (b"\xff", "Malformed JSON in request body\n"),
        (b"", "eventList should be an array\n"),
        (b"{}", "eventList should be an array\n"),
        (b"[]", "eventList should be an array\n"),
        (b"null", "eventList should be an array\n"),
        (b'[[{"events": []}]]', "eventList should be an array\n"),
        (b'{"events": {}}', "eventList should be an array\n"),
        (b'{"events": []}', "All requests in the batch failed\n"),
        (b'{"events": [1, null, "x"]}', "All requests in the batch failed\n"),
        (orjson.dumps({"events": [without_user()]}), "All requests in the batch failed\n"),
        (
            body(event(1), event(2).to_dict() | {"user": {"user_id": " "}}),
            "request neither has anonymousId nor userId\n",
        ),
    ],
)
def test_bad_body(content: bytes, text: str, client: Client) -> None:
    standin = gateway()
    response = client(standin).post(WEBHOOK, content=content)
    assert (response.status_code, response.text) == (400, text)
    assert (standin.messages, standin.counts.events) == ([], 0)


def test_write_key_before_body(client: Client) -> None:
    response = client(gateway()).post("/v1/webhook?writeKey=other", content=b"{")
    assert response.status_code == 401


def test_too_deep_event(client: Client) -> None:
    properties = b'{"a":' * 400 + b"1" + b"}" * 400
    content = body(event()).replace(b'"properties":{', b'"properties":{"deep":' + properties + b",")
    response = client(gateway()).post(WEBHOOK, content=content)
    assert (response.status_code, response.text) == (400, "Malformed JSON in request body\n")


def test_one_surviving_event_is_enough(client: Client) -> None:
    standin = gateway()
    unsafe = event(2, constructor=1)
    untyped = event(3).to_dict() | {"event_type": None}
    response = client(standin).post(
        WEBHOOK, content=body(event(1), without_user(), without_user(), unsafe, untyped)
    )
    assert (response.status_code, response.text) == (200, "ok")
    assert [each["messageId"] for each in standin.messages] == [event(1).id]
    counts = standin.counts
    assert (counts.events, counts.messages) == (5, 1)
    assert counts.vanished == {
        VanishReason.NO_EVENT_TYPE: 1,
        VanishReason.NO_USER: 2,
        VanishReason.UNSAFE_PROPERTY: 1,
    }


def test_first_request_of_list(client: Client) -> None:
    standin = gateway()
    content = b"[" + body(event(1)) + b"," + body(event(2)) + b"]"
    assert client(standin).post(WEBHOOK, content=content).status_code == 200
    assert [each["messageId"] for each in standin.messages] == [event(1).id]


def test_fields_that_gateway_adds(client: Client) -> None:
    standin = gateway()
    client(standin).post(WEBHOOK, content=body(event(1), event(1), event(2)))
    first, again, other = standin.messages
    assert first.items() >= (transform(event(1)) or {}).items()
    added = first.keys() - (transform(event(1)) or {}).keys()
    assert added == {"rudderId", "receivedAt", "request_ip"}
    assert (first["receivedAt"], first["request_ip"]) == (RECEIVED_AT, "127.0.0.1")
    assert uuid.UUID(first["rudderId"]).version == 4
    assert first["rudderId"] == again["rudderId"] != other["rudderId"]
    assert standin.counts.duplicates == 1


@pytest.mark.parametrize("event_id", [None, "", " "])
def test_message_id_for_event_without_id(event_id: str | None, client: Client) -> None:
    standin = gateway()
    anonymous = event().to_dict() | {"id": event_id}
    client(standin).post(WEBHOOK, content=body(anonymous, anonymous))
    one, other = (uuid.UUID(each["messageId"]) for each in standin.messages)
    assert one != other
    assert one.version == 4


def test_custom_mapping(client: Client) -> None:
    standin = gateway(mapping={OPEN: "Email Opened"})
    client(standin).post(WEBHOOK, content=body(event(1), event(2, CLICK)))
    assert standin.counts.by_event == {"Email Opened": 1, CLICK: 1}


def test_suppressed_user(client: Client) -> None:
    standin = gateway(suppressed_users=["user-1"])
    response = client(standin).post(WEBHOOK, content=body(event(1)))
    assert (response.status_code, response.text) == (200, "ok")
    client(standin).post(WEBHOOK, content=body(event(1), event(2)))
    assert [each["userId"] for each in standin.messages] == ["user-2"]
    assert (standin.counts.events, standin.counts.suppressed) == (3, 2)


def test_number_beyond_64_bits(client: Client) -> None:
    standin = gateway()
    content = body(event(1, n=1, m=2)).replace(b'"n":1', b'"n":1' + b"0" * 30)
    client(standin).post(WEBHOOK, content=content.replace(b'"m":2', b'"m":1e999'))
    (message,) = standin.messages
    assert (message["properties"]["n"], message["properties"]["m"]) == (1e30, None)


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip"])
def test_gzip(encoding: str, client: Client) -> None:
    standin = gateway()
    content, headers = gzip.compress(body(event())), {"Content-Encoding": encoding}
    assert client(standin).post(WEBHOOK, content=content, headers=headers).text == "ok"
    assert len(standin.messages) == 1


def test_other_encodings(client: Client) -> None:
    content = gzip.compress(body(event()))
    for headers in ({}, {"Content-Encoding": "br"}):
        response = client(gateway()).post(WEBHOOK, content=content, headers=headers)
        assert (response.status_code, response.text) == (400, "Malformed JSON in request body\n")
    broken = client(gateway()).post(
        WEBHOOK, content=content[:-1], headers={"Content-Encoding": "gzip"}
    )
    assert broken.status_code == 400


def test_get_requests(client: Client) -> None:
    standin = gateway()
    ignored = client(standin).get("/v1/webhook")
    assert (ignored.status_code, ignored.content) == (200, b"")
    assert client(standin).get("/health").json()["server"] == "UP"
    assert standin.counts.requests == 0


def test_counts_for_valid_write_key(client: Client) -> None:
    standin = gateway()
    client(standin).post(WEBHOOK, content=body(*make_events(3), without_user()))
    assert client(standin).get("/counts").status_code == 401
    counts = client(standin).get(f"/counts?writeKey={WRITE_KEY}").json()
    assert counts == standin.counts.to_dict()
    assert (counts["messages"], counts["vanished"]) == (3, {"no_user": 1})


def test_capture(tmp_path: Path, client: Client) -> None:
    standin = gateway(capture=tmp_path / "messages.jsonl", keep=False)
    client(standin).post(WEBHOOK, content=body(event(1), event(2)))
    standin.close()
    standin.close()
    lines = (tmp_path / "messages.jsonl").read_bytes().splitlines()
    assert [orjson.loads(line)["messageId"] for line in lines] == [event(1).id, event(2).id]
    assert standin.messages == []


def test_script(client: Client) -> None:
    script = [
        ScriptedResponse(401),
        ScriptedResponse(429),
        ScriptedResponse(413),
        ScriptedResponse(502),
        ScriptedResponse(500, keep=True),
    ]
    standin = gateway(script=script)
    texts = [client(standin).post(WEBHOOK, content=body(event(n))).text for n in range(6)]
    assert texts == [
        "invalid write key\n",
        "max requests limit reached\n",
        "request size exceeds max limit\n",
        "scripted\n",
        "scripted\n",
        "ok",
    ]
    assert [each["messageId"] for each in standin.messages] == [event(4).id, event(5).id]


def test_sender_over_socket() -> None:
    standin = gateway(script=[ScriptedResponse("ok"), ScriptedResponse("reset")])
    with listen(standin) as url, Sender(rudderstack(url)) as sender:
        assert sender.check_credentials().holds
        sender.send(make_events(200))
        result = sender.flush()
    assert result.delivered == 200
    assert sorted(each["messageId"] for each in standin.messages) == [
        each.id for each in make_events(200)
    ]


def test_sender_in_process() -> None:
    standin = gateway()
    with Sender(rudderstack("http://localhost"), transport=AppTransport(standin.app)) as sender:
        sender.send([event(1), Event(OPEN, 5, {"external_user_id": "x"}, {"__proto__": 1})])
        result = sender.flush()
    assert (result.delivered, standin.counts.messages, standin.counts.vanished) == (
        2,
        1,
        {"unsafe_property": 1},
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"write_keys": "key"}, "write_keys must be a list of non-empty strings"),
        ({"disabled_keys": [""]}, "disabled_keys must be a list of non-empty strings"),
        ({"rate_limit": 0}, "rate_limit is 0"),
        ({"group_size": -1}, "group_size is -1"),
        ({"max_request_bytes": "1"}, "max_request_bytes is '1'"),
        ({"response_timeout": 0}, "response_timeout is 0"),
        ({"forward": "ftp://x"}, "forward: it must be an https URL"),
    ],
)
def test_bad_options(options: dict[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=says):
        gateway(capture=tmp_path / "capture", **options)


def test_ip_of_client() -> None:
    standin = gateway()
    with listen(standin) as url, httpx.Client(headers=HEADERS) as client:
        client.post(f"{url}{WEBHOOK}", content=body(event()))
    assert standin.messages[0]["request_ip"] == "127.0.0.1"
