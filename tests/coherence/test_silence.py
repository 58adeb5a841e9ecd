"""Rules 3 and 4: silence, and changes of subscription states."""

from __future__ import annotations

import pytest

from currents_export.events import Event
from tests.support.stories import DAY, HOUR, MAIL, PUSH, TEXT, TOKEN, codes, problems, step

GLOBAL, GROUP = "subscription.GlobalStateChange", "subscriptiongroup.StateChange"
AGAIN = step("email.Send", DAY, **MAIL | {"dispatch_id": "d-again"})
NEW_MAIL = MAIL | {"dispatch_id": "d-new", "email_address": "new@example.com"}
TEXT_AGAIN = step("sms.Send", DAY, **TEXT | {"dispatch_id": "d-again"})
PUSH_AGAIN = step(
    "pushnotification.Send",
    DAY,
    device="phone",
    push_token="t",
    **PUSH | {"dispatch_id": "d-again"},
)
OPT_OUT = {"subscription_status": "Unsubscribed"}
OPT_IN = {"subscription_status": "Subscribed"}
STOP = {"action": "Unsubscribed", "subscription_group_id": "g-text"}
ON_PHONE = {"push_token": "t", "push_token_device_id": "phone", "app_id": "ios"}

SILENCERS = {
    "hard bounce": (step("email.Bounce", 0, **MAIL), AGAIN),
    "spam report": (step("email.MarkAsSpam", 0, **MAIL), AGAIN),
    "unsubscribe": (step("email.Unsubscribe", 0, **MAIL), AGAIN),
    "global state": (step(GLOBAL, 0, channel="email", **OPT_OUT), AGAIN),
    "state without a channel": (step(GLOBAL, 0, email_address="ada@example.com", **OPT_OUT), AGAIN),
    "group": (step(GROUP, 0, subscription_group_id="g-text", **OPT_OUT), TEXT_AGAIN),
    "STOP": (step("sms.InboundReceive", 0, **STOP), TEXT_AGAIN),
    "STOP without a group": (step("sms.InboundReceive", 0, action="Unsubscribed"), TEXT_AGAIN),
    "push state": (step(GLOBAL, 0, channel="push", **OPT_OUT), PUSH_AGAIN),
    "removed token": (
        step(TOKEN, 0, push_token_state_change_type="remove", **ON_PHONE),
        PUSH_AGAIN,
    ),
    "dead token": (step("pushnotification.Bounce", 0, push_token="t"), PUSH_AGAIN),
    "uninstall": (step("behaviors.Uninstall", 0, device="phone", app_id="ios"), PUSH_AGAIN),
}

BACK = {
    "hard bounce": step(GLOBAL, 60, channel="email", subscription_status="Opted In"),
    "spam report": step("profile.Update", 60, email_address="ada@example.com"),
    "unsubscribe": step(GLOBAL, 60, channel="email", subscription_status="Opted In"),
    "global state": step(GLOBAL, 60, channel="email", **OPT_IN),
    "state without a channel": step(GLOBAL, 60, email_address="ada@example.com", **OPT_IN),
    "group": step(GROUP, 60, subscription_group_id="g-text", **OPT_IN),
    "STOP": step("sms.InboundReceive", 60, **STOP | {"action": "Subscribed"}),
    "STOP without a group": step("sms.InboundReceive", 60, action="Subscribed"),
    "push state": step(GLOBAL, 60, channel="push", **OPT_IN),
    "removed token": step(TOKEN, 60, push_token_state_change_type="add", **ON_PHONE),
    "dead token": step(TOKEN, 60, push_token_state_change_type="update", **ON_PHONE),
    "uninstall": step("app.SessionStart", 60, device="phone", app_id="ios"),
}


@pytest.mark.parametrize("name", SILENCERS)
def test_message_into_silence(name: str) -> None:
    silencer, sent = SILENCERS[name]
    assert problems([silencer, sent]) == [("sent_while_silent", sent.id, silencer.id)]
    assert codes([silencer, BACK[name], sent]) == []


