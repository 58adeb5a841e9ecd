"""`Current`: checked as a whole, from Python, from TOML, from the environment; and discreet."""

from __future__ import annotations

import copy
import pickle
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from currents_export.catalog import Catalog
from currents_export.current import ENVIRONMENT_PREFIX, Current, Region
from currents_export.errors import CurrentError, CurrentsExportError
from currents_export.payload import Transformation
from tests.support.strategies import Hostile, Unshowable, garbage

SAMPLES = Path(__file__).parents[2] / "samples"

KEY = "https://data.example.com/v1/webhook?writeKey=QZXQZXQZX"
ENDPOINT = "https://collector.example.com/currents"
NAMES = {"integration_name": "Shop", "contact_email": "ops@example.com"}
RUDDERSTACK = NAMES | {"key": KEY, "region": "US"}
CUSTOM = NAMES | {"endpoint": ENDPOINT}

TOML = f"""\
# The Current of the shop.
integration_name = "Shop"
contact_email = "ops@example.com"
key = "{KEY}"
region = "eu"
event_types = ["users.messages.email.*", "customer_behavior"]
schema_version = 8

[field_transformations]
email_address = "hash"
gender = "remove"
"""


def current(base: Mapping[str, Any] = RUDDERSTACK, **values: Any) -> Current:
    return Current(**{**base, **values})


def problems(base: Mapping[str, Any] = RUDDERSTACK, **values: Any) -> list[tuple[str, str]]:
    with pytest.raises(CurrentError) as caught:
        current(base, **values)
    return list(caught.value.problems)


def fields_at_fault(base: Mapping[str, Any] = RUDDERSTACK, **values: Any) -> list[str]:
    return [field for field, _ in problems(base, **values)]


def load(tmp_path: Path, text: str | bytes, environ: Mapping[str, str] | None = None) -> Current:
    path = tmp_path / "current.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return Current.load(path, environ=environ or {})


def load_error(
    tmp_path: Path, text: str | bytes, environ: Mapping[str, str] | None = None
) -> CurrentError:
    with pytest.raises(CurrentError) as caught:
        load(tmp_path, text, environ)
    return caught.value


# The two forms


def test_the_rudderstack_form_has_a_key_and_a_region() -> None:
    made = current()
    assert made.url == KEY
    assert made.region is Region.US
    assert made.needs_external_user_id
    assert made.shown_url == "https://data.example.com/v1/webhook?writeKey=****"


def test_the_custom_form_has_an_endpoint_and_maybe_a_token() -> None:
    made = current(CUSTOM, bearer_token="abc-._~+/123==")
    assert made.url == made.shown_url == ENDPOINT
    assert not made.needs_external_user_id
    assert current(CUSTOM).bearer_token is None


def test_all_event_types_of_the_newest_version_are_selected_by_default() -> None:
    made = current()
    assert made.schema_version == current(schema_version=None).schema_version == 10
    assert made.selected == set(Catalog.load())
    assert made.field_transformations == {}


def test_neither_form_is_a_problem_and_so_is_each_of_the_rest() -> None:
    assert fields_at_fault(NAMES) == ["key"]
    assert fields_at_fault(NAMES, region="XX", bearer_token="a b") == [
        "key",
        "region",
        "bearer_token",
    ]


@pytest.mark.parametrize(
    ("values", "field", "problem"),
    [
        ({"endpoint": ENDPOINT}, "endpoint", "not both"),
        ({"region": None}, "region", "it is missing; it must be US or EU"),
        ({"region": "XX"}, "region", "'XX' is unknown; it must be US or EU"),
        ({"region": 5}, "region", "5 is unknown"),
        ({"region": []}, "region", "a list is unknown"),
        ({"bearer_token": "abc"}, "bearer_token", "it goes with an endpoint"),
    ],
)
def test_what_does_not_go_with_a_key(values: dict[str, Any], field: str, problem: str) -> None:
    [(at_fault, message)] = problems(**values)
    assert at_fault == field
    assert problem in message


@pytest.mark.parametrize("region", ["US", "us", Region.US])
def test_a_region_is_read_in_any_case(region: Any) -> None:
    assert current(region=region).region is Region.US


def test_a_region_does_not_go_with_an_endpoint() -> None:
    assert problems(CUSTOM, region="EU") == [
        ("region", "it goes with a key (RudderStack), not with an endpoint")
    ]


