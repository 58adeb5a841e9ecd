"""Shares and delays in a stream, to be held against those that are published."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from statistics import mean, median
from zoneinfo import ZoneInfo

import attrs

from currents_export.events import Event
from currents_export.simulation import World

__all__ = ["CHANNELS", "Figure", "Measured", "is_near"]

DAY = 86_400
#: What follows from a message comes within this time.
_AFTER = 14 * DAY
#: An order within this time after a click belongs to it.
_ORDER = 3_600
_MESSAGE = "users.messages."
CHANNELS = ("email", "pushnotification", "sms", "whatsapp")


@attrs.frozen
class Figure:
    """How many of some cases there were."""

    count: int
    total: int

    @property
    def share(self) -> float:
        return self.count / self.total if self.total else math.nan


def is_near(figure: Figure, share: float, tolerance: float = 0.1) -> bool:
    """Return whether a figure is within the tolerance, plus what chance alone explains."""
    by_chance = 3.5 * math.sqrt(share * (1 - share) / max(figure.total, 1))
    return abs(figure.share - share) <= tolerance * share + by_chance


@attrs.define
class Message:
    """A message to a user, and what was seen of it."""

    sent: int
    flow: bool
    seen: dict[str, int] = attrs.field(factory=dict)


class Measured:
    """What is measured in a stream.

    Args:
        world: the world.
        until: the time after the last event.
    """

    def __init__(self, world: World, until: int) -> None:
        self.until = until
        self.triggered = {each.id for each in world.campaigns if each.event}
        self.zones = {user.id: ZoneInfo(user.place.timezone) for user in world.users}
        self.messages: dict[tuple[str, ...], Message] = {}
        self.latest: dict[tuple[str, ...], Message] = {}
        self.machine_opens = self.opens = 0
        self.clicks: dict[str, Message] = {}
        self.lengths: list[float] = []
        self.starts: dict[str, list[int]] = defaultdict(list)
        self.first: dict[str, int] = {}
        self.hours: Counter[int] = Counter()
        self.weekdays: Counter[int] = Counter()
        self.devices: dict[str, dict[str, int]] = defaultdict(dict)
        self.tokens: dict[str, set[str]] = defaultdict(set)

    def feed(self, events: Iterable[Event]) -> Measured:
        """Measure events."""
        for event in events:
            name = event.event_type
            if name.startswith(_MESSAGE):
                channel, _, what = name.removeprefix(_MESSAGE).partition(".")
                if channel in CHANNELS:
                    self._message(event, channel, what)
            elif name.startswith("users.behaviors."):
                self._behavior(event, name.removeprefix("users.behaviors."))
        return self

    def _message(self, event: Event, channel: str, what: str) -> None:
        user, properties = event.user["user_id"], event.properties
        part = properties.get("campaign_id") or properties.get("canvas_step_id") or ""
        key = (channel, user, properties.get("dispatch_id") or "", part)
        if what == "Send":
            flow = "canvas_id" in properties or part in self.triggered
            self.messages[key] = self.latest[channel, user, part] = Message(event.time, flow)
            return
        message = self.messages.get(key)
        if message is None and "dispatch_id" not in properties:
            message = self.latest.get((channel, user, part))
        if message is None:
            return
        if what in ("Click", "ShortLinkClick"):
            what = "bot" if properties.get("is_suspected_bot_click") else "click"
        elif what == "Open" and channel == "email":
            by_machine = properties.get("machine_open") == "true"
            what = "machine" if by_machine else "open"
            if by_machine:
                self.machine_opens += 1
            self.opens += what not in message.seen
        message.seen.setdefault(what, event.time)
        if what == "click" and channel == "email":
            self.clicks[user] = message
            message.seen["clicked"] = event.time

    def _behavior(self, event: Event, what: str) -> None:
        user = event.user.get("user_id", "")
        if what == "app.SessionEnd":
            self.lengths.append(event.properties["duration"])
        elif what == "app.SessionStart":
            self.starts[user].append(event.time)
            local = datetime.fromtimestamp(event.time, UTC).astimezone(self.zones[user])
            self.hours[local.hour] += 1
            self.weekdays[local.weekday()] += 1
            devices = self.devices[event.properties["platform"]]
            devices.setdefault(event.user["device_id"], event.time)
        elif what == "app.FirstSession":
            self.first.setdefault(user, event.time)
        elif what == "pushnotification.TokenStateChange":
            device = event.properties["push_token_device_id"]
            # Those who allow push in their first session on a device.
            if self.devices[event.properties["platform"]].get(device) == event.time:
                self.tokens[event.properties["platform"]].add(device)
        elif what == "Purchase" and event.properties["price"] > 0:
            message = self.clicks.get(user)
            if message is not None and event.time - message.seen["clicked"] < _ORDER:
                message.seen.setdefault("order", event.time)

    def of(self, channel: str, flow: bool | None, what: Sequence[str], base: str) -> Figure:
        """Return how many messages reached one of some stages, of those that reached another."""
        count = total = 0
        for key, message in self.messages.items():
            if key[0] != channel or flow not in (None, message.flow):
                continue
            if message.sent + _AFTER <= self.until and (base == "Send" or base in message.seen):
                total += 1
                count += any(each in message.seen for each in what)
        return Figure(count, total)

    def within(self, channel: str, what: str, base: str, seconds: int) -> Figure:
        """Return how many of what followed came within a time."""
        delays = self.delays(channel, what, base)
        return Figure(bisect_right(delays, seconds), len(delays))

    def delays(self, channel: str, what: str, base: str) -> list[int]:
        """Return after how many seconds it followed, in order."""
        found = []
        for key, message in self.messages.items():
            if key[0] == channel and message.sent + _AFTER <= self.until and what in message.seen:
                began = message.sent if base == "Send" else message.seen[base]
                found.append(message.seen[what] - began)
        return sorted(found)

    def retention(self, day: int) -> Figure:
        """Return how many new users had a session on a day after their first."""
        count = total = 0
        for user, first in self.first.items():
            if first + (day + 1) * DAY < self.until:
                total += 1
                began = self._day(user, first)
                count += any(self._day(user, time) - began == day for time in self.starts[user])
        return Figure(count, total)

    def _day(self, user: str, time: int) -> int:
        return datetime.fromtimestamp(time, UTC).astimezone(self.zones[user]).toordinal()

    def sessions(self) -> Mapping[str, float]:
        """Return figures of sessions: lengths in minutes, and how many of each active user."""
        lengths = [each / 60 for each in self.lengths]
        return {
            "median": median(lengths),
            "mean": mean(lengths),
            "below a minute": sum(each < 1 for each in lengths) / len(lengths),
            "of each active user": mean(map(len, self.starts.values())),
        }
