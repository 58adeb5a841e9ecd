"""Rules 6, 8, 9 and 10: campaigns, conversions, caps and machines."""

from __future__ import annotations

from typing import Any

import pytest

from currents_export.events import Event
from tests.support.stories import (
    BUYS,
    CANVAS,
    CONVERTED,
    DAY,
    HOUR,
    MAIL,
    PUSH,
    TRIES,
    codes,
    problems,
    step,
)

SEND = step("email.Send", 0, **MAIL)


def sent(at: float = 0, dispatch: str = "d", **fields: Any) -> Event:
    """Make a Send of an email."""
    return step("email.Send", at, **{"campaign_id": "c", "dispatch_id": dispatch} | fields)


def test_variation_sticks() -> None:
    one = sent(0, "d1", message_variation_id="v1")
    two = sent(DAY, "d2", message_variation_id="v2")
    assert problems([one, two]) == [("variation_changed", two.id, one.id)]
    bob = sent(DAY, "d2", message_variation_id="v2", user="bob")
    push = step("pushnotification.Send", 9, campaign_id="c", message_variation_id="v2")
    same = sent(DAY, "d2", message_variation_id="v1")
    assert codes([one, bob, push, same]) == []


@pytest.mark.parametrize("name", ["email.Send", "inappmessage.Impression", "banner.Impression"])
@pytest.mark.parametrize("at", [-DAY, DAY])
def test_control_group_gets_nothing(name: str, at: int) -> None:
    control = step("campaigns.EnrollInControl", 0, campaign_id="c")
    message = step(name, at, campaign_id="c")
    later, earlier = (message, control) if at > 0 else (control, message)
    assert problems([control, message]) == [("control_got_message", later.id, earlier.id)]
    assert codes([control, step(name, at, campaign_id="other")]) == []


def test_empty_banner_for_the_control_group() -> None:
    control = step("campaigns.EnrollInControl", 0, campaign_id="c")
    assert codes([control, step("banner.Impression", 9, campaign_id="c", is_control=True)]) == []


def test_dispatch_of_two_campaigns() -> None:
    one, two = sent(user="ada"), sent(9, campaign_id="c2", user="bob")
    assert problems([one, two]) == [("dispatch_of_two", two.id, one.id)]
    canvas = sent(9, campaign_id=None, canvas_id="k", user="bob")
    assert codes([one, canvas]) == ["dispatch_of_two"]
    assert codes([one, sent(9, user="bob")]) == []


def test_dispatch_that_takes_days() -> None:
    users = [sent(at, user=f"u{at}") for at in (0, 2 * DAY, 4 * DAY)]
    assert problems(users) == [("dispatch_too_long", users[2].id, users[0].id)]
    assert codes(users[:2]) == []


@pytest.mark.parametrize("last", ["Impression", "Click"])
def test_in_app_message_with_a_dispatch(last: str) -> None:
    shown = step(f"inappmessage.{last}", 0, campaign_id="c", dispatch_id="d")
    assert codes([shown]) == ["in_app_dispatch"]
    assert codes([step(f"inappmessage.{last}", 0, campaign_id="c", dispatch_id=None)]) == []


def conversion(at: float, index: Any = 0, *, name: str = "campaigns", **fields: Any) -> Event:
    """Make a conversion of the email, or of the Canvas."""
    about = {"campaign_id": "c-mail", "dispatch_id": "d-mail"} if name == "campaigns" else CANVAS
    return step(f"{name}.Conversion", at, **about | {"conversion_behavior_index": index} | fields)


@pytest.mark.parametrize("index", [4, -1, 0.5, 10**300])
def test_index_of_no_conversion_event(index: float) -> None:
    found = codes([SEND, conversion(9, index)])
    assert found == ([] if index == 10**300 else ["conversion_index"])
    assert codes([step("canvas.experimentstep.Conversion", 0, conversion_behavior_index=7)]) == [
        "conversion_index"
    ]


@pytest.mark.parametrize("index", [0, 3, 1.0, None, True, "2"])
def test_index_of_a_conversion_event(index: object) -> None:
    assert codes([SEND, conversion(9, index)], whole=True) == []


