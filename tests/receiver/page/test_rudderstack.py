"""The page of the stand-in for RudderStack, and of a webhook destination."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from currents_export.receiver import Receiver, RudderStack, WebhookDestination
from currents_export.receiver.page import Page
from currents_export.receiver.rudderstack import transform
from tests.receiver.page.conftest import Browser
from tests.support.events import event
from tests.support.receivers import body, broken

Browse = Callable[[Page], Browser]
ALL = {"reveal": "1"}


def test_rudderstack_side_by_side(browse: Browse) -> None:
    standin = RudderStack(mapping={event().event_type: "Opened"}, group_seconds=0)
    user = browse(Page(standin))
    user.send(body(event(1), broken(2)), path="/v1/webhook?writeKey=some-write-key")
    shown = user.ask("events")["events"]
    assert [each["findings"] for each in shown] == [1, 0]
    made = user.ask(f"events/{shown[1]['id']}", **ALL)["made"]
    assert orjson.loads(
        "".join(
            (f"{line['key']}: " if "key" in line else "") + line["text"] for line in made["lines"]
        )
    ) == transform(event(1), standin.mapping)
    assert user.ask("summary")["more"]["messages"] == 2


def test_vanished_event(browse: Browse) -> None:
    user = browse(Page(Receiver()))
    user.send(body({"event_type": "x", "id": "1", "time": 1, "user": {}, "properties": {}}))
    shown = user.ask("events")["events"][0]["id"]
    assert "user_id" in user.ask(f"events/{shown}")["made"]["vanished"]


def test_messages_of_a_destination(browse: Browse) -> None:
    consumer = WebhookDestination()
    user = browse(Page(consumer))
    message = {"type": "track", "event": "Opened", "messageId": "m1", "userId": "anna"}
    user.send(orjson.dumps(message))
    (shown,) = user.ask("events")["events"]
    assert (shown["type"], shown["event_id"]) == ("Opened", "m1")
    details = user.ask(f"events/{shown['id']}")
    assert details["made"] is None
    assert "anna" not in str(details)
    assert user.act(f"events/{shown['id']}/send").json() == {"status": "200"}
    assert consumer.messages == [message, message]
