"""Rules 1 and 2: causes, and the fate of messages."""

from __future__ import annotations

import pytest

from currents_export.events import Event
from tests.support.stories import (
    CHAT,
    DAY,
    HOUR,
    MAIL,
    PUSH,
    TEXT,
    codes,
    problems,
    step,
)

SEND = step("email.Send", 0, **MAIL)
OPEN = step("email.Open", 60, **MAIL)
OTHER = MAIL | {"dispatch_id": "d-other"}
EARLY = step("behaviors.CustomEvent", -400 * DAY)


@pytest.mark.parametrize(
    "story",
    [
        [OPEN],
        [step("email.Send", 0, **OTHER), OPEN],
        [step("email.Send", 0, user="bob", **MAIL), OPEN],
        [step("email.Send", 0, campaign_id="c-else", dispatch_id="d-mail"), OPEN],
        [step("sms.Send", 0, **MAIL), OPEN],
        [step("inappmessage.Click", 1, campaign_id="c", app_id="ios")],
        [step("contentcard.Impression", 1, content_card_id="k", campaign_id="c")],
        [step("liveactivity.Outcome", 1, activity_id="a")],
        [
            step("pushnotification.Send", 0, device="pad", **PUSH),
            step("pushnotification.Open", 9, device="phone", **PUSH),
        ],
    ],
)
def test_missing_cause_in_a_whole_stream(story: list[Event]) -> None:
    assert codes(story, whole=True) == ["no_cause"]
    assert codes(story) == []


def test_cause_that_is_too_old() -> None:
    late = [SEND, step("email.Delivery", 5 * DAY, **MAIL)]
    assert codes(late) == codes(late, whole=True) == ["no_cause"]


def test_missing_cause_in_the_middle() -> None:
    """The user and the type were seen before, so the send cannot lie before the beginning."""
    story = [EARLY, step("email.Send", -399 * DAY, user="bob", **MAIL), OPEN]
    assert problems(story) == [("no_cause", OPEN.id, None)]


@pytest.mark.parametrize(
    "story",
    [
        # The send may lie before the user's first event.
        [
            step("behaviors.CustomEvent", -300 * DAY),
            step("email.Send", 0, user="bob", **MAIL),
            OPEN,
        ],
        # The stream may lack the type of the send.
        [EARLY, OPEN],
        # The event does not say what it belongs to.
        [EARLY, step("email.Send", -9, user="bob", **MAIL), step("email.Open", 60)],
        # There is no user to look for.
        [EARLY, step("email.Send", -9, **OTHER), step("email.Open", 60, user=None, **MAIL)],
    ],
)
def test_cause_that_may_exist(story: list[Event]) -> None:
    assert codes(story) == []


def test_effect_before_its_cause() -> None:
    late = step("email.Send", 90, **MAIL)
    assert problems([OPEN, late]) == [("before_cause", OPEN.id, late.id)]
    on = {"device": "phone", **PUSH}
    opened, sent = step("pushnotification.Open", 0, **on), step("pushnotification.Send", 5, **on)
    assert problems([opened, sent]) == [("before_cause", opened.id, sent.id)]


@pytest.mark.parametrize(
    "story",
    [
        [OPEN, step("email.Send", 60, **MAIL)],
        [OPEN, step("email.Send", 90, **OTHER)],
        [OPEN, step("email.Send", 3 * DAY, **MAIL)],
        [step("sms.ShortLinkClick", 0, campaign_id="c-text"), step("sms.Send", 9, **TEXT)],
        [
            step("pushnotification.Open", 0, **PUSH),
            step("pushnotification.Send", 5, device="phone", **PUSH),
        ],
    ],
)
def test_cause_that_is_not_certainly_the_one(story: list[Event]) -> None:
    assert codes(story) == []


def test_fallback_needs_no_sms() -> None:
    fallback = step("sms.Delivery", 0, **TEXT, is_sms_fallback=True)
    assert codes([fallback], whole=True) == []
    other = step("sms.Delivery", 0, **TEXT, is_sms_fallback=False)
    assert codes([other], whole=True) == ["no_cause"]


def test_channel_that_no_table_names() -> None:
    canvas = {"canvas_id": "c", "canvas_step_id": "s"}
    story = [step("users.messages.telepathy.Send", 0, **canvas)]
    assert codes(story, whole=True) == ["no_entry"]
    assert codes([step("canvas.Entry", 0, **canvas), *story], whole=True) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (step("email.Delivery", 1, **MAIL), step("email.Bounce", 2, **MAIL)),
        (step("email.Bounce", 1, **MAIL), step("email.Delivery", 2, **MAIL)),
        (step("email.Abort", 1, **MAIL), step("email.Send", 2, **MAIL)),
        (step("email.Send", 1, **MAIL), step("email.Abort", 1, **MAIL)),
        (step("email.Bounce", 1, **MAIL), step("email.Open", HOUR, **MAIL)),
        (step("sms.Delivery", 1, **TEXT), step("sms.Rejection", 2, **TEXT)),
        (step("sms.DeliveryFailure", 1, **TEXT), step("sms.Delivery", 2, **TEXT)),
        (step("whatsapp.Failure", 1, **CHAT), step("whatsapp.Read", 2, **CHAT)),
        (
            step("pushnotification.Bounce", 1, device="phone", **PUSH),
            step("pushnotification.Open", 2, device="phone", **PUSH),
        ),
    ],
)
def test_two_fates(first: Event, second: Event) -> None:
    found = problems([first, second])
    assert len(found) == 1
    assert found[0][0] == "two_fates"
    assert {first.id, second.id} == {*found[0][1:]}


@pytest.mark.parametrize("last", ["Deferral", "SoftBounce"])
@pytest.mark.parametrize("end", ["Delivery", "Bounce"])
def test_attempt_after_the_end(last: str, end: str) -> None:
    before, after = step(f"email.{last}", 1, **MAIL), step(f"email.{last}", 3, **MAIL)
    ended = step(f"email.{end}", 2, **MAIL)
    assert problems([before, ended, after]) == [("after_fate", after.id, ended.id)]
    assert codes([before, ended]) == []


def test_retry_after_the_send() -> None:
    sent, retry = step("email.Send", 1, **MAIL), step("email.Retry", 2, **MAIL)
    assert problems([sent, retry]) == [("after_fate", retry.id, sent.id)]
    assert codes([step("email.Retry", 0, **MAIL), sent]) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (step("email.Delivery", 1, **MAIL), step("email.Bounce", 2, **OTHER)),
        (step("email.Delivery", 1, **MAIL), step("email.Bounce", 2, user="bob", **MAIL)),
        (step("sms.Abort", 1, campaign_id="c-text"), step("sms.Send", 2, **TEXT)),
        (
            step("pushnotification.Abort", 1, **PUSH),
            step("pushnotification.Send", 1, **PUSH | {"app_id": "web"}),
        ),
        (
            step("pushnotification.Bounce", 1, device="pad", **PUSH),
            step("pushnotification.Open", 2, device="phone", **PUSH),
        ),
        (step("email.SoftBounce", 1, **MAIL), step("email.Bounce", 2, **MAIL)),
    ],
)
def test_fates_that_go_together(first: Event, second: Event) -> None:
    assert codes([first, second]) == []
