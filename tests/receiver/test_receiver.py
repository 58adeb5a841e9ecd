from __future__ import annotations

import asyncio
import base64
import gzip
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from currents_export.errors import OptionError, ReceiverError, UnknownNameError
from currents_export.reading import Located, read_path
from currents_export.receiver import (
    AppTransport,
    Counts,
    FindingCount,
    Receiver,
    ScriptedResponse,
    listen,
)
from tests.support.currents import TOKEN, WRITE_KEY
from tests.support.events import CLICK, OPEN, event, make_events

HEADERS = {"Content-Type": "application/json", "Braze-Currents-Version": "1"}
PATIENCE = 20.0

Client = Callable[[Receiver], httpx.Client]


@pytest.fixture
def client() -> Iterator[Client]:
    """Makes clients that reach a receiver in this process, with the headers Braze sends."""
    with ExitStack() as stack:
        yield lambda receiver: stack.enter_context(
            httpx.Client(
                transport=AppTransport(receiver.app),
                base_url="http://receiver.test",
                headers=HEADERS,
                timeout=PATIENCE,
            )
        )


def body(*events: Any) -> bytes:
    values = [each if isinstance(each, dict) else each.to_dict() for each in events]
    return orjson.dumps({"events": values})


def broken(number: int = 0) -> dict[str, Any]:
    """An event with one conformance error."""
    value = event(number).to_dict()
    return value | {"properties": {"email_address": 7}}


# Credentials


def basic(user: str, password: str = "") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


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
def test_good_credentials_are_let_in(query: str, headers: Any, client: Client) -> None:
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
def test_missing_wrong_and_empty_credentials_are_answered_401(
    query: str, headers: Any, content: bytes, client: Client
) -> None:
    receiver = Receiver(write_keys=[WRITE_KEY], bearer_tokens=[TOKEN])
    response = client(receiver).post(f"/v1/webhook{query}", headers=headers, content=content)
    assert response.status_code == 401
    assert WRITE_KEY not in response.text
    assert TOKEN not in response.text
    assert receiver.events == []
    assert (receiver.counts.events, receiver.counts.by_status) == (0, {"401": 1})


def test_a_token_alone_or_a_key_alone_may_be_asked_for(client: Client) -> None:
    only_key = client(Receiver(write_keys=[WRITE_KEY]))
    only_token = client(Receiver(bearer_tokens=[TOKEN]))
    with_key = {"url": f"/?writeKey={WRITE_KEY}"}
    with_token = {"url": "/", "headers": bearer(TOKEN)}
    assert only_key.post(**with_key).status_code == 200  # type: ignore[arg-type]
    assert only_key.post(**with_token).status_code == 401  # type: ignore[arg-type]
    assert only_token.post(**with_token).status_code == 200  # type: ignore[arg-type]
    assert only_token.post(**with_key).status_code == 401  # type: ignore[arg-type]


def test_without_credentials_to_ask_for_everyone_is_let_in(client: Client) -> None:
    receiver = Receiver()
    for headers in ({}, bearer("any"), basic("any")):
        assert client(receiver).post("/", headers=headers).status_code == 200


@pytest.mark.parametrize("secrets", ["secret", [""], ["secret", ""]])
def test_a_text_for_a_list_and_an_empty_secret_are_refused(secrets: Any) -> None:
    with pytest.raises(OptionError, match="write_keys must be a list"):
        Receiver(write_keys=secrets)
    with pytest.raises(OptionError, match="bearer_tokens must be a list"):
        Receiver(bearer_tokens=secrets)


def test_a_key_that_is_not_unicode_lets_nobody_else_in(client: Client) -> None:
    receiver = Receiver(write_keys=["\udcff"])  # a byte of a command line
    assert client(receiver).post("/?writeKey=other").status_code == 401


def test_the_host_header_may_be_anything(client: Client) -> None:
    receiver = Receiver(write_keys=[WRITE_KEY])
    response = client(receiver).post(f"/?writeKey={WRITE_KEY}", headers={"Host": "[::"})
    assert response.status_code == 200


