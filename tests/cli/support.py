"""Run commands, and share helpers between their tests."""

from __future__ import annotations

import io
import json
from pathlib import Path

from typer.testing import CliRunner, Result

from currents_export.cli._app import app
from tests.support.currents import TOKEN, WRITE_KEY

__all__ = ["CLOSED", "PATIENCE", "Terminal", "ids_in", "run", "words"]

#: Seconds that a test waits for something that must happen.
PATIENCE = 20.0
#: The port of the discard service, on which nothing listens.
CLOSED = "http://127.0.0.1:9"


def run(*args: object, stdin: str | bytes | None = None) -> Result:
    """Run a command, and check that it ends with an exit code and shows no secret."""
    result = CliRunner().invoke(app, [str(each) for each in args], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    for secret in (WRITE_KEY, TOKEN):
        assert secret not in result.output
    return result


def words(text: str) -> str:
    """Return the text of a usage error without its boxes and line breaks."""
    return " ".join(text.translate(dict.fromkeys(map(ord, "│╭╮╰╯─"), " ")).split())


def ids_in(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_bytes().splitlines()]


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True
