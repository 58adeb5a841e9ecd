"""Colors, where the output is a terminal and NO_COLOR is not set."""

from __future__ import annotations

import os
import sys
from typing import TextIO

__all__ = ["failed", "has_colors", "paint"]

_CODES = {"red": 31, "green": 32, "yellow": 33, "dim": 2, "bold": 1}


def has_colors(stream: TextIO) -> bool:
    """Return whether colors may be written to a stream; see https://no-color.org."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, color: str, stream: TextIO) -> str:
    """Return the text in a color, or as it is if the stream shows no colors."""
    return f"\x1b[{_CODES[color]}m{text}\x1b[0m" if has_colors(stream) else text


def failed(text: str) -> str:
    """Return text about a failure as standard output shows it, in red if it has colors."""
    return paint(text, "red", sys.stdout)
