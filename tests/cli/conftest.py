"""Fixtures for the commands: files of events and of Currents, and a clean environment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from currents_export.events import Event
from currents_export.payload import encode_event
from tests.cli.processes import COMMAND, Process, Start
from tests.cli.support import CLOSED
from tests.support.events import make_events


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


@pytest.fixture
def events(tmp_path: Path) -> Callable[[int], Path]:
    def write(count: int) -> Path:
        path = tmp_path / "events.jsonl"
        path.write_bytes(b"".join(encode_event(each) + b"\n" for each in make_events(count)))
        return path

    return write


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts commands, and ends those that a test left running."""
    processes: list[Process] = []
    environ = {k: v for k, v in os.environ.items() if not k.startswith("CURRENTS_EXPORT_")}
    # Tests run in the background of a shell ignore SIGINT, and would hand that on.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def begin(*args: object, **options: Any) -> Process:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        environment = {"env": environ | options.pop("env", {})}
        command = options.pop("command", COMMAND)
        process = subprocess.Popen([*command, *map(str, args)], **streams | environment | options)
        processes.append(process)
        return process

    yield begin
    signal.signal(signal.SIGINT, before)
    for process in processes:
        process.kill()
        process.communicate()
