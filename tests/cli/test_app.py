from __future__ import annotations

import io
import sys
from typing import Any

import pytest

import currents_export
from currents_export.cli import main
from currents_export.cli._app import app
from tests.cli.support import run
from tests.support.events import OPEN


def test_no_command_shows_help() -> None:
    result = run()
    assert result.exit_code in (0, 2)  # which one depends on typer's version
    for name in ("demo", "events", "schema", "generate", "validate", "send", "test", "serve"):
        assert name in result.output


@pytest.mark.parametrize(
    "command",
    ["demo", "events", "schema", "generate", "validate", "send", "test", "check", "serve"],
)
def test_every_command_has_help(command: str) -> None:
    result = run(command, "-h")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Usage: " in result.stdout
    assert "[[" not in result.stdout


def test_help_paragraphs_flow() -> None:
    lines = [line.strip() for line in run("send", "--help").stdout.splitlines()]
    first = next(index for index, line in enumerate(lines) if line.startswith("Events may be"))
    assert all(len(line) > 60 for line in lines[first : first + 2])


def test_version() -> None:
    result = run("--version")
    assert (result.exit_code, result.stdout) == (
        0,
        f"currents-export {currents_export.__version__}\n",
    )


@pytest.mark.parametrize(
    "args",
    [["nope"], ["send", "--nope"], ["schema"], ["send", "--current", "x", "--batch-size", "x"]],
)
def test_bad_usage(args: list[str]) -> None:
    result = run(*args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error" in result.stderr


def test_main(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["currents-export", "events", "nope"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("error: unknown event type 'nope'")


class Broken(io.BytesIO):
    def __init__(self, error: OSError) -> None:
        super().__init__()
        self._error = error

    def write(self, _: Any) -> int:
        raise self._error


def test_output_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    full = io.TextIOWrapper(Broken(OSError(28, "No space left on device")), write_through=True)
    monkeypatch.setattr(sys, "stdout", full)
    with pytest.raises(SystemExit) as caught:
        app(["schema", OPEN])
    assert caught.value.code == 2
    assert sys.stdout is not full
    assert capsys.readouterr().err == (
        "error: the output cannot be written: No space left on device\n"
    )


def test_closed_pipe_is_not_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = io.TextIOWrapper(Broken(BrokenPipeError(32, "Broken pipe")), write_through=True)
    monkeypatch.setattr(sys, "stdout", closed)
    with pytest.raises(SystemExit) as caught:
        app(["schema", OPEN])
    assert caught.value.code == 1
    assert capsys.readouterr().err == ""
