"""Run the command that hears of a Current's notices."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from .._forms import quoted
from ..errors import CurrentsExportError
from .hooks import Notice

__all__ = ["run_notice_command"]

#: Seconds after which the command is killed.
_PATIENCE = 30.0


def run_notice_command(command: Sequence[str], notice: Notice) -> None:
    """Run a command, without a shell, with the notice's text on its standard input.

    Its standard output goes nowhere, so that it cannot mix with the result of this program.

    Raises:
        CurrentsExportError: it cannot be run, fails, or takes too long.
    """
    facts = {
        "KIND": notice.kind.value,
        "INTEGRATION_NAME": notice.integration_name,
        "CONTACT_EMAIL": notice.contact_email,
        "REASON": notice.reason,
        "AT": f"{notice.at:.0f}",
        "SINCE": f"{notice.at if notice.since is None else notice.since:.0f}",
    }
    environ = {f"CURRENTS_NOTICE_{name}": text.replace("\0", "") for name, text in facts.items()}
    name = f"notice_command {quoted(command[0])}"
    try:
        code = subprocess.run(  # noqa: S603 - the user's command
            command,
            input=notice.text.encode("utf-8", "replace"),
            stdout=subprocess.DEVNULL,
            env=os.environ | environ,
            timeout=_PATIENCE,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        raise CurrentsExportError(f"{name} was ended after {_PATIENCE:g} s") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise CurrentsExportError(f"{name} cannot be run: {why}") from None
    if code:
        raise CurrentsExportError(f"{name} failed with exit code {code}")
