from __future__ import annotations

import gc
import logging
import random
import socket
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import attrs
import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from currents_export.delivery import (
    Action,
    Attempt,
    Backoff,
    Drop,
    Hooks,
    ManualClock,
    Notice,
    NoticeKind,
    Result,
    Sender,
    State,
)
from currents_export.errors import (
    CurrentError,
    EventError,
    InvalidEventsError,
    NotTakenError,
    OptionError,
    QueueFullError,
    SenderClosedError,
)
from currents_export.events import Event
from currents_export.receiver import AppTransport, Receiver, ScriptedResponse, listen
from tests.support.currents import TOKEN, WRITE_KEY, custom, rudderstack
from tests.support.events import CLICK, OPEN, SEND, event, make_events
from tests.support.servers import Responding, abandoned, raw_server, read_request, say

DAY = 86_400.0
PATIENCE = 60.0


@attrs.define
class Told:
    """Everything a sender's hooks were told."""

    attempts: list[Attempt] = attrs.field(factory=list)
    delivered: list[str] = attrs.field(factory=list)
    drops: list[Drop] = attrs.field(factory=list)
    filtered: list[tuple[Event, str]] = attrs.field(factory=list)
    notices: list[Notice] = attrs.field(factory=list)

    @property
    def hooks(self) -> Hooks:
        return Hooks(
            on_attempt=self.attempts.append,
            on_delivered=lambda _, ids: self.delivered.extend(ids),
            on_dropped=self.drops.append,
            on_filtered=lambda event, reason: self.filtered.append((event, reason)),
            on_notice=self.notices.append,
        )

    @property
    def kinds(self) -> list[NoticeKind]:
        return [notice.kind for notice in self.notices]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(skip=PATIENCE)


def adds_up(result: Result) -> bool:
    return result.accepted == result.delivered + result.dropped + result.pending


# The response table, over a real socket


def answered(
    *script: ScriptedResponse, told: Told, clock: ManualClock, count: int = 3, **options: Any
) -> tuple[Result, Receiver]:
    receiver = Receiver(script=script, check=False)
    with (
        listen(receiver) as url,
        Sender(custom(url), clock=clock, hooks=told.hooks, **options) as sender,
    ):
        sender.send(make_events(count))
        sender.flush()
    return sender.result, receiver


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_delivered_and_never_sent_again(status: int, told: Told, clock: ManualClock) -> None:
    result, receiver = answered(ScriptedResponse(status), told=told, clock=clock)
    assert (result.delivered, result.requests, result.retries) == (3, 1, 0)
    assert [each["id"] for each in receiver.events] == [each.id for each in make_events(3)]
    assert told.delivered == [each.id for each in make_events(3)]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599, 429, 408, 410, 418, 422, 301, 304])
def test_5xx_429_and_unlisted_statuses_are_sent_again(
    status: int, told: Told, clock: ManualClock
) -> None:
    result, receiver = answered(ScriptedResponse(status, times=3), told=told, clock=clock)
    assert (result.delivered, result.requests, result.retries) == (3, 4, 3)
    assert [each.action for each in told.attempts] == [Action.RETRY] * 3 + [Action.DELIVERED]
    assert [each.number for each in told.attempts] == [1, 2, 3, 4]
    assert len(receiver.events) == 3


def test_a_redirect_is_not_followed(told: Told, clock: ManualClock) -> None:
    with (
        raw_server(say("302 Found", "", "location: /elsewhere"), say("200 OK")) as url,
        Sender(custom(url), clock=clock, hooks=told.hooks) as sender,
    ):
        sender.send(event())
    assert [each.response.status for each in told.attempts] == [302, 200]


def test_a_reset_connection_is_sent_again(told: Told, clock: ManualClock) -> None:
    result, receiver = answered(ScriptedResponse("reset", times=2), told=told, clock=clock)
    assert [each.response.status for each in told.attempts] == [None, None, 200]
    assert result.delivered == len(receiver.events) == 3


@pytest.mark.parametrize(
    "script",
    [
        lambda connection: None,  # closes at once
        lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n"),
        lambda connection: (read_request(connection), None)[1],  # reads, then closes
        lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-le"),
    ],
    ids=["closes", "speaks something else", "gives no response", "breaks off the response"],
)
def test_a_receiver_that_does_not_speak_http_is_a_network_error(
    script: Callable[[socket.socket], None], told: Told, clock: ManualClock
) -> None:
    with (
        raw_server(script, say("200 OK")) as url,
        Sender(custom(url), clock=clock, hooks=told.hooks) as sender,
    ):
        sender.send(event())
        result = sender.flush()
    assert [each.response.status for each in told.attempts] == [None, 200]
    assert result.delivered == 1


def test_an_answer_that_does_not_come_in_time_is_a_network_error(
    told: Told, clock: ManualClock
) -> None:
    over = threading.Event()

    def silent(_: socket.socket) -> None:
        over.wait(PATIENCE)

    def saw(attempt: Attempt) -> None:
        told.attempts.append(attempt)
        over.set()

    hooks = attrs.evolve(told.hooks, on_attempt=saw)
    with (
        raw_server(silent, say("200 OK")) as url,
        Sender(custom(url), clock=clock, timeout=0.1, hooks=hooks) as sender,
    ):
        sender.send(event())
        sender.flush()
    assert [each.response.status for each in told.attempts] == [None, 200]
    assert "timed out" in told.attempts[0].response.text


