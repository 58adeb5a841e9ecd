"""`CurrentsReceiver`: its assertions, and the responses it is set to give."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from currents_export.errors import EventError, ScriptError
from currents_export.receiver import ScriptedResponse
from currents_export.testing import CurrentsReceiver, Targets
from tests.support.events import CLICK, event, make_events
from tests.support.receivers import HEADERS, PATIENCE, body, broken


@pytest.fixture
def targets() -> Iterator[Targets]:
    with Targets() as made:
        yield made


@pytest.fixture
def receiver() -> Iterator[CurrentsReceiver]:
    with CurrentsReceiver() as made:
        yield made


def deliver(receiver: CurrentsReceiver, *events: Any) -> int:
    """Post events to a receiver, and return the status."""
    posted = httpx.post(receiver.url, content=body(*events), headers=HEADERS, timeout=PATIENCE)
    return posted.status_code


def problem(receiver: CurrentsReceiver, events: Any, **options: Any) -> list[str]:
    """Return the lines of the message when events were not received."""
    with pytest.raises(AssertionError) as caught:
        receiver.assert_received(events, **options)
    return str(caught.value).splitlines()


def test_received_in_any_order(receiver: CurrentsReceiver) -> None:
    events = make_events(3)
    assert deliver(receiver, *events) == 200
    receiver.assert_received(reversed(events))
    receiver.assert_received([each.to_dict() for each in events])
    assert receiver.events == events


def test_duplicates_are_received(receiver: CurrentsReceiver) -> None:
    one, other = make_events(2)
    deliver(receiver, one, other, one)
    receiver.assert_received([one, other])
    with pytest.raises(AssertionError) as caught:
        receiver.assert_received_once()
    assert str(caught.value).splitlines()[:2] == [
        "1 event was received more than once:",
        f"  {one.event_type} {one.id}: 2 times",
    ]


def test_received_once(receiver: CurrentsReceiver) -> None:
    events = make_events(2)
    deliver(receiver, *events)
    receiver.assert_received_once(events)
    with pytest.raises(AssertionError, match="1 extra"):
        receiver.assert_received_once(events[0])


def test_nothing_received(receiver: CurrentsReceiver) -> None:
    receiver.respond("503")
    deliver(receiver, event())
    one = event()
    assert problem(receiver, one) == [
        "of 1 expected events: 1 missing",
        f"  missing: {one.event_type} {one.id}",
        "the receiver got 1 request (1 got 503) and took 0 events",
    ]


def test_changed_fields(receiver: CurrentsReceiver) -> None:
    one = event().replace(properties={"a": 1, "b": [1, {"c": True}], "d": "x"}, id="one")
    other = one.replace(properties={"a": 1, "b": [1, {"c": 1}], "e": None}, id="one")
    deliver(receiver, other)
    assert problem(receiver, one)[:-1] == [
        "of 1 expected events: 1 changed",
        f"  changed: {one.event_type} one",
        "    properties.b[1].c: expected True, got 1",
        "    properties.d: expected 'x', got nothing",
        "    properties.e: expected nothing, got None",
    ]


def test_nearest_event(receiver: CurrentsReceiver) -> None:
    one = event().replace(properties={"a": 1, "b": 2}, id="one")
    far = one.replace(properties={"a": 2, "b": 3}, id="far")
    near = one.replace(properties={"a": 1, "b": 3}, id="near")
    deliver(receiver, far, near)
    assert problem(receiver, one)[:-1] == [
        "of 1 expected events: 1 missing, 2 extra",
        f"  missing: {one.event_type} one",
        "    the nearest received event, near, differs in",
        "    properties.b: expected 2, got 3",
        f"  extra: {one.event_type} far",
        f"  extra: {one.event_type} near",
    ]
    assert len(problem(receiver, one, allow_others=True)) == 5


def test_only_the_id_differs(receiver: CurrentsReceiver) -> None:
    one = event()
    other = one.replace()
    deliver(receiver, other, event(1, CLICK))
    receiver.assert_received(other, allow_others=True)
    line = f"    the nearest received event, {other.id}, differs only in its id"
    assert line in problem(receiver, one)


def test_long_lists_are_cut(receiver: CurrentsReceiver) -> None:
    lines = problem(receiver, [each.replace() for each in make_events(25)])
    assert lines[0] == "of 25 expected events: 25 missing"
    assert lines[-2] == "  and 15 more"
    wide = event().replace(properties={f"p{each}": each for each in range(30)}, id="one")
    deliver(receiver, wide.replace(properties={}, id="one"))
    assert "    and 18 more fields" in problem(receiver, wide)
    deliver(receiver, *make_events(25), *make_events(25))
    with pytest.raises(AssertionError, match=r"25 events were received(?s:.*)  and 15 more"):
        receiver.assert_received_once()


def test_values_that_are_not_events(receiver: CurrentsReceiver) -> None:
    deliver(receiver, event().to_dict())
    httpx.post(receiver.url, content=b'{"events":[7, {"event_type": "a"}]}', headers=HEADERS)
    assert "  extra: 7, which is not an event" in problem(receiver, event())
    receiver.assert_received_once()
    with pytest.raises(EventError):
        _ = receiver.events


def test_expected_events_are_json(receiver: CurrentsReceiver) -> None:
    deliver(receiver, event().replace(properties={"a": [1, 2]}, id="one"))
    receiver.assert_received(event().replace(properties={"a": (1, 2)}, id="one"))
    with pytest.raises(EventError, match="lacks id"):
        receiver.assert_received([{"event_type": "a", "time": 1}])


def test_findings(receiver: CurrentsReceiver) -> None:
    deliver(receiver, event())
    receiver.assert_no_findings()
    deliver(receiver, broken(), broken())
    with pytest.raises(AssertionError) as caught:
        receiver.assert_no_findings()
    head, first = str(caught.value).splitlines()
    assert head == "2 conformance errors and 0 warnings:"
    assert "email_address" in first
    assert first.endswith(" (2 times)")


def test_many_kinds_of_findings(receiver: CurrentsReceiver) -> None:
    fields = {f"new_{number}": 1 for number in range(15)}
    deliver(receiver, event().replace(properties=fields))
    with pytest.raises(AssertionError, match=r"  and \d+ more kinds"):
        receiver.assert_no_findings()


def test_wait(receiver: CurrentsReceiver, targets: Targets) -> None:
    sender = targets.sender(receiver)
    events = make_events(3)
    later = threading.Thread(target=sender.send, args=(events,))
    later.start()
    assert receiver.wait_for(3, timeout=PATIENCE) == events
    later.join()
    assert receiver.wait_for() == events


def test_wait_in_vain(receiver: CurrentsReceiver) -> None:
    deliver(receiver, event(), event())
    with pytest.raises(AssertionError) as caught:
        receiver.wait_for(2, timeout=0)
    assert str(caught.value) == (
        "1 of 2 events were received within 0 s\n"
        "the receiver got 1 request (1 got 200) and took 2 events"
    )


def test_responses(receiver: CurrentsReceiver) -> None:
    receiver.respond("503x2", ScriptedResponse(429), "400,keep")
    assert [deliver(receiver, event(each)) for each in range(5)] == [503, 503, 429, 400, 200]
    assert receiver.events == [event(3), event(4)]


def test_responses_until_further_notice(receiver: CurrentsReceiver) -> None:
    receiver.respond("503x*")
    assert [deliver(receiver) for _ in range(3)] == [503] * 3
    receiver.respond("401")
    assert [deliver(receiver) for _ in range(2)] == [401, 200]
    receiver.respond("503x*")
    receiver.respond()
    assert deliver(receiver) == 200
    with pytest.raises(ScriptError):
        receiver.respond("999")


def test_clear() -> None:
    with CurrentsReceiver(script=["503x*"], bearer_tokens=["a"]) as receiver:
        url = receiver.url
        assert deliver(receiver, event()) == 503
        receiver.respond()
        assert deliver(receiver, event()) == 401
        receiver.clear(script=(), bearer_tokens=())
        assert receiver.counts.requests == 0
        assert deliver(receiver, event()) == 200
        receiver.clear()
        assert receiver.events == []
        assert deliver(receiver) == 503
        assert receiver.url == url


def test_close_twice() -> None:
    receiver = CurrentsReceiver()
    url = receiver.url
    receiver.close()
    receiver.close()
    with pytest.raises(httpx.ConnectError):
        httpx.post(url)


def test_assertions_are_hidden_from_tracebacks(receiver: CurrentsReceiver) -> None:
    with pytest.raises(AssertionError) as caught:
        receiver.assert_received(event())
    assert caught.traceback[-1].ishidden(None)
