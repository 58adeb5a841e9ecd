"""The channels: those of `channels.tsv`, and those that only the event types name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import attrs

from ..._suggestions import did_you_mean
from ...catalog import Catalog, Row, read_table
from ...errors import CatalogError
from .._data import split

__all__ = [
    "CAMPAIGN_FIELDS",
    "CANVAS_FIELDS",
    "IN_SESSION",
    "STEP_KINDS",
    "Channel",
    "channel_ids",
    "channel_of",
    "load_channels",
]

#: Fields that only an event of a campaign has, and those that only one of a Canvas has.
CAMPAIGN_FIELDS = frozenset({"campaign_id", "campaign_name"})
CANVAS_FIELDS = frozenset({"canvas_id", "canvas_step_id", "canvas_variation_id"})
#: Channels whose messages users see in a session, when the app asks for them.
IN_SESSION = frozenset({"inappmessage", "banner", "featureflag", "newsfeedcard"})
#: The kinds of Canvas steps that send no message and take the place of a channel.
STEP_KINDS = frozenset({"experiment", "decision", "audience", "destination", "update"})


@attrs.frozen
class Channel:
    """A channel through which messages reach users.

    Attributes:
        id: its name in event types, such as `pushnotification`.
        label: its name among marketers, such as `Push`.
        name: its name in the field `channel`, such as `push`.
        campaigns: the names of its campaigns; empty for the default names.
        fields: the fields that only its messages have.
    """

    id: str
    label: str
    name: str
    campaigns: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


def channel_of(event_type: str) -> str | None:
    """Return the channel in the name of a message event; None for other events."""
    parts = event_type.split(".")
    return parts[2] if parts[:2] == ["users", "messages"] and len(parts) > 3 else None


def channel_ids(directory: Path | None) -> frozenset[str]:
    """Return the names of the channels in a catalog's tables, also those of invalid rows."""
    names = {row["channel"] for row in _rows(directory)}
    return frozenset(names | _channels_of(Catalog.load(directory=directory)))


@cache
def load_channels(directory: Path | None) -> tuple[Channel, ...]:
    """Return the channels of a catalog's tables.

    They do not depend on the schema version. A channel that occurs only in the names of event types
    has messages, too, if these types have the ids of a campaign or Canvas.

    Raises:
        CatalogError: the table is invalid; all problems are listed together.
    """
    rows = _rows(directory)
    catalog = Catalog.load(directory=directory)
    _check(rows, catalog)
    channels = {
        row["channel"]: Channel(
            row["channel"],
            row["label"],
            row["name"],
            split(row.get("campaigns") or ""),
            split(row.get("fields") or ""),
        )
        for row in rows
    }
    for event_type in catalog.event_types:
        channel = channel_of(event_type.name)
        names = {field.name for field in event_type.fields.values()}
        if channel and names & (CAMPAIGN_FIELDS | CANVAS_FIELDS):
            channels.setdefault(channel, Channel(channel, channel.title(), channel.lower()))
    return tuple(channels.values())


def _rows(directory: Path | None) -> Sequence[Row]:
    return read_table("channels.tsv", directory, columns=("channel", "label", "name"))


def _channels_of(catalog: Catalog) -> set[str]:
    """Return the channels that the names of event types have."""
    return {channel for name in catalog if (channel := channel_of(name))}


def _check(rows: Sequence[Row], catalog: Catalog) -> None:
    """Check that the rows of the directory's own table name channels of its event types."""
    known = _channels_of(catalog)
    problems = [
        (row.place, f"channel {name!r} is in no event type{did_you_mean(name, known)}")
        for row in rows
        if (name := row["channel"]) not in known and not row.packaged
    ]
    if problems:
        raise CatalogError(problems, directory=catalog.directory)
