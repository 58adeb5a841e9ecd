"""Parse times as users write them."""

from __future__ import annotations

import datetime
import time
from typing import Literal

import typer

from .._redaction import shown

__all__ = ["parse_end", "parse_instant"]


def parse_instant(text: str) -> int:
    """Parse ISO 8601 (UTC by default), seconds since the epoch, or `now`, to whole seconds."""
    if text == "now":
        return int(time.time())
    try:
        if text.isdecimal():
            return int(text)  # too many digits raise ValueError, too
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{shown(text)} is not a time; it looks like 2026-01-31T12:00:00Z, 1769860800 or now"
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp())


def parse_end(text: str) -> int | Literal["quiet"]:
    """Parse a time, or `quiet`."""
    return "quiet" if text == "quiet" else parse_instant(text)