@pytest.mark.parametrize("token", ["", "=", "a b", "a\n", "ä", "a=b", "Bearer abc", b"abc", 5, []])
def test_a_bearer_token_has_the_form_of_its_rfc(token: Any) -> None:
    [(field, message)] = problems(CUSTOM, bearer_token=token)
    assert field == "bearer_token"
    assert "RFC 6750" in message


# URLs


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
def test_a_key_is_an_https_url_with_a_write_key_in_it(url: str) -> None:
    assert current(key=url).url == url


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
def test_a_key_without_a_write_key_is_refused(url: str) -> None:
    [(field, message)] = problems(key=url)
    assert field == "key"
    assert message.startswith("the URL has no write key in it")


def test_a_write_key_alone_is_no_key() -> None:
    [(field, message)] = problems(key="QZXQZXQZX")
    assert field == "key"
    assert message.startswith("it must be the whole webhook URL RudderStack shows: https://")


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
        ("https://ho st/", "it is not a URL"),
        ("https://host/a b", "it is not a URL"),
        ("https://host/\n", "it is not a URL"),
        ("https://host/\udcff", "it is not a URL"),
        ("https://<data plane>/v1", "it is not a URL"),
        ("https://<dataplane>/v1", "it is not a URL"),
        ("https://a..b/", "it is not a URL"),
        ("https://host:port/", "it is not a URL: its host or port is malformed"),
        ("https://host:99999/", "it is not a URL: its host or port is malformed"),
        ("https://[::1/", "it is not a URL: its host or port is malformed"),
        ("ftp://host/", "it must be an https URL"),
        ("file://host/etc/passwd", "it must be an https URL"),
        ("//host/path", "it must be an https URL"),
        ("http://host/", "plain http shows its secret to the network"),
    ],
)
def test_an_endpoint_that_is_no_https_url_is_refused(url: Any, problem: str) -> None:
    [(field, message)] = problems(CUSTOM, endpoint=url)
    assert field == "endpoint"
    assert message.startswith(problem)


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.9.9.9:80", "[::1]:8000", "a.localhost"],
)
def test_plain_http_may_go_to_this_machine(host: str) -> None:
    assert current(CUSTOM, endpoint=f"http://{host}/x")
    assert current(key=f"http://{host}/v1/webhook?writeKey=x")


@pytest.mark.parametrize(
    "host", ["localhost.example.com", "10.0.0.1", "0.0.0.0", "[2001:db8::1]", "notlocalhost", "127"]
)
def test_plain_http_goes_nowhere_else_unless_allowed(host: str) -> None:
    for name, url in (("endpoint", f"http://{host}/x"), ("key", f"http://{host}/?writeKey=x")):
        base = NAMES | {name: url} | ({"region": "EU"} if name == "key" else {})
        [(field, message)] = problems(base)
        assert field == name
        assert message.startswith("plain http shows its secret")
        assert current(base, allow_plain_http=True).url == url


@pytest.mark.parametrize("value", [None, 1, "yes", []])
def test_allowing_plain_http_is_true_or_false(value: Any) -> None:
    assert problems(allow_plain_http=value) == [("allow_plain_http", "it must be true or false")]


# The other fields


@pytest.mark.parametrize("field", NAMES)
@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "it is missing"),
        ("", "it is empty"),
        (" \t", "it is empty"),
        (5, "it must be text, not int"),
        (["a"], "it must be text, not list"),
    ],
)
def test_a_name_that_is_no_text_is_refused(field: str, value: Any, problem: str) -> None:
    assert problems(**{field: value}) == [(field, problem)]


@pytest.mark.parametrize("email", ["ops", "ops@", "@example.com", "a@b", "a b@c.d", "a@b@c.d"])
def test_a_contact_that_is_no_address_is_refused(email: str) -> None:
    assert problems(contact_email=email) == [
        ("contact_email", f"{email!r} is not an email address")
    ]


def test_event_types_are_names_families_and_globs() -> None:
    made = current(event_types=["users.messages.email.Open", "user", "*.sms.*"])
    assert made.selected == {
        each.name for each in Catalog.load().select("users.messages.email.Open", "user", "*.sms.*")
    }
    assert made.event_types == ("users.messages.email.Open", "user", "*.sms.*")


def test_any_iterable_of_event_types_will_do() -> None:
    for given_types in ({"user"}, iter(["user"]), ("user",), frozenset({"user"})):
        assert current(event_types=given_types).event_types == ("user",)