# Bodies


@pytest.mark.parametrize("content", [b"", b" \r\n", b'{"events": []}', b'{"events":[],"more":1}'])
def test_a_request_without_events_is_a_no_op(content: bytes, client: Client) -> None:
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
def test_a_body_that_is_not_one_is_answered_400(content: bytes, says: str, client: Client) -> None:
    receiver = Receiver()
    response = client(receiver).post("/", content=content)
    assert response.status_code == 400
    assert says in response.text
    assert receiver.events == []


def test_a_body_over_the_limit_is_answered_413(client: Client) -> None:
    content = body(event())
    receiver = Receiver(max_body_bytes=len(content))
    too_large = client(receiver).post("/", content=content + b" ")
    assert too_large.status_code == 413
    assert f"{len(content) + 1} bytes; the limit is {len(content)} bytes" in too_large.text
    assert receiver.events == []
    assert client(receiver).post("/", content=content).status_code == 200
    assert len(receiver.events) == 1


def test_credentials_come_before_the_limit_of_the_body(client: Client) -> None:
    receiver = Receiver(write_keys=[WRITE_KEY], max_body_bytes=1)
    assert client(receiver).post("/", content=b"{}").status_code == 401


def test_events_are_kept_as_they_came_and_in_their_order(client: Client) -> None:
    receiver = Receiver()
    client(receiver).post("/", content=body(event(2), event(1, new="ü", deep={"a": [1, None]})))
    client(receiver).post("/any/path", content=body(event(3)))
    assert receiver.events == [
        event(2).to_dict(),
        event(1, new="ü", deep={"a": [1, None]}).to_dict(),
        event(3).to_dict(),
    ]


@pytest.mark.parametrize("value", [None, 7, "text", [], True, {}])
def test_what_is_no_event_is_taken_and_found(value: Any, client: Client) -> None:
    receiver = Receiver()
    content = orjson.dumps({"events": [value, event().to_dict()]})
    assert client(receiver).post("/", content=content).status_code == 200
    assert receiver.events == [value, event().to_dict()]
    assert receiver.counts.by_event_type == {"?": 1, OPEN: 1}
    assert receiver.counts.errors >= 1


@pytest.mark.parametrize("value", [{"event_type": 7, "id": 7}, {"event_type": None, "id": []}])
def test_types_and_ids_that_are_no_text_are_not_counted_as_such(value: Any, client: Client) -> None:
    receiver = Receiver(check=False)
    client(receiver).post("/", content=orjson.dumps({"events": [value, value]}))
    assert receiver.counts.by_event_type == {"?": 2}
    assert receiver.counts.duplicates == 0


# Conformance


def test_events_that_conform_have_no_findings(client: Client) -> None:
    receiver = Receiver()
    client(receiver).post("/", content=body(*make_events(3)))
    assert (receiver.counts.errors, receiver.counts.warnings, receiver.counts.findings) == (
        0,
        0,
        (),
    )


def test_findings_are_counted_by_kind_the_most_frequent_first(client: Client) -> None:
    receiver = Receiver()
    client(receiver).post("/", content=body(event(0, unknown=1), broken(1), broken(2)))
    error, warning = receiver.counts.findings
    assert (receiver.counts.errors, receiver.counts.warnings) == (2, 1)
    assert (error.level, error.event_type, error.count) == ("error", OPEN, 2)
    assert error.field == "properties.email_address"
    assert "7" in error.problem
    assert (warning.level, warning.field, warning.count) == ("warning", "properties.unknown", 1)


def test_a_kind_of_finding_is_told_with_its_first_problem(client: Client) -> None:
    receiver = Receiver()
    first = broken(1) | {"properties": {"email_address": 1}}
    second = broken(2) | {"properties": {"email_address": 2}}
    client(receiver).post("/", content=body(first, second))
    (finding,) = receiver.counts.findings
    assert finding == FindingCount(
        "error", OPEN, "properties.email_address", "it is 1", finding.expected, 2
    )


