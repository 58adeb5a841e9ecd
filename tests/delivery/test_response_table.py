"""What a sender does after each response, over a real socket."""

from __future__ import annotations

from typing import Any

import attrs
import httpx
import pytest

from currents_export.delivery import (
    Action,
    DropReason,
    Hooks,
    ManualClock,
    NoticeKind,
    Result,
    Sender,
    State,
)
from currents_export.receiver import Receiver, ScriptedResponse, listen
from tests.support.currents import TOKEN, custom
from tests.support.events import CLICK, OPEN, SEND, event, make_events
from tests.support.senders import HookLog
from tests.support.servers import Responding


def send_to_script(
    *script: ScriptedResponse, log: HookLog, clock: ManualClock, count: int = 3, **options: Any
) -> tuple[Result, Receiver]:
    """Send events to a receiver that follows a script."""
    receiver = Receiver(script=script, check=False)
    with (
        listen(receiver) as url,
        Sender(custom(url), clock=clock, hooks=log.hooks, **options) as sender,
    ):
        sender.send(make_events(count))
        sender.flush()
    return sender.result, receiver


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_delivers_once(status: int, log: HookLog, clock: ManualClock) -> None:
    result, receiver = send_to_script(ScriptedResponse(status), log=log, clock=clock)
    assert (result.delivered, result.requests, result.retries) == (3, 1, 0)
    assert [each["id"] for each in receiver.events] == [each.id for each in make_events(3)]
    assert log.delivered == [each.id for each in make_events(3)]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599, 429, 408, 410, 418, 422, 301, 304])
def test_5xx_429_and_others_retry(status: int, log: HookLog, clock: ManualClock) -> None:
    result, receiver = send_to_script(ScriptedResponse(status, times=3), log=log, clock=clock)
    assert (result.delivered, result.requests, result.retries) == (3, 4, 3)
    assert [each.action for each in log.attempts] == [Action.RETRY] * 3 + [Action.DELIVERED]
    assert [each.number for each in log.attempts] == [1, 2, 3, 4]
    assert len(receiver.events) == 3


def test_reset_connection_retries(log: HookLog, clock: ManualClock) -> None:
    result, receiver = send_to_script(ScriptedResponse("reset", times=2), log=log, clock=clock)
    assert log.statuses == [None, None, 200]
    assert result.delivered == len(receiver.events) == 3


def test_retry_after_is_lower_bound() -> None:
    at: list[float] = []
    receiver = Receiver(script=[ScriptedResponse(429, retry_after=500)], check=False)
    hooks = Hooks(on_attempt=lambda each: at.append(each.at))
    clock = ManualClock(skip=1_000.0)
    with listen(receiver) as url, Sender(custom(url), clock=clock, hooks=hooks) as sender:
        sender.send(event())
        sender.flush()
    assert 500 <= at[1] - at[0] < 501


def test_400_drops_only_bad_event(log: HookLog, clock: ManualClock) -> None:
    bad = event(1)
    receiver = Receiver(strict=True)
    with (
        listen(receiver) as url,
        Sender(custom(url), clock=clock, hooks=log.hooks) as sender,
    ):
        sender.send([event(0), attrs.evolve(bad, properties={}), event(2)])
        result = sender.flush()
    assert (result.delivered, result.dropped, result.pending) == (2, 1, 0)
    assert [each.size for each in log.attempts] == [3, 1, 1, 1]
    assert {each["id"] for each in receiver.events} == {event(0).id, event(2).id}
    (drop,) = log.drops
    assert (drop.event_type, drop.id) == (OPEN, bad.id)
    assert drop.reason is DropReason.REJECTED_ALONE
    assert drop.response.startswith("400: 1 conformance error; ")
    assert result.drop_reasons == {DropReason.REJECTED_ALONE: 1}


def test_single_event_gets_second_chance(log: HookLog, clock: ManualClock) -> None:
    result, _ = send_to_script(ScriptedResponse(400), log=log, clock=clock, count=1)
    assert (result.delivered, result.requests) == (1, 2)
    result, _ = send_to_script(ScriptedResponse(400, times=2), log=log, clock=clock, count=1)
    assert (result.dropped, result.requests) == (1, 2)