def test_an_answer_whose_body_never_ends_counts_by_its_status(
    told: Told, clock: ManualClock
) -> None:
    def endless(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    with raw_server(endless) as url, Sender(custom(url), clock=clock, hooks=told.hooks) as sender:
        sender.send(event())
    assert sender.result.delivered == 1


def test_an_answer_whose_body_drips_counts_by_its_status(
    told: Told, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("currents_export.delivery._endpoint._BODY_PATIENCE", 0.05)
    over = threading.Event()

    def dripping(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
        while not over.wait(0.01):
            connection.sendall(b"x")

    def hanging(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx")
        over.wait(PATIENCE)

    with (
        raw_server(dripping, hanging) as url,
        Sender(custom(url), clock=clock, batch_size=1, timeout=PATIENCE) as sender,
    ):
        hooks = Hooks(on_delivered=lambda *_: over.set() if sender.result.delivered == 2 else None)
        sender._hooks = hooks
        sender.send(event(0))
        sender.send(event(1))
        over.set()
        assert sender.flush().delivered == 2


def test_a_body_that_breaks_off_behind_a_2xx_is_no_reason_to_send_again(
    told: Told, clock: ManualClock
) -> None:
    def broken(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nha")

    with raw_server(broken) as url, Sender(custom(url), clock=clock, hooks=told.hooks) as sender:
        sender.send(event())
    assert (sender.result.delivered, sender.result.requests) == (1, 1)


def test_a_closed_port_is_sent_to_again_until_it_opens(told: Told, clock: ManualClock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    receiver = Receiver(check=False)
    refused = threading.Event()
    hooks = attrs.evolve(told.hooks, on_attempt=lambda _: refused.set())
    with Sender(custom(f"http://127.0.0.1:{port}"), clock=clock, hooks=hooks) as sender:
        sender.send(make_events(3))
        threading.Thread(target=sender.flush, daemon=True).start()
        assert refused.wait(PATIENCE)
        with listen(receiver, port=port):
            sender.resume()  # in case five days of the skipping clock have passed by now
            result = sender.flush()
    assert result.delivered == len(receiver.events) == 3


def test_429_with_retry_after_waits_that_long_at_least(told: Told) -> None:
    clock = ManualClock(skip=1_000.0)
    at: list[float] = []
    hooks = Hooks(on_attempt=lambda each: at.append(each.at))
    receiver = Receiver(script=[ScriptedResponse(429, retry_after=500)], check=False)
    with listen(receiver) as url, Sender(custom(url), clock=clock, hooks=hooks) as sender:
        sender.send(event())
        sender.flush()
    assert at[1] - at[0] >= 500
    assert at[1] - at[0] < 501


def test_400_is_split_to_ones_and_the_bad_event_alone_is_dropped(
    told: Told, clock: ManualClock
) -> None:
    bad = event(1)
    receiver = Receiver(strict=True)
    with (
        listen(receiver) as url,
        Sender(custom(url), clock=clock, hooks=told.hooks) as sender,
    ):
        sender.send([event(0), attrs.evolve(bad, properties={}), event(2)])
        result = sender.flush()
    assert (result.delivered, result.dropped, result.pending) == (2, 1, 0)
    assert [each.size for each in told.attempts] == [3, 1, 1, 1]
    assert {each["id"] for each in receiver.events} == {event(0).id, event(2).id}
    (drop,) = told.drops
    assert (drop.event_type, drop.id) == (OPEN, bad.id)
    assert drop.reason == "400 when sent alone"
    assert drop.response.startswith("400: 1 conformance errors")
    assert result.drop_reasons == {drop.reason: 1}


def test_400_to_the_only_event_of_a_batch_is_tried_alone_once_more(
    told: Told, clock: ManualClock
) -> None:
    result, _ = answered(ScriptedResponse(400), told=told, clock=clock, count=1)
    assert (result.delivered, result.requests) == (1, 2)
    result, _ = answered(ScriptedResponse(400, times=2), told=told, clock=clock, count=1)
    assert (result.dropped, result.requests) == (1, 2)


def test_413_is_split_smaller_until_it_fits(told: Told, clock: ManualClock) -> None:
    receiver = Receiver(max_body_bytes=1_000, check=False)
    with (
        listen(receiver) as url,
        Sender(custom(url), clock=clock, hooks=told.hooks, concurrency=1) as sender,
    ):
        sender.send(make_events(20))
        result = sender.flush()
    assert result.delivered == len(receiver.events) == 20
    sizes = [each.size for each in told.attempts]
    assert sizes[:3] == [20, 10, 10]
    assert all(
        each.action is (Action.DELIVERED if each.size < 5 else Action.SPLIT_SMALLER)
        for each in told.attempts
    )


def test_an_event_that_is_413_all_by_itself_is_dropped_with_that_reason(
    told: Told, clock: ManualClock
) -> None:
    receiver = Receiver(max_body_bytes=1_000, check=False)
    with listen(receiver) as url, Sender(custom(url), clock=clock, hooks=told.hooks) as sender:
        sender.send([event(0), event(1, user_agent="x" * 2_000), event(2)])
        result = sender.flush()
    assert (result.delivered, result.dropped) == (2, 1)
    assert [drop.id for drop in told.drops] == [event(1).id]
    assert result.drop_reasons == {"413 when sent alone": 1}
    assert told.drops[0].response.startswith("413: the body has ")


@pytest.mark.parametrize("status", [401, 403, 404])
def test_401_403_and_404_pause_and_notify_and_resume_goes_on_with_everything(
    status: int, told: Told, clock: ManualClock
) -> None:
    receiver = Receiver(script=[ScriptedResponse(status)], check=False)
    with (
        listen(receiver) as url,
        Sender(custom(url), clock=clock, hooks=told.hooks, concurrency=1) as sender,
    ):
        sender.send([*make_events(3), event(7, CLICK)])
        result = sender.flush()
        assert (result.state, result.pending, result.requests) == (State.PAUSED, 4, 1)
        assert result.reason == f"{status}: scripted"
        (notice,) = told.notices
        assert (notice.kind, notice.contact_email) == (NoticeKind.PAUSED, "qa@example.com")
        assert str(status) in notice.message
        sender.send(event(8, SEND))  # it is taken, and waits with the others
        assert sender.flush().pending == 5
        assert receiver.counts.requests == 1
        sender.resume()
        result = sender.flush()
    assert (result.state, result.delivered, result.pending) == (State.ACTIVE, 5, 0)
    assert told.kinds == [NoticeKind.PAUSED, NoticeKind.RESUMED]
    assert len(receiver.events) == 5


def test_resuming_with_a_mended_current_uses_its_credentials(clock: ManualClock) -> None:
    receiver = Receiver(bearer_tokens=[TOKEN], check=False)
    with (
        listen(receiver) as url,
        Sender(custom(url, bearer_token="wrong"), clock=clock) as sender,
    ):
        sender.send(make_events(2))
        assert sender.flush().state is State.PAUSED
        sender.resume(custom(url, bearer_token=TOKEN))
        assert sender.flush().delivered == 2


def test_resuming_a_current_that_runs_tells_nobody(told: Told, clock: ManualClock) -> None:
    with Sender(custom(), clock=clock, hooks=told.hooks) as sender:
        sender.resume()
    assert told.notices == []


# What goes over the wire


def test_the_request_is_the_one_braze_sends(clock: ManualClock) -> None:
    transport = Responding(lambda _: 200)
    with Sender(custom(bearer_token=TOKEN), transport=transport, clock=clock) as sender:
        sender.send(make_events(2))
    (request,) = transport.requests
    assert request.method == "POST"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Braze-Currents-Version"] == "1"
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert int(request.headers["Content-Length"]) == len(request.read())
    assert orjson.loads(request.content) == {"events": [each.to_dict() for each in make_events(2)]}


def test_a_write_key_goes_out_in_the_url(clock: ManualClock) -> None:
    transport = Responding(lambda _: 200)
    with Sender(rudderstack("http://127.0.0.1:9"), transport=transport, clock=clock) as sender:
        sender.send(event())
    assert transport.requests[0].url.params["writeKey"] == WRITE_KEY
    assert "Authorization" not in transport.requests[0].headers


def test_a_write_key_as_user_name_goes_out_as_basic(clock: ManualClock) -> None:
    receiver = Receiver(write_keys=["k%y"], check=False)
    with listen(receiver) as url:
        current = attrs.evolve(
            rudderstack(url), key=f"http://k%25y:@{url.removeprefix('http://')}/v1/webhook"
        )
        with Sender(current, clock=clock) as sender:
            sender.send(event())
            assert sender.flush().delivered == 1


def test_no_secret_is_in_any_log_error_or_repr(
    caplog: pytest.LogCaptureFixture, told: Told, clock: ManualClock
) -> None:
    caplog.set_level(logging.DEBUG)

    def leak(request: httpx.Request) -> httpx.Response:
        text = f"unknown: {request.url} {request.headers.get('authorization')}"
        if len(told.attempts) < 2:
            raise RuntimeError(text)
        return httpx.Response(401, text=text)

    for current in (
        rudderstack("http://127.0.0.1:9"),
        custom("http://127.0.0.1:9/?token=hunter22", bearer_token=TOKEN),
    ):
        told.attempts.clear()
        with Sender(current, transport=Responding(leak), clock=clock, hooks=told.hooks) as sender:
            sender.send(event())
            result = sender.flush()
            shown = f"{sender!r} {result} {result.to_dict()} {told} {sender.check_credentials()}"
        assert "unknown" in shown
        for secret in (WRITE_KEY, TOKEN, "hunter22"):
            assert secret not in shown
            assert secret not in caplog.text


def test_a_redirect_that_repeats_the_url_shows_no_secret_in_a_log(
    caplog: pytest.LogCaptureFixture, told: Told, clock: ManualClock
) -> None:
    caplog.set_level(logging.DEBUG)
    location = f"location: https://elsewhere.example/v1/webhook?writeKey={WRITE_KEY}"
    with (
        raw_server(say("302 Found", "", location), say("200 OK")) as url,
        Sender(rudderstack(url.rstrip("/")), clock=clock, hooks=told.hooks) as sender,
    ):
        sender.send(event())
        sender.flush()
    assert "elsewhere.example" in caplog.text
    assert WRITE_KEY not in caplog.text


def test_no_part_of_a_secret_is_shown_where_a_long_answer_is_cut(clock: ManualClock) -> None:
    for length in range(180, 201):
        response = partial(httpx.Response, 401, text="x" * length + WRITE_KEY)
        transport = httpx.MockTransport(lambda _: response())  # noqa: B023 - used in this round alone
        with Sender(rudderstack("http://127.0.0.1:9"), transport=transport) as sender:
            assert WRITE_KEY[:3] not in sender.check_credentials().message


def test_a_short_value_in_a_url_is_not_taken_for_a_secret() -> None:
    transport = Responding(lambda _: httpx.Response(500, text="error 1 of 1"))
    with Sender(custom("http://127.0.0.1:9/?v=1"), transport=transport) as sender:
        assert "error 1 of 1" in sender.check_credentials().message


def test_a_transport_may_be_shared(clock: ManualClock) -> None:
    receiver = Receiver(check=False)
    with AppTransport(receiver.app) as transport:
        for number in range(2):
            with Sender(custom(), transport=transport, clock=clock) as sender:
                sender.send(event(number))
    assert len(receiver.events) == 2


def test_cookies_are_not_sent_back(clock: ManualClock) -> None:
    transport = Responding(lambda _: httpx.Response(200, headers={"Set-Cookie": "a=b; Path=/"}))
    with Sender(custom(), transport=transport, clock=clock, batch_size=1) as sender:
        sender.send(make_events(3))
    assert not any("Cookie" in request.headers for request in transport.requests)


def test_a_url_that_httpx_refuses_is_the_currents_fault() -> None:
    with pytest.raises(CurrentError, match="endpoint"):
        Sender(custom("http://127.0.0.1:9/" + "x" * 70_000))


def test_transformations_apply_on_the_wire_and_not_to_what_is_pending(clock: ManualClock) -> None:
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
    for request in transport.requests:
        (sent,) = orjson.loads(request.content)["events"]
        assert sent["properties"]["email_address"] == "[REDACTED]"


# Batches


def test_batches_hold_a_hundred_events_of_one_type(told: Told, clock: ManualClock) -> None:
    with Sender(
        custom(), transport=Responding(lambda _: 200), clock=clock, hooks=told.hooks
    ) as sender:
        sender.send([*make_events(230), *make_events(50, CLICK)])
    sizes = sorted((each.event_type, each.size) for each in told.attempts)
    assert sizes == [(CLICK, 50), (OPEN, 30), (OPEN, 100), (OPEN, 100)]


def test_a_batch_leaves_when_its_oldest_event_reaches_the_age_limit() -> None:
    clock = ManualClock()
    left = threading.Event()
    hooks = Hooks(on_delivered=lambda *_: left.set())
    sender = Sender(custom(), transport=Responding(lambda _: 200), clock=clock, hooks=hooks)
    with abandoned(sender):
        sender.send(make_events(3))
        clock.advance(299)
        assert sender.result.pending == 3
        clock.advance(1)
        assert left.wait(PATIENCE)
    assert sender.result.delivered == 3


def test_a_batch_that_waits_to_be_sent_again_holds_its_type_back_and_no_other() -> None:
    clock = ManualClock()
    mended, others = threading.Event(), threading.Event()

    def response(request: httpx.Request) -> int:
        (first,) = orjson.loads(request.content)["events"]
        if first["event_type"] == OPEN:
            others.set()
        return 200 if first["event_type"] == OPEN or mended.is_set() else 503

    transport = Responding(response)
    options: dict[str, Any] = {"transport": transport, "batch_size": 1, "concurrency": 1}
    with abandoned(Sender(custom(), clock=clock, **options)) as sender:
        sender.send(event(0, CLICK))
        sender.send([event(1, CLICK), event(2, OPEN)])
        assert others.wait(PATIENCE)
        mended.set()
        clock.advance(1.0)
        assert sender.flush().delivered == 3
    order = [orjson.loads(each.content)["events"][0]["id"] for each in transport.requests]
    assert order == [event(0).id, event(2).id, event(0).id, event(1).id]


def test_a_batch_whose_wait_is_over_goes_before_new_ones() -> None:
    clock = ManualClock()
    begun, release, failed = threading.Event(), threading.Event(), threading.Event()

    def response(request: httpx.Request) -> int:
        (first,) = orjson.loads(request.content)["events"]
        if first["event_type"] == CLICK and not failed.is_set():
            failed.set()
            return 503
        if first["event_type"] == OPEN and not begun.is_set():
            begun.set()
            release.wait(PATIENCE)
        return 200

    transport = Responding(response)
    options: dict[str, Any] = {"transport": transport, "batch_size": 1, "concurrency": 1}
    with abandoned(Sender(custom(), clock=clock, **options)) as sender:
        sender.send(event(0, CLICK))
        assert failed.wait(PATIENCE)
        sender.send(make_events(3))
        assert begun.wait(PATIENCE)
        clock.advance(1.0)
        while not sender._returning:  # its wait is over, and the only place is taken
            failed.wait()
        release.set()
        assert sender.flush().delivered == 4
    sent = [orjson.loads(each.content)["events"][0] for each in transport.requests]
    assert [each["event_type"] for each in sent] == [CLICK, OPEN, CLICK, OPEN, OPEN]


def test_the_real_clock_waits_too() -> None:
    receiver = Receiver(script=[ScriptedResponse(503, times=3)], check=False)
    backoff = Backoff(initial=0.001, maximum=0.002)
    with (
        listen(receiver) as url,
        Sender(custom(url), backoff=backoff, max_age=0.001) as sender,
    ):
        sender.send(make_events(3))
        result = sender.flush(timeout=PATIENCE)
    assert (result.delivered, result.retries) == (3, 3)
    assert result.complete
    assert 0.0015 < result.duration_s < PATIENCE


def test_no_more_requests_than_asked_for_are_on_their_way_at_once(clock: ManualClock) -> None:
    lock, now, most = threading.Lock(), 0, 0
    together = threading.Barrier(3)

    def response(_: httpx.Request) -> int:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        together.wait(PATIENCE)  # three come at once, always
        with lock:
            now -= 1
        return 200

    with Sender(
        custom(), transport=Responding(response), clock=clock, batch_size=1, concurrency=3
    ) as sender:
        sender.send(make_events(30))
        sender.flush()
    assert most == 3
    assert sender.result.delivered == 30


def test_waits_grow_exponentially_with_jitter_up_to_the_maximum(clock: ManualClock) -> None:
    at: list[float] = []
    statuses = iter([503] * 9)
    with Sender(
        custom(),
        transport=Responding(lambda _: next(statuses, 200)),
        clock=clock,
        backoff=Backoff(initial=1.0, maximum=20.0),
        hooks=Hooks(on_attempt=lambda each: at.append(each.at)),
        rng=random.Random(7),
    ) as sender:
        sender.send(event())
        sender.flush()
    waits = [later - earlier for earlier, later in pairwise(at)]
    for wait, ceiling in zip(waits, [1, 2, 4, 8, 16, 20, 20, 20, 20], strict=True):
        assert ceiling / 2 - 1e-6 <= wait <= ceiling + 1e-6
    assert len(set(waits)) == len(waits)


@pytest.mark.parametrize("backoff", [{"initial": 0}, {"initial": 5, "maximum": 1}, {"initial": -1}])
def test_a_backoff_that_makes_no_sense_is_refused(backoff: dict[str, float]) -> None:
    with pytest.raises(OptionError, match="0 < initial <= maximum"):
        Backoff(**backoff)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(name, value) for name in ("batch_size", "concurrency") for value in (0, 2.5, "3", True)],
        ("max_pending_events", -1),
        ("max_pending_bytes", None),
        *[("timeout", value) for value in (0, float("inf"), float("nan"), 1e12, None, "1", True)],
        ("max_age", -1.0),
        ("pause_after", 0),
    ],
)
def test_an_option_out_of_its_range_is_named(name: str, value: object) -> None:
    options: dict[str, Any] = {name: value}
    with pytest.raises(OptionError, match=f"{name} is {value!r}; it must be"):
        Sender(custom(), **options)


# What is not sent


def test_types_that_are_not_selected_are_filtered_and_counted(
    told: Told, clock: ManualClock
) -> None:
    transport = Responding(lambda _: 200)
    with Sender(
        custom(event_types=[OPEN]), transport=transport, clock=clock, hooks=told.hooks
    ) as sender:
        sender.send([event(0), event(1, CLICK), Event("users.new.Type", 1)])
    result = sender.result
    assert (result.accepted, result.delivered, result.filtered) == (1, 1, 2)
    assert result.filter_reasons == {
        "event type not selected": 1,
        "event type not in schema version 10": 1,
    }
    assert result.by_event_type[CLICK].filtered == 1
    assert [each.event_type for each, _ in told.filtered] == [CLICK, "users.new.Type"]


@pytest.mark.parametrize("user", [{}, {"external_user_id": None}, {"external_user_id": ""}])
def test_rudderstack_gets_no_events_of_users_without_external_user_id(
    user: dict[str, Any], clock: ManualClock
) -> None:
    anonymous = attrs.evolve(event(1), user={"user_id": "f" * 24} | user)
    for current, filtered in ((rudderstack("http://127.0.0.1:9"), 1), (custom(), 0)):
        transport = Responding(lambda _: 200)
        with Sender(current, transport=transport, clock=clock) as sender:
            sender.send([event(0), anonymous])
        result = sender.result
        assert (result.filtered, result.delivered) == (filtered, 2 - filtered)
    assert sender.result.filter_reasons == {}


def test_an_event_over_900_kb_is_dropped_and_counted(told: Told, clock: ManualClock) -> None:
    transport = Responding(lambda _: 200)
    room = 900_000 - len(orjson.dumps(event(0, user_agent="").to_dict()))
    with Sender(custom(), transport=transport, clock=clock, hooks=told.hooks) as sender:
        sender.send([event(0, user_agent="x" * room), event(1, user_agent="x" * (room + 1))])
    assert (sender.result.delivered, sender.result.dropped) == (1, 1)
    assert told.drops == [(OPEN, event(1).id, "larger than 900 KB", "")]
    assert adds_up(sender.result)


def test_events_that_are_not_json_are_refused_and_the_others_taken(clock: ManualClock) -> None:
    transport = Responding(lambda _: 200)
    with Sender(custom(), transport=transport, clock=clock) as sender:
        with pytest.raises(EventError, match=r"properties\.price is nan") as lone:
            sender.send(event(0, price=float("nan")))
        assert not isinstance(lone.value, InvalidEventsError)
        with pytest.raises(InvalidEventsError) as many:
            sender.send([event(1), event(2, price=float("inf")), event(3), "no event"])  # type: ignore[list-item]
        assert len(many.value.problems) == 2
        assert "send takes Event objects, not str" in str(many.value)
    assert sender.result.delivered == 2


def test_an_error_of_the_iterable_itself_comes_through_with_the_problems_so_far(
    clock: ManualClock,
) -> None:
    def broken() -> Iterator[Event]:
        yield event(0)
        yield event(1, price=float("nan"))
        raise LookupError("the source is gone")

    with Sender(custom(), transport=Responding(lambda _: 200), clock=clock) as sender:
        with pytest.raises(LookupError) as caught:
            sender.send(broken())
        assert "price is nan" in caught.value.__notes__[0]
    assert sender.result.delivered == 1


# Bounded memory


def stuck(**options: Any) -> Sender:
    """A sender whose events do not leave: its clock stands still, and all is in trouble."""
    return Sender(custom(), transport=Responding(lambda _: 503), clock=ManualClock(), **options)


def test_a_full_queue_raises_if_asked_to_and_keeps_what_it_took() -> None:
    with abandoned(stuck(max_pending_events=5)) as sender:
        with pytest.raises(QueueFullError, match="5 events are pending") as caught:
            sender.send(make_events(8), block=False)
        assert (caught.value.taken, caught.value.event) == (5, event(5))
        assert sender.result.accepted == 5


def test_what_was_taken_counts_what_was_filtered_too() -> None:
    with abandoned(stuck(max_pending_events=3)) as sender:
        chunk = [
            event(0),
            event(1, "x"),
            event(2),
            event(3, "x"),
            event(4),
            event(5, "x"),
            event(6),
        ]
        chunk.append(event(7, "x"))
        with pytest.raises(QueueFullError) as caught:
            sender.send(chunk, block=False)
        assert (caught.value.taken, caught.value.event) == (6, event(6))
        assert (sender.result.accepted, sender.result.filtered) == (3, 3)


def test_an_iterator_that_finds_no_room_loses_nothing() -> None:
    stream = iter(make_events(8))
    with abandoned(stuck(max_pending_events=5)) as sender:
        with pytest.raises(QueueFullError) as caught:
            sender.send(stream, block=False)
        assert (caught.value.taken, caught.value.event) == (5, event(5))
        assert [*stream] == [event(6), event(7)]


def test_a_full_queue_names_the_problems_it_met_before() -> None:
    with abandoned(stuck(max_pending_events=1)) as sender:
        with pytest.raises(QueueFullError) as caught:
            sender.send([event(0, price=float("nan")), event(1), event(2)], block=False)
        assert caught.value.taken == 2
        assert "price is nan" in caught.value.__notes__[0]


def test_bytes_are_bounded_too_but_one_event_always_fits() -> None:
    with abandoned(stuck(max_pending_bytes=500)) as sender:
        sender.send(event(0, user_agent="x" * 1_000), block=False)
        with pytest.raises(QueueFullError):
            sender.send(event(1), block=False)


def test_waiting_for_room_ends_at_the_timeout() -> None:
    with abandoned(stuck(max_pending_events=1)) as sender:
        sender.send(event(0))
        with pytest.raises(QueueFullError, match="none left in time"):
            sender.send(event(1), timeout=0.0)


def test_a_full_paused_current_raises_rather_than_block_for_ever(clock: ManualClock) -> None:
    with Sender(
        custom(), transport=Responding(lambda _: 401), clock=clock, max_pending_events=2
    ) as sender:
        with pytest.raises(QueueFullError, match="paused") as caught:
            sender.send(make_events(5))
        assert (caught.value.taken, sender.result.pending) == (2, 2)


def test_a_full_queue_blocks_until_there_is_room(clock: ManualClock) -> None:
    transport = Responding(lambda _: 200)
    with Sender(
        custom(), transport=transport, clock=clock, max_pending_events=7, batch_size=3
    ) as sender:
        sender.send(make_events(100))
        sender.send(iter(make_events(100)))
        result = sender.flush()
    assert (result.accepted, result.delivered) == (200, 200)


def test_a_full_queue_of_batches_that_are_not_full_sends_them_early() -> None:
    # No batch could fill, and the clock stands still: waiting for the age limit would be for ever.
    with Sender(
        custom(),
        transport=Responding(lambda _: 200),
        clock=ManualClock(),
        max_pending_events=10,
        batch_size=100,
    ) as sender:
        sender.send(make_events(50))
        assert sender.flush().delivered == 50


def test_any_sequence_and_any_iterable_will_do(clock: ManualClock) -> None:
    with Sender(custom(), transport=Responding(lambda _: 200), clock=clock) as sender:
        for events in (
            tuple(make_events(3)),
            deque(make_events(3)),
            {1: event()}.values(),
            iter(make_events(3)),
        ):
            sender.send(events)
        assert sender.flush().delivered == 10


def test_an_interrupt_while_events_are_taken_leaves_a_true_account(clock: ManualClock) -> None:
    class Interrupted(list[Any]):
        def __iter__(self) -> Iterator[Any]:
            yield self[0]
            raise KeyboardInterrupt

    with Sender(custom(), transport=Responding(lambda _: 200), clock=clock) as sender:
        add = sender._queues.add
        sender._queues.add = lambda entries, now: add(Interrupted(entries), now)  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            sender.send(make_events(5))
        sender._queues.add = add  # type: ignore[method-assign]
        assert sender.result.accepted == 1
        sender.send(make_events(2))
        assert sender.flush().delivered == 3


def test_a_thread_that_cannot_be_started_costs_no_event(
    caplog: pytest.LogCaptureFixture, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Sender(custom(), transport=Responding(lambda _: 200), clock=clock) as sender:
        start = threading.Thread.start
        full = iter([True, False, True])

        def maybe(thread: threading.Thread) -> None:
            if next(full, False):
                raise RuntimeError("can't start new thread")
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", maybe)
        with pytest.raises(RuntimeError):
            sender.send(event(0))
        sender.send([event(1), event(2, CLICK)])
        assert sender.flush().delivered == 2
    assert "no other thread can be started" in caplog.text


def test_a_sender_is_of_one_process(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    with abandoned(stuck()) as sender:
        sender.send(event())
        with monkeypatch.context() as patch:
            patch.setattr("os.getpid", lambda: -1)
            with pytest.raises(SenderClosedError, match="another process"):
                sender.send(event(1))
            assert sender.flush().pending == 1


def test_a_sender_that_nobody_holds_is_let_go() -> None:
    reference = weakref.ref(Sender(custom()))
    gc.collect()
    assert reference() is None


def test_many_threads_may_send_at_once(clock: ManualClock) -> None:
    transport = Responding(lambda _: 200)
    with Sender(
        custom(), transport=transport, clock=clock, max_pending_events=50, batch_size=10
    ) as sender:
        threads = [
            threading.Thread(target=sender.send, args=([event(k * 100 + n) for n in range(100)],))
            for k in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        result = sender.flush()
    sent = [e["id"] for r in transport.requests for e in orjson.loads(r.content)["events"]]
    assert result.delivered == len(sent) == len(set(sent)) == 800


# Time: the alarm, the disabling, the expiry


def test_a_day_of_trouble_alarms_and_five_disable_and_seven_more_expire(told: Told) -> None:
    clock = ManualClock(skip=PATIENCE)
    with Sender(
        custom(), transport=Responding(lambda _: 503), clock=clock, hooks=told.hooks
    ) as sender:
        sender.send(make_events(3))
        result = sender.flush()  # returns once the Current is disabled
        assert (result.state, result.pending) == (State.DISABLED, 3)
        assert told.kinds == [NoticeKind.ALARM, NoticeKind.DISABLED]
        began = told.attempts[0].duration_s + 1_750_000_000.0
        alarm, disabled = (notice.at for notice in told.notices)
        assert 0 <= alarm - (began + DAY) <= PATIENCE
        assert 0 <= disabled - (began + 5 * DAY) <= PATIENCE

        sender.send(event(9))  # dropped at once, and said to be
        assert sender.flush().drop_reasons == {"the Current is disabled": 1}
        assert [drop.id for drop in told.drops] == [event(9).id]

        clock.advance(7 * DAY)
        sender.send(event(10))
        result = sender.flush()
        assert told.kinds[2:] == [NoticeKind.EXPIRED]
        assert (result.pending, result.dropped) == (0, 5)
        assert result.drop_reasons["kept for 7 days after the Current was disabled"] == 3
        assert adds_up(result)


def test_a_disabled_current_can_be_enabled_again_with_what_it_kept(told: Told) -> None:
    clock = ManualClock(skip=PATIENCE)
    status = 503
    transport = Responding(lambda _: status)
    with Sender(custom(), transport=transport, clock=clock, hooks=told.hooks) as sender:
        sender.send(make_events(3))
        assert sender.flush().state is State.DISABLED
        status = 200
        clock.advance(6 * DAY)
        sender.resume()
        assert sender.flush().delivered == 3
    assert told.kinds[-1] is NoticeKind.RESUMED


def test_a_sender_that_nobody_looks_at_expires_by_itself(told: Told) -> None:
    clock = ManualClock(skip=PATIENCE)
    expired = threading.Event()

    def heard(notice: Notice) -> None:
        if notice.kind is NoticeKind.EXPIRED:
            expired.set()

    with Sender(
        custom(),
        transport=Responding(lambda _: 503),
        clock=clock,
        hooks=attrs.evolve(told.hooks, on_notice=heard),
    ) as sender:
        sender.send(make_events(2))
        sender.flush()
        clock.advance(7 * DAY)
        assert expired.wait(PATIENCE)
        assert sender.result.dropped == 2


def test_an_event_on_its_way_when_all_expires_is_dropped_unless_it_arrives(told: Told) -> None:
    clock = ManualClock(skip=PATIENCE)
    seen = 0

    def response(_: httpx.Request) -> int:
        nonlocal seen
        seen += 1
        if seen == 2:  # the clock leaps over everything while the request is under way
            clock.advance(30 * DAY)
        return 503

    with Sender(custom(), transport=Responding(response), clock=clock, hooks=told.hooks) as sender:
        sender.send(make_events(2))
        result = sender.flush()
        assert (result.state, result.dropped) == (State.DISABLED, 2)
    assert told.kinds == [NoticeKind.ALARM, NoticeKind.DISABLED, NoticeKind.EXPIRED]


def test_trouble_can_pause_earlier_if_asked(told: Told, clock: ManualClock) -> None:
    with Sender(
        custom(),
        transport=Responding(lambda _: 503),
        clock=clock,
        hooks=told.hooks,
        pause_after=600.0,
    ) as sender:
        sender.send(make_events(2))
        result = sender.flush()
        assert (result.state, result.pending, result.reason) == (State.PAUSED, 2, "503")
        assert clock.now() - 1_750_000_000.0 < 700
    assert told.kinds == [NoticeKind.PAUSED]


def test_one_type_that_is_stuck_for_a_day_alarms_though_others_get_through(told: Told) -> None:
    clock = ManualClock(skip=PATIENCE)
    alarmed = threading.Event()

    def response(request: httpx.Request) -> int:
        (first,) = orjson.loads(request.content)["events"]
        return 503 if first["event_type"] == CLICK and not alarmed.is_set() else 200

    def saw(attempt: Attempt) -> None:
        if attempt.event_type == CLICK and told.notices:
            alarmed.set()
        elif attempt.action is Action.RETRY:
            sender.send(event(1))

    hooks = attrs.evolve(told.hooks, on_attempt=saw)
    options: dict[str, Any] = {"transport": Responding(response), "batch_size": 1}
    with Sender(custom(), clock=clock, hooks=hooks, **options) as sender:
        sender.send(event(0, CLICK))
        assert alarmed.wait(PATIENCE)
        assert sender.flush().pending == 0
    (notice,) = told.notices
    assert (notice.kind, notice.reason) == (NoticeKind.ALARM, "503")
    assert sender.result.by_event_type[OPEN].delivered > 100


def test_an_answer_to_the_old_credentials_does_not_pause_what_was_resumed(
    told: Told, clock: ManualClock
) -> None:
    both, release = threading.Barrier(2), threading.Event()

    def response(request: httpx.Request) -> int:
        if request.headers["Authorization"] == f"Bearer {TOKEN}":
            return 200
        if both.wait(PATIENCE) == 0:
            return 401
        release.wait(PATIENCE)
        return 401

    with Sender(
        custom(bearer_token="old"),
        transport=Responding(response),
        clock=clock,
        batch_size=1,
        hooks=told.hooks,
    ) as sender:
        sender.send(make_events(2))
        while sender.result.state is State.ACTIVE:
            pass  # the first response is on its way
        sender.resume(custom(bearer_token=TOKEN))
        release.set()
        assert sender.flush().delivered == 2
    assert told.kinds == [NoticeKind.PAUSED, NoticeKind.RESUMED]


# Flushing and closing


def test_flush_ends_at_its_timeout_with_what_is_pending() -> None:
    with abandoned(stuck()) as sender:
        sender.send(make_events(3))
        assert sender.flush(timeout=0.0).pending == 3


def test_flush_does_not_wait_for_events_that_come_later(clock: ManualClock) -> None:
    numbers = iter(range(100_000))

    def send_another(*_: object) -> None:
        if (number := next(numbers, None)) is not None:
            sender.send(event(number, CLICK))

    sender = Sender(
        custom(),
        transport=Responding(lambda _: 200),
        clock=clock,
        batch_size=1,
        hooks=Hooks(on_delivered=send_another),
    )
    sender.send(event())
    assert sender.flush().delivered < 100_000
    numbers = iter(())
    assert sender.close().by_event_type[OPEN].delivered == 1


def test_closing_interrupts_a_wait_and_tells_what_is_pending(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tried = threading.Event()
    sender = Sender(
        custom(),
        transport=Responding(lambda _: 503),
        clock=ManualClock(),  # stands still: the wait would be for ever
        hooks=Hooks(on_attempt=lambda _: tried.set()),
        batch_size=2,
    )
    sender.send(make_events(3))
    assert tried.wait(PATIENCE)
    result = sender.close(timeout=0)
    assert (result.pending, result.delivered) == (3, 0)
    assert {each.id for each in sender.pending()} == {each.id for each in make_events(3)}
    assert "closed with 3 events pending" in caplog.text
    assert not sender._threads


def test_closing_twice_is_harmless_and_sending_after_it_is_refused(clock: ManualClock) -> None:
    with Sender(custom(), transport=Responding(lambda _: 200), clock=clock) as sender:
        sender.send(event())
    sender.close()
    with pytest.raises(SenderClosedError) as caught:
        sender.send([event(1)])
    assert (caught.value.taken, caught.value.event) == (0, event(1))
    with pytest.raises(SenderClosedError):
        sender.send(event(2, "not.selected"))
    with pytest.raises(SenderClosedError):
        sender.resume()
    assert sender.result.accepted == 1
    assert sender.result.filtered == 0


def test_closing_lets_go_who_waits_for_room() -> None:
    errors: list[NotTakenError] = []
    sender = stuck(max_pending_events=1)
    sender.send(event(0))

    def send_more() -> None:
        try:
            sender.send(make_events(3))
        except NotTakenError as error:
            errors.append(error)

    thread = threading.Thread(target=send_more)
    thread.start()
    sender.close(timeout=0)
    thread.join(PATIENCE)
    assert [(type(error), error.taken) for error in errors] == [(SenderClosedError, 0)]


def test_an_error_in_the_block_still_delivers_and_an_interrupt_does_not_wait(
    clock: ManualClock,
) -> None:
    def leave_by(error: type[BaseException], sender: Sender) -> Result:
        with pytest.raises(error):
            _send_and_raise(error, sender)
        return sender.result

    transport = Responding(lambda _: 200)
    sender = Sender(custom(), transport=transport, clock=clock)
    assert leave_by(ZeroDivisionError, sender).delivered == 1
    assert leave_by(KeyboardInterrupt, stuck()).pending == 1


def _send_and_raise(error: type[BaseException], sender: Sender) -> None:
    with sender:
        sender.send(event())
        raise error


def test_a_request_under_way_when_closing_still_counts_when_it_is_answered(
    clock: ManualClock,
) -> None:
    begun, release = threading.Event(), threading.Event()

    def slow(_: httpx.Request) -> int:
        begun.set()
        release.wait(PATIENCE)
        return 200

    sender = Sender(custom(), transport=Responding(slow), clock=clock, batch_size=1)
    sender.send(event())
    assert begun.wait(PATIENCE)
    closing = threading.Thread(target=sender.close, kwargs={"timeout": 0})
    closing.start()
    while closing.is_alive():  # it gives the request another second
        clock.advance(1.0)
        closing.join(0.001)
    assert sender.result.pending == 1
    threads = [*sender._threads]
    release.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert sender.result.delivered == 1


def test_a_sender_that_was_not_closed_says_so_at_the_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sender = stuck()
    sender.send(event())
    sender._at_exit()
    assert "was not closed; 1 pending events are lost" in caplog.text
    sender._last_words()
    assert caplog.text.count("was not closed") == 2
    sender.close(timeout=0)


# Hooks


def test_an_error_in_a_hook_changes_nothing(
    caplog: pytest.LogCaptureFixture, clock: ManualClock
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("the hook's own")

    hooks = Hooks(
        on_attempt=fail, on_delivered=fail, on_dropped=fail, on_filtered=fail, on_notice=fail
    )
    with Sender(
        custom(event_types=[OPEN]), transport=Responding(lambda _: 200), clock=clock, hooks=hooks
    ) as sender:
        sender.send([event(), event(1, CLICK)])
    assert sender.result.delivered == 1
    assert "the hook's own" in caplog.text


def test_a_hook_may_send(clock: ManualClock) -> None:
    transport = Responding(lambda _: 200)
    sender: Sender
    hooks = Hooks(on_filtered=lambda each, _: sender.send(attrs.evolve(each, event_type=OPEN)))
    with Sender(
        custom(event_types=[OPEN]), transport=transport, clock=clock, hooks=hooks
    ) as sender:
        sender.send(event(1, CLICK))
    assert sender.result.delivered == 1


def test_a_hook_that_finds_no_room_holds_up_no_request(clock: ManualClock) -> None:
    sent = iter(range(5))

    def send_more(_: Attempt) -> None:
        if next(sent, None) is not None:
            sender.send(make_events(60))

    sender = Sender(
        custom(),
        transport=Responding(lambda _: 200),
        clock=clock,
        max_pending_events=100,
        batch_size=50,
        hooks=Hooks(on_attempt=send_more),
    )
    with sender:
        sender.send(make_events(100))
        while sender.flush().delivered < 400:
            pass
        assert len(sender._threads) < 10


def test_flush_and_close_wait_for_the_hooks_that_are_due(told: Told, clock: ManualClock) -> None:
    slow = threading.Event()

    def heard(_: str, ids: tuple[str, ...]) -> None:
        slow.wait(0.01)
        told.delivered.extend(ids)

    with Sender(
        custom(),
        transport=Responding(lambda _: 200),
        clock=clock,
        batch_size=10,
        hooks=Hooks(on_delivered=heard),
    ) as sender:
        sender.send(make_events(50))
        sender.flush()
        assert len(told.delivered) == 50
        sender.send(make_events(50))
    assert len(told.delivered) == 100


def test_flushing_in_a_hook_does_not_wait_for_itself(clock: ManualClock) -> None:
    pending: list[int] = []
    hooks = Hooks(on_delivered=lambda *_: pending.append(sender.flush().pending))
    with Sender(custom(), transport=Responding(lambda _: 200), clock=clock, hooks=hooks) as sender:
        sender.send(event())
    assert pending == [0]


def test_hooks_are_called_in_order_from_one_thread(clock: ManualClock) -> None:
    calls: list[tuple[int, int]] = []
    hooks = Hooks(on_attempt=lambda each: calls.append((threading.get_ident(), each.number)))
    with Sender(
        custom(), transport=Responding(lambda _: 503), clock=clock, hooks=hooks, pause_after=600
    ) as sender:
        sender.send(event())
        sender.flush()
    assert len({thread for thread, _ in calls}) == 1
    assert [number for _, number in calls] == list(range(1, len(calls) + 1))


# Asking the receiver


@pytest.mark.parametrize(
    ("current", "status", "text", "holds", "says"),
    [
        (custom(), 200, "ok", True, "the credentials hold"),
        (custom(), 204, "", True, "the credentials hold"),
        (custom(), 401, "who?", False, "401: who?"),
        (custom(), 403, "", False, "403"),
        (custom(), 404, "", False, "404"),
        (custom(), 500, "oops", None, "does not tell"),
        (custom(), 400, "All requests in the batch failed", None, "does not tell"),
        (rudderstack("http://127.0.0.1:9"), 400, "All requests in the batch failed", True, "write"),
        (rudderstack("http://127.0.0.1:9"), 400, "invalid json", None, "does not tell"),
        (rudderstack("http://127.0.0.1:9"), 401, "invalid write key", False, "invalid write key"),
        (rudderstack("http://127.0.0.1:9"), 404, "source is disabled", False, "is disabled"),
    ],
)
def test_the_probe_tells_whether_the_credentials_hold(
    current: Any, status: int, text: str, holds: bool | None, says: str
) -> None:
    transport = Responding(lambda _: httpx.Response(status, text=text))
    with Sender(current, transport=transport) as sender:
        check = sender.check_credentials()
    assert (check.holds, check.status) == (holds, status)
    assert says in check.message
    assert check.to_dict() == {"holds": holds, "status": status, "message": check.message}
    (request,) = transport.requests
    assert request.content == b'{"events":[]}'
    assert sender.result.requests == 0


def test_the_probe_over_a_socket_finds_good_and_bad_credentials() -> None:
    with listen(Receiver(bearer_tokens=[TOKEN])) as url:
        for token, holds in ((TOKEN, True), ("wrong", False)):
            with Sender(custom(url, bearer_token=token)) as sender:
                assert sender.check_credentials().holds is holds


def test_the_probe_of_a_closed_port_does_not_tell() -> None:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    with Sender(custom(f"http://127.0.0.1:{port}")) as sender:
        check = sender.check_credentials()
    assert (check.holds, check.status) == (None, None)
    assert "refused" in check.message


def test_one_test_event_of_each_selected_type_is_sent(clock: ManualClock) -> None:
    transport = Responding(lambda _: 200)
    current = custom(event_types=["users.messages.email.*"], schema_version=1)
    with Sender(current, transport=transport, clock=clock) as sender:
        result = sender.send_test_events(lambda each: event(0, each.name))
    sent = [e["event_type"] for r in transport.requests for e in orjson.loads(r.content)["events"]]
    assert sorted(sent) == sorted(current.selected)
    assert result.delivered == len(current.selected) > 5


def test_an_asgi_application_can_take_the_place_of_the_network(clock: ManualClock) -> None:
    receiver = Receiver(script=[ScriptedResponse("reset"), ScriptedResponse(503)])
    with Sender(custom(), transport=AppTransport(receiver.app), clock=clock) as sender:
        sender.send(make_events(3))
        result = sender.flush()
    assert (result.delivered, result.retries) == (3, 2)
    assert [Event.from_dict(each) for each in receiver.events] == make_events(3)


# Whatever is answered, in whatever order


STATUSES = st.sampled_from([200, 200, 200, 204, 400, 400, 401, 404, 413, 413, 429, 500, 302, None])


@settings(max_examples=150, deadline=None)
@given(
    responses=st.lists(STATUSES, max_size=30),
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=5),
    batch_size=st.integers(1, 5),
    concurrency=st.integers(1, 3),
    resumes=st.integers(0, 5),
)
def test_every_event_is_delivered_dropped_or_pending_and_none_goes_out_after_2xx(
    responses: list[int | None],
    sizes: list[int],
    batch_size: int,
    concurrency: int,
    resumes: int,
) -> None:
    lock = threading.Lock()
    script = iter(responses)
    done: set[str] = set()
    again: list[str] = []

    def response(request: httpx.Request) -> int:
        sent = [each["id"] for each in orjson.loads(request.content)["events"]]
        assert 1 <= len(sent) <= batch_size
        with lock:
            again.extend(done.intersection(sent))
            status = next(script, 200)
            if status is not None and 200 <= status < 300:
                done.update(sent)
        if status is None:
            raise httpx.ConnectError("no")
        return status

    told = Told()
    sender = Sender(
        custom(),
        transport=Responding(response),
        clock=ManualClock(skip=PATIENCE),
        batch_size=batch_size,
        concurrency=concurrency,
        hooks=told.hooks,
        rng=random.Random(0),
    )
    sent: list[str] = []
    for number, size in enumerate(sizes):
        batch = [event(100 * number + n, (OPEN, CLICK, SEND)[n % 3]) for n in range(size)]
        sent += [each.id for each in batch]
        sender.send(batch)
    for _ in range(resumes):
        sender.flush()
        sender.resume()
    result = sender.close(timeout=None)
    pending = [each.id for each in sender.pending()]
    assert not again
    assert result.accepted == len(sent)
    assert adds_up(result)
    assert all(totals.pending >= 0 for totals in result.by_event_type.values())
    assert set(told.delivered) == done
    assert sorted([*told.delivered, *(drop.id for drop in told.drops), *pending]) == sorted(sent)
    assert result.pending == len(pending)
    if result.state is State.ACTIVE:
        assert not pending
