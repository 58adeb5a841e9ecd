"""Records of the answer key, and the totals of a stream."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from currents_export.events import Event
from currents_export.simulation.answer_key import KeyRecord, KeySummary
from currents_export.simulation.disturbances import (
    Disturbance,
    Drift,
    Duplicate,
    Gap,
    Late,
    MissingExternalUserId,
    NullNames,
)
from tests.support.events import CLICK, OPEN, SEND
from tests.support.keyed import Pair, disturbed, many, streams

DELIVERY = "users.messages.email.Delivery"
CONVERSION = "users.campaigns.Conversion"


def keyed(
    event_type: str,
    user: int = 0,
    dispatch: str | None = "d1",
    *,
    record: dict[str, Any] | None = None,
    **properties: Any,
) -> Pair:
    """Make an event of a campaign, or of a Canvas if the record names one."""
    facts: dict[str, Any] = {"campaign": "c1"} if record is None or "canvas" not in record else {}
    facts |= record or {}
    names = {"campaign_id": "c1", "campaign_name": "Spring"} if "campaign" in facts else {}
    event = Event(
        event_type, 1, {"user_id": f"u{user}"}, names | {"dispatch_id": dispatch} | properties
    )
    return event, KeyRecord(event.id, event_type, **facts)


def total(*pairs: Pair) -> KeySummary:
    summary = KeySummary()
    for event, record in pairs:
        summary.add(event, record)
    return summary


def funnel(*pairs: Pair) -> dict[str, Any]:
    found: dict[str, Any] = total(*pairs).to_dict()["campaigns"]["c1"]
    return found


def test_record_leaves_out_what_it_does_not_know() -> None:
    assert KeyRecord("i", OPEN).to_dict() == {"id": "i", "event_type": OPEN}


def test_record_as_a_line() -> None:
    record = KeyRecord(
        "i",
        CONVERSION,
        cause="j",
        journey="Welcome",
        campaign="c",
        step="s",
        before_start=True,
        disturbance="late",
        arrival=5,
        sent_at=0,
        revenue={"EUR": 5.5},
    )
    line = record.to_json()
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    assert json.loads(line) == record.to_dict()
    assert record.to_dict() == {
        "id": "i",
        "event_type": CONVERSION,
        "cause": "j",
        "journey": "Welcome",
        "campaign": "c",
        "step": "s",
        "before_start": True,
        "disturbance": "late",
        "arrival": 5,
        "sent_at": 0,
        "revenue": {"EUR": 5.5},
    }


def test_record_is_hashable() -> None:
    assert hash(KeyRecord("i", OPEN, revenue={"EUR": 1.0}))


def test_disturbances_of_a_record() -> None:
    assert KeyRecord("i", OPEN).disturbances == ()
    assert KeyRecord("i", OPEN, disturbance="late,gap").disturbances == ("late", "gap")


def test_empty_summary() -> None:
    assert total().to_dict() == {
        "events": 0,
        "event_types": {},
        "campaigns": {},
        "canvases": {},
        "disturbances": {},
    }


def test_funnel_of_a_campaign() -> None:
    found = funnel(
        *(keyed(SEND, user) for user in range(5)),
        *(keyed(DELIVERY, user) for user in range(4)),
        keyed(OPEN, 0),
        keyed(OPEN, 1, machine_open="true"),
        keyed(CLICK, 0),
        keyed(CONVERSION, 0, conversion_behavior_index=0),
    )
    assert found == {
        "name": "Spring",
        "sent": 5,
        "delivered": 4,
        "opened": 1,
        "machine_opened": 1,
        "clicked": 1,
        "bot_clicked": 0,
        "converted": 1,
        "conversions": {"A": 1},
        "revenue": {},
    }


def test_messages_are_opened_and_clicked_once() -> None:
    found = funnel(
        *[keyed(OPEN, 0)] * 3,
        keyed(OPEN, 1),
        keyed(OPEN, 0, "d2"),
        *[keyed(OPEN, 0, machine_open="true")] * 2,
        *[keyed(CLICK, 0, is_suspected_bot_click=None)] * 2,
        keyed(CLICK, 1, is_suspected_bot_click=False),
        *[keyed(CLICK, 1, is_suspected_bot_click=True)] * 2,
    )
    assert (found["opened"], found["machine_opened"]) == (3, 1)
    assert (found["clicked"], found["bot_clicked"]) == (2, 1)


def test_messages_without_a_dispatch_id_belong_to_users() -> None:
    shown = "users.messages.inappmessage.Impression"
    found = funnel(keyed(shown, 0, None), keyed(shown, 0, None), keyed(shown, 1, None))
    assert found["opened"] == 2


def test_steps_of_a_canvas_are_different_messages() -> None:
    steps = [{"canvas": "v1", "step": step} for step in ("s1", "s2", "s1")]
    found = total(*(keyed(OPEN, record=step, canvas_name="Cart") for step in steps)).to_dict()
    assert found["campaigns"] == {}
    assert found["canvases"]["v1"]["opened"] == 2
    assert found["canvases"]["v1"]["name"] == "Cart"


def test_campaigns_have_their_own_messages() -> None:
    shown = "users.messages.inappmessage.Impression"
    summary = total(*(keyed(shown, 0, None, record={"campaign": name}) for name in ("c1", "c2")))
    assert [each.opened for each in summary.campaigns.values()] == [1, 1]


def test_events_that_are_not_of_messages() -> None:
    found = funnel(
        keyed("users.messages.landingpage.Impression"),
        keyed("users.messages.landingpage.Click"),
        keyed("users.campaigns.EnrollInControl"),
        keyed("users.canvas.costep.Send"),
        keyed("users.behaviors.Purchase"),
    )
    assert {count for name, count in found.items() if isinstance(count, int)} == {0}


def test_name_is_the_first_that_is_not_null() -> None:
    assert funnel(keyed(SEND, campaign_name=None))["name"] is None
    unnamed = keyed(SEND, campaign_name=None)
    assert funnel(unnamed, keyed(SEND), unnamed)["name"] == "Spring"


def test_conversions_by_letter() -> None:
    indices = [0, 0, 1, 3, None, 7]
    found = funnel(
        *(keyed(CONVERSION, user, conversion_behavior_index=i) for user, i in enumerate(indices))
    )
    assert found["conversions"] == {"A": 4, "B": 1, "D": 1}
    assert found["converted"] == 4


def test_revenue_is_exact() -> None:
    amounts: list[dict[str, float]] = [{"EUR": 0.1}] * 3 + [{"EUR": 0.2, "USD": 5.0}]
    found = funnel(*(keyed(CONVERSION, record={"revenue": amount}) for amount in amounts))
    assert found["revenue"] == {"EUR": 0.5, "USD": 5.0}


def test_types_and_disturbances() -> None:
    stream = many(20, SEND) + many(10, OPEN)
    found = total(*disturbed(stream, Duplicate(share=1), Late(share=1))).to_dict()
    assert found["events"] == 30
    assert found["event_types"] == {OPEN: 10, SEND: 20}
    assert found["disturbances"] == {"duplicate": 30, "late": 30}


def test_unknown_type_counts_as_what_happened() -> None:
    found = total(*disturbed(many(5, SEND), Drift(share=1, change="event_type"))).to_dict()
    assert found["event_types"] == {SEND: 5}
    assert found["campaigns"]["campaign-1"]["sent"] == 5


@given(streams(), st.integers(0, 3))
def test_disturbances_change_no_funnel(stream: list[Pair], seed: int) -> None:
    kinds: list[Disturbance] = [
        Duplicate(share=0.5),
        Late(share=0.5),
        Gap(share=0.5),
        Drift(share=0.5, change="event_type"),
        MissingExternalUserId(share=0.5),
    ]
    before, after = total(*stream).to_dict(), total(*disturbed(stream, *kinds, seed=seed)).to_dict()
    assert before | {"disturbances": None} == after | {"disturbances": None}


def test_totals_are_json() -> None:
    summary = total(*disturbed(many(20), NullNames(share=0.5))).to_dict()
    assert json.loads(json.dumps(summary)) == summary