def test_beyond_a_thousand_kinds_findings_are_only_summed(client: Client) -> None:
    receiver = Receiver()
    new: dict[str, Any] = {f"new_{n}": 1 for n in range(1_005)}
    client(receiver).post("/", content=body(event(0, **new)))
    client(receiver).post("/", content=body(event(1, new_7=1, new_1004=1)))
    counts = receiver.counts
    assert len(counts.findings) == 1_000
    assert counts.warnings == 1_007
    assert (counts.findings[0].field, counts.findings[0].count) == ("properties.new_7", 2)


def test_events_are_checked_against_the_schema_version_asked_for(client: Client) -> None:
    old, new = Receiver(schema_version=1), Receiver()
    for receiver in (old, new):
        client(receiver).post("/", content=body(event(0, "users.messages.banner.Click")))
    assert any(each.field == "event_type" for each in old.counts.findings)
    assert not any(each.field == "event_type" for each in new.counts.findings)
    with pytest.raises(UnknownNameError):
        Receiver(schema_version=99)


def test_nothing_is_checked_when_checking_is_off(client: Client) -> None:
    receiver = Receiver(check=False)
    response = client(receiver).post("/", headers={"Content-Type": "x"}, content=body(broken()))
    assert response.status_code == 200
    assert receiver.counts.findings == ()
    assert len(receiver.events) == 1


def test_a_strict_receiver_answers_400_and_takes_nothing(tmp_path: Path, client: Client) -> None:
    receiver = Receiver(strict=True, check=False, capture=tmp_path / "capture")
    response = client(receiver).post("/", content=body(event(1), broken(2), broken(3)))
    assert response.status_code == 400
    assert "2 conformance errors; " in response.text
    assert "properties.email_address" in response.text
    assert receiver.events == []
    assert (receiver.counts.events, receiver.counts.errors) == (0, 2)
    assert client(receiver).post("/", content=body(event(1, unknown=1))).status_code == 200
    assert (receiver.counts.events, receiver.counts.warnings) == (1, 1)
    receiver.close()
    assert (tmp_path / "capture").read_bytes().count(b"\n") == 1


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        ({"Content-Type": "text/plain"}, "the header is 'text/plain'"),
        ({"Content-Type": ""}, "the header is ''"),
        ({"Braze-Currents-Version": "2"}, "the header is '2'"),
    ],
)
def test_headers_that_braze_would_not_send_are_found(
    headers: dict[str, str], problem: str, client: Client
) -> None:
    receiver = Receiver()
    assert client(receiver).post("/", headers=headers, content=body(event())).status_code == 200
    (finding,) = receiver.counts.findings
    (name,) = headers
    assert (finding.level, finding.event_type, finding.field) == ("warning", None, name)
    assert finding.problem == problem


def test_headers_that_are_missing_are_found() -> None:
    receiver = Receiver()
    with httpx.Client(transport=AppTransport(receiver.app)) as plain:
        plain.post("http://receiver.test/", content=body(event()))
    assert {each.field for each in receiver.counts.findings} == {
        "Content-Type",
        "Braze-Currents-Version",
    }
    assert {each.problem for each in receiver.counts.findings} == {"the header is missing"}


def test_a_content_type_may_name_its_charset(client: Client) -> None:
    receiver = Receiver()
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    client(receiver).post("/", headers=headers, content=body(event()))
    assert receiver.counts.findings == ()


def test_a_strict_receiver_forgives_headers(client: Client) -> None:
    receiver = Receiver(strict=True)
    headers = {"Content-Type": "text/plain"}
    assert client(receiver).post("/", headers=headers, content=body(event())).status_code == 200


# Counts


def test_what_came_again_is_counted(client: Client) -> None:
    receiver = Receiver()
    client(receiver).post("/", content=body(event(1), event(2), event(1)))
    client(receiver).post("/", content=body(event(2), event(3)))
    assert (receiver.counts.events, receiver.counts.duplicates) == (5, 2)


