"""Write a Current's TOML file, and read it back."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from currents_export._toml import to_toml, write_private
from currents_export.catalog import Catalog
from currents_export.current import Current, Region
from currents_export.errors import CurrentError, OptionError
from currents_export.payload import Transformation
from tests.support.currents import CUSTOM, ENDPOINT, FIELDS, KEY, NAMES, RUDDERSTACK, form, load
from tests.support.strategies import texts

_names = texts.filter(str.strip)
_arguments = texts.filter(lambda text: "\0" not in text)
_rudderstack = st.fixed_dictionaries({"key": st.just(KEY), "region": st.sampled_from(Region)})
_custom = st.fixed_dictionaries(
    {"endpoint": st.just(ENDPOINT)},
    optional={
        "bearer_token": st.from_regex(r"[A-Za-z0-9._~+/-]+=*", fullmatch=True),
        "include_anonymous": st.booleans(),
    },
)
_others = st.fixed_dictionaries(
    {"integration_name": _names, "contact_email": st.just("a@example.com")},
    optional={
        "allow_plain_http": st.booleans(),
        "test_current": st.booleans(),
        "event_types": st.lists(st.sampled_from(["*", "user", "*.email.*"]), min_size=1),
        "schema_version": st.integers(9, 10),
        "notice_command": st.lists(_arguments, max_size=3).map(lambda rest: ["run", *rest]),
        "field_transformations": st.dictionaries(
            st.sampled_from(["gender", "email_address"]), st.sampled_from(Transformation)
        ),
    },
)


@given(_others, _rudderstack | _custom)
@example({"integration_name": 'a"\\\n\r\t\x7f\x00\u2028', "contact_email": "a@b.c"}, CUSTOM)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_written_file_reads_back(
    tmp_path: Path, others: dict[str, Any], destination: dict[str, Any]
) -> None:
    values = destination | others
    assert load(tmp_path, to_toml(values)) == Current(**values)


@given(st.dictionaries(texts, texts))
def test_any_text_survives(table: dict[str, str]) -> None:
    text = to_toml(NAMES | {"field_transformations": table})
    assert tomllib.loads(text)["field_transformations"] == table


@pytest.mark.parametrize(
    ("values", "others"),
    [(RUDDERSTACK, {"endpoint", "bearer_token", "include_anonymous"}), (CUSTOM, {"key", "region"})],
)
def test_settings_of_this_destination_are_explained(
    values: dict[str, Any], others: set[str]
) -> None:
    """Every setting is written or commented out, except those of other destinations."""
    text = to_toml(values)
    for name in FIELDS:
        written = f"\n{name} = " in text
        assert written == (name in values)
        assert (written or f"\n# {name} = " in text) != (name in others)


def test_commented_settings_are_valid_toml(tmp_path: Path) -> None:
    for values in (RUDDERSTACK, CUSTOM):
        lines = to_toml(values).splitlines()
        settings = [line.removeprefix("# ") for line in lines if " = " in line]
        assert len({*tomllib.loads("\n".join(settings))}) == len(settings)


def test_example_of_a_version_is_the_newest() -> None:
    assert f"# schema_version = {Catalog.load().schema_version}\n" in to_toml(CUSTOM)
    assert "\nschema_version = 8\n" in to_toml(CUSTOM | {"schema_version": 8})


def test_secret_file_replaces_the_secret(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY, "utf-8")
    values = {name: value for name, value in RUDDERSTACK.items() if name != "key"}
    text = to_toml(values | {"key_file": "key"})
    assert KEY not in text
    assert load(tmp_path, text) == form()


def test_invalid_unicode_is_refused() -> None:
    with pytest.raises(CurrentError, match="integration_name: it is not valid Unicode text"):
        to_toml(CUSTOM | {"integration_name": "\udcff"})


def test_other_value_is_refused() -> None:
    with pytest.raises(TypeError):
        to_toml(CUSTOM | {"schema_version": 1.5})


# The file


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "current.toml"
    write_private(path, "ä\n")
    assert path.read_bytes() == "ä\n".encode()
    assert mode(path) == 0o600
    assert os.listdir(tmp_path) == ["current.toml"]  # noqa: PTH208


def test_existing_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "current.toml"
    path.write_text("old", "utf-8")
    with pytest.raises(OptionError, match="already exists"):
        write_private(path, "new")
    assert path.read_text("utf-8") == "old"


def test_replaced_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "current.toml"
    path.write_text("old", "utf-8")
    path.chmod(0o644)
    write_private(path, "new", replace=True)
    assert path.read_text("utf-8") == "new"
    assert mode(path) == 0o600


@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("exists", [True, False])
def test_symbolic_link_is_not_followed(tmp_path: Path, replace: bool, exists: bool) -> None:
    target, link = tmp_path / "target", tmp_path / "current.toml"
    if exists:
        target.write_text("old", "utf-8")
    link.symlink_to(target)
    with pytest.raises(OptionError):
        write_private(link, "new", replace=replace)
    assert link.is_symlink()
    assert target.exists() is exists


def test_directory_and_device_are_not_replaced(tmp_path: Path) -> None:
    for path in (tmp_path, Path(os.devnull)):
        with pytest.raises(OptionError, match="is not a regular file"):
            write_private(path, "new", replace=True)


def test_failure_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"gone/current\.toml cannot be written: No such file"):
        write_private(tmp_path / "gone" / "current.toml", "new")
    path = tmp_path / "current.toml"
    with pytest.raises(UnicodeEncodeError):
        write_private(path, "\ud800")
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("error", "written"), [(FileExistsError(), False), (PermissionError(), True)]
)
def test_name_is_given_without_hard_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, written: bool
) -> None:
    """A file system may have no hard links, and another process may create the file first."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(Path, "hardlink_to", fail)
    path = tmp_path / "current.toml"
    if written:
        write_private(path, "new")
    else:
        with pytest.raises(OptionError, match="already exists"):
            write_private(path, "new")
    assert [each.name for each in tmp_path.iterdir()] == ["current.toml"] * written


def test_file_that_appears_meanwhile_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "current.toml"

    def appear(*_: object) -> None:
        path.write_text("theirs", "utf-8")
        raise PermissionError

    monkeypatch.setattr(Path, "hardlink_to", appear)
    with pytest.raises(OptionError, match="already exists"):
        write_private(path, "ours")
    assert path.read_text("utf-8") == "theirs"
    assert [each.name for each in tmp_path.iterdir()] == ["current.toml"]
