"""Every snippet of the README works, in an empty directory."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from currents_export import World

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
SETTING_UP = "python3 -m venv .venv && .venv/bin/pip install"


class Snippet(NamedTuple):
    note: str
    language: str
    text: str


SNIPPETS = [
    Snippet(note or "", language, text)
    for note, language, text in re.findall(
        r"(?:<!-- ([^\n]*) -->\n)?```(\w+)\n(.*?)```", README, re.DOTALL
    )
]


#: The ports that the snippets use.
PORTS = ("8080", "8081", "8090")


def with_ports(text: str, ports: Mapping[str, str]) -> str:
    """Return a snippet with other ports than the README's."""
    return re.sub("|".join(PORTS), lambda found: ports[found[0]], text)


def of(language: str) -> list[Snippet]:
    return [each for each in SNIPPETS if each.language == language]


@pytest.mark.parametrize("snippet", of("python"))
@pytest.mark.filterwarnings("default")
def test_python_snippets_run(snippet: Snippet, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", snippet.text],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


@contextlib.contextmanager
def serving(snippet: Snippet, directory: Path, environ: dict[str, str]) -> Iterator[None]:
    with subprocess.Popen(
        ["bash", "-c", f"exec {snippet.text}"],
        cwd=directory,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("listening on http://127.0.0.1:")
        try:
            yield
        finally:
            process.send_signal(signal.SIGINT)
            output = process.stdout.read()
        assert process.wait(timeout=30) == 0
        is_standin = "--rudderstack" in snippet.text
        assert ("0 given up" if is_standin else "0 conformance errors, 0 warnings") in output


def test_walkthrough_runs(tmp_path: Path) -> None:
    # The README's ports may be in use on this machine; everything else is as in the README.
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in PORTS]
        ports = {
            name: str(each.getsockname()[1]) for name, each in zip(PORTS, servers, strict=True)
        }
    environ = {k: v for k, v in os.environ.items() if not k.startswith("CURRENTS_EXPORT_")}
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    with contextlib.ExitStack() as running:
        for snippet in SNIPPETS:
            adapted = snippet._replace(text=with_ports(snippet.text, ports))
            if snippet.note.startswith("file: "):
                name = snippet.note.removeprefix("file: ")
                (tmp_path / name).write_text(adapted.text, "utf-8")
            elif snippet.note == "background":
                running.enter_context(serving(adapted, tmp_path, environ))
            elif (
                snippet.language == "sh"
                and not snippet.note.startswith("not run")
                and not snippet.text.startswith(SETTING_UP)
            ):
                done = subprocess.run(
                    ["bash", "-euo", "pipefail", "-c", adapted.text],
                    cwd=tmp_path,
                    env=environ,
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=120,
                )
                assert done.returncode == 0, (snippet.text, done.stdout, done.stderr)
                assert done.stdout
    captured = (tmp_path / "captured.jsonl").read_text("utf-8").splitlines()
    assert len(captured) > 100


def test_ci_runs_the_readme_setup() -> None:
    commands = [each.text.strip() for each in of("sh") if each.text.startswith(SETTING_UP)]
    assert len(commands) == 2
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    for command in commands:
        assert f"\n{command}\n" in script


def test_every_command_is_in_the_readme() -> None:
    from currents_export.cli._app import COMMANDS

    for name in COMMANDS:
        assert f"| `{name}" in README


def test_readme_shows_a_real_journey() -> None:
    shown = re.findall(
        r'^\{"event_type":"(.+?)","id":"(.+?)\.\.\.","time":(\d+),', README, re.MULTILINE
    )
    events = World(seed=1).journey("abandoned-cart", start=1_782_896_400)
    real = [(each.event_type, each.id[:8], str(each.time)) for each in events]
    assert shown == [each for each in real if each in shown]
    assert len(shown) >= len(real) // 2
