"""The header with credentials, the secrets in them, and the credential check."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.destinations import CredentialsCheck, CustomHttp, Destination, RudderStack
from tests.support.currents import ENDPOINT, form, secrets

NOTHING_SURVIVED = "All requests in the batch failed"
RUDDERSTACK = form().destination
CUSTOM = CustomHttp(endpoint=ENDPOINT)


def basic(pair: str) -> str:
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


@pytest.mark.parametrize(
    ("userinfo", "pair"),
    [("KEY", "KEY:"), ("KEY:", "KEY:"), ("a:b", "a:b"), ("a%3Ab:c%40", "a:b:c@"), ("ä", "ä:")],
)
def test_user_name_becomes_basic_authorization(userinfo: str, pair: str) -> None:
    assert CustomHttp(endpoint=f"https://{userinfo}@host/").authorization == basic(pair)


def test_user_name_without_a_password() -> None:
    """RFC 7617 requires the colon even without a password."""
    destination = RudderStack(key="https://KEY@host/v1/webhook", region="EU")
    assert destination.authorization == basic("KEY:")


def test_bearer_token_precedes_user_name() -> None:
    destination = CustomHttp(endpoint="https://a:b@host/", bearer_token="token")
    assert destination.authorization == "Bearer token"


def test_no_credentials_no_header() -> None:
    assert CUSTOM.authorization is None
    assert RUDDERSTACK.authorization is None


@given(secrets, st.sampled_from(["https://{}@h/", "https://u:{}@h/", "https://h/?writeKey={}"]))
def test_secrets_include_every_form(secret: str, url: str) -> None:
    for text in (secret, quote(f"{secret}/ @", safe="")):
        destination = CustomHttp(endpoint=url.format(text), bearer_token=None)
        assert {text, destination.url} <= {*destination.secrets}
    header = CustomHttp(endpoint=f"https://{secret}@h/").authorization or ""
    assert header.removeprefix("Basic ") in CustomHttp(endpoint=f"https://{secret}@h/").secrets
    assert CustomHttp(endpoint=ENDPOINT, bearer_token=secret).secrets == (secret,)


def test_longest_secret_comes_first() -> None:
    lengths = [len(each) for each in RUDDERSTACK.secrets]
    assert lengths == sorted(lengths, reverse=True)


@pytest.mark.parametrize(
    ("destination", "status", "text", "holds", "says"),
    [
        (CUSTOM, 200, "ok", True, "the credentials are valid"),
        (CUSTOM, 204, "", True, "the credentials are valid"),
        (CUSTOM, 401, "who?", False, "401: who?"),
        (CUSTOM, 403, "", False, "(403)"),
        (CUSTOM, 404, "", False, "(404)"),
        (CUSTOM, 500, "oops", None, "does not show whether the credentials are valid (500: oops)"),
        (CUSTOM, None, "no route", None, "(network error: no route)"),
        (CUSTOM, 400, NOTHING_SURVIVED, None, "does not show"),
        (RUDDERSTACK, 200, "", True, "the credentials are valid"),
        (RUDDERSTACK, 400, NOTHING_SURVIVED, True, "the write key is valid"),
        (RUDDERSTACK, 400, "Malformed JSON in request body", None, "does not show"),
        (RUDDERSTACK, 401, "invalid write key", False, "invalid write key"),
        (RUDDERSTACK, 404, "source is disabled", False, "source is disabled"),
        (RUDDERSTACK, 429, NOTHING_SURVIVED, None, "does not show"),
    ],
)
def test_response_is_judged(
    destination: Destination, status: int | None, text: str, holds: bool | None, says: str
) -> None:
    check = destination.judge(status, text)
    assert (check.holds, check.status) == (holds, status)
    assert says in check.message
    assert check.to_dict() == {"holds": holds, "status": status, "message": check.message}


@given(st.none() | st.integers(100, 599), st.text(max_size=40))
def test_only_success_and_rejection_are_certain(status: int | None, text: str) -> None:
    check = CUSTOM.judge(status, text)
    assert isinstance(check, CredentialsCheck)
    assert (check.holds is True) == (status is not None and 200 <= status < 300)
    assert (check.holds is False) == (status in (401, 403, 404))
