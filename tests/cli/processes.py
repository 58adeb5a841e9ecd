"""Commands as processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["COMMAND", "PATIENCE", "Process", "Start", "ended", "line_of", "on_a_terminal"]

COMMAND = [sys.executable, "-m", "currents_export"]
#: Seconds a test waits for a process to end.
PATIENCE = 30.0

Process = subprocess.Popen[str]
Start = Callable[..., Process]


def line_of(process: Process) -> Any:
    """The next line of the process's output, as JSON; waits for it."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()
    return json.loads(line)


def ended(process: Process) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in err
    return process.returncode, out, err


def on_a_terminal(start: Start, *args: object, **options: Any) -> tuple[int, str]:
    """The exit code, and what a command shows on a pseudo-terminal."""
    ours, theirs = os.openpty()
    streams = {"stdin": subprocess.DEVNULL, "stdout": theirs, "stderr": theirs}
    process = start(*args, **streams | options)
    os.close(theirs)
    shown = b""
    try:
        while data := os.read(ours, 65_536):
            shown += data
    except OSError:  # how Linux says that the other end is closed
        pass
    finally:
        os.close(ours)
    return process.wait(PATIENCE), shown.decode()
