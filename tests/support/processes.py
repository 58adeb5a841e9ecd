"""Other processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.senders import PATIENCE

__all__ = ["run_python"]


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in another process, from the checkout."""
    return subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        timeout=PATIENCE,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
