"""`World.event`: one event with the fields that matter."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from currents_export.catalog import check_event
from currents_export.errors import OptionError, UnknownNameError
from currents_export.simulation import SAMPLE_TIME, World
from tests.support.traffic import NEWEST

OPEN, CLICK = "users.messages.email.Open", "users.messages.email.Click"
PURCHASE = "users.behaviors.Purchase"


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(list(NEWEST)), time=st.integers(10**9, 2**32 - 1), seed=st.integers(0, 2)
)
def test_any_type_conforms(name: str, time: int, seed: int) -> None:
    event = World(seed, users=30).event(name, time=time)
    assert (event.event_type, event.time) == (name, time)
    assert check_event(NEWEST, event) == []


def test_all_types_for_any_user_who_can(storyteller: World) -> None:
    for name in NEWEST:
        made = 0
        for user in range(20):
            try:
                event = storyteller.event(name, user=user)
            except OptionError as error:
                hint = str(error).rpartition("; user ")[2]
                storyteller.event(name, user=int(hint.removesuffix(" can")))
                continue
            made += 1
            assert check_event(NEWEST, event) == []
            if "user_id" in event.user:
                assert event.user["user_id"] == storyteller.users[user].id
        assert made


def test_coherent_by_itself(storyteller: World) -> None:
    for name in ("Send", "Delivery", "Open", "Click", "Bounce"):
        event = storyteller.event(f"users.messages.email.{name}", user=2)
        user = storyteller.users[2]
        assert event.properties["email_address"] == user.email
        assert event.properties["dispatch_id"]
        assert event.properties["campaign_name"] in {each.name for each in storyteller.campaigns}
    purchase = storyteller.event(PURCHASE, user=storyteller.users[2])
    assert purchase.user["device_id"] in {each.id for each in user.devices}


def test_fields_are_set(storyteller: World) -> None:
    event = storyteller.event(
        OPEN, user=1, time=SAMPLE_TIME + 5, machine_open="true", external_user_id="me", esp=None
    )
    assert event.time == SAMPLE_TIME + 5
    assert event.properties["machine_open"] == "true"
    assert event.user["external_user_id"] == "me"
    assert "esp" not in event.properties
    assert "external_user_id" not in storyteller.event(OPEN, external_user_id=None).user


def test_message_with_the_given_values(storyteller: World) -> None:
    campaign = next(each for each in storyteller.campaigns if each.channel == "email")
    event = storyteller.event(CLICK, campaign_name=campaign.name)
    assert event.properties["campaign_id"] == campaign.id
    canvas = next(each for each in storyteller.canvases if each.region == "Global")
    step = next(each for each in canvas.steps if each.channel == "email")
    event = storyteller.event(CLICK, canvas_step_id=step.id)
    assert event.properties["canvas_id"] == canvas.id
    assert event.properties["canvas_step_name"] == step.name
    assert "campaign_id" not in event.properties
    assert storyteller.event(CLICK, campaign_name="Mine").properties["campaign_name"] == "Mine"


def test_device_with_the_given_id(storyteller: World) -> None:
    user = next(each for each in storyteller.users if len(each.devices) > 1)
    device = user.devices[1]
    event = storyteller.event(PURCHASE, device_id=device.id)
    assert event.user["user_id"] == user.id
    assert event.properties["os_version"] == device.os_version
    assert storyteller.event(PURCHASE, device_id="mine").user["device_id"] == "mine"


def test_bots(storyteller: World) -> None:
    suspected = storyteller.event(CLICK, is_suspected_bot_click=True)
    assert suspected.properties["suspected_bot_click_reason"]
    for user in range(8):
        if storyteller.users[user].email:
            event = storyteller.event(CLICK, user=user, is_suspected_bot_click=False)
            assert "suspected_bot_click_reason" not in event.properties


def test_ids(storyteller: World) -> None:
    events = [
        storyteller.event(OPEN),
        storyteller.event(CLICK),
        storyteller.event(OPEN, time=SAMPLE_TIME + 1),
        storyteller.event(OPEN, user=4),
        storyteller.event(OPEN, esp="a"),
        storyteller.event(OPEN, esp="b"),
    ]
    assert len({event.id for event in events}) == len(events)
    assert storyteller.event(OPEN, esp="b", ip_pool="c") == World(11, users=300).event(
        OPEN, ip_pool="c", esp="b"
    )


def test_unknown_names(storyteller: World) -> None:
    with pytest.raises(UnknownNameError, match=r"did you mean 'users\.messages\.email\.Open'"):
        storyteller.event("users.messages.email.Opne")
    with pytest.raises(
        UnknownNameError, match=r"'machin_open'; did you mean 'machine_open'"
    ) as caught:
        storyteller.event(OPEN, machin_open="true")
    assert caught.value.nearest[0] == "machine_open"


def test_wrong_values_are_allowed(storyteller: World) -> None:
    event = storyteller.event(NEWEST[PURCHASE], price="free", currency=7)
    assert (event.properties["price"], event.properties["currency"]) == ("free", 7)
    assert len(check_event(NEWEST, event)) == 2


@pytest.mark.parametrize("user", [-1, 300, True, "3"])
def test_no_such_user(user: Any, storyteller: World) -> None:
    with pytest.raises(OptionError, match="the users of this world are 0 to 299"):
        storyteller.event(OPEN, user=user)


def test_user_who_cannot(storyteller: World) -> None:
    user = next(each for each in storyteller.users if each.phone is None)
    with pytest.raises(OptionError, match=rf"user {user.number} cannot have .*; user \d+ can"):
        storyteller.event("users.messages.sms.Send", user=user)
