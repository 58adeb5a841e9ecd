"""Fixtures for the commands: files of events and of Currents, and a clean environment."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from currents_export.events import Event
from currents_export.payload import encode_event
from tests.cli.support import CLOSED


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("CURRENTS_EXPORT_") or name in ("FORCE_COLOR", "COLUMNS"):
            monkeypatch.delenv(name)


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a file of events, or of text, and returns its path."""

    def write(name: str, content: Iterable[Event] | bytes | str) -> Path:
        path = tmp_path / name
        if isinstance(content, str):
            content = content.encode()
        if not isinstance(content, bytes):
            content = b"".join(encode_event(each) + b"\n" for each in content)
        path.write_bytes(content)
        return path

    return write


@pytest.fixture
def current(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes the TOML file of a Current and returns its path."""

    def write(url: str = CLOSED, **values: object) -> Path:
        fields = {"integration_name": "test", "contact_email": "qa@example.com"} | values
        if "key" not in fields:
            fields |= {"endpoint": f"{url}/currents"}
        path = tmp_path / "current.toml"
        path.write_text("".join(f"{name} = {json.dumps(each)}\n" for name, each in fields.items()))
        return path

    return write
