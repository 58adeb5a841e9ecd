"""The kinds of values in settings, such as durations, shares and actions, and how they are written.

Each converter accepts both what a TOML file contains and what it returns. It raises a ValueError
with a sentence that begins with the value or with "it".
"""

from __future__ import annotations

import datetime
import math
import re
from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NewType, Self

import attrs

from .._forms import quoted
from .._suggestions import did_you_mean
from ..errors import OptionError

__all__ = [
    "ACTIONS",
    "BEHAVIORS",
    "Action",
    "Actions",
    "Behavior",
    "Channel",
    "Delay",
    "Duration",
    "Moment",
    "Region",
    "Share",
    "TimeOfDay",
    "TimePoint",
    "WallTime",
    "to_action",
    "to_actions",
    "to_behavior",
    "to_channel",
    "to_delay",
    "to_duration",
    "to_moment",
    "to_region",
    "to_share",
    "to_time_of_day",
    "to_time_point",
    "to_wall_time",
]

#: Whole seconds.
Duration = NewType("Duration", int)
#: A time, in whole seconds since the epoch.
Moment = NewType("Moment", int)
#: A number from 0 to 1.
Share = NewType("Share", float)
#: Whole seconds since midnight.
TimeOfDay = NewType("TimeOfDay", int)

#: The name of a channel, as in event types.
Channel = NewType("Channel", str)
#: A part of the world that campaigns are made for, such as `EU`; `Global` for everywhere.
Region = NewType("Region", str)
#: What a user does: one of `ACTIONS`, or `custom:` and the name of a custom event.
Action = NewType("Action", str)
#: Several actions.
Actions = NewType("Actions", tuple[Action, ...])
#: What counts as a conversion: one of `BEHAVIORS`, or `custom:` and the name of a custom event.
Behavior = NewType("Behavior", str)

#: The actions that make users enter and leave. `lapsed` users had no session for two weeks.
ACTIONS: tuple[str, ...] = ("first_session", "lapsed", "purchase", "session_start")
#: The behaviors that count as conversions.
BEHAVIORS: tuple[str, ...] = (
    "app_upgrade",
    "email_click",
    "email_open",
    "purchase",
    "session_start",
)

_CUSTOM = "custom:"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?([smhdw])")
_POINT = re.compile(r"(.+?) (\d{1,3}(?:\.\d{1,9})?) ?%")
_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
#: No duration is longer, in seconds: about 136 years, as in the ids that contain a time.
_LONGEST = 2**32
_LIKE_A_DURATION = "a duration such as 90s, 5m, 2h or 1d, or a number of seconds"