def test_two_conversions_of_one_receipt() -> None:
    one, two = conversion(9), conversion(99)
    assert problems([SEND, one, two]) == [("converted_twice", two.id, one.id)]
    assert codes([SEND, one, conversion(99, 1)]) == []
    again = step("email.Send", 50, **MAIL | {"dispatch_id": "d2"})
    assert codes([SEND, one, again, conversion(99, dispatch_id="d2")]) == []


def test_two_conversions_of_one_entry() -> None:
    entry = step("canvas.Entry", 0, **CANVAS)
    one, two = conversion(9, name="canvas"), conversion(99, name="canvas")
    assert problems([entry, one, two], whole=True) == [("converted_twice", two.id, one.id)]
    # An entry before the beginning could have converted too.
    assert codes([entry, one, two]) == []
    assert codes([entry, step("canvas.Entry", 50, **CANVAS), one, two], whole=True) == []


def test_conversion_without_a_receipt() -> None:
    assert codes([conversion(9)], whole=True) == ["no_receipt"]
    assert codes([conversion(9, name="canvas")], whole=True) == ["no_receipt"]
    assert codes([step("campaigns.UniqueReceipt", 0, campaign_id="c")], whole=True) == [
        "no_receipt"
    ]
    assert codes([conversion(9), conversion(9, name="canvas")]) == []
    control = step("campaigns.EnrollInControl", 0, campaign_id="c-mail")
    assert codes([control, conversion(9)], whole=True) == []


def test_conversion_before_its_receipt() -> None:
    early = conversion(-60)
    assert problems([early, SEND]) == [("before_cause", early.id, SEND.id)]
    # A card is received when it is sent, which may have been before the beginning.
    card = MAIL | {"content_card_id": "card"}
    assert codes([early, step("contentcard.Impression", 5, **card)]) == []


def test_conversion_after_its_window() -> None:
    bought = step("behaviors.Purchase", 4 * DAY)
    late = conversion(4 * DAY, conversion_behavior=BUYS)
    assert problems([SEND, bought, late], whole=True) == [("converted_too_late", late.id, SEND.id)]
    # The window starts when the message arrives, which the stream may not show.
    assert codes([SEND, bought, late]) == []
    assert codes([SEND, step("email.Delivery", 60, **MAIL), bought, late]) == ["converted_too_late"]
    delivered = step("email.Delivery", 2 * DAY, **MAIL)
    assert codes([SEND, delivered, bought, late], whole=True) == []


@pytest.mark.parametrize(
    ("behavior", "done", "other"),
    [
        (BUYS, step("behaviors.Purchase", 9), step("behaviors.Purchase", -HOUR)),
        (
            TRIES,
            step("behaviors.CustomEvent", 9, name="Trial"),
            step("behaviors.CustomEvent", 9, name="Viewed"),
        ),
        (
            '{"type": "Starts Session"}',
            step("app.SessionStart", 9),
            step("app.SessionStart", 9, user="bob"),
        ),
        (
            '{"type": "Clicks Email"}',
            step("email.Click", 9, **MAIL),
            step("email.Click", 9, user="bob"),
        ),
    ],
)
def test_behavior_of_a_conversion(behavior: str, done: Event, other: Event) -> None:
    converted = conversion(9, conversion_behavior=behavior)
    assert codes([SEND, done, converted], whole=True) == []
    assert codes([SEND, converted], whole=True) == ["no_behavior"]
    assert codes([SEND, converted]) == []
    early = step("behaviors.Location", -DAY)
    assert codes([early, SEND, other, converted]) == ["no_behavior"]


@pytest.mark.parametrize(
    "behavior",
    [
        "",
        "x",
        "[]",
        "{}",
        '{"type": 7}',
        '{"type": "Upgrades App"}',
        '{"type": "Opens Email", "window": "x"}',
    ],
)
def test_behavior_that_says_nothing(behavior: str) -> None:
    opened = step("email.Open", 9, **MAIL)
    story = [SEND, opened, conversion(9, conversion_behavior=behavior)]
    assert codes(story, whole=True) == []


