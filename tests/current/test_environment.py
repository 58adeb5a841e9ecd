"""A Current from environment variables."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from currents_export._config import ENVIRONMENT_PREFIX, field_types, from_text
from currents_export.current import Current, Region
from currents_export.errors import CurrentError
from tests.current.test_file import TOML
from tests.support.currents import CUSTOM, RUDDERSTACK, form, load, load_error, variables
from tests.support.tables import CopiedTables


def test_environment_is_read(monkeypatch: pytest.MonkeyPatch, tables: CopiedTables) -> None:
    environ = variables(
        **RUDDERSTACK,
        event_types=" user, *.email.*,, ",
        schema_version=" 8 ",
        field_transformations="email_address = hash , gender=remove",
        allow_plain_http="TRUE",
        catalog_dir=str(tables.directory),
    )
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert (
        Current.load()
        == Current.load(environ=environ | {"OTHER": "x"})
        == form(
            event_types=["user", "*.email.*"],
            schema_version=8,
            field_transformations={"email_address": "hash", "gender": "remove"},
            allow_plain_http=True,
            catalog_dir=tables.directory,
        )
    )


@pytest.mark.parametrize(("text", "value"), [("true", True), (" False ", False)])
def test_include_anonymous_is_a_word(text: str, value: bool) -> None:
    environ = variables(**CUSTOM, include_anonymous=text)
    assert Current.load(environ=environ).include_anonymous is value


def test_variable_overrides_the_file(tmp_path: Path) -> None:
    made = load(tmp_path, TOML, variables(region="US", key="https://x@host/"))
    assert made.region is Region.US
    assert made.url == "https://x@host/"


def test_catalog_directory_is_relative(
    tmp_path: Path, tables: CopiedTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = Current.load(environ=variables(**RUDDERSTACK, catalog_dir="tables"))
    assert made.catalog_dir == Path("tables")
    assert made.catalog.directory == tables.directory.resolve()


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
        ("include_anonymous", "yes", "it must be true or false"),
        ("field_transformations", "gender", "it must look like email_address=hash,gender=remove"),
        ("field_transformations", "gender=x", "the transformation of 'gender' is 'x'"),
        ("field_transformations", "gender=QZX9", "the transformation of 'gender' is not known"),
        ("event_types", " ", "none is selected"),
        ("region", "mars", "'mars' is unknown"),
        ("regoin", "US", "there is no such field; did you mean 'region'?"),
        ("catalog_dir", "/gone", "/gone: there is no such directory"),
    ],
)
def test_problem_names_the_variable(tmp_path: Path, name: str, text: str, problem: str) -> None:
    error = load_error(tmp_path, TOML, variables(**{name: text}))
    assert error.problems[0][0] == name
    assert error.problems[0][1].startswith(problem)
    [line] = str(error).splitlines()[1:]
    assert line.startswith(f"  - {ENVIRONMENT_PREFIX}{name.upper()}: {name}: ")
    assert "QZX" not in line


def test_problems_of_every_kind(tmp_path: Path) -> None:
    """Values that cattrs cannot convert, unknown names, and values that the Current refuses."""
    environ = variables(schema_version="x", regoin="US", allow_plain_http="1", region="mars")
    error = load_error(tmp_path, TOML.replace("Shop", " "), environ)
    assert sorted(field for field, _ in error.problems) == [
        "allow_plain_http",
        "integration_name",
        "region",
        "regoin",
        "schema_version",
    ]


def test_text_is_converted_to_the_type_of_its_field() -> None:
    @attrs.frozen
    class Form:
        count: int | None
        flag: bool

    declared = attrs.fields_dict(Form)["count"].type
    assert field_types(Form)["count"] == int | None
    assert from_text(Form, "count", " 8 ") == 8
    assert from_text(Form, "flag", "TRUE") is True
    # A class of the caller stays as it is.
    assert attrs.fields_dict(Form)["count"].type == declared


def test_empty_environment_lacks_everything() -> None:
    with pytest.raises(CurrentError) as caught:
        Current.load(environ={})
    assert [field for field, _ in caught.value.problems] == [
        "integration_name",
        "contact_email",
        "key",
    ]
    assert caught.value.source is None


def test_empty_variable_counts_as_none(tmp_path: Path) -> None:
    environ = variables(bearer_token="", key="", key_file="", schema_version="")
    assert load(tmp_path, TOML, environ) == load(tmp_path, TOML)


def test_notice_command_is_split() -> None:
    environ = variables(**CUSTOM, notice_command="notify --to 'a, b'")
    assert Current.load(environ=environ).notice_command == ("notify", "--to", "a, b")


def test_test_current_of_a_workspace() -> None:
    environ = variables(**CUSTOM, test_current="true", workspace="staging", workspace_file="~/w.db")
    current = Current.load(environ=environ)
    assert (current.test_current, current.workspace) == (True, "staging")
    assert current.workspace_file == Path.home() / "w.db"


def test_workspace_file_is_relative_to_the_toml_file(tmp_path: Path) -> None:
    text = 'test_current = true\nworkspace = "a"\nworkspace_file = "w.db"\n' + TOML
    assert load(tmp_path, text).workspace_file == tmp_path / "w.db"
