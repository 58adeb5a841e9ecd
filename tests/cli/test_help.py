"""The help of all commands, as a terminal of 80 columns shows it."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from currents_export.cli._app import COMMANDS, _load, app

#: The edges of the boxes around options and commands.
_EDGES = dict.fromkeys(map(ord, "│╭╮╰╯─"), " ")
NARROW = {"COLUMNS": "80", "TERMINAL_WIDTH": "80", "TERM": "dumb", "NO_COLOR": "1"}


def shown(*args: str) -> str:
    result = CliRunner().invoke(app, [*args, "--help"], env=NARROW)
    assert result.exit_code == 0
    return result.stdout


@pytest.fixture(params=["", *COMMANDS])
def helped(request: pytest.FixtureRequest) -> tuple[str, str]:
    """A command, or nothing for the list of commands, and its help."""
    return request.param, shown(*request.param.split())


def test_lines_fit(helped: tuple[str, str]) -> None:
    assert max(map(len, helped[1].splitlines())) <= 80


def test_no_types_of_python(helped: tuple[str, str]) -> None:
    for each in ("<bool>", "<str>", "<int", "<float", "<Path", "list["):
        assert each not in helped[1]


@pytest.mark.parametrize("name", COMMANDS)
def test_no_word_is_split(name: str) -> None:
    command: Any = _load(name)
    words = set(shown(name).translate(_EDGES).split())
    params = command.get_params(command.make_context(name, [], resilient_parsing=True))
    for param in params:
        options = {each for each in param.opts if each.startswith("-")}
        assert options | set((param.help or "").split()) <= words, param.opts
    assert set((command.help or "").split()) <= words


def test_no_word_of_the_list_is_split() -> None:
    words = set(shown().translate(_EDGES).split())
    for name, description in COMMANDS.items():
        assert {name, *description.split()} <= words