def _number(value: object) -> float | None:
    """Return a finite number as a float; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def to_duration(value: str | float) -> Duration:
    """Convert text such as `90s`, `5m`, `2h`, `1d` or `1w`, or a number of seconds."""
    seconds = _number(value)
    if isinstance(value, str) and (found := _DURATION.fullmatch(value.strip())):
        seconds = float(found[1]) * _UNITS[found[2]]
    if seconds is None or not 0 <= seconds <= _LONGEST:
        raise OptionError(f"{quoted(value)} is not {_LIKE_A_DURATION}")
    return Duration(round(seconds))


def to_share(value: float) -> Share:
    """Convert a number from 0 to 1."""
    number = _number(value)
    if number is None or not 0 <= number <= 1:
        raise OptionError(f"{quoted(value)} is not a share; it must be a number from 0 to 1")
    return Share(number)


def to_time_of_day(value: str | int | datetime.time) -> TimeOfDay:
    """Convert `HH:MM` or `HH:MM:SS`, a local time of TOML, or seconds since midnight."""
    if isinstance(value, datetime.time) and value.tzinfo is None:
        return TimeOfDay(value.hour * 3600 + value.minute * 60 + value.second)
    if isinstance(value, str) and (found := _TIME_OF_DAY.fullmatch(value.strip())):
        return TimeOfDay(int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3] or 0))
    if type(value) is int and 0 <= value < _UNITS["d"]:
        return TimeOfDay(value)
    raise OptionError(f"{quoted(value)} is not a time of day; it looks like 08:30")


@attrs.frozen
class TimePoint:
    """A point in time: a fixed one, or some time after the start.

    Attributes:
        time: the fixed time, in seconds since the epoch; None for one after the start.
        after: how many seconds after the start.
    """

    time: int | None = None
    after: int = 0

    def at(self, start: int) -> int:
        """Return the time, in seconds since the epoch."""
        return start + self.after if self.time is None else self.time


#: A time without a zone; `TimePoint.time` is the time as if it were in UTC.
WallTime = NewType("WallTime", TimePoint)


def to_time_point(value: str | float | datetime.date | TimePoint) -> TimePoint:
    """Convert a time of TOML or in ISO 8601 (UTC by default), or a duration after the start."""
    moment: object = value
    if isinstance(value, TimePoint):
        return value
    if isinstance(value, str):
        try:
            moment = datetime.datetime.fromisoformat(value.strip())
        except ValueError:
            moment = value
    if isinstance(moment, datetime.date):
        return TimePoint(time=_to_seconds(moment))
    try:
        return TimePoint(after=to_duration(value))  # type: ignore[arg-type] # it refuses dates
    except OptionError:
        raise OptionError(
            f"{quoted(value)} is neither a time such as 2026-01-31T12:00:00Z nor {_LIKE_A_DURATION}"
        ) from None


def to_moment(value: str | int | datetime.date) -> Moment:
    """Convert a time of TOML or in ISO 8601 (UTC by default), or seconds since the epoch."""
    if type(value) is int and 0 < value < _LONGEST:
        return Moment(value)
    if isinstance(value, str | datetime.date):
        try:
            time = to_time_point(value).time
        except OptionError:
            time = None
        if time is not None:
            return Moment(time)
    raise OptionError(
        f"{quoted(value)} is not a time between 1970 and 2106; it looks like 2026-01-31T12:00:00Z"
    )


def _to_seconds(moment: datetime.date) -> int:
    if not isinstance(moment, datetime.datetime):
        moment = datetime.datetime.combine(moment, datetime.time())
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()
    if not 0 < seconds < _LONGEST:
        raise OptionError(f"{moment.isoformat()} is not between the years 1970 and 2106")
    return int(seconds)


@attrs.frozen
class Delay:
    """How long something takes: a distribution, as quantiles with straight lines between them.

    Attributes:
        shares: the share of cases that take no longer, in ascending order; the first one is 0, the
            last one is 1.
        seconds: how long, for each share.
    """

    shares: tuple[float, ...]
    seconds: tuple[float, ...]
    _lines: tuple[tuple[float, float, float], ...] = attrs.field(init=False, eq=False, repr=False)

    @_lines.default
    def _find_lines(self) -> tuple[tuple[float, float, float], ...]:
        """Return the share and the seconds at which each line begins, and its slope."""
        points = tuple(zip(self.shares, self.seconds, strict=True))
        return tuple(
            (low, first, (last - first) / (high - low))
            for (low, first), (high, last) in pairwise(points)
        )

    @classmethod
    def parse(cls, text: str | float) -> Self:
        """Read quantiles such as `1s 5%, 3s 50%, 10m 100%`, or a single duration such as `2h`.

        Raises:
            OptionError: it has another form, or its numbers do not ascend to 100 %.
        """
        try:
            single = to_duration(text)
            return cls((0.0, 1.0), (float(single), float(single)))
        except OptionError:
            points = _points(text)
        shares = [share for share, _ in points]
        seconds = [time for _, time in points]
        if (
            not points
            or shares[-1] != 1
            or sorted({*shares}) != shares
            or sorted(seconds) != seconds
        ):
            raise OptionError(
                f"{quoted(text)} is not a delay; it must be a duration such as 90s, 5m, 2h or 1d, "
                "or quantiles that ascend to 100 %, such as 1s 5%, 3s 50%, 10m 100%"
            )
        if shares[0] > 0:
            shares, seconds = [0.0, *shares], [seconds[0] if len(seconds) == 1 else 0.0, *seconds]
        return cls(tuple(shares), tuple(seconds))

    def at(self, share: float) -> int:
        """Return the whole seconds that a share of cases, from 0 to below 1, take at most."""
        place = bisect_right(self.shares, share) - 1
        low, first, slope = self._lines[place]
        return int(first + slope * (share - low))


def _points(text: Any) -> list[tuple[float, float]]:
    """Return the shares and seconds of quantiles; none if one has another form."""
    points = []
    for each in text.split(",") if isinstance(text, str) else ():
        found = _POINT.fullmatch(each.strip())
        if found is None:
            return []
        try:
            points.append((float(found[2]) / 100, float(to_duration(found[1]))))
        except OptionError:
            return []
    return points


def to_delay(value: str | float | Delay) -> Delay:
    """Convert what `Delay.parse` reads."""
    return value if isinstance(value, Delay) else Delay.parse(value)


def _named(value: str, known: tuple[str, ...]) -> str:
    is_custom = isinstance(value, str) and value.startswith(_CUSTOM) and value != _CUSTOM
    if is_custom or value in known:
        return value
    near = did_you_mean(value, known) if isinstance(value, str) else ""
    choices = f"{', '.join(known)}, or custom: and the name of a custom event"
    raise OptionError(f"{quoted(value)} is unknown; it must be {choices}{near}")


def to_action(value: str) -> Action:
    """Check the name of an action."""
    return Action(_named(value, ACTIONS))


def to_actions(value: str | Iterable[str]) -> Actions:
    """Convert one action, or several."""
    if not isinstance(value, str) and not isinstance(value, Iterable):
        raise OptionError(f"it must be an action or a list of actions, not {quoted(value)}")
    return Actions(tuple(map(to_action, [value] if isinstance(value, str) else value)))


def to_channel(value: str) -> Channel:
    """Return text as the name of a channel; the tables of a catalog decide which ones there are."""
    return Channel(value)


def to_region(value: str) -> Region:
    """Return text as the name of a region."""
    return Region(value)


def to_behavior(value: str) -> Behavior:
    """Check the name of a behavior."""
    return Behavior(_named(value, BEHAVIORS))


def to_wall_time(value: str | float | datetime.date | TimePoint) -> WallTime:
    """Convert a time without a zone, or a duration after the start."""
    point = to_time_point(value)
    moment: object = value
    if isinstance(value, str) and point.time is not None:
        moment = datetime.datetime.fromisoformat(value.strip())
    if isinstance(moment, datetime.datetime) and moment.tzinfo is not None:
        raise OptionError(f"{moment.isoformat()} has a zone; leave it out and set zone instead")
    return WallTime(point)
