"""Results, drops and notices as JSON and as sentences."""

from __future__ import annotations

import json
from typing import Any

import httpx
import orjson
import pytest

from currents_export.delivery import ManualClock, Notice, NoticeKind, Sender
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, event
from tests.support.senders import HookLog
from tests.support.servers import Responding


def test_json_carries_codes(log: HookLog, clock: ManualClock) -> None:
    transport = Responding(lambda _: httpx.Response(400, text="bad"))
    current = custom(event_types=[OPEN])
    with Sender(current, transport=transport, clock=clock, hooks=log.hooks) as sender:
        sender.send([event(0), event(1, CLICK), event(2, user_agent="x" * 900_000)])
        result = sender.flush()
    value: dict[str, Any] = result.to_dict()
    assert json.loads(json.dumps(value)) == orjson.loads(orjson.dumps(value)) == value
    assert value["drop_reasons"] == {"too_large": 1, "rejected_alone": 1}
    assert value["filter_reasons"] == {"not_selected": 1}
    assert value["state"] == "active"
    keys = [*value["drop_reasons"], *value["filter_reasons"], value["state"]]
    assert {type(key) for key in keys} == {str}
    assert value["by_event_type"][OPEN] == {
        "accepted": 2,
        "delivered": 0,
        "dropped": 2,
        "filtered": 0,
        "pending": 0,
    }
    drops = [drop._asdict() for drop in log.drops]
    assert json.loads(json.dumps(drops))[1] == {
        "event_type": OPEN,
        "id": event(0).id,
        "reason": "rejected_alone",
        "response": "400: bad",
    }


def test_notice_message_is_a_sentence() -> None:
    notice = Notice(NoticeKind.PAUSED, "Orders", "qa@example.com", "401: who?", 0.0)
    assert notice.message == "Orders: paused; nothing is sent until it is resumed (401: who?)"
    unexplained = Notice(NoticeKind.RESUMED, "Orders", "qa@example.com", "", 0.0)
    assert unexplained.message == "Orders: resumed; events are sent again"


@pytest.mark.parametrize("kind", NoticeKind)
def test_notice_text_says_what_to_do(kind: NoticeKind) -> None:
    notice = Notice(kind, "Orders", "qa@example.com", "401: who?", 1_750_000_000.0, 1_749_900_000.0)
    text = notice.text
    assert text.startswith(f"The Current Orders: {kind.description}.\n")
    assert "When: 2025-06-15 15:06:40 UTC\nReason: 401: who?\nSince: 2025-06-14 11:20:00" in text
    assert "\nWhat to do: " in text
