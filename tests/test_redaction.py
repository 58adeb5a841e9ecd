"""No part of a URL shows a secret."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from currents_export._redaction import MASK, looks_like_key, mask, mask_url, shown
from tests.support.strategies import Unshowable

# The other parts of the URLs below have none of these letters.
secrets = st.text("QZX739", min_size=6, max_size=20)
# The text before an unescaped "=" in a query is a name, so "=" is only at the end.
any_secrets = st.builds(
    lambda *parts: "".join(parts),
    secrets,
    st.text("QZX739/?#&@:;%+ ", max_size=8),
    st.sampled_from(["", "=", "=="]),
)

POSITIONS = [
    "https://{}@host/path",
    "https://{}:@host/path",
    "https://user:{}@host:8443/path",
    "https://:{}@host/path",
    "https://us@er:{}@host/path",
    "https://host/v1/webhook?writeKey={}",
    "https://host/v1/webhook?writeKey=&{}",
    "https://host?a=b&writeKey={}&c=d",
    "https://host/path?{}",
    "https://host/path?a=b;writeKey={}",
    "https://host/path#{}",
    "https://host/path?a=b#writeKey={}",
    "http://[::1]:80/path?writeKey={}",
]


@pytest.mark.parametrize("where", POSITIONS)
@given(secret=secrets)
@settings(max_examples=30)
def test_secret_is_masked_in_every_position(where: str, secret: str) -> None:
    masked = mask_url(where.format(secret))
    assert masked is not None
    assert secret not in masked
    assert "host" in masked or "[::1]:80" in masked


@pytest.mark.parametrize("where", [where for where in POSITIONS if "@" not in where])
@given(secret=any_secrets)
@settings(max_examples=50)
def test_unescaped_secret_is_masked(where: str, secret: str) -> None:
    masked = mask_url(where.format(secret))
    assert masked is not None
    assert not any(part in masked for part in _parts(secret))


@pytest.mark.parametrize("where", [where for where in POSITIONS if "@" in where])
@given(secret=any_secrets)
@settings(max_examples=50)
@example(secret="QZX/QZXQZX")
@example(secret="777777/QZXQZX")
@example(secret="777777?QZXQZX")
@example(secret="QZXQZX==")
def test_password_that_ends_the_host_early(where: str, secret: str) -> None:
    masked = mask_url(where.format(secret))
    assert masked is not None
    assert not any(part in masked for part in _parts(secret))


def _parts(secret: str) -> list[str]:
    for mark in "/?#&=@:;%+ ":
        secret = secret.replace(mark, "\n")
    return [part for part in secret.split("\n") if len(part) >= 3]


@given(secrets)
def test_escaped_secret_is_masked(secret: str) -> None:
    written = quote(f"{secret}/ü@")
    assert secret not in str(mask_url(f"https://{written}:{written}@host/?k={written}"))


@given(st.text("QZX739", min_size=16).filter(lambda text: {*text} & {*"739"}))
def test_key_in_the_path_is_masked(secret: str) -> None:
    """A segment of 16 or more characters with letters and digits looks like a key."""
    secret = f"Q{secret}"
    masked = mask_url(f"https://host/hooks/{secret}/v1?a=b")
    assert masked == f"https://host/hooks/{MASK}/v1?a={MASK}"


@pytest.mark.parametrize(
    ("segment", "is_key"),
    [
        ("v1", False),
        ("webhook", False),
        ("a-very-long-name-of-a-resource", False),
        ("1234567890123456", False),
        ("short-key-1", False),
        ("name%20with%20spaces", False),
        ("0123456789abcdef", True),
        ("550e8400-e29b-41d4-a716-446655440000", True),
        ("XXXXXXXXXXXXXXXXXXXXXXX1", True),
        ("%30123456789abcde%66", True),
    ],
)
def test_which_path_segments_look_like_keys(segment: str, is_key: bool) -> None:
    assert looks_like_key(segment) is is_key


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        (
            "https://data.example.com/v1/webhook?writeKey=abc",
            f"https://data.example.com/v1/webhook?writeKey={MASK}",
        ),
        ("https://abc@host:8443/v1?x&y=1#z", f"https://{MASK}@host:8443/v1?{MASK}&y={MASK}"),
        ("https://host/path", "https://host/path"),
        ("https://host/path?", "https://host/path"),
        ("https://host/path?c2VjcmV0==", f"https://host/path?{MASK}"),
        ("http://[::1]:80/?a=b", f"http://[::1]:80/?a={MASK}"),
    ],
)
def test_rest_of_the_url_is_shown(url: str, masked: str) -> None:
    assert mask_url(url) == masked


@pytest.mark.parametrize(
    "url",
    [
        "",
        "abc",
        "abc:def",
        "https:///path",
        "https://host:port/path",
        "https://host:99999/path",
        "https://[::1/path",
        "https://user@/path",
        "secret://host/path",
        "https://user:12/34@host/path",
        "https://user:12?34@host/path",
        "https://user:12#34@host/path",
    ],
)
def test_improper_url_is_masked_whole(url: str) -> None:
    assert mask_url(url) == MASK


@given(st.text())
def test_masking_never_fails(url: str) -> None:
    assert isinstance(mask_url(url), str)


def test_none_stays_none() -> None:
    assert mask_url(None) is None
    assert mask(None) == "None"
    assert mask("abc") == repr(MASK)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "'a'"),
        (None, "None"),
        (10**5000, "a value of type int"),
        (Unshowable(), "a value of type Unshowable"),
    ],
    ids=["text", "None", "long int", "no repr"],
)
def test_value_without_a_repr_is_shown(value: object, text: str) -> None:
    assert shown(value) == text


@given(st.text(), st.integers(10, 100))
def test_long_value_is_cut(text: str, most: int) -> None:
    result = shown(text, most=most)
    assert len(result) <= most
    assert result == repr(text) or (result.endswith("...") and repr(text).startswith(result[:-3]))