def test_a_refused_event_that_comes_again_is_no_duplicate(client: Client) -> None:
    receiver = Receiver(script=[ScriptedResponse(503)])
    client(receiver).post("/", content=body(event(1)))
    client(receiver).post("/", content=body(event(1)))
    assert (receiver.counts.events, receiver.counts.duplicates) == (1, 0)


def test_get_counts_tells_the_counts(client: Client) -> None:
    receiver = Receiver(write_keys=[WRITE_KEY], script=[ScriptedResponse(503)])
    url = f"/?writeKey={WRITE_KEY}"
    for content in (body(event(1)), body(event(1), event(2, CLICK)), b"{", body(event(1))):
        client(receiver).post(url, content=content)
    client(receiver).post("/")
    response = client(receiver).get("/counts")
    assert response.headers["content-type"] == "application/json"
    assert response.json() == receiver.counts.to_dict()
    told = response.json()
    assert (told["requests"], told["events"], told["duplicates"]) == (5, 3, 1)
    assert told["by_status"] == {"200": 2, "400": 1, "401": 1, "503": 1}
    assert told["by_event_type"] == {CLICK: 1, OPEN: 2}


def test_the_counts_are_json(client: Client) -> None:
    receiver = Receiver()
    client(receiver).post("/", headers={"Content-Type": "x"}, content=body(event(1), broken(2)))
    told = receiver.counts.to_dict()
    assert json.loads(json.dumps(told)) == told
    fields = {each["field"] for each in told["findings"]}
    assert fields == {"Content-Type", "properties.email_address"}


def test_a_new_receiver_has_counted_nothing() -> None:
    assert Receiver().counts == Counts(0, {}, 0, 0, {}, 0, 0, ())


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_other_methods_are_not_allowed_and_not_counted(method: str, client: Client) -> None:
    receiver = Receiver(script=[ScriptedResponse(503)])
    assert client(receiver).request(method, "/v1/webhook").status_code == 405
    assert receiver.counts.requests == 0


def test_a_post_to_the_counts_is_a_request_like_any_other(client: Client) -> None:
    receiver = Receiver()
    assert client(receiver).post("/counts", content=body(event())).status_code == 200
    assert receiver.counts.events == 1


# Capture


def captured(path: Path) -> list[Any]:
    items = list(read_path(path))
    assert all(isinstance(item, Located) for item in items)
    return [item.value for item in items if isinstance(item, Located)]


def test_what_is_taken_is_in_the_capture_before_it_is_answered(
    tmp_path: Path, client: Client
) -> None:
    path = tmp_path / "capture.jsonl"
    receiver = Receiver(capture=path, keep=False)
    client(receiver).post("/", content=body(event(1), event(2, text="zwei\nZeilen")))
    assert path.read_bytes().count(b"\n") == 2
    client(receiver).post("/", content=body(event(3)))
    assert captured(path) == [
        event(1).to_dict(),
        event(2, text="zwei\nZeilen").to_dict(),
        event(3).to_dict(),
    ]
    assert receiver.events == []
    assert receiver.counts.events == 3
    receiver.close()
    receiver.close()


def test_a_capture_is_appended_to(tmp_path: Path, client: Client) -> None:
    path = str(tmp_path / "capture.jsonl")
    for number in (1, 2):
        receiver = Receiver(capture=path)
        client(receiver).post("/", content=body(event(number)))
        receiver.close()
    assert captured(Path(path)) == [event(1).to_dict(), event(2).to_dict()]


def test_a_line_broken_by_the_end_of_a_process_does_not_spoil_the_next(
    tmp_path: Path, client: Client
) -> None:
    path = tmp_path / "capture.jsonl"
    path.write_bytes(b'{"event_type": "a", "i')
    receiver = Receiver(capture=path)
    client(receiver).post("/", content=body(event(1)))
    client(receiver).post("/", content=body(event(2)))
    receiver.close()
    first, *lines = path.read_bytes().splitlines()
    assert first == b'{"event_type": "a", "i'
    assert [orjson.loads(line) for line in lines] == [event(1).to_dict(), event(2).to_dict()]


