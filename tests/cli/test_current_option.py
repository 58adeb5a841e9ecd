"""The Current that a command uses, and the messages about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from currents_export._toml import to_toml
from currents_export.cli._current import load_current
from currents_export.errors import CurrentError, OptionError
from tests.support.currents import CUSTOM, RUDDERSTACK, form, variables
from tests.support.tables import CopiedTables


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_default_file_is_used(directory: Path) -> None:
    (directory / "current.toml").write_text(to_toml(CUSTOM), "utf-8")
    (directory / "other.toml").write_text(to_toml(RUDDERSTACK), "utf-8")
    assert load_current(None, None) == form(CUSTOM)
    assert load_current(Path("other.toml"), None) == form(RUDDERSTACK)


def test_environment_replaces_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables(**CUSTOM).items():
        monkeypatch.setenv(name, value)
    assert load_current(None, None) == form(CUSTOM)


def test_missing_current_names_the_remedies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURRENTS_EXPORT_CATALOG_DIR", ".")
    with pytest.raises(OptionError) as caught:
        load_current(None, None)
    assert "\n" not in str(caught.value)
    for text in ("there is no Current", "--current FILE", "current.toml", "currents-export init"):
        assert text in str(caught.value)


def test_incomplete_environment_lists_its_problems_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURRENTS_EXPORT_REGION", "mars")
    with pytest.raises(OptionError) as caught:
        load_current(None, None)
    assert "CURRENTS_EXPORT_REGION: region: 'mars' is unknown" in str(caught.value)
    assert "--current FILE" in str(caught.value)


def test_problems_name_the_file(directory: Path) -> None:
    (directory / "current.toml").write_text("region = 5", "utf-8")
    with pytest.raises(CurrentError, match=r"^current\.toml: "):
        load_current(None, None)


def test_unreadable_file_is_one_line(directory: Path) -> None:
    with pytest.raises(CurrentError) as caught:
        load_current(Path("gone.toml"), None)
    assert str(caught.value) == "gone.toml: cannot be read: No such file or directory"


def test_warning_is_one_line(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = "https://abc.dataplane.rudderstack.com/v1/webhook?writeKey=QZX"
    (directory / "current.toml").write_text(to_toml(RUDDERSTACK | {"key": key, "region": "EU"}))
    current = load_current(None, None)
    captured = capsys.readouterr()
    assert captured.err.splitlines() == [
        "using current.toml in this directory; --current names another file",
        f"warning: {current.warnings[0]}",
    ]
    assert captured.out == ""


def test_catalog_option_overrides_the_file(directory: Path) -> None:
    (directory / "current.toml").write_text(to_toml(CUSTOM | {"catalog_dir": "gone"}), "utf-8")
    tables = CopiedTables(directory).directory
    assert load_current(None, tables).catalog_dir == tables