@pytest.mark.parametrize(
    "value", ["*", b"*", 5, None, True, [1], ["*", []], [None], {"*": True}, {}, [["*"]], 1.5]
)
def test_event_types_that_are_no_list_of_text_are_refused(value: Any) -> None:
    assert problems(event_types=value) == [
        ("event_types", "it must be a list of names, families or globs")
    ]


def test_an_empty_selection_is_refused() -> None:
    assert problems(event_types=[]) == [("event_types", "none is selected; '*' selects all")]


def test_every_unknown_event_type_is_told_with_the_nearest() -> None:
    found = problems(event_types=["users.messages.email.Opne", "user", "nothing.*", ""])
    assert [field for field, _ in found] == ["event_types"] * 3
    assert "did you mean 'users.messages.email.Open'" in found[0][1]
    assert "'nothing.*'" in found[1][1]


def test_an_event_type_of_a_later_version_is_told_so() -> None:
    [(field, message)] = problems(schema_version=1, event_types=["agent_console", "*"])
    assert field == "event_types"
    assert message == ("event type 'agent_console' came with schema version 5; this is version 1")


def test_a_schema_version_limits_what_all_event_types_are() -> None:
    assert len(current(schema_version=1).selected) == 70


@pytest.mark.parametrize(
    "value", ["x", "10", 1.5, 10.0, True, [], {}, Unshowable(), Hostile([])], ids=type
)
def test_a_schema_version_is_a_whole_number(value: Any) -> None:
    [(field, message)] = problems(schema_version=value)
    assert field == "schema_version"
    assert message.startswith("it must be a whole number, not ")


@pytest.mark.parametrize("value", [0, 11, -1, 10**5000], ids=["0", "11", "-1", "long"])
def test_a_schema_version_is_a_known_one(value: int) -> None:
    [(field, message)] = problems(schema_version=value)
    assert field == "schema_version"
    assert message.endswith("is not known; versions 1 to 10 are")


def test_transformations_are_given_as_words_or_as_members() -> None:
    made = current(field_transformations={"email_address": "hash", "gender": Transformation.REMOVE})
    assert made.field_transformations == {
        "email_address": Transformation.HASH,
        "gender": Transformation.REMOVE,
    }


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"email_adress": "hash"}, "no event has a field 'email_adress'; did you mean 'email_add"),
        ({"price": "hash"}, "price is not text, and text alone is transformed"),
        ({"custom_properties": "remove"}, "custom_properties is not text"),
        ({"media_urls": "remove"}, "media_urls is not text"),
        ({"gender": "Hash"}, "'gender' is to be 'Hash'; it must be remove or hash"),
        ({"gender": None}, "'gender' is to be None; it must be remove or hash"),
        ({"gender": ["hash"]}, "'gender' is to be a list; it must be remove or hash"),
        ({"gender": {"how": "hash"}}, "'gender' is to be a dict; it must be remove or hash"),
        ({5: "hash"}, "no event has a field 5"),
        ({None: "hash"}, "no event has a field None"),
        (["gender"], "it must be a table of field names to remove or hash"),
        ("gender=hash", "it must be a table of field names to remove or hash"),
        (None, "it must be a table of field names to remove or hash"),
    ],
)
def test_a_transformation_that_cannot_be_is_refused(value: Any, problem: str) -> None:
    [(field, message)] = problems(field_transformations=value)
    assert field == "field_transformations"
    assert message.startswith(problem)


def test_a_transformation_of_a_field_that_came_later_is_refused() -> None:
    [(_, message)] = problems(schema_version=9, field_transformations={"combination_token": "hash"})
    assert message == "combination_token came with schema version 10; this is 9"


def test_all_problems_come_together() -> None:
    found = fields_at_fault(
        {},
        integration_name=None,
        contact_email="x",
        key="http://host/",
        endpoint="y",
        region="z",
        bearer_token="",
        allow_plain_http=1,
        schema_version=99,
        event_types=["a", "b"],
        field_transformations={"c": "hash", "gender": "d"},
    )
    assert found == [
        "integration_name",
        "contact_email",
        "endpoint",
        "key",
        "endpoint",
        "region",
        "bearer_token",
        "allow_plain_http",
        "schema_version",
        "event_types",
        "event_types",
        "field_transformations",
        "field_transformations",
    ]


