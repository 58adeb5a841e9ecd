"""`Targets`: what a Current can be made for, and how its senders end."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import pytest

from currents_export.current import Region
from currents_export.delivery import ManualClock, Sender, State
from currents_export.errors import CurrentError, OptionError, ReceiverError
from currents_export.receiver import Receiver, WsgiTransport, listen
from currents_export.testing import CurrentsReceiver, Targets
from tests.support.events import event, make_events
from tests.support.servers import Responding


@pytest.fixture
def targets() -> Iterator[Targets]:
    with Targets() as made:
        yield made


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})


class Asgi:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await asgi(scope, receive, send)


def returns_asgi(scope: Any, receive: Any, send: Any) -> Any:
    return asgi(scope, receive, send)


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    start_response("204 No Content", [])
    return []


@pytest.mark.parametrize(
    "app",
    [asgi, Asgi(), returns_asgi, functools.partial(asgi), wsgi, functools.partial(wsgi)],
)
def test_applications(targets: Targets, app: Any) -> None:
    sender = targets.sender(app)
    sender.send(make_events(3))
    assert sender.flush().delivered == 3


def test_several_targets(targets: Targets) -> None:
    with CurrentsReceiver() as one, CurrentsReceiver() as other, listen(Receiver()) as url:
        currents = [targets.current(each) for each in (one, other, url)]
        for count, current in enumerate(currents, 1):
            sender = targets.sender(current)
            sender.send(make_events(count))
            assert sender.flush().delivered == count
        assert [one.counts.events, other.counts.events] == [1, 2]


def test_transports(targets: Targets) -> None:
    for transport in (WsgiTransport(wsgi), Responding(lambda _: 200)):
        sender = targets.sender(transport)
        sender.send(event())
        assert sender.flush().complete


@pytest.mark.parametrize("target", [5, None, lambda: None])
def test_other_targets(targets: Targets, target: Any) -> None:
    with pytest.raises(OptionError, match=r"application|transport"):
        targets.current(target)


def test_fields(targets: Targets) -> None:
    current = targets.current(asgi, path="/currents?a=b", event_types=["*.Open"])
    assert current.url.endswith("/currents?a=b")
    assert current.event_types == ("*.Open",)
    assert current.include_anonymous is True
    assert targets.current(asgi, include_anonymous=False).include_anonymous is False
    assert targets.current("http://localhost:8000/x").url == "http://localhost:8000/x"
    assert targets.current("http://localhost:8000/", path="/y").url == "http://localhost:8000/y"
    as_rudderstack = targets.current(asgi, path="/v1/webhook?writeKey=a", region="EU")
    assert as_rudderstack.region is Region.EU
    with pytest.raises(CurrentError, match="contact_email"):
        targets.current(asgi, contact_email="x")


def test_application_that_does_not_start(targets: Targets) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(ReceiverError, match="no database"):
        targets.current(app)


def test_gives_up(targets: Targets) -> None:
    transport = Responding(lambda _: 503)
    sender = targets.sender(transport)
    sender.send(event())
    result = sender.flush()
    assert (result.state, result.pending) == (State.PAUSED, 1)
    assert 1 < result.requests <= 8


def test_options_of_senders(targets: Targets, manual_clock: ManualClock) -> None:
    assert targets.sender(asgi, clock=manual_clock, batch_size=2).flush().complete
    other = Responding(lambda _: 200)
    sender = targets.sender(targets.current(asgi), transport=other)
    sender.send(event())
    assert sender.flush().complete
    assert len(other.requests) == 1


def test_exception_in_context_leaves_the_senders() -> None:
    transport = Responding(lambda _: 200)

    def fail() -> Sender:
        with Targets() as targets:
            sender = targets.sender(transport, max_age=300)
            sender.send(event())
            senders.append(sender)
            raise LookupError

    senders: list[Sender] = []
    with pytest.raises(LookupError):
        fail()
    assert senders[0].result.pending == 1


def test_exception_of_the_application_at_the_end() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            raise LookupError("no such table")

    targets = Targets()
    senders = [targets.sender(each) for each in (asgi, app, app)]
    for each in senders:
        each.send(event())
    with pytest.raises(LookupError, match="no such table"):
        targets.close()
    targets.close()
    for each in senders:
        assert each.close().pending <= 1


def test_frameworks_are_as_before() -> None:
    import flask

    app = flask.Flask("receiver")
    before = app.config["PROPAGATE_EXCEPTIONS"]
    with Targets() as targets:
        targets.current(app)
        assert app.config["PROPAGATE_EXCEPTIONS"] is True
    assert app.config["PROPAGATE_EXCEPTIONS"] is before
