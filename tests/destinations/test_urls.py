"""The URLs to which secrets may be sent."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from currents_export.destinations import CustomHttp, is_loopback
from tests.support.currents import CUSTOM, NAMES, form, problems


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "it is empty"),
        ("  ", "it is empty"),
        (5, "it must be text, not int"),
        ([], "it must be text, not list"),
        ({"url": "x"}, "it must be text, not dict"),
        ("https://", "it is not a URL"),
        ("https:///path", "it is not a URL"),
        ("https://ho st/", "it is not a URL: its host must not contain white space"),
        ("https://host/\n", "it is not a URL: it begins or ends with white space"),
        (" https://host/", "it is not a URL: it begins or ends with white space"),
        ("https://host/a\nb", "it is not a URL: it contains white space or control characters"),
        ("https://host/\udcff", "it is not a URL"),
        ("https://<data plane>/v1", "it is not a URL"),
        ("https://<dataplane>/v1", "it is not a URL"),
        ("a b", "it is not a URL"),
        ("https://a..b/", "it is not a URL"),
        ("https://host:port/", "it is not a URL: its host or port is malformed"),
        ("https://host:99999/", "it is not a URL: its host or port is malformed"),
        ("https://[::1/", "it is not a URL: its host or port is malformed"),
        ("ftp://host/", "it must be an https URL"),
        ("file://host/etc/passwd", "it must be an https URL"),
        ("//host/path", "it must be an https URL"),
        ("http://host/", "plain HTTP exposes its secret to the network"),
    ],
)
def test_other_url_is_refused(url: Any, problem: str) -> None:
    [(field, message)] = problems(CUSTOM, endpoint=url)
    assert field == "endpoint"
    assert message.startswith(problem)


QUOTE, SPACE = "a double quote", "a space"


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        ("a b", "it contains a space; write %20 for a space"),
        ('?k="A"', "it contains a double quote; write %22 for a double quote"),
        (
            '?k="Brand A"',
            f"it contains {QUOTE} and {SPACE}; write %22 for {QUOTE} and %20 for {SPACE}",
        ),
    ],
)
@pytest.mark.parametrize("field", ["key", "endpoint"])
def test_message_says_how_to_escape(field: str, rest: str, says: str) -> None:
    url = f"https://x.example/{rest}"
    base = NAMES | {field: url} | ({"region": "US"} if field == "key" else {})
    assert problems(base) == [(field, f"it is not a URL: {says}")]


@given(st.text('ab "', min_size=1, max_size=8))
def test_suggested_escaping_is_accepted(value: str) -> None:
    """The escaping that the message suggests makes the URL valid, and httpx sends it unchanged."""
    url = f"https://x.example/?k={quote(value)}"
    assert httpx.URL(CustomHttp(endpoint=url).url).params["k"] == value


LOOPBACK = ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.9.9.9:80", "[::1]:8000", "a.localhost"]
OTHERS = ["localhost.example.com", "10.0.0.1", "0.0.0.0", "[2001:db8::1]", "notlocalhost", "127"]


@pytest.mark.parametrize("host", LOOPBACK)
def test_plain_http_to_loopback_is_accepted(host: str) -> None:
    assert form(CUSTOM, endpoint=f"http://{host}/x")
    assert form(key=f"http://{host}/v1/webhook?writeKey=x")


@pytest.mark.parametrize("host", OTHERS)
def test_plain_http_elsewhere_must_be_allowed(host: str) -> None:
    for name, url in (("endpoint", f"http://{host}/x"), ("key", f"http://{host}/?writeKey=x")):
        base = NAMES | {name: url} | ({"region": "EU"} if name == "key" else {})
        [(field, message)] = problems(base)
        assert field == name
        assert message.startswith("plain HTTP exposes its secret")
        assert form(base, allow_plain_http=True).url == url


@pytest.mark.parametrize("value", [None, 1, "yes", []])
@pytest.mark.parametrize("base", [CUSTOM, NAMES])
def test_allow_plain_http_is_a_boolean(base: dict[str, str], value: Any) -> None:
    assert ("allow_plain_http", "it must be true or false") in problems(
        base, allow_plain_http=value
    )


def test_loopback_ignores_case() -> None:
    assert is_loopback("LocalHost")
    assert not is_loopback("")
