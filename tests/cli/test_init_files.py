"""`init`: the files that its TOML file names, and the permissions of that file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.test_init import ENDPOINT, TOKEN, WHO, init, written
from tests.support.currents import KEY, form
from tests.support.tables import CopiedTables


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_secret_file_stays_where_it_is(directory: Path) -> None:
    (directory / "key").write_text(f"{KEY}\n", "utf-8")
    (directory / "sub").mkdir()
    init("sub/current.toml", *WHO, "--key-file", "key", "--region", "US")
    assert written("sub/current.toml") == form()
    text = (directory / "sub" / "current.toml").read_text("utf-8")
    assert KEY not in text
    assert f'key_file = "{Path("..") / "key"}"' in text


def test_secret_file_on_another_drive_is_absolute(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise ValueError("path is on mount 'D:', start on mount 'C:'")

    (directory / "token").write_text(TOKEN, "utf-8")
    monkeypatch.setattr(os.path, "relpath", fail)
    init(*WHO, *ENDPOINT, "--bearer-token-file", "token")
    assert f'"{directory / "token"}"' in (directory / "current.toml").read_text("utf-8")


def test_token_file_may_be_absolute(directory: Path) -> None:
    path = directory / "token"
    path.write_text(TOKEN, "utf-8")
    init(*WHO, *ENDPOINT, "--bearer-token-file", str(path))
    assert f'bearer_token_file = "{path}"' in (directory / "current.toml").read_text("utf-8")
    assert written().bearer_token == TOKEN


def test_catalog_is_relative_to_the_file(directory: Path) -> None:
    CopiedTables(directory)
    (directory / "sub").mkdir()
    init("sub/current.toml", *WHO, *ENDPOINT, "--catalog", "tables")
    made = written("sub/current.toml").catalog.directory
    assert made == directory.resolve() / "tables"


def test_permissions_are_named_only_where_they_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    from currents_export.cli import init as module

    assert "current.toml has been written; only you can read it.\n" in init(*WHO, *ENDPOINT).stdout
    monkeypatch.setattr(module, "_READERS", "")
    assert "current.toml has been written.\n" in init(*WHO, *ENDPOINT, "--force").stdout