def test_the_message_lists_the_problems() -> None:
    with pytest.raises(CurrentError) as caught:
        current(integration_name="", region=None)
    assert str(caught.value) == (
        "the Current has 2 problems:\n"
        "  - integration_name: it is empty\n"
        "  - region: it is missing; it must be US or EU"
    )
    assert isinstance(caught.value, CurrentsExportError)
    assert caught.value.source is None


# What a Current is


def test_a_current_cannot_be_changed() -> None:
    transformations = {"gender": "hash"}
    made: Any = current(field_transformations=transformations)
    with pytest.raises(AttributeError):
        made.region = Region.EU
    with pytest.raises(TypeError):
        made.field_transformations["gender"] = Transformation.REMOVE
    transformations["email_address"] = "hash"
    assert made.field_transformations == {"gender": Transformation.HASH}


def test_equal_currents_are_equal_and_hash_alike() -> None:
    one, other = (current(field_transformations={"gender": "hash"}) for _ in range(2))
    assert one == other
    assert len({one, other, current()}) == 2
    assert attrs.evolve(one, region="EU") != one


# Secrets

_secrets = st.text(string.ascii_uppercase + string.digits, min_size=8, max_size=12).map(
    lambda text: f"QZX{text}"
)


@given(_secrets)
def test_no_secret_is_in_a_repr(secret: str) -> None:
    for made in (
        current(key=f"https://host/v1/webhook?writeKey={secret}"),
        current(key=f"https://{secret}:{secret}@host/v1/webhook#{secret}"),
        current(CUSTOM, bearer_token=secret),
        current(CUSTOM, endpoint=f"https://{secret}:{secret}@host/?a={secret}&{secret}"),
    ):
        for shown in (repr(made), str(made), made.shown_url):
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
        "http://host/?writeKey={}",
        "http://{}@host/",
        "ftp://{}@host/?writeKey={}",
    ],
)
@pytest.mark.parametrize("field", ["key", "endpoint"])
@given(secret=_secrets)
@settings(max_examples=15)
def test_no_secret_is_in_an_error_about_a_malformed_url(url: str, field: str, secret: str) -> None:
    base = NAMES | {field: url.replace("{}", secret)}
    try:
        # The region is wrong either way, so that there is an error always.
        current(base, region="nowhere", bearer_token=f"{secret} {secret}")
    except CurrentError as error:
        chain: BaseException | None = error
        while chain is not None:
            assert secret.lower() not in f"{chain}{chain!r}".lower()
            chain = chain.__cause__ or chain.__context__
    else:
        pytest.fail("there was no error")


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
        ("key", {"url": KEY}),
        ("key", [KEY]),
        ("bearer_token", [KEY]),
    ],
)
def test_a_key_in_the_wrong_field_is_not_shown_either(field: str, value: Any) -> None:
    with pytest.raises(CurrentError) as caught:
        current(**{field: value})
    assert "QZX" not in f"{caught.value}{caught.value!r}{caught.value.problems}"


# Files


def test_a_current_is_read_from_a_file(tmp_path: Path) -> None:
    made = load(tmp_path, TOML)
    assert made == current(
        region="EU",
        event_types=["users.messages.email.*", "customer_behavior"],
        schema_version=8,
        field_transformations={"email_address": "hash", "gender": "remove"},
    )
    assert Current.load(str(tmp_path / "current.toml"), environ={}) == made


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    assert load(tmp_path, "\ufeff" + TOML) == load(tmp_path, TOML)


def test_problems_of_a_file_come_together_with_file_and_line(tmp_path: Path) -> None:
    text = (
        TOML.replace('"Shop"', "5")
        .replace('"eu"', '"mars"')
        .replace("schema_version = 8", "shema_version = 4")
        .replace('"remove"', '"drop"')
    )
    error = load_error(tmp_path, text)
    assert error.source == str(tmp_path / "current.toml")
    assert str(error).splitlines() == [
        f"{error.source}: the Current has 4 problems:",
        "  - line 7: shema_version: there is no such field; did you mean 'schema_version'?",
        "  - line 2: integration_name: it must be text, not int",
        "  - line 5: region: 'mars' is unknown; it must be US or EU",
        "  - line 9: field_transformations: 'gender' is to be 'drop'; it must be remove or hash",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('"region" = 5', "line 1: region: 5 is"),
        ("\n\n   'region'=5", "line 3: region: 5 is"),
        ("[region]\na = 1", "line 1: region: a dict is"),
        ("[[region]]\na = 1", "line 1: region: a list is"),
        ("region.a = 1", "line 1: region: a dict is"),
        ("regions = 1", "line 1: regions: there is no such field; did you mean 'region'?"),
        ('"re\\u0067ion" = 5', "- region: 5 is"),
        ('"" = 5', ": there is no such field"),
        ("selected = 5", "line 1: selected: there is no such field"),
        ("# region = 1\nregion = 5", "line 2: region: 5 is"),
    ],
)
def test_the_line_of_a_key_is_found_however_it_is_written(
    tmp_path: Path, text: str, told: str
) -> None:
    assert told in str(load_error(tmp_path, text))


