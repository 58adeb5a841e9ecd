"""The channels of subscription states."""

from __future__ import annotations

from pathlib import Path

from ..catalog import read_table
from ._seen import Seen

__all__ = ["channel_of_state", "load_channel_names"]


def load_channel_names(directory: Path | None = None) -> dict[str, str]:
    """Read the channels by the name that events give them, such as `push`.

    The values are the names inside event types, such as `pushnotification`.
    """
    rows = read_table("channels.tsv", directory, columns=("channel", "name"))
    return {row["name"]: row["channel"] for row in rows}


def channel_of_state(event: Seen, names: dict[str, str]) -> str | None:
    """Return the channel of a change of a subscription state; None if the event does not say."""
    if channel := event.text("channel"):
        channel = channel.lower()
        return names.get(channel, channel)
    if event.text("email_address"):
        return "email"
    return None