CAP = "Frequency cap rule: 2 email messages every 1 week"


@pytest.mark.parametrize(
    ("abort_type", "log", "found"),
    [
        ("frequency_capped", CAP, []),
        ("frequency_capped", None, []),
        ("liquid_abort_message", "The message was aborted.", []),
        (None, CAP, ["cap_without_type"]),
        ("rate_limit", CAP, ["cap_without_type"]),
        ("frequency_capped", "Template error", ["cap_without_type"]),
    ],
)
def test_type_and_log_of_an_abort(
    abort_type: str | None, log: str | None, found: list[str]
) -> None:
    abort = step("email.Abort", 0, campaign_id="c", abort_type=abort_type, abort_log=log)
    assert codes([abort]) == found


def test_cap_that_was_not_reached() -> None:
    capped = {"abort_type": "frequency_capped", "abort_log": CAP}
    abort = step("email.Abort", 5 * DAY, campaign_id="c9", **capped)
    one, two = sent(0, "d1"), sent(DAY, "d2")
    assert codes([one, two, abort], whole=True) == []
    assert codes([one, abort], whole=True) == ["cap_not_reached"]
    push = step("pushnotification.Send", 9, **PUSH)
    old = sent(-10 * DAY, "d0")
    assert codes([old, one, push, abort], whole=True) == ["cap_not_reached"]
    assert codes([one, abort]) == []
    other = {"abort_type": "frequency_capped", "abort_log": "Frequency cap rule: as you like"}
    assert codes([step("email.Abort", 0, campaign_id="c", **other)], whole=True) == []


DELIVERED = [SEND, step("email.Delivery", 3, **MAIL)]


@pytest.mark.parametrize("value", [True, "True", "yes", "", 1, []])
def test_machine_open_with_another_value(value: object) -> None:
    opened = step("email.Open", 60, machine_open=value, **MAIL)
    assert codes([*DELIVERED, opened]) == ["machine_open_value"]
    person = step("email.Open", 60, machine_open=None, **MAIL)
    assert codes([*DELIVERED, person, step("email.Open", 70, machine_open="true", **MAIL)]) == []


def test_machines_react_soon() -> None:
    opened = step("email.Open", DAY, machine_open="true", **MAIL)
    clicked = step("email.Click", HOUR, is_suspected_bot_click=True, **MAIL)
    for late in (opened, clicked):
        story = [*DELIVERED, late]
        assert problems(story, whole=True) == [("machine_too_late", late.id, DELIVERED[1].id)]
        assert codes(story) == []
    soon = [
        step("email.Open", 60, machine_open="true", **MAIL),
        step("email.Click", 9, is_suspected_bot_click=True, **MAIL),
        step("email.Click", DAY, is_suspected_bot_click=False, **MAIL),
    ]
    assert codes(DELIVERED + soon, whole=True) == []


@pytest.mark.parametrize("suspected", [False, None])
def test_reason_without_suspicion(suspected: bool | None) -> None:
    click = step(
        "email.Click",
        9,
        is_suspected_bot_click=suspected,
        suspected_bot_click_reason=["user_agent"],
        **MAIL,
    )
    assert codes([*DELIVERED, click]) == ["bot_reason"]


def test_bot_detection_on_and_off() -> None:
    clicks = [
        step("email.Click", at, is_suspected_bot_click=value, app_group_id="w", **MAIL)
        for at, value in ((9, None), (20, False), (30, None))
    ]
    story = [*DELIVERED, *clicks]
    assert problems(story, whole=True) == [("bot_setting_mixed", clicks[1].id, clicks[0].id)]
    assert codes(story) == []
    assert codes([*DELIVERED, clicks[0], clicks[2]], whole=True) == []


def test_all_conversions_at_once() -> None:
    both = [
        conversion(60, index, **CONVERTED | {"conversion_behavior_index": index})
        for index in (0, 2)
    ]
    assert codes([SEND, step("behaviors.Purchase", 60), *both], whole=True) == []
