"""The contents of a request."""

from __future__ import annotations

import attrs
import httpx
import orjson
import pytest

from currents_export.delivery import ManualClock, Sender
from currents_export.errors import CurrentError
from currents_export.events import Event
from currents_export.receiver import AppTransport, Receiver, ScriptedResponse, listen
from tests.support.currents import TOKEN, WRITE_KEY, custom, rudderstack
from tests.support.events import event, make_events
from tests.support.servers import Responding


def test_request_is_what_braze_sends(ok: Responding, clock: ManualClock) -> None:
    with Sender(custom(bearer_token=TOKEN), transport=ok, clock=clock) as sender:
        sender.send(make_events(2))
    (request,) = ok.requests
    assert request.method == "POST"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Braze-Currents-Version"] == "1"
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert int(request.headers["Content-Length"]) == len(request.read())
    assert orjson.loads(request.content) == {"events": [each.to_dict() for each in make_events(2)]}


def test_write_key_in_query(ok: Responding, clock: ManualClock) -> None:
    with Sender(rudderstack("http://127.0.0.1:9"), transport=ok, clock=clock) as sender:
        sender.send(event())
    assert ok.requests[0].url.params["writeKey"] == WRITE_KEY
    assert "Authorization" not in ok.requests[0].headers


def test_write_key_as_user_name(clock: ManualClock) -> None:
    receiver = Receiver(write_keys=["k%y"], check=False)
    with listen(receiver) as url:
        current = attrs.evolve(
            rudderstack(url), key=f"http://k%25y:@{url.removeprefix('http://')}/v1/webhook"
        )
        with Sender(current, clock=clock) as sender:
            sender.send(event())
            assert sender.flush().delivered == 1


def test_cookies_are_not_sent_back(clock: ManualClock) -> None:
    transport = Responding(lambda _: httpx.Response(200, headers={"Set-Cookie": "a=b; Path=/"}))
    with Sender(custom(), transport=transport, clock=clock, batch_size=1) as sender:
        sender.send(make_events(3))
    assert not any("Cookie" in request.headers for request in transport.requests)


def test_url_that_httpx_refuses() -> None:
    with pytest.raises(CurrentError, match="endpoint"):
        Sender(custom("http://127.0.0.1:9/" + "x" * 70_000))


def test_transformations_apply_only_on_the_wire(clock: ManualClock) -> None:
    status = 401
    transport = Responding(lambda _: status)
    current = custom(field_transformations={"email_address": "remove"})
    with Sender(current, transport=transport, clock=clock) as sender:
        sender.send(event())
        sender.flush()
        (pending,) = sender.pending()
        assert pending == event()
        status = 200
        sender.resume()
    assert len(transport.events) == 2
    for sent in transport.events:
        assert sent["properties"]["email_address"] == "[REDACTED]"


def test_transport_may_be_shared(clock: ManualClock) -> None:
    receiver = Receiver(check=False)
    with AppTransport(receiver.app) as transport:
        for number in range(2):
            with Sender(custom(), transport=transport, clock=clock) as sender:
                sender.send(event(number))
    assert len(receiver.events) == 2


def test_asgi_application_replaces_network(clock: ManualClock) -> None:
    receiver = Receiver(script=[ScriptedResponse("reset"), ScriptedResponse(503)])
    with Sender(custom(), transport=AppTransport(receiver.app), clock=clock) as sender:
        sender.send(make_events(3))
        result = sender.flush()
    assert (result.delivered, result.retries) == (3, 2)
    assert [Event.from_dict(each) for each in receiver.events] == make_events(3)
