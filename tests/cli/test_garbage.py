"""Commands end with an exit code for any bytes in the input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.support import run

GARBAGE = [
    b"",
    b"\n\n \t\r\n",
    b"\x00" * 100,
    b"\xff\xfe\x00",
    b"\xef\xbb\xbf",
    b"[",
    b"{",
    b'"',
    b"[" * 5_000,
    b'{"a":' * 5_000,
    b"[" * 300 + b"]" * 300,
    b"null",
    b"[[], [[]], {}, null, 7]",
    b'{"events": 7}',
    b'{"events": [{"event_type": 7, "id": {}, "time": "x", "user": [], "properties": null}]}',
    b'{"event_type": "", "id": "", "time": 1e400}',
    b'{"event_type": "a", "id": "\\ud800", "time": 1}',
    b'{"event_type": "a", "id": "b", "time": 123456789012345678901234567890}',
    b'{"event_type": "[red]", "id": "[/red]", "time": true, "user": {"[b]": 1}}',
    b'{"event_type": "\x1b[31m", "id": "b", "time": 1}',
    b"9" * 5_000,
    b"<html>",
    b"event_type,id,time\na,b,1\n",
    "{“event_type”: “a”}".encode(),
    b'{"event_type": "a"} {"event_type": "b"}',
]


@pytest.mark.parametrize("content", GARBAGE)
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_validate(content: bytes, more: tuple[str, ...], file: Callable[..., Path]) -> None:
    result = run("validate", file("garbage", content), *more)
    assert result.exit_code in (0, 1, 2)
    if more:
        report = json.loads(result.stdout)
        failed = report["unreadable"] > 0 or not report["events"]
        assert (result.exit_code == 2) is failed
        assert (result.exit_code == 1) is (report["errors"] > 0 and not failed)


@pytest.mark.parametrize("content", GARBAGE)
def test_send(content: bytes, file: Callable[..., Path], current: Callable[..., Path]) -> None:
    where, path = current(), file("garbage", content)
    result = run("send", path, "--current", where, "--give-up-after", 0.01, "--json")
    report = json.loads(result.stdout)
    assert report["accepted"] == 0
    assert result.exit_code == 2


@pytest.mark.parametrize("content", GARBAGE)
def test_current(content: bytes, file: Callable[..., Path]) -> None:
    result = run("check", "--current", file("garbage.toml", content))
    assert (result.exit_code, result.stdout) == (2, "")


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    content=st.binary(max_size=300)
    | st.text(alphabet='{}[]":,\\ \nab1', max_size=100).map(str.encode)
)
def test_validate_any_bytes(content: bytes, file: Callable[..., Path]) -> None:
    assert run("validate", file("any", content), "--json").exit_code in (0, 1, 2)