def test_requests_without_events_leave_the_capture_alone(tmp_path: Path, client: Client) -> None:
    path = tmp_path / "capture.jsonl"
    path.write_bytes(b"torn")
    receiver = Receiver(capture=path)
    client(receiver).post("/", content=body())
    receiver.close()
    assert path.read_bytes() == b"torn"


def test_a_capture_that_cannot_be_opened_is_a_receiver_error(tmp_path: Path) -> None:
    with pytest.raises(ReceiverError, match="capture cannot be opened") as caught:
        Receiver(capture=tmp_path)
    assert str(tmp_path) in str(caught.value)
    with pytest.raises(ReceiverError, match="capture cannot be opened"):
        Receiver(capture=tmp_path / "none" / "capture")


class Full:
    """A file on a disk that is full from the second write on, and then has room again."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.writes = 0

    def write(self, data: memoryview) -> int:
        self.writes += 1
        if self.writes == 2:
            raise OSError(28, "No space left on device")
        return int(self._file.write(data[:10] if self.writes == 1 else data))

    def close(self) -> None:
        self._file.close()


def test_what_cannot_be_captured_is_answered_500_and_not_taken(
    tmp_path: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "capture.jsonl"
    receiver = Receiver(capture=path)
    capture = receiver._capture
    assert capture is not None
    monkeypatch.setattr(capture, "_file", Full(capture._file))
    response = client(receiver).post("/", content=body(event(1)))
    assert response.status_code == 500
    assert "the capture cannot be written: [Errno 28] No space left" in response.text
    assert (receiver.events, receiver.counts.events) == ([], 0)
    assert client(receiver).post("/", content=body(event(1))).status_code == 200
    assert (receiver.counts.events, receiver.counts.duplicates) == (1, 0)
    receiver.close()
    first, second = path.read_bytes().splitlines()
    assert len(first) == 10
    assert orjson.loads(second) == event(1).to_dict()


def test_a_capture_that_took_nothing_has_no_line_to_end(
    tmp_path: Path, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "capture.jsonl"
    receiver = Receiver(capture=path)
    full = Full(receiver._capture._file)  # type: ignore[union-attr]
    full.writes = 1
    monkeypatch.setattr(receiver._capture, "_file", full)
    statuses = [client(receiver).post("/", content=body(event(1))).status_code for _ in range(2)]
    assert statuses == [500, 200]
    receiver.close()
    assert [orjson.loads(line) for line in path.read_bytes().splitlines()] == [event(1).to_dict()]


def test_a_receiver_whose_capture_is_closed_answers_500(tmp_path: Path, client: Client) -> None:
    receiver = Receiver(capture=tmp_path / "capture")
    receiver.close()
    response = client(receiver).post("/", content=body(event()))
    assert (response.status_code, receiver.events) == (500, [])


def test_an_event_too_deep_to_be_captured_is_answered_400(tmp_path: Path, client: Client) -> None:
    receiver = Receiver(capture=tmp_path / "capture", check=False)
    deep = '{"events": [{"event_type": "a", "properties": ' + "[" * 300 + "]" * 300 + "}]}"
    response = client(receiver).post("/", content=deep)
    assert (response.status_code, receiver.events) == (400, [])
    assert "nested too deep" in response.text
    receiver.close()


# Scripted responses


class Slept:
    """A sleep that only takes down for how long it was to be."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def test_scripted_answers_come_in_their_order_and_then_the_work_begins(client: Client) -> None:
    script = [ScriptedResponse(503, times=2), ScriptedResponse("ok"), ScriptedResponse(429)]
    receiver = Receiver(script=script)
    statuses = [client(receiver).post("/", content=body(event(n))).status_code for n in range(6)]
    assert statuses == [503, 503, 200, 429, 200, 200]
    assert [each["id"] for each in receiver.events] == [event(n).id for n in (2, 4, 5)]
    assert receiver.counts.by_status == {"200": 3, "429": 1, "503": 2}


