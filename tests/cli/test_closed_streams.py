"""Commands whose standard streams are closed or cannot be written."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.processes import COMMAND, Start, ended
from tests.cli.support import ids_in
from tests.support.events import OPEN, make_events

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")

needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full")


def in_shell(start: Start, *args: object, redirections: str) -> tuple[int, str, str]:
    line = f"{shlex.join([*COMMAND, *map(str, args)])} {redirections}"
    return ended(start("-c", line, command=["sh"]))


@pytest.fixture
def fail_to_send(
    start: Start, current: Callable[..., Path], events: Callable[[int], Path], tmp_path: Path
) -> Callable[[str], tuple[int, str, str]]:
    """Return a function that runs `send` with redirections, and finds the events written."""

    def send(redirections: str) -> tuple[int, str, str]:
        kept = tmp_path / "pending.jsonl"
        args = ("--current", current(), "--give-up-after", 0.2, "--pending", kept)
        ran = in_shell(start, "send", events(3), *args, redirections=redirections)
        assert ids_in(kept) == [each.id for each in make_events(3)]
        assert "Exception" not in ran[2]
        return ran

    return send


Failing = Callable[[str], tuple[int, str, str]]


@pytest.mark.parametrize("redirections", [">&-", ">&- 2>&-", "<&- >&- 2>&-", "1</dev/null"])
def test_output_is_closed(redirections: str, fail_to_send: Failing) -> None:
    code, out, err = fail_to_send(redirections)
    assert (code, out) == (1, "")
    assert "error: " not in err.replace("network error: ", "")


@pytest.mark.parametrize(
    "redirections", ["2>&-", "2</dev/null", pytest.param("2>/dev/full", marks=needs_full)]
)
def test_errors_are_closed(redirections: str, fail_to_send: Failing) -> None:
    code, out, err = fail_to_send(redirections)
    assert (code, err) == (1, "")
    assert "unsent events are in" in out


@needs_full
def test_output_is_full(fail_to_send: Failing) -> None:
    code, _, err = fail_to_send(">/dev/full")
    assert code == 2
    assert "the output cannot be written: No space left on device" in err


@needs_full
@pytest.mark.parametrize(
    "args", [("--version",), ("--help",), ("send", "--help"), ("events",), ("generate", "-n", 1)]
)
def test_full_output_is_named(args: tuple[object, ...], start: Start) -> None:
    code, _, err = in_shell(start, *args, redirections=">/dev/full")
    assert (code, err) == (2, "error: the output cannot be written: No space left on device\n")


@pytest.mark.parametrize(
    "args", [("--version",), ("--help",), ("send", "--help"), ("schema", OPEN)]
)
def test_closed_output_is_quiet(args: tuple[object, ...], start: Start) -> None:
    assert in_shell(start, *args, redirections=">&-") == (0, "", "")


def test_events_need_an_output(start: Start, tmp_path: Path) -> None:
    says = "standard output is closed"
    for args in (("generate", "-n", 1), ("generate", "-n", 1, "-o", "-")):
        code, _, err = in_shell(start, *args, redirections=">&-")
        assert (code, err) == (2, f"error: the output cannot be written: {says}\n")
    code, _, err = in_shell(start, "serve", "--capture", "-", redirections=">&-")
    assert (code, err) == (2, f"error: -: the capture cannot be opened: {says}\n")


def test_descriptors_of_closed_streams_stay_unused(start: Start, tmp_path: Path) -> None:
    """Otherwise the file would be opened as standard error, and get its messages."""
    path = tmp_path / "events.jsonl"
    code, _, _ = in_shell(start, "generate", "-n", 2, "-o", path, redirections=">&- 2>&-")
    assert code == 0
    assert len(ids_in(path)) == 2
