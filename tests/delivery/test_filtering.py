"""Events that are filtered, dropped or refused before they are queued."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import orjson
import pytest

from currents_export.delivery import DropReason, FilterReason, ManualClock, Sender
from currents_export.errors import EventError, InvalidEventsError
from currents_export.events import Event
from currents_export.payload import MAX_EVENT_BYTES
from tests.support.currents import custom, rudderstack
from tests.support.events import CLICK, OPEN, event
from tests.support.senders import HookLog, adds_up
from tests.support.servers import Responding


def test_unselected_types_are_filtered(ok: Responding, log: HookLog, clock: ManualClock) -> None:
    unknown = Event("users.new.Type", 1)
    current = custom(event_types=[OPEN])
    with Sender(current, transport=ok, clock=clock, hooks=log.hooks) as sender:
        sender.send([event(0), event(1, CLICK), unknown])
    result = sender.result
    assert (result.accepted, result.delivered, result.filtered) == (1, 1, 2)
    assert result.filter_reasons == {
        FilterReason.NOT_SELECTED: 1,
        FilterReason.NOT_IN_SCHEMA_VERSION: 1,
    }
    assert result.by_event_type[CLICK].filtered == 1
    assert log.filtered == [
        (event(1, CLICK), FilterReason.NOT_SELECTED),
        (unknown, FilterReason.NOT_IN_SCHEMA_VERSION),
    ]


@pytest.mark.parametrize("user", [{}, {"external_user_id": None}, {"external_user_id": ""}])
def test_rudderstack_needs_external_user_id(user: dict[str, Any], clock: ManualClock) -> None:
    anonymous = attrs.evolve(event(1), user={"user_id": "f" * 24} | user)
    transport = Responding(lambda _: 200)
    with Sender(rudderstack("http://127.0.0.1:9"), transport=transport, clock=clock) as sender:
        sender.send([event(0), anonymous])
    assert sender.result.delivered == 1
    assert sender.result.filter_reasons == {FilterReason.NO_EXTERNAL_USER_ID: 1}
    assert [each["id"] for each in transport.events] == [event(0).id]


def test_event_over_900_kb_is_dropped(ok: Responding, log: HookLog, clock: ManualClock) -> None:
    room = MAX_EVENT_BYTES - len(orjson.dumps(event(0, user_agent="").to_dict()))
    with Sender(custom(), transport=ok, clock=clock, hooks=log.hooks) as sender:
        sender.send([event(0, user_agent="x" * room), event(1, user_agent="x" * (room + 1))])
    assert (sender.result.delivered, sender.result.dropped) == (1, 1)
    assert log.drops == [(OPEN, event(1).id, DropReason.TOO_LARGE, "")]
    assert adds_up(sender.result)


def test_invalid_events_are_refused(ok: Responding, clock: ManualClock) -> None:
    with Sender(custom(), transport=ok, clock=clock) as sender:
        with pytest.raises(EventError, match=r"properties\.price is nan") as single:
            sender.send(event(0, price=float("nan")))
        assert not isinstance(single.value, InvalidEventsError)
        with pytest.raises(InvalidEventsError) as many:
            sender.send([event(1), event(2, price=float("inf")), event(3), "text"])  # type: ignore[list-item]
        assert len(many.value.problems) == 2
        assert "send takes Event objects, not str" in str(many.value)
    assert sender.result.delivered == 2


def test_error_of_the_iterable_carries_problems(ok: Responding, clock: ManualClock) -> None:
    def broken() -> Iterator[Event]:
        yield event(0)
        yield event(1, price=float("nan"))
        raise LookupError("the source is gone")

    with Sender(custom(), transport=ok, clock=clock) as sender:
        with pytest.raises(LookupError) as caught:
            sender.send(broken())
        assert "price is nan" in caught.value.__notes__[0]
    assert sender.result.delivered == 1


def test_unknown_types_are_sent_on_request(ok: Responding, clock: ManualClock) -> None:
    current = custom(event_types=[OPEN], unknown_event_types="send")
    anonymous = Event("users.new.Type", 1)
    unknown = anonymous.replace(user={"external_user_id": "someone"})
    with Sender(current, transport=ok, clock=clock) as sender:
        sender.send([event(0), event(1, CLICK), unknown, anonymous])
    assert {name: each.delivered for name, each in sender.result.by_event_type.items()} == {
        OPEN: 1,
        CLICK: 0,
        "users.new.Type": 1,
    }
    assert sender.result.filter_reasons == {
        FilterReason.NOT_SELECTED: 1,
        FilterReason.NO_EXTERNAL_USER_ID: 1,
    }