def test_an_answer_for_ever_is_given_for_ever(client: Client) -> None:
    receiver = Receiver(script=[ScriptedResponse(503, times=None), ScriptedResponse("ok")])
    assert {client(receiver).post("/").status_code for _ in range(20)} == {503}


def test_ok_is_what_would_have_been_answered_anyway(client: Client) -> None:
    receiver = Receiver(write_keys=[WRITE_KEY], script=[ScriptedResponse("ok", times=None)])
    assert client(receiver).post("/").status_code == 401
    assert client(receiver).post(f"/?writeKey={WRITE_KEY}", content=b"{").status_code == 400
    good = client(receiver).post(f"/?writeKey={WRITE_KEY}", content=body(event()))
    assert (good.status_code, good.text) == (200, "ok")


@pytest.mark.parametrize("status", [200, 201, 202, 299])
def test_a_scripted_2xx_takes_the_events(status: int, client: Client) -> None:
    receiver = Receiver(script=[ScriptedResponse(status)])
    response = client(receiver).post("/", content=body(event()))
    assert (response.status_code, response.text) == (status, "scripted\n")
    assert receiver.events == [event().to_dict()]


@pytest.mark.parametrize("status", [204, 205, 304])
def test_answers_that_may_have_no_body_have_none(status: int) -> None:
    receiver = Receiver(script=[ScriptedResponse(status)])
    with listen(receiver) as url:
        response = httpx.post(url, headers=HEADERS, content=body(event()))
    assert (response.status_code, response.content) == (status, b"")
    assert receiver.counts.events == (status < 300)


@pytest.mark.parametrize("status", [300, 400, 404, 500, 599])
def test_other_scripted_answers_take_nothing_unless_they_keep(status: int, client: Client) -> None:
    receiver = Receiver(script=[ScriptedResponse(status), ScriptedResponse(status, keep=True)])
    assert client(receiver).post("/", content=body(event(1))).status_code == status
    assert receiver.events == []
    assert client(receiver).post("/", content=body(event(2))).status_code == status
    assert receiver.events == [event(2).to_dict()]


@pytest.mark.parametrize(
    ("seconds", "header"),
    [
        (0, "0"),
        (1, "1"),
        (2.0, "2"),
        (0.25, "0.25"),
        (120, "120"),
        (1_000_000, "1000000"),
        (12_345_678, "12345678"),
        (0.00001, "0.00001"),
    ],
)
def test_retry_after_is_written_as_a_plain_number(
    seconds: float, header: str, client: Client
) -> None:
    receiver = Receiver(script=[ScriptedResponse(503, retry_after=seconds)])
    assert client(receiver).post("/").headers["retry-after"] == header
    assert "retry-after" not in client(receiver).post("/").headers


def test_an_ok_may_ask_to_be_retried_after(client: Client) -> None:
    receiver = Receiver(script=[ScriptedResponse("ok", retry_after=3)])
    response = client(receiver).post("/", content=b"{")
    assert (response.status_code, response.headers["retry-after"]) == (400, "3")


def test_a_delay_is_slept_before_the_answer_and_after_the_work(client: Client) -> None:
    slept = Slept()
    script = [
        ScriptedResponse("ok", delay=2.5),
        ScriptedResponse(503, delay=7),
        ScriptedResponse("ok"),
    ]
    receiver = Receiver(script=script, sleep=slept)
    statuses = [client(receiver).post("/", content=body(event(n))).status_code for n in range(4)]
    assert statuses == [200, 503, 200, 200]
    assert slept.seconds == [2.5, 7]


def test_events_of_a_delayed_ok_are_there_while_it_is_delayed(client: Client) -> None:
    receiver: Receiver
    seen: list[int] = []

    async def look(_: float) -> None:
        seen.append(receiver.counts.events)

    receiver = Receiver(script=[ScriptedResponse("ok", delay=1)], sleep=look)
    client(receiver).post("/", content=body(event()))
    assert seen == [1]


