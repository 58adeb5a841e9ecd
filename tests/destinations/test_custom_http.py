"""The Custom Currents export: its endpoint, its token, and anonymous users."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from currents_export.delivery import FilterReason
from currents_export.delivery._admission import prepare
from currents_export.destinations import CustomHttp
from currents_export.events import Event
from tests.support.currents import CUSTOM, ENDPOINT, NAMES, RUDDERSTACK, form, problems
from tests.support.events import event


def test_form_has_endpoint_and_token() -> None:
    current = form(CUSTOM, bearer_token="abc-._~+/123==")
    assert current.destination == CustomHttp(endpoint=ENDPOINT, bearer_token="abc-._~+/123==")
    assert current.url == current.shown_url == ENDPOINT
    assert form(CUSTOM).bearer_token is None
    assert form(CUSTOM).warnings == ()


def test_anonymous_users_are_excluded_by_default() -> None:
    assert form(CUSTOM).include_anonymous is False
    assert form(CUSTOM).destination.needs_external_user_id
    assert form(CUSTOM) == form(CUSTOM, include_anonymous=False)
    assert not form(CUSTOM, include_anonymous=True).destination.needs_external_user_id


@pytest.mark.parametrize("choice", ["yes", 1, 0, [], ""])
def test_choice_is_true_or_false(choice: Any) -> None:
    assert problems(CUSTOM, include_anonymous=choice) == [
        ("include_anonymous", "it must be true or false")
    ]


@pytest.mark.parametrize("base", [CUSTOM, CUSTOM | {"include_anonymous": True}, RUDDERSTACK])
@pytest.mark.parametrize("user", [{}, {"external_user_id": None}, {"external_user_id": ""}])
def test_anonymous_events_pass_only_when_included(base: Any, user: dict[str, Any]) -> None:
    events: list[Event] = [
        attrs.evolve(event(), user=user),
        attrs.evolve(event(), user={"external_user_id": "customer-1"}),
    ]
    entries, others = prepare(form(base), events)
    if base.get("include_anonymous"):
        assert [entry[1] for entry in entries] == [event.id for event in events]
        assert others == {}
    else:
        assert [entry[1] for entry in entries] == [events[1].id]
        assert others == {0: FilterReason.NO_EXTERNAL_USER_ID}


def test_unselected_types_are_filtered_first() -> None:
    current = form(CUSTOM, event_types=["users.messages.email.Click"])
    unknown = event(0, "users.messages.fax.Send")
    _, others = prepare(current, [event(), unknown])
    assert others == {0: FilterReason.NOT_SELECTED, 1: FilterReason.NOT_IN_SCHEMA_VERSION}


def test_region_conflicts_with_endpoint() -> None:
    assert problems(CUSTOM, region="EU") == [
        ("region", "it goes with key (RudderStack), not with endpoint (custom HTTP)")
    ]


@pytest.mark.parametrize("token", ["", "=", "a b", "a\n", "ä", "a=b", "Bearer abc", b"abc", 5, []])
def test_malformed_token_is_refused(token: Any) -> None:
    [(field, message)] = problems(CUSTOM, bearer_token=token)
    assert field == "bearer_token"
    assert "RFC 6750" in message


def test_token_without_endpoint_asks_for_one() -> None:
    assert problems(NAMES, bearer_token="abc") == [("endpoint", "it is missing")]
