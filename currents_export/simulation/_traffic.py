"""Read `traffic.tsv`: the weights, audience rules and messages of event types.

A row applies to the event types that its glob matches. Each cell of an event type comes from the
first such row that fills it, so a row needs only the cells that differ from the rows below.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import attrs

from ..catalog import read_table
from ..errors import CatalogError
from ._data import split
from .workspace.channels import channel_of

__all__ = ["AudienceRule", "TrafficRule", "traffic_rule"]

#: The table, and the default cells of an event type.
_TABLE = "traffic.tsv"
_DEFAULTS = {
    "weight": "0.3",
    "platforms": "*",
    "on_device": "0.5",
    "user": "always",
    "user_has": "-",
    "device_has": "-",
    "channels": "*",
    "campaign": "0.6",
    "canvas": "0.4",
    "neither": "0",
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
        weight: its frequency, relative to the other types.
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
        CatalogError: a cell of the table is invalid.
    """
    cells = _Cells(event_type, directory)
    channel = channel_of(event_type)
    own = (channel,) if channel else ()
    return TrafficRule(
        weight=cells.number("weight"),
        audience=AudienceRule(
            platforms=cells.items("platforms"),
            user_has=cells.items("user_has"),
            device_has=cells.items("device_has"),
        ),
        on_device=cells.number("on_device", most=1.0),
        user_with_message=cells.choice("user", ("always", "with_message")) == "with_message",
        channels=own if cells.text("channels") == "own" else cells.items("channels"),
        belongs=(cells.number("campaign"), cells.number("canvas"), cells.number("neither")),
        messages=cells.choice("messages", ("sent", "control", "entry")),
    )


class _Cells:
    """The cells of an event type."""

    def __init__(self, event_type: str, directory: Path | None) -> None:
        self._event_type = event_type
        self._directory = directory
        self._cells: dict[str, tuple[str, str]] = {}
        for row in read_table(_TABLE, directory, columns=("event_type",)):
            if fnmatchcase(event_type, row["event_type"]):
                for name in _DEFAULTS:
                    if value := row.get(name):
                        self._cells.setdefault(name, (value, row.place))

    def text(self, name: str) -> str:
        return self._cells[name][0] if name in self._cells else _DEFAULTS[name]

    def items(self, name: str) -> tuple[str, ...]:
        return () if self.text(name) in ("-", "*") else split(self.text(name))

    def number(self, name: str, most: float = math.inf) -> float:
        try:
            number = float(self.text(name))
        except ValueError:
            number = -1.0
        if 0 <= number <= most and number < math.inf:
            return number
        raise self._unusable(name, "a number from 0 to 1" if most == 1 else "a number of 0 or more")

    def choice(self, name: str, choices: Sequence[str]) -> str:
        if self.text(name) in choices:
            return self.text(name)
        raise self._unusable(name, " or ".join(choices))

    def _unusable(self, name: str, right: str) -> CatalogError:
        message = f"{name} of {self._event_type} is {self.text(name)!r}; it must be {right}"
        return CatalogError([(self._cells[name][1], message)], directory=self._directory)