def test_413_splits_until_it_fits(log: HookLog, clock: ManualClock) -> None:
    receiver = Receiver(max_body_bytes=1_000, check=False)
    with (
        listen(receiver) as url,
        Sender(custom(url), clock=clock, hooks=log.hooks, concurrency=1) as sender,
    ):
        sender.send(make_events(20))
        result = sender.flush()
    assert result.delivered == len(receiver.events) == 20
    assert [each.size for each in log.attempts[:3]] == [20, 10, 10]
    assert all(
        each.action is (Action.DELIVERED if each.size < 5 else Action.SPLIT_SMALLER)
        for each in log.attempts
    )


def test_413_for_single_event_drops_it(log: HookLog, clock: ManualClock) -> None:
    receiver = Receiver(max_body_bytes=1_000, check=False)
    with listen(receiver) as url, Sender(custom(url), clock=clock, hooks=log.hooks) as sender:
        sender.send([event(0), event(1, user_agent="x" * 2_000), event(2)])
        result = sender.flush()
    assert (result.delivered, result.dropped) == (2, 1)
    assert [drop.id for drop in log.drops] == [event(1).id]
    assert result.drop_reasons == {DropReason.REJECTED_ALONE: 1}
    assert log.drops[0].response.startswith("413: the body has ")


@pytest.mark.parametrize("status", [401, 403, 404])
def test_bad_credentials_pause_until_resumed(status: int, log: HookLog, clock: ManualClock) -> None:
    receiver = Receiver(script=[ScriptedResponse(status)], check=False)
    with (
        listen(receiver) as url,
        Sender(custom(url), clock=clock, hooks=log.hooks, concurrency=1) as sender,
    ):
        sender.send([*make_events(3), event(7, CLICK)])
        result = sender.flush()
        assert (result.state, result.pending, result.requests) == (State.PAUSED, 4, 1)
        assert result.reason == f"{status}: scripted"
        (notice,) = log.notices
        assert (notice.kind, notice.contact_email) == (NoticeKind.PAUSED, "qa@example.com")
        assert str(status) in notice.message
        sender.send(event(8, SEND))  # accepted, and waits with the others
        assert sender.flush().pending == 5
        assert receiver.counts.requests == 1
        sender.resume()
        result = sender.flush()
    assert (result.state, result.delivered, result.pending) == (State.ACTIVE, 5, 0)
    assert log.kinds == [NoticeKind.PAUSED, NoticeKind.RESUMED]
    assert len(receiver.events) == 5


def test_resume_uses_new_credentials(clock: ManualClock) -> None:
    receiver = Receiver(bearer_tokens=[TOKEN], check=False)
    with (
        listen(receiver) as url,
        Sender(custom(url, bearer_token="wrong"), clock=clock) as sender,
    ):
        sender.send(make_events(2))
        assert sender.flush().state is State.PAUSED
        sender.resume(custom(url, bearer_token=TOKEN))
        assert sender.flush().delivered == 2


def test_resume_of_active_current_is_silent(log: HookLog, clock: ManualClock) -> None:
    with Sender(custom(), clock=clock, hooks=log.hooks) as sender:
        sender.resume()
    assert log.notices == []


@pytest.mark.parametrize(("options", "most"), [({}, 3600.0), ({"max_retry_after": 100.0}, 100.0)])
def test_retry_after_is_bounded(options: dict[str, Any], most: float) -> None:
    """A time in place of a number of seconds would stall the Current for decades."""
    headers = {"Retry-After": "1767225600"}
    responses = iter([httpx.Response(503, headers=headers)])
    transport = Responding(lambda _: next(responses, httpx.Response(200)))
    clock = ManualClock(skip=5000.0)
    began = clock.now()
    with Sender(custom(), transport=transport, clock=clock, **options) as sender:
        sender.send(event())
        assert sender.flush().delivered == 1
    assert most <= clock.now() - began < most + 1
