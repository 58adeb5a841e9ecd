"""Secrets in separate files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from currents_export.current import Current
from currents_export.errors import CurrentError
from tests.current.test_file import TOML
from tests.support.currents import CUSTOM, KEY, NAMES, load, load_error, variables

WITH_FILE = TOML.replace(f'key = "{KEY}"', 'key_file = "secrets/key"')


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "secrets" / "key"
    path.parent.mkdir()
    path.write_text(f" {KEY}\r\n", "utf-8")
    return path


def test_key_file_is_relative_to_the_toml(tmp_path: Path, key_file: Path) -> None:
    assert load(tmp_path, WITH_FILE) == load(tmp_path, TOML)


def test_secret_has_no_byte_order_mark(tmp_path: Path, key_file: Path) -> None:
    key_file.write_text(f"\ufeff{KEY}\n", "utf-8")
    assert load(tmp_path, WITH_FILE).key == KEY


def test_home_directory_is_expanded(
    tmp_path: Path, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(key_file.parent))
    monkeypatch.setenv("USERPROFILE", str(key_file.parent))
    assert load(tmp_path, WITH_FILE.replace("secrets/key", "~/key")).key == KEY


def test_variable_is_relative_to_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("abc\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    made = Current.load(environ=variables(**CUSTOM, bearer_token_file="token"))
    assert made.bearer_token == "abc"


@pytest.mark.parametrize("text", [TOML, WITH_FILE.replace("secrets/key", "gone")])
def test_variable_overrides_secret_and_file(tmp_path: Path, key_file: Path, text: str) -> None:
    other = "https://other@host/"
    assert load(tmp_path, text, variables(key=other)).key == other
    assert load(tmp_path, text, variables(key_file=str(key_file))).key == KEY


def test_secret_and_its_file_conflict(tmp_path: Path, key_file: Path) -> None:
    error = load_error(tmp_path, f'key_file = "secrets/key"\n{TOML}')
    assert error.problems == (("key_file", "key is given too; keep only one of the two"),)
    assert "line 1: key_file" in str(error)
    environ = variables(key=KEY, key_file=str(key_file))
    error = load_error(tmp_path, TOML, environ)
    assert "CURRENTS_EXPORT_KEY_FILE: key_file: key is given too" in str(error)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"QZX\xff", "it is not UTF-8 text"),
        (b"QZX" * 50_000, "so it is not a secret"),
    ],
)
def test_problem_names_field_and_file(
    tmp_path: Path, key_file: Path, content: bytes, says: str
) -> None:
    key_file.write_bytes(content)
    error = load_error(tmp_path, WITH_FILE)
    [(field, message)] = error.problems
    assert field == "key_file"
    assert message.startswith(f"{key_file}: ")
    assert message.endswith(says)
    assert "line 4: key_file: " in str(error)
    assert "QZX" not in str(error)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("QZXQZXQZX", "the file it names does not exist"),
        ("secrets/key/QZX", "the file it names does not exist"),
        ("QZX" * 2000, "the file it names cannot be read: File name too long"),
        ("QZX\\u0000", "the file it names cannot be read: embedded null byte"),
    ],
)
def test_secret_in_place_of_a_name_is_not_shown(
    tmp_path: Path, key_file: Path, name: str, says: str
) -> None:
    error = load_error(tmp_path, WITH_FILE.replace("secrets/key", name))
    assert error.problems == (("key_file", says),)
    assert "QZX" not in f"{error}{error!r}"


@pytest.mark.parametrize(
    "content", ["QZXQZXQZX", "https://host/QZX QZX", "http://QZX@host/", "QZX\nQZX"]
)
def test_wrong_secret_names_its_file(tmp_path: Path, key_file: Path, content: str) -> None:
    key_file.write_text(content, "utf-8")
    error = load_error(tmp_path, WITH_FILE)
    assert f"  - {key_file}: key: " in str(error)
    assert "QZX" not in f"{error}{error!r}"


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("5", "it must be the name of a file, not int"),
        ("[]", "it must be the name of a file, not list"),
        (f'"{KEY}"', "it must be the name of a file, not a URL"),
        ('"."', "it cannot be read"),
    ],
)
def test_name_of_the_file_is_checked(tmp_path: Path, value: str, says: str) -> None:
    error = load_error(tmp_path, WITH_FILE.replace('"secrets/key"', value))
    [(field, message)] = error.problems
    assert field == "key_file"
    assert says in message
    assert "QZX" not in f"{error}{error!r}"


def test_other_problems_are_reported_too(tmp_path: Path) -> None:
    error = load_error(tmp_path, WITH_FILE.replace('"eu"', '"mars"'))
    assert [field for field, _ in error.problems] == ["key_file", "region"]


def test_no_form_field_in_python() -> None:
    fields: dict[str, Any] = NAMES | {"key_file": "x"}
    with pytest.raises(TypeError):
        Current(**fields)
    with pytest.raises(CurrentError):
        Current(**NAMES)
