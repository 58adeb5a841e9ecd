"""Rules 11, 13, 14 and 15: money, replies, surveys and names."""

from __future__ import annotations

from typing import Any

import pytest

from currents_export.events import Event
from tests.support.stories import CHAT, DAY, HOUR, MINUTE, SURVEY, TEXT, codes, problems, step


def bought(at: float, price: Any, *, order: str | None = None, **fields: Any) -> Event:
    """Make a purchase of a hat, or its refund."""
    about = {"product_id": "hat", "currency": "EUR", "price": price} | fields
    if order is not None:
        about["purchase_properties"] = {"order_id": order}
    return step("behaviors.Purchase", at, **about)


EARLY = step("behaviors.CustomEvent", -DAY)


@pytest.mark.parametrize("order", [None, "o1"])
def test_refund(order: str | None) -> None:
    purchase = bought(0, 20, order=order)
    whole, half = bought(DAY, -20, order=order), bought(2 * DAY, -10, order=order)
    assert codes([purchase, whole], whole=True) == []
    too_much = [purchase, whole, half]
    assert problems(too_much, whole=True) == [("refund_too_large", half.id, purchase.id)]
    # Without an order, an earlier purchase may be the one that is refunded.
    assert codes([EARLY, *too_much]) == (["refund_too_large"] if order else [])
    assert codes(too_much) == []
    assert codes([half, whole], whole=True) == ["refund_without_purchase"] * 2
    assert codes([half, whole]) == []


def test_refund_of_something_else() -> None:
    purchase = bought(0, 20)
    for other in ({"product_id": "scarf"}, {"currency": "USD"}):
        assert codes([purchase, bought(9, -1, **other)], whole=True) == ["refund_without_purchase"]


def test_refund_of_several_lines() -> None:
    lines = [bought(0, 0.1, order="o1"), bought(0, 0.2, order="o1", name="second line")]
    assert codes([EARLY, *lines, bought(DAY, -0.3, order="o1")], whole=True) == []


def test_order_has_one_currency() -> None:
    one, two = bought(0, 20, order="o1"), bought(0, 5, order="o1", currency="USD")
    assert {code for code, _, _ in problems([one, two])} == {"order_currency"}
    assert codes([one, bought(0, 5, order="o2", currency="USD")]) == []


SENT = step("whatsapp.Send", 0, **CHAT)


def test_reply_names_the_last_message() -> None:
    reply = step("whatsapp.InboundReceive", HOUR, campaign_id="c-chat")
    assert codes([SENT, reply], whole=True) == []
    unnamed = step("whatsapp.InboundReceive", HOUR)
    assert problems([SENT, unnamed], whole=True) == [("reply_unnamed", unnamed.id, SENT.id)]
    assert codes([SENT, unnamed]) == []
    assert codes([SENT, step("whatsapp.InboundReceive", 5 * HOUR)], whole=True) == []
    confirmation = step("sms.Send", 0, category="opt-out", campaign_id="c")
    assert codes([confirmation, step("sms.InboundReceive", 60)], whole=True) == []


def test_reply_to_a_message_that_was_not_sent() -> None:
    late = step("sms.InboundReceive", 5 * HOUR, campaign_id="c-text")
    sent = step("sms.Send", 0, **TEXT)
    assert problems([sent, late], whole=True) == [("no_outbound", late.id, None)]
    delivered = step("sms.Delivery", 2 * HOUR, **TEXT)
    assert codes([sent, delivered, late], whole=True) == []
    assert codes(
        [EARLY, sent, delivered, step("sms.InboundReceive", 9 * HOUR, campaign_id="c-text")]
    ) == ["no_outbound"]


def test_quoted_message() -> None:
    quote = step("whatsapp.InboundReceive", 9, campaign_id="c-chat", in_reply_to="wamid.1")
    assert codes([SENT, quote], whole=True) == []
    unknown = step("whatsapp.InboundReceive", 9, campaign_id="c-chat", in_reply_to="wamid.2")
    assert codes([SENT, unknown], whole=True) == ["no_outbound"]
    assert codes([SENT, unknown]) == []
    other = step("whatsapp.InboundReceive", 9, campaign_id="c-else", in_reply_to="wamid.1")
    assert problems([SENT, other]) == [("reply_to_other", other.id, SENT.id)]


@pytest.mark.parametrize("last", ["Click", "FormSubmission"])
def test_page_is_seen_before_it_is_used(last: str) -> None:
    used = step(f"landingpage.{last}", 60, landing_page_api_id="p")
    assert codes([used], whole=True) == ["no_impression"]
    assert codes([step("landingpage.Impression", 0, landing_page_api_id="q"), used]) == []
    assert (
        codes([step("landingpage.Impression", 0, landing_page_api_id="p"), used], whole=True) == []
    )


def answer(question: str, at: float = 60, user: str = "ada", **fields: Any) -> Event:
    """Make an answer in the one survey session."""
    about = {"question_id": question, "campaign_id": "c"}
    return step("survey.Response", at, user=user, **SURVEY | about | fields)


SHOWN = step("inappmessage.Impression", 0, campaign_id="c")


def test_survey() -> None:
    one, two = answer("q1"), answer("q2")
    assert codes([SHOWN, one, two]) == []
    assert codes([one], whole=True) == ["no_impression"]
    again = answer("q1", 90)
    assert problems([SHOWN, one, again]) == [("survey_question_twice", again.id, one.id)]
    open_end = answer("q2", 90, survey_completion_status="incomplete")
    assert problems([SHOWN, one, open_end]) == [("survey_status", open_end.id, one.id)]


@pytest.mark.parametrize("fields", [{"survey_id": "other"}, {"user": "bob"}])
def test_survey_session_of_two(fields: dict[str, str]) -> None:
    one, two = answer("q1"), answer("q2", 90, **fields)
    assert problems([one, two]) == [("survey_mixed", two.id, one.id)]
    assert codes([one, answer("q1", 90, survey_session_id="s2")]) == []


def named(at: float, name: str | None, field: str = "campaign_name", user: str = "ada") -> Event:
    """Make an event with a name, or with null for it."""
    id_field = field.replace("_name", "_id")
    return step("webhook.Retry", at, user=user, **{id_field: "i", field: name})


@pytest.mark.parametrize("field", ["campaign_name", "canvas_step_name", "experiment_split_name"])
def test_name_is_null_for_an_hour(field: str) -> None:
    first, last = named(0, None, field), named(61 * MINUTE, None, field, "bob")
    assert problems([first, last, named(DAY, "Spring", field)]) == [
        ("null_too_long", last.id, first.id)
    ]
    assert codes([first, named(HOUR, None, field), named(DAY, "Spring", field)]) == []
    # A name that never comes may be one that the stream does not have.
    assert codes([first, last]) == []


def test_name_is_null_only_after_a_rename() -> None:
    null, same = named(DAY, None), named(DAY + 9, "Spring")
    story = [named(0, "Spring"), null, same]
    assert problems(story, whole=True) == [("null_without_rename", null.id, same.id)]
    assert codes(story) == []
    assert codes([named(0, "Spring"), null, named(DAY + 9, "Summer")], whole=True) == []


def test_null_in_the_second_of_the_name() -> None:
    story = [named(0, "Spring"), named(0, None), named(9, "Spring")]
    assert codes(story, whole=True) == []