@pytest.mark.parametrize(
    ("silencer", "sent"),
    [
        (
            step("email.Bounce", 0, **MAIL),
            step("email.Send", DAY, **NEW_MAIL),
        ),
        (step("email.SoftBounce", 0, **MAIL), AGAIN),
        (step("sms.InboundReceive", 0, **STOP | {"action": "None"}), TEXT_AGAIN),
        (step("sms.InboundReceive", 0, **STOP), step("sms.Send", 1, category="opt-out", **TEXT)),
        (step("email.Unsubscribe", DAY, **MAIL), AGAIN),
        (step("email.Unsubscribe", 0, **MAIL), TEXT_AGAIN),
        (step(GROUP, 0, subscription_group_id="g-other", **OPT_OUT), TEXT_AGAIN),
        (step("behaviors.Uninstall", 0, device="pad", app_id="ios"), PUSH_AGAIN),
    ],
)
def test_silence_of_something_else(silencer: Event, sent: Event) -> None:
    assert codes([silencer, sent]) == []


@pytest.mark.parametrize("at", [-1, 0, 30])
def test_unsubscribe_from_one_group(at: int) -> None:
    left = step(GROUP, at, subscription_group_id="g-mail", channel="email", **OPT_OUT)
    assert codes([step("email.Unsubscribe", 0, **MAIL), left, AGAIN]) == []


def test_deleted_user() -> None:
    gone = step("users.UserDeleteRequest", 0)
    same, after = step("behaviors.CustomEvent", 0), step("behaviors.CustomEvent", 1)
    other = step("behaviors.CustomEvent", 1, user="bob")
    assert problems([same, gone, after, other]) == [("after_deletion", after.id, gone.id)]


def test_merged_profile() -> None:
    gone = step("users.UserOrphan", 0, user="anonymous", orphaned_by_id="ada")
    after = step("app.SessionStart", 1, user="anonymous")
    assert problems([gone, after]) == [("after_orphan", after.id, gone.id)]
    itself = step("users.UserOrphan", 0, orphaned_by_id="ada")
    assert problems([itself]) == [("orphaned_by_itself", itself.id, None)]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        (GLOBAL, {"channel": "email"}),
        (GLOBAL, {"channel": "email", "email_address": "ada@example.com"}),
        (GROUP, {"subscription_group_id": "g"}),
    ],
)
def test_state_that_does_not_change(name: str, key: dict[str, str]) -> None:
    first, second = step(name, 0, **key, **OPT_IN), step(name, 9, **key, **OPT_IN)
    assert problems([first, second]) == [("state_unchanged", second.id, first.id)]
    changed = step(name, 9, **key, **OPT_OUT)
    assert codes([first, changed]) == []


def test_states_of_two_addresses() -> None:
    story = [
        step(GROUP, at, subscription_group_id="g", phone_number=f"+1{at}", **OPT_IN)
        for at in (0, 9)
    ]
    assert codes(story) == []


@pytest.mark.parametrize(
    "cause",
    [
        step("email.Unsubscribe", 60, **MAIL),
        step("sms.InboundReceive", 60, campaign_id="c-text", **STOP),
    ],
)
def test_no_state_change(cause: Event) -> None:
    told = [step("email.Send", 0, **MAIL), step("sms.Send", 0, **TEXT), cause]
    story = [*told, step("behaviors.CustomEvent", 3 * HOUR, user="bob")]
    assert problems(story, whole=True) == [("no_state_change", cause.id, None)]
    assert codes(story) == []
    # A stream that ends before can still change the state.
    assert codes(told, whole=True) == []
    channel = cause.event_type.split(".")[2]
    change = step(GROUP, 61, channel=channel, subscription_group_id="g-text", **OPT_OUT)
    assert codes([*story, change], whole=True) == []


def test_no_state_change_of_a_known_state() -> None:
    states = [
        step(GLOBAL, 0, channel="email", **OPT_IN),
        step(GROUP, 0, subscription_group_id="g", **OPT_IN),
    ]
    ended, later = step("email.Unsubscribe", 9, **MAIL), step("behaviors.CustomEvent", DAY)
    assert problems([*states, ended, later]) == [("no_state_change", ended.id, None)]
    assert codes([states[0], ended, later]) == []


@pytest.mark.parametrize("at", [55, 60, 70])
def test_source_of_a_reply(at: int) -> None:
    reply = step("sms.InboundReceive", 60, **STOP)
    before = step(GROUP, 0, subscription_group_id="g-text", channel="sms", **OPT_IN)
    for source, found in (("REST API", ["wrong_source"]), ("Inbound Message", [])):
        change = step(
            GROUP,
            at,
            subscription_group_id="g-text",
            channel="sms",
            state_change_source=source,
            **OPT_OUT,
        )
        assert codes([before, reply, change]) == found
