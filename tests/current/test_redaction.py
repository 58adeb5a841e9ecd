"""No secret is in a repr, a message, or the cause of an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from currents_export.errors import CurrentError
from tests.current.test_file import TOML
from tests.support.currents import CUSTOM, KEY, NAMES, form, load_error, secrets, variables


@given(secrets)
def test_no_secret_in_a_repr(secret: str) -> None:
    for made in (
        form(key=f"https://host/v1/webhook?writeKey={secret}"),
        form(key=f"https://{secret}:{secret}@host/v1/webhook#{secret}"),
        form(CUSTOM, bearer_token=secret),
        form(CUSTOM, endpoint=f"https://{secret}:{secret}@host/?a={secret}&{secret}"),
    ):
        for shown in (repr(made), str(made), made.shown_url, repr(made.destination)):
            assert secret not in shown
            assert secret.lower() not in shown
        assert secret in made.url + str(made.bearer_token)


@pytest.mark.parametrize(
    "url",
    [
        "{}",
        " {} ",
        "{}://host/path",
        "https://{}",
        "https://{}@",
        "https://user:{}@ho st/",
        "https://user:p/{}@host/",
        "https://host:{}/",
        "https://[{}/",
        "https://{}\u2100/",
        "https://host/?writekey={}",
        "https://host/#{}",
        "https://host/\n?writeKey={}",
        'https://host/?writeKey="{} {}"',
        "http://host/?writeKey={}",
        "http://{}@host/",
        "ftp://{}@host/?writeKey={}",
    ],
)
@pytest.mark.parametrize("field", ["key", "endpoint"])
@given(secret=secrets)
@settings(max_examples=15)
def test_url_error_shows_no_secret(url: str, field: str, secret: str) -> None:
    base = NAMES | {field: url.replace("{}", secret)}
    with pytest.raises(CurrentError) as caught:
        # The region is always wrong, so that there is always an error.
        form(base, region="nowhere", bearer_token=f"{secret} {secret}")
    chain: BaseException | None = caught.value
    while chain is not None:
        assert secret.lower() not in f"{chain}{chain!r}".lower()
        chain = chain.__cause__ or chain.__context__


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("contact_email", KEY),
        ("region", KEY),
        ("event_types", [KEY]),
        ("event_types", KEY),
        ("event_types", [[KEY]]),
        ("event_types", {KEY: KEY}),
        ("schema_version", KEY),
        ("schema_version", [KEY]),
        ("field_transformations", KEY),
        ("field_transformations", {KEY: "hash"}),
        ("field_transformations", {"gender": KEY}),
        ("field_transformations", {"gender": {"how": KEY}}),
        ("allow_plain_http", KEY),
        ("include_anonymous", KEY),
        ("catalog_dir", KEY),
        ("notice_command", {KEY: KEY}),
        ("test_current", KEY),
        ("workspace", KEY),
        ("workspace_file", KEY),
        ("key", {"url": KEY}),
        ("key", [KEY]),
        ("bearer_token", [KEY]),
    ],
)
def test_misplaced_key_is_not_shown(field: str, value: Any) -> None:
    with pytest.raises(CurrentError) as caught:
        form(**{field: value})
    assert "QZX" not in f"{caught.value}{caught.value!r}{caught.value.problems}"


def test_variable_secret_is_not_shown(tmp_path: Path) -> None:
    environ = variables(key="QZXsecret", bearer_token="QZX secret", schema_version="x")
    error = load_error(tmp_path, TOML, environ)
    chain: BaseException | None = error
    while chain is not None:
        assert "QZX" not in f"{chain}{chain!r}"
        chain = chain.__cause__ or chain.__context__