def test_unknown_keys_are_told_in_order(tmp_path: Path) -> None:
    error = load_error(tmp_path, "".join(f"{name} = 1\n" for name in "zyxabc"))
    assert [field for field, _ in error.problems][:6] == list("abcxyz")


def test_an_empty_file_lacks_what_is_needed(tmp_path: Path) -> None:
    assert load_error(tmp_path, "").problems[:2] == (
        ("integration_name", "it is missing"),
        ("contact_email", "it is missing"),
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("key = ", "it is not TOML: Invalid value"),
        ("[key\n", "it is not TOML: "),
        ("key = 1\nkey = 2", "it is not TOML: "),
        (f"key = {'9' * 5000}", "it is not TOML: "),
        (f"key = {'[' * 50_000}", "it is not TOML: "),
        (b"key = '\xff'", "it is not UTF-8 text"),
        (b"\x00", "it is not TOML: "),
    ],
)
def test_a_file_that_is_no_toml_is_an_error(tmp_path: Path, text: str | bytes, why: str) -> None:
    error = load_error(tmp_path, text)
    [(field, message)] = error.problems
    assert field == "file"
    assert message.startswith(why)
    assert str(error).startswith(f"{tmp_path / 'current.toml'}: the Current has 1 problem:")


@pytest.mark.parametrize("name", ["missing.toml", ".", "a\0b"])
def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(CurrentError, match="it cannot be read: ") as caught:
        Current.load(tmp_path / name, environ={})
    assert caught.value.source == str(tmp_path / name)


# The environment


def _variables(**values: str) -> dict[str, str]:
    return {f"{ENVIRONMENT_PREFIX}{name.upper()}": value for name, value in values.items()}


def test_a_current_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = _variables(
        **RUDDERSTACK,
        event_types=" user, *.email.*,, ",
        schema_version=" 8 ",
        field_transformations="email_address = hash , gender=remove",
        allow_plain_http="TRUE",
    )
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert (
        Current.load()
        == Current.load(environ=variables | {"OTHER": "x"})
        == current(
            event_types=["user", "*.email.*"],
            schema_version=8,
            field_transformations={"email_address": "hash", "gender": "remove"},
            allow_plain_http=True,
        )
    )


def test_a_variable_goes_before_the_file(tmp_path: Path) -> None:
    made = load(tmp_path, TOML, _variables(region="US", key="https://x@host/"))
    assert made.region is Region.US
    assert made.url == "https://x@host/"


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("schema_version", "x", "it must be a whole number"),
        ("schema_version", "-1", "it must be a whole number"),
        ("schema_version", "1.5", "it must be a whole number"),
        ("schema_version", "²", "it must be a whole number"),
        ("schema_version", "9" * 5000, ""),
        ("schema_version", "99", "schema version 99 is not known"),
        ("allow_plain_http", "1", "it must be true or false"),
        ("field_transformations", "gender", "it must look like email_address=hash,gender=remove"),
        ("field_transformations", "gender=x", "'gender' is to be 'x'"),
        ("event_types", " ", "none is selected"),
        ("region", "mars", "'mars' is unknown"),
        ("regoin", "US", "there is no such field; did you mean 'region'?"),
    ],
)
def test_a_problem_of_a_variable_names_the_variable(
    tmp_path: Path, name: str, text: str, problem: str
) -> None:
    error = load_error(tmp_path, TOML, _variables(**{name: text}))
    assert error.problems[0][0] == name
    assert error.problems[0][1].startswith(problem)
    [line] = str(error).splitlines()[1:]
    assert line.startswith(f"  - {ENVIRONMENT_PREFIX}{name.upper()}: {name}: ")


def test_no_environment_and_no_file_lack_all() -> None:
    with pytest.raises(CurrentError) as caught:
        Current.load(environ={})
    assert [field for field, _ in caught.value.problems] == [
        "integration_name",
        "contact_email",
        "key",
    ]
    assert caught.value.source is None


