"""The RudderStack export: its key, its region, and the fields that it does not have."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from currents_export.current import Current, CurrentsExportWarning
from currents_export.destinations import Region, RudderStack
from currents_export.errors import CurrentError
from tests.support.currents import CUSTOM, KEY, NAMES, RUDDERSTACK, form, problems, variables

US_HOST = "https://abc.dataplane.rudderstack.com/v1/webhook?writeKey=x"
EU_HOST = "https://abc.dataplane.eu.rudderstack.com/v1/webhook?writeKey=x"


def test_form_has_key_and_region() -> None:
    current = form()
    assert current.destination == RudderStack(key=KEY, region=Region.US)
    assert current.url == KEY
    assert current.shown_url == "https://data.example.com/v1/webhook?writeKey=****"
    assert current.region is Region.US


def test_destination_checks_itself() -> None:
    with pytest.raises(CurrentError) as caught:
        RudderStack(key="x", region="mars", allow_plain_http=1)  # type: ignore[arg-type]
    assert [name for name, _ in caught.value.problems] == ["key", "region", "allow_plain_http"]


def test_anonymous_users_are_never_included() -> None:
    assert form().destination.needs_external_user_id
    for choice in (True, False):
        [(field, message)] = problems(include_anonymous=choice)
        assert field == "include_anonymous"
        assert message.startswith("RudderStack has no such setting")


@pytest.mark.parametrize(
    ("values", "field", "problem"),
    [
        ({"endpoint": CUSTOM["endpoint"]}, "endpoint", "not both"),
        ({"region": None}, "region", "it is missing; it must be US or EU"),
        ({"region": "XX"}, "region", "'XX' is unknown; it must be US or EU"),
        ({"region": 5}, "region", "5 is unknown"),
        ({"region": []}, "region", "a list is unknown"),
        ({"bearer_token": "abc"}, "bearer_token", "it goes with an endpoint"),
    ],
)
def test_wrong_company_is_refused(values: dict[str, Any], field: str, problem: str) -> None:
    [(at_fault, message)] = problems(**values)
    assert at_fault == field
    assert problem in message


@pytest.mark.parametrize("region", ["US", "us", Region.US])
def test_region_is_read_in_any_case(region: Any) -> None:
    assert form(region=region).region is Region.US


@pytest.mark.parametrize(
    "url",
    [
        "https://user:pass@host:8443/v1/webhook?writeKey=x",
        "https://host?writeKey=x",
        "https://müller.example/?writeKey=x",
        "https://a_b.example./?writeKey=x",
        "https://key@host/v1/webhook",
        "https://key:@host/v1/webhook?writeKey=",
        "https://[2001:db8::1]/v1/webhook?writeKey=x",
        "HTTPS://HOST/?writeKey=x",
    ],
)
def test_valid_key(url: str) -> None:
    assert form(key=url).url == url


@pytest.mark.parametrize(
    "url",
    [
        "https://host/v1/webhook",
        "https://host/v1/webhook?writeKey=",
        "https://host/v1/webhook?writekey=x",
        "https://:password@host/v1/webhook",
        "https://host/v1/webhook#writeKey=x",
    ],
)
def test_url_without_write_key_is_refused(url: str) -> None:
    [(field, message)] = problems(key=url)
    assert field == "key"
    assert message.startswith("the URL has no write key in it")


def test_write_key_without_url_is_refused() -> None:
    [(field, message)] = problems(key="QZXQZXQZX")
    assert field == "key"
    assert message.startswith("it must be the whole webhook URL that RudderStack shows: https://")


@pytest.mark.parametrize(
    ("key", "region", "actual"),
    [(US_HOST, "EU", "US"), (EU_HOST, "US", "EU"), (EU_HOST.replace("abc", "ABC"), "us", "EU")],
)
def test_region_of_another_host_warns(key: str, region: str, actual: str) -> None:
    with pytest.warns(CurrentsExportWarning, match=f"a data plane in the {actual}") as caught:
        current = form(key=key, region=region)
    assert [str(each.message) for each in caught] == list(current.warnings)
    assert f"the region is {region.upper()}, but" in current.warnings[0]
    assert current.url == key


def test_warning_names_the_calling_line() -> None:
    values: dict[str, Any] = RUDDERSTACK | {"key": EU_HOST}
    makers: list[Callable[[], Current]] = [
        lambda: Current(**values),
        lambda: Current.load(environ=variables(**values)),
        lambda: attrs.evolve(form(), key=EU_HOST),
    ]
    for make in makers:
        with pytest.warns(CurrentsExportWarning) as caught:
            make()
        assert [each.filename for each in caught] == [__file__]
        assert caught[0].lineno == make.__code__.co_firstlineno


def test_copy_does_not_warn_again() -> None:
    with pytest.warns(CurrentsExportWarning):
        current = form(key=EU_HOST)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for copied in (copy.deepcopy(current), pickle.loads(pickle.dumps(current))):
            assert copied == current
            assert copied.warnings == current.warnings
    with pytest.warns(CurrentsExportWarning):
        form(key=EU_HOST)


@pytest.mark.parametrize(
    ("key", "region"),
    [
        (US_HOST, "US"),
        (EU_HOST, "EU"),
        ("http://localhost:8080/v1/webhook?writeKey=x", "EU"),
        ("https://events.eu.example.com/v1/webhook?writeKey=x", "US"),
        ("https://dataplane.rudderstack.com.example.com/v1/webhook?writeKey=x", "EU"),
    ],
)
def test_matching_host_gives_no_warning(key: str, region: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert form(key=key, region=region).warnings == ()


def test_destination_can_be_copied_and_pickled() -> None:
    destination = form().destination
    for copied in (copy.deepcopy(destination), pickle.loads(pickle.dumps(destination))):
        assert copied == destination
        assert hash(copied) == hash(destination)


def test_missing_key_and_bad_region() -> None:
    [(field, message)] = problems(NAMES, region="US")
    assert field == "key"
    assert message.startswith("it is missing; it is the webhook URL that RudderStack shows")