@pytest.mark.parametrize(("keep", "events"), [(False, 0), (True, 1)])
def test_a_scripted_reset_is_a_reset_of_the_connection(keep: bool, events: int) -> None:
    receiver = Receiver(script=[ScriptedResponse("reset", keep=keep)])
    with listen(receiver) as url, httpx.Client(headers=HEADERS) as over_socket:
        port = int(url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as raw:
            content = body(event())
            head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n\r\n"
            raw.sendall(head.encode() + content)
            with pytest.raises(ConnectionResetError):
                raw.recv(1)
        assert over_socket.post(url, content=body(event(9))).status_code == 200
    assert receiver.counts.by_status == {"200": 1, "reset": 1}
    assert receiver.counts.events == events + 1


def test_a_reset_leaves_other_connections_alone() -> None:
    receiver = Receiver(script=[ScriptedResponse("ok"), ScriptedResponse("reset")])
    with listen(receiver) as url, httpx.Client() as one, httpx.Client() as other:
        assert one.post(url).status_code == 200
        with pytest.raises(httpx.ReadError):
            other.post(url)
        assert one.post(url).status_code == 200


def test_in_process_a_scripted_reset_is_a_connection_error(client: Client) -> None:
    receiver = Receiver(script=[ScriptedResponse("reset")])
    with pytest.raises(ConnectionResetError, match="reset the connection"):
        client(receiver).post("/")
    assert receiver.counts.by_status == {"reset": 1}


# On a socket


def test_two_receivers_listen_side_by_side() -> None:
    one, two = Receiver(), Receiver()
    with listen(one) as first, listen(two) as second:
        assert first != second
        httpx.post(first, headers=HEADERS, content=body(event(1)))
        httpx.post(second, headers=HEADERS, content=body(event(2)))
    assert one.events == [event(1).to_dict()]
    assert two.events == [event(2).to_dict()]


def test_a_port_in_use_is_a_receiver_error() -> None:
    with listen(Receiver()) as url:
        port = int(url.rpartition(":")[2])
        with (
            pytest.raises(ReceiverError, match=rf"'127.0.0.1', port {port}: "),
            listen(Receiver(), port=port),
        ):
            pytest.fail("it listens")


def test_the_port_is_free_again_afterwards() -> None:
    with listen(Receiver()) as url:
        port = int(url.rpartition(":")[2])
        assert httpx.post(url).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.post(url)
    with listen(Receiver(), port=port) as again:
        assert again == url
        assert httpx.post(again).status_code == 200


@pytest.mark.parametrize("host", ["", "nowhere.invalid", "256.256.256.256", "..", "a" * 64])
def test_a_host_that_does_not_resolve_is_a_receiver_error(host: str) -> None:
    with pytest.raises(ReceiverError, match="cannot listen on '"), listen(Receiver(), host=host):
        pytest.fail("it listens")


@pytest.mark.parametrize("port", [-1, 65_536, 70_000])
def test_a_port_that_does_not_exist_is_a_receiver_error(port: int) -> None:
    with pytest.raises(ReceiverError, match="ports are 0 to 65535"), listen(Receiver(), port=port):
        pytest.fail("it listens")


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_a_receiver_listens_on_ipv6() -> None:
    with listen(Receiver(), host="::1") as url:
        assert url.startswith("http://[::1]:")
        assert httpx.post(url).status_code == 200


def test_the_capture_is_closed_at_the_end(tmp_path: Path) -> None:
    receiver = Receiver(capture=tmp_path / "capture")
    with listen(receiver) as url:
        httpx.post(url, headers=HEADERS, content=body(event()))
    assert captured(tmp_path / "capture") == [event().to_dict()]
    with pytest.raises(ValueError, match="closed"):
        receiver._capture.write([b"{}"])  # type: ignore[union-attr]


def test_a_receiver_that_ends_waits_for_no_delayed_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun = threading.Event()

    async def for_ever(_: float) -> None:
        begun.set()
        await asyncio.Event().wait()

    receiver = Receiver(script=[ScriptedResponse("ok", delay=1)], sleep=for_ever)
    with ThreadPoolExecutor() as pool:
        with listen(receiver) as url:
            response = pool.submit(httpx.post, url, content=body(event()), timeout=PATIENCE)
            assert begun.wait(PATIENCE)
        assert isinstance(response.exception(), httpx.ReadError)
    assert receiver.counts.by_status == {"reset": 1}
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


def test_a_client_that_goes_away_before_its_body_is_whole_is_not_counted() -> None:
    receiver = Receiver()
    with listen(receiver) as url:
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as raw:
            raw.sendall(
                b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
            )
            raw.settimeout(PATIENCE)
            assert raw.recv(100).startswith(b"HTTP/1.1 100")  # the body is waited for
        # Taken in order, so that by its response the one that went away is done with, too.
        assert httpx.get(f"{url}/counts").json()["requests"] == 0
    assert receiver.counts.requests == 0


# In process


async def raises(scope: Any, receive: Any, send: Any) -> None:
    raise LookupError("no such thing")


def test_an_exception_in_the_application_reaches_the_client() -> None:
    with (
        httpx.Client(transport=AppTransport(raises)) as one,
        pytest.raises(LookupError, match="no such thing"),
    ):
        one.post("http://app.test/")


def test_a_transport_may_be_closed_twice_and_answers_no_more() -> None:
    transport = AppTransport(Receiver().app)
    transport.close()
    transport.close()
    with pytest.raises(httpx.ReadError, match="closed"):
        transport.handle_request(httpx.Request("POST", "http://app.test/"))


def test_a_transport_serves_several_threads_at_once() -> None:
    together = threading.Barrier(8)
    receiver = Receiver()

    def go(number: int) -> list[int]:
        together.wait(PATIENCE)
        return [
            one.post("http://app.test/", headers=HEADERS, content=body(event(n))).status_code
            for n in range(number * 10, number * 10 + 10)
        ]

    with httpx.Client(transport=AppTransport(receiver.app)) as one, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(go, range(8))) == [[200] * 10] * 8
    assert (receiver.counts.events, receiver.counts.duplicates) == (80, 0)
    assert {each["id"] for each in receiver.events} == {event(n).id for n in range(80)}


