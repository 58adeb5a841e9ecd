"""Read `traffic.tsv`: the audience rules and messages of event types, and weights.

In the users' lives, journeys decide how often an event of a type that they know happens, and to
whom. For a type that no journey knows, the table decides it. Samples and single events follow the
table, too.

A row applies to the event types that its glob matches. Each cell of an event type comes from the
first such row that fills it, so a row needs only the cells that differ from the rows below.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache, partial
from pathlib import Path
from typing import Any

import attrs

from .._suggestions import did_you_mean
from ..catalog import Catalog, Row, read_table
from ..errors import CatalogError
from ._data import split
from .fields import fields_from
from .workspace.channels import STEP_KINDS, channel_ids, channel_of, load_channels

__all__ = ["AudienceRule", "TrafficRule", "check_tables", "traffic_rule"]

#: The cells of an event type that no row fills.
_DEFAULTS: Mapping[str, Any] = {
    "weight": 0.3,
    "platforms": (),
    "on_device": 0.5,
    "user": "always",
    "user_has": (),
    "device_has": (),
    "channels": (),
    "campaign": 0.6,
    "canvas": 0.4,
    "neither": 0.0,
    "messages": "sent",
}


@attrs.frozen
class AudienceRule:
    """Which users and devices events of a type happen to.

    Attributes:
        platforms: the platforms of the devices; empty for all.
        user_has: the fields that the user must have, such as `email_address`.
        device_has: the fields that the device must have.
    """

    platforms: tuple[str, ...]
    user_has: tuple[str, ...]
    device_has: tuple[str, ...]


@attrs.frozen
class TrafficRule:
    """The weight of a type, its audience rule, and what its events belong to.

    Attributes:
        weight: how often it happens if no journey knows it, relative to other such types.
        audience: its audience rule.
        on_device: the probability that the device is known.
        user_with_message: whether only an event that belongs to a message has a user.
        channels: the channels of the messages it can belong to; empty for all that reach people.
        belongs: the weights of belonging to a campaign, to a Canvas, and to neither.
        messages: which messages it can belong to: those `sent`, those of a `control` group, or
            where a Canvas is entered (`entry`).
    """

    weight: float
    audience: AudienceRule
    on_device: float
    user_with_message: bool
    channels: tuple[str, ...]
    belongs: tuple[float, float, float]
    messages: str


@cache
def traffic_rule(event_type: str, directory: Path | None) -> TrafficRule:
    """Return the rule of a type; `directory` contains the catalog's tables.

    Raises:
        CatalogError: the table is invalid; all problems are listed together.
    """
    cells = dict(_DEFAULTS)
    for glob, row in reversed(_rows(directory)):
        if fnmatchcase(event_type, glob):
            cells |= row
    channel = channel_of(event_type)
    own = (channel,) if channel else ()
    return TrafficRule(
        weight=cells["weight"],
        audience=AudienceRule(
            platforms=cells["platforms"],
            user_has=cells["user_has"],
            device_has=cells["device_has"],
        ),
        on_device=cells["on_device"],
        user_with_message=cells["user"] == "with_message",
        channels=own if cells["channels"] == ("own",) else cells["channels"],
        belongs=(cells["campaign"], cells["canvas"], cells["neither"]),
        messages=cells["messages"],
    )


def check_tables(directory: Path | None) -> None:
    """Check the tables about traffic in a catalog's directory.

    Raises:
        CatalogError: `channels.tsv` or `traffic.tsv` is invalid; the problems of both are listed
            together.
    """
    problems: list[tuple[str, str]] = []
    for load in (load_channels, _rows):
        try:
            load(directory)
        except CatalogError as error:
            problems += error.problems
    if problems:
        # Neither table can be checked if channels.tsv cannot be read.
        raise CatalogError(list(dict.fromkeys(problems)), directory=directory)


@cache
def _rows(directory: Path | None) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Return the globs of the table with the cells that each row fills.

    Raises:
        CatalogError: the table is invalid; all problems are listed together.
    """
    parsers = _parsers(directory)
    problems: list[tuple[str, str]] = []
    rows = []
    for row in read_table("traffic.tsv", directory, columns=("event_type",)):
        cells = {}
        for name, text in row.items():
            if name == "event_type" or not text:
                continue
            try:
                cells[name] = parsers[name](text)
            except KeyError:
                known = did_you_mean(name, parsers)
                problems.append((row.place, f"there is no column {name!r}{known}"))
            except ValueError as error:
                problems.append((row.place, f"{name} is {text!r}; {error}"))
        rows.append((row["event_type"], cells))
        problems += [(row.place, each) for each in _unmatched(row, directory)]
    if problems:
        raise CatalogError(problems, directory=directory)
    return tuple(rows)


def _unmatched(row: Row, directory: Path | None) -> Iterator[str]:
    """Yield a problem if a row of the directory's own table applies to no event type."""
    names = Catalog.load(directory=directory)
    glob = row["event_type"]
    if not row.packaged and not any(fnmatchcase(name, glob) for name in names):
        yield f"event_type {glob!r} matches no event type{did_you_mean(glob, names)}"


def _parsers(directory: Path | None) -> Mapping[str, Callable[[str], Any]]:
    """Return, by column, the function that parses its cells."""
    catalog = Catalog.load(directory=directory)
    platforms = {
        value for field in catalog.fields.get("platform", ()) for value in field.rule.values
    }
    channels = {*channel_ids(directory), *STEP_KINDS, "own"}
    share = partial(_number, most=1.0)
    return {
        "weight": _number,
        "platforms": partial(_items, known=platforms),
        "on_device": share,
        "user": partial(_choice, choices=("always", "with_message")),
        "user_has": partial(_items, known=fields_from("user")),
        "device_has": partial(_items, known=fields_from("device")),
        "channels": partial(_items, known=channels),
        "campaign": _number,
        "canvas": _number,
        "neither": _number,
        "messages": partial(_choice, choices=("sent", "control", "entry")),
    }


def _number(text: str, most: float = math.inf) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if 0 <= number <= most and number < math.inf:
        return number
    raise ValueError(f"it must be a number {'from 0 to 1' if most == 1 else 'of 0 or more'}")


def _items(text: str, known: Collection[str]) -> tuple[str, ...]:
    items = () if text in ("-", "*") else split(text)
    for item in items:
        if known and item not in known:
            raise ValueError(f"{item!r} is unknown{did_you_mean(item, known)}")
    return items


def _choice(text: str, choices: Collection[str]) -> str:
    if text in choices:
        return text
    raise ValueError(f"it must be {' or '.join(choices)}")
