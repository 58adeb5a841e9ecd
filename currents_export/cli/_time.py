"""Parse times as users write them."""

from __future__ import annotations

import datetime
import time
from typing import Literal

import typer

from .._redaction import shown
from ..errors import OptionError

__all__ = ["parse_duration", "parse_end", "parse_instant"]


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


def parse_duration(option: str, text: str) -> int:
    """Parse a duration such as `90s`, `10m` or `2h`, to seconds."""
    from ..simulation.durations import to_duration  # noqa: PLC0415 - other commands start without it

    try:
        seconds: int = to_duration(text)
    except OptionError:
        seconds = 0
    if seconds > 0:
        return seconds
    raise typer.BadParameter(f"{option} is {shown(text)}; it must be like 90s, 10m, 2h or 1d")
