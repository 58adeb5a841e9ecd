"""The capture: a file to which a receiver appends events, as JSON Lines."""

from __future__ import annotations

from pathlib import Path

from .._files import LineFile
from ..errors import ReceiverError

__all__ = ["Capture"]


class Capture(LineFile):
    """Append lines to a file; an incomplete line never joins the next one.

    Args:
        name: the file; it is created if it does not exist, for its owner only. `-` is standard
            output, unless it is a `Path`.

    Raises:
        ReceiverError: the file cannot be opened.
    """

    def __init__(self, name: str | Path) -> None:
        try:
            super().__init__(name)
        except OSError as error:
            why = error.strerror or error
            raise ReceiverError(f"{name}: the capture cannot be opened: {why}") from error
