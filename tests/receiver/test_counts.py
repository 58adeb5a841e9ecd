from __future__ import annotations

import json
from typing import Any

import pytest

from currents_export.receiver import Counts, Receiver, ScriptedResponse
from currents_export.receiver._counts import Recorder
from tests.support.currents import WRITE_KEY
from tests.support.events import CLICK, OPEN, event
from tests.support.receivers import Client, body, broken


def test_duplicates_are_counted(client: Client) -> None:
    receiver = Receiver()
    client(receiver).post("/", content=body(event(1), event(2), event(1)))
    client(receiver).post("/", content=body(event(2), event(3)))
    assert (receiver.counts.events, receiver.counts.duplicates) == (5, 2)


def test_refused_event_is_not_a_duplicate(client: Client) -> None:
    receiver = Receiver(script=[ScriptedResponse(503)])
    client(receiver).post("/", content=body(event(1)))
    client(receiver).post("/", content=body(event(1)))
    assert (receiver.counts.events, receiver.counts.duplicates) == (1, 0)


def test_get_counts(client: Client) -> None:
    receiver = Receiver(write_keys=[WRITE_KEY], script=[ScriptedResponse(503)])
    url = f"/?writeKey={WRITE_KEY}"
    for content in (body(event(1)), body(event(1), event(2, CLICK)), b"{", body(event(1))):
        client(receiver).post(url, content=content)
    client(receiver).post("/")
    response = client(receiver).get("/counts", params={"writeKey": WRITE_KEY})
    assert response.headers["content-type"] == "application/json"
    assert response.json() == receiver.counts.to_dict(values=False)
    value = response.json()
    assert (value["requests"], value["events"], value["duplicates"]) == (5, 3, 1)
    assert value["by_status"] == {"200": 2, "400": 1, "401": 1, "503": 1}
    assert value["by_event_type"] == {CLICK: 1, OPEN: 2}


def test_counts_as_json(client: Client) -> None:
    receiver = Receiver()
    client(receiver).post("/", headers={"Content-Type": "x"}, content=body(event(1), broken(2)))
    value = receiver.counts.to_dict()
    assert json.loads(json.dumps(value)) == value
    fields = {each["field"] for each in value["findings"]}
    assert fields == {"Content-Type", "properties.email_address"}
    assert {type(each["code"]) for each in value["findings"]} == {str}


def test_no_values_over_http(client: Client) -> None:
    receiver = Receiver()
    wrong = event(email_address=["ada@example.com"], new="secret", time="yesterday")
    client(receiver).post("/", content=body(wrong))
    response = client(receiver).get("/counts")
    assert len(response.json()["findings"]) == 3
    assert "problem" not in response.json()["findings"][0]
    for value in ("ada@example.com", "secret", "yesterday"):
        assert value not in response.text
    assert "ada@example.com" in str(receiver.counts.to_dict())


def test_types_are_bounded(client: Client) -> None:
    receiver = Receiver(check=False)
    types = [f"type {number}" for number in range(1_200)]
    events = [{"event_type": each} for each in [*types, *types, "x" * 10_000]]
    client(receiver).post("/", content=body(*events))
    counts = receiver.counts
    assert counts.events == len(events)
    assert len(counts.by_event_type) == 1_001
    assert counts.by_event_type["type 7"] == 2
    assert counts.by_event_type["other"] == 401


def test_findings_are_bounded(client: Client) -> None:
    receiver = Receiver()
    new: dict[str, Any] = {f"new_{number}": 1 for number in range(1_200)}
    client(receiver).post("/", content=body(event(0, **new)))
    assert (len(receiver.counts.findings), receiver.counts.warnings) == (1_000, 1_200)


def test_long_texts_are_cut(client: Client) -> None:
    receiver = Receiver()
    long = "x" * 100_000
    new: dict[str, Any] = {long: 1}
    content = body(event(0, **new), {"event_type": long, "id": "1"})
    client(receiver).post("/", content=content, headers={"Content-Type": long})
    assert len(str(receiver.counts)) < 10_000
    assert any(each.startswith("xxx") and len(each) < 500 for each in receiver.counts.by_event_type)


def test_last_ids_are_kept() -> None:
    recorder = Recorder(max_ids=3)

    def duplicates_after(*ids: str) -> int:
        recorder.record_events({"id": each} for each in ids)
        return recorder.counts.duplicates

    assert duplicates_after("1", "2", "3", "1") == 1
    assert duplicates_after("4") == 1  # in place of the first
    assert duplicates_after("2", "3", "4") == 4
    assert duplicates_after("1") == 4


def test_counts_of_new_receiver() -> None:
    assert Receiver().counts == Counts(0, {}, 0, 0, {}, 0, 0, ())


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_other_methods(method: str, client: Client) -> None:
    receiver = Receiver(script=[ScriptedResponse(503)])
    assert client(receiver).request(method, "/v1/webhook").status_code == 405
    assert receiver.counts.requests == 0


def test_post_to_counts(client: Client) -> None:
    receiver = Receiver()
    assert client(receiver).post("/counts", content=body(event())).status_code == 200
    assert receiver.counts.events == 1
