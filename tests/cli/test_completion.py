"""What bash, zsh and fish complete, by the protocol of their completion scripts."""

from __future__ import annotations

import os
import subprocess

import pytest

from currents_export.cli._completion import complete_pattern
from tests.cli.processes import COMMAND, PATIENCE

#: The variables with which the script of each shell asks for completions.
SHELLS = {
    "bash": lambda words: {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)},
    "zsh": lambda words: {"_TYPER_COMPLETE_ARGS": " ".join(words)},
    "fish": lambda words: {
        "_TYPER_COMPLETE_ARGS": " ".join(words),
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    },
}


def completions(shell: str, *args: str) -> str:
    words = ["currents-export", *args]
    # The program completes for the name under which it is installed.
    program = "from currents_export.cli._app import app; app(prog_name='currents-export')"
    variables = {"_CURRENTS_EXPORT_COMPLETE": f"complete_{shell}"} | SHELLS[shell](words)
    result = subprocess.run(
        [COMMAND[0], "-c", program],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert "Traceback" not in result.stderr
    return result.stdout


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("args", "found"),
    [
        (("trigger", "aband"), "abandoned-cart"),
        (("events", "users.messages.email.Op"), "users.messages.email.Open"),
    ],
)
def test_names(shell: str, args: tuple[str, ...], found: str) -> None:
    assert found in completions(shell, *args)


def test_options() -> None:
    shown = completions("bash", "generate", "--event-type", "customer_").split()
    assert shown == ["customer_behavior"]
    shown = completions("bash", "journey", "newsletter", "--outcome", "bounced-").split()
    assert shown == ["bounced-push"]


@pytest.mark.parametrize(
    ("incomplete", "found"),
    [
        ("users.messages.e", {"users.messages.email.*", "users.messages.email.Open"}),
        ("us", {"user", "users.*"}),
    ],
)
def test_patterns(incomplete: str, found: set[str]) -> None:
    assert found <= set(complete_pattern(incomplete))


def test_nothing_begins_so() -> None:
    assert complete_pattern("zz") == []
