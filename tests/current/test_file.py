"""A Current from a TOML file."""

from __future__ import annotations

from pathlib import Path

import pytest

from currents_export.current import Current
from currents_export.errors import CurrentError
from tests.support.currents import KEY, form, load, load_error
from tests.support.tables import CopiedTables

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


def test_file_is_read(tmp_path: Path) -> None:
    made = load(tmp_path, TOML)
    assert made == form(
        region="EU",
        event_types=["users.messages.email.*", "customer_behavior"],
        schema_version=8,
        field_transformations={"email_address": "hash", "gender": "remove"},
    )
    assert Current.load(str(tmp_path / "current.toml"), environ={}) == made


def test_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    assert load(tmp_path, "\ufeff" + TOML) == load(tmp_path, TOML)


def test_problems_have_file_and_line(tmp_path: Path) -> None:
    text = (
        TOML.replace('"Shop"', "5")
        .replace('"eu"', '"mars"')
        .replace("schema_version = 8", "shema_version = 4")
        .replace('"remove"', '"drop"')
    )
    error = load_error(tmp_path, text)
    drop = "the transformation of 'gender' is 'drop'; it must be remove or hash"
    assert error.source == str(tmp_path / "current.toml")
    assert str(error).splitlines() == [
        f"{error.source}: the Current has 4 problems:",
        "  - line 7: shema_version: there is no such field; did you mean 'schema_version'?",
        "  - line 2: integration_name: it must be text, not int",
        "  - line 5: region: 'mars' is unknown; it must be US or EU",
        "  - line 9: field_transformations: " + drop,
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('"region" = 5', "line 1: region: 5 is"),
        ("\n\n   'region'=5", "line 3: region: 5 is"),
        ("[region]\na = 1", "line 1: region: a dict is"),
        ("[[region]]\na = 1", "line 1: region: a list is"),
        ("region.a = 1", "line 1: region: a dict is"),
        ("regions = 1", "line 1: regions: there is no such field; did you mean 'region'?"),
        ("key_fil = 1", "line 1: key_fil: there is no such field; did you mean 'key_file'"),
        ('"re\\u0067ion" = 5', "- region: 5 is"),
        ('"" = 5', ": there is no such field"),
        ("selected = 5", "line 1: selected: there is no such field"),
        ("destination = 5", "line 1: destination: there is no such field"),
        ("# region = 1\nregion = 5", "line 2: region: 5 is"),
    ],
)
def test_unusual_key_has_a_line(tmp_path: Path, text: str, says: str) -> None:
    assert says in str(load_error(tmp_path, text))


def test_unknown_keys_are_listed_in_order(tmp_path: Path) -> None:
    error = load_error(tmp_path, "".join(f"{name} = 1\n" for name in "zyxabc"))
    assert [field for field, _ in error.problems][:6] == list("abcxyz")


def test_empty_file_lacks_required_fields(tmp_path: Path) -> None:
    assert load_error(tmp_path, "").problems[:2] == (
        ("integration_name", "it is missing"),
        ("contact_email", "it is missing"),
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("key = ", "not TOML: Invalid value"),
        ("[key\n", "not TOML: "),
        ("key = 1\nkey = 2", "not TOML: "),
        (f"key = {'9' * 5000}", "not TOML: "),
        (f"key = {'[' * 50_000}", "not TOML: "),
        (b"key = '\xff'", "not UTF-8 text"),
        (b"\x00", "not TOML: "),
    ],
)
def test_other_format_is_an_error(tmp_path: Path, text: str | bytes, why: str) -> None:
    error = load_error(tmp_path, text)
    [(field, message)] = error.problems
    assert field == ""
    assert message.startswith(why)
    assert str(error) == f"{tmp_path / 'current.toml'}: {message}"


@pytest.mark.parametrize("name", ["missing.toml", ".", "a\0b"])
def test_unreadable_file_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(CurrentError, match=": cannot be read: ") as caught:
        Current.load(tmp_path / name, environ={})
    assert caught.value.source == str(tmp_path / name)


def test_catalog_directory_is_relative(
    tmp_path: Path, tables: CopiedTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load(tmp_path, f'catalog_dir = "tables"\n{TOML}').catalog_dir == tables.directory
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert load(tmp_path, f'catalog_dir = "~/tables"\n{TOML}').catalog_dir == tables.directory


def test_unknown_home_directory_is_a_problem(tmp_path: Path) -> None:
    error = load_error(tmp_path, f'catalog_dir = "~no-such-user/tables"\n{TOML}')
    [(field, message)] = error.problems
    assert field == "catalog_dir"
    assert message.endswith("no-such-user/tables: there is no such directory")


def test_argument_overrides_the_catalog_directory(tmp_path: Path, tables: CopiedTables) -> None:
    path = tmp_path / "current.toml"
    path.write_text(f'catalog_dir = "gone"\n{TOML}', "utf-8")
    environ = {"CURRENTS_EXPORT_CATALOG_DIR": "gone too"}
    made = Current.load(path, environ=environ, catalog_dir=tables.directory)
    assert made.catalog_dir == tables.directory
    with pytest.raises(CurrentError, match=r"catalog_dir: .*gone: there is no such directory"):
        Current.load(path, environ={}, catalog_dir=tmp_path / "gone")


def test_include_anonymous_is_read(tmp_path: Path) -> None:
    custom = TOML.replace(f'key = "{KEY}"\nregion = "eu"', 'endpoint = "https://x.example/"')
    assert load(tmp_path, f"include_anonymous = true\n{custom}").include_anonymous is True
    assert load(tmp_path, custom).include_anonymous is False