def test_a_transport_works_inside_a_running_event_loop() -> None:
    receiver = Receiver()

    async def ask() -> int:
        with httpx.Client(transport=AppTransport(receiver.app)) as one:
            return one.post("http://app.test/").status_code

    assert asyncio.run(ask()) == 200


def test_an_answer_that_is_not_due_in_time_is_a_timeout() -> None:
    hangs = asyncio.Event()

    async def for_ever(_: float) -> None:
        await hangs.wait()

    receiver = Receiver(script=[ScriptedResponse("ok", delay=1)], sleep=for_ever)
    with httpx.Client(transport=AppTransport(receiver.app), timeout=0.05) as one:
        with pytest.raises(httpx.ReadTimeout):
            one.post("http://app.test/")
        assert one.post("http://app.test/").status_code == 200


def test_a_timeout_of_the_application_itself_is_told_as_such() -> None:
    async def impatient(scope: Any, receive: Any, send: Any) -> None:
        raise TimeoutError("its own")

    with (
        httpx.Client(transport=AppTransport(impatient)) as one,
        pytest.raises(TimeoutError, match="its own"),
    ):
        one.post("http://app.test/")


def test_closing_the_transport_ends_what_is_under_way() -> None:
    begun = threading.Event()

    async def hangs(scope: Any, receive: Any, send: Any) -> None:
        begun.set()
        await asyncio.Event().wait()

    transport = AppTransport(hangs)
    with ThreadPoolExecutor() as pool:
        request = httpx.Request("POST", "http://app.test/")
        response = pool.submit(transport.handle_request, request)
        assert begun.wait(PATIENCE)
        transport.close()
        assert isinstance(response.exception(PATIENCE), httpx.ReadError)


def test_an_encoded_answer_is_decoded_once() -> None:
    async def zips(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"content-encoding", b"gzip")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": gzip.compress(b"good morning")})

    with httpx.Client(transport=AppTransport(zips)) as one:
        assert one.post("http://app.test/").text == "good morning"
