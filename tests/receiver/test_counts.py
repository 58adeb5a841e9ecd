from __future__ import annotations

import json

import pytest

from currents_export.receiver import Counts, Receiver, ScriptedResponse
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
    response = client(receiver).get("/counts")
    assert response.headers["content-type"] == "application/json"
    assert response.json() == receiver.counts.to_dict()
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
