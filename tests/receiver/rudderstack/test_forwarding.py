"""Messages that the stand-in for RudderStack passes on to a consumer."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import orjson
import pytest
import tenacity

from currents_export.receiver import RudderStack, WebhookDestination, listen
from tests.support.events import event, make_events
from tests.support.gateways import RECEIVED_AT, WEBHOOK, gateway
from tests.support.receivers import PATIENCE, Client, body
from tests.support.servers import Responding, closed_port

CONSUMER = "http://consumer.test/hook"


def forwarding(transport: httpx.BaseTransport, **options: Any) -> RudderStack:
    """Make a stand-in that forwards to a transport, and waits for nothing."""
    defaults: dict[str, Any] = {"forward_wait": tenacity.wait_none()}
    return gateway(forward=CONSUMER, forward_transport=transport, **defaults | options)


def test_one_message_a_request(client: Client) -> None:
    consumer = Responding(lambda _: 200)
    standin = forwarding(consumer)
    client(standin).post(WEBHOOK, content=body(*make_events(3)))
    standin.close()
    received = sorted(
        (orjson.loads(each.content) for each in consumer.requests),
        key=lambda message: str(message["messageId"]),
    )
    assert [each["messageId"] for each in received] == [each.id for each in make_events(3)]
    for request in consumer.requests:
        assert request.headers["content-type"] == "application/json"
        assert str(request.url) == CONSUMER
    added = received[0].keys() - standin.messages[0].keys()
    assert added == {"channel", "originalTimestamp", "sentAt"}
    assert received[0]["context"]["ip"] == received[0]["request_ip"] == "127.0.0.1"
    assert "ip" not in standin.messages[0]["context"]
    assert received[0]["timestamp"] == "2025-06-15T15:06:40.000Z"
    assert received[0]["sentAt"] == received[0]["originalTimestamp"] == RECEIVED_AT
    counts = standin.counts
    assert (counts.delivered, counts.given_up, counts.waiting) == (3, 0, 0)


@pytest.mark.parametrize("time", ["soon", 1_782_907_200_123, None])
def test_timestamp_that_cannot_be_read(time: Any, client: Client) -> None:
    consumer = Responding(lambda _: 200)
    standin = forwarding(consumer)
    client(standin).post(WEBHOOK, content=body(event().to_dict() | {"time": time}))
    standin.close()
    (message,) = (orjson.loads(each.content) for each in consumer.requests)
    assert message["timestamp"] == RECEIVED_AT
    assert standin.messages[0].get("timestamp") != RECEIVED_AT


@pytest.mark.parametrize("failure", [500, 503, 408, 429, httpx.ConnectError("no")])
def test_failure_is_retried(failure: int | Exception, client: Client) -> None:
    left = [failure, failure]

    def respond(_: httpx.Request) -> int:
        next_failure = left.pop() if left else 200
        if isinstance(next_failure, Exception):
            raise next_failure
        return next_failure

    consumer = Responding(respond)
    standin = forwarding(consumer)
    client(standin).post(WEBHOOK, content=body(event()))
    standin.close()
    assert len(consumer.requests) == 3
    assert len({each.content for each in consumer.requests}) == 1
    assert (standin.counts.delivered, standin.counts.given_up) == (1, 0)


@pytest.mark.parametrize("status", [302, 400, 401, 404, 410])
def test_refusal_is_not_retried(status: int, client: Client) -> None:
    consumer = Responding(lambda _: status)
    standin = forwarding(consumer)
    client(standin).post(WEBHOOK, content=body(event()))
    standin.close()
    assert len(consumer.requests) == 1
    assert (standin.counts.delivered, standin.counts.given_up) == (0, 1)


def test_message_is_given_up(client: Client) -> None:
    consumer = Responding(lambda _: 503)
    standin = forwarding(consumer, forward_stop=tenacity.stop_after_attempt(4))
    client(standin).post(WEBHOOK, content=body(event()))
    standin.close()
    assert len(consumer.requests) == 4
    assert (standin.counts.given_up, standin.counts.waiting) == (1, 0)


def test_messages_of_user_arrive_in_order(client: Client) -> None:
    failures = iter([503] * 5)
    consumer = Responding(lambda _: next(failures, 200))
    standin = forwarding(consumer)
    events = [event(n).to_dict() | {"user": {"user_id": "same"}} for n in range(20)]
    client(standin).post(WEBHOOK, content=body(*events))
    standin.close()
    ids = [orjson.loads(each.content)["messageId"] for each in consumer.requests]
    assert list(dict.fromkeys(ids)) == [event(n).id for n in range(20)]
    assert len(ids) == 25


def test_close_does_not_wait_for_retries(client: Client) -> None:
    tried = threading.Event()

    def respond(_: httpx.Request) -> int:
        tried.set()
        return 503

    standin = forwarding(
        Responding(respond), forward_wait=tenacity.wait_fixed(3600), forward_patience=0.0
    )
    client(standin).post(WEBHOOK, content=body(event()))
    assert tried.wait(PATIENCE)
    standin.close()
    counts = standin.counts
    assert (counts.delivered, counts.given_up, counts.waiting) == (0, 0, 1)
    standin.close()


def test_gateway_responds_before_delivery(client: Client) -> None:
    responded = threading.Event()

    def respond(_: httpx.Request) -> int:
        assert responded.wait(PATIENCE)
        return 200

    standin = forwarding(Responding(respond))
    assert client(standin).post(WEBHOOK, content=body(event())).status_code == 200
    assert standin.counts.waiting == 1
    responded.set()
    standin.close()
    assert standin.counts.delivered == 1


def test_over_sockets() -> None:
    consumer = WebhookDestination()
    with listen(consumer) as hook, listen(gateway(forward=hook)) as url:
        httpx.post(f"{url}{WEBHOOK}", content=body(*make_events(10)))
    assert {each["messageId"] for each in consumer.messages} == {e.id for e in make_events(10)}


def test_consumer_that_is_not_there(client: Client) -> None:
    standin = gateway(
        forward=f"http://127.0.0.1:{closed_port()}/",
        forward_wait=tenacity.wait_none(),
        forward_stop=tenacity.stop_after_attempt(2),
    )
    client(standin).post(WEBHOOK, content=body(event()))
    standin.close()
    assert standin.counts.given_up == 1