def test_a_secret_in_a_variable_is_not_shown(tmp_path: Path) -> None:
    error = load_error(tmp_path, TOML, _variables(key="QZXsecret", bearer_token="QZX secret"))
    assert "QZX" not in f"{error}{error!r}"


# Garbage

_names = st.sampled_from([field.name for field in attrs.fields(Current) if field.init])
_garbage = garbage | st.sampled_from([Hostile([1]), Unshowable(), Region.EU, Transformation.HASH])


@given(st.dictionaries(_names, _garbage, max_size=4), st.sampled_from([RUDDERSTACK, CUSTOM, NAMES]))
@example({"event_types": [1, []], "schema_version": []}, RUDDERSTACK)
def test_garbage_is_a_current_or_a_current_error(
    values: dict[str, Any], base: dict[str, Any]
) -> None:
    try:
        made = current(base, **values)
    except CurrentError as error:
        assert error.problems  # noqa: PT017 - either outcome is right
    else:
        assert made.selected
        assert isinstance(hash(made), int)
        assert repr(made).startswith("Current(")


_toml_scalars = st.one_of(
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(str),
    st.booleans().map(lambda value: str(value).lower()),
    st.text(string.printable, max_size=10).map(lambda text: "'" + text.replace("'", "") + "'"),
    st.sampled_from(
        [
            *("1979-05-27", "07:32:00", "1979-05-27T07:32:00Z", "[]", "{}", "[1, 'a']", "{a = 1}"),
            *("0x" + "f" * 5000, "'*'", "['*']", "[[]]", "[{}]", "{gender = 'hash'}", "nan"),
        ]
    ),
)
_lines = st.builds(
    "{}{} = {}\n".format, _names, st.sampled_from(["", "", "", ".a", ".b.c"]), _toml_scalars
)
_tables = st.builds("[{}{}]\na = {}\n".format, _names, st.sampled_from(["", ".b"]), _toml_scalars)


@given(
    st.lists(_lines, max_size=5, unique_by=lambda line: line.split(".")[0].split(" ")[0]),
    st.lists(_tables, max_size=2),
    st.sampled_from(["", TOML.partition("\nregion")[0] + "\n"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_toml_of_any_kind_is_a_current_or_a_current_error(
    tmp_path: Path, lines: list[str], tables: list[str], head: str
) -> None:
    try:
        made = load(tmp_path, head + "".join(lines) + "".join(tables))
    except CurrentError as error:
        assert str(tmp_path) in str(error)  # noqa: PT017 - either outcome is right
        assert "QZX" not in str(error)  # noqa: PT017
    else:
        assert made.selected


@given(st.binary(max_size=100) | st.text(max_size=100).map(lambda t: t.encode(errors="replace")))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_bytes_of_any_kind_are_no_current(tmp_path: Path, raw: bytes) -> None:
    assert load_error(tmp_path, raw).problems


_environment_values = st.text(st.characters(exclude_characters="\0"), max_size=20)


@given(st.dictionaries(_names.map(str.upper) | st.text(max_size=5), _environment_values))
def test_an_environment_of_any_kind_is_a_current_or_a_current_error(values: dict[str, str]) -> None:
    environ = {f"{ENVIRONMENT_PREFIX}{name}": value for name, value in values.items()}
    try:
        made = Current.load(environ=_variables(**RUDDERSTACK) | environ)
    except CurrentError as error:
        assert error.problems  # noqa: PT017 - either outcome is right
    else:
        assert made.selected


def test_a_current_can_be_copied_and_sent_to_another_process() -> None:
    current = Current(
        integration_name="a",
        contact_email="a@example.com",
        endpoint="https://example.com",
        field_transformations={"email_address": "hash"},
    )
    for copied in (copy.deepcopy(current), pickle.loads(pickle.dumps(current))):
        assert copied == current
        assert copied.selected == current.selected


def test_an_empty_variable_counts_as_none(tmp_path: Path) -> None:
    path = tmp_path / "current.toml"
    path.write_text((SAMPLES / "current.toml").read_text("utf-8"), "utf-8")
    environ = {f"{ENVIRONMENT_PREFIX}BEARER_TOKEN": "", f"{ENVIRONMENT_PREFIX}KEY": ""}
    assert Current.load(path, environ=environ) == Current.load(path, environ={})
