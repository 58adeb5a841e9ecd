"""Campaigns and Canvases as they are declared in TOML: what goes out, when, and to whom.

Source: Braze, campaign and Canvas scheduling; Conversion events; Frequency capping; Quiet Hours;
Canvas steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import attrs

from .._forms import quoted
from .._suggestions import did_you_mean
from ._settings import (
    Action,
    Actions,
    Behavior,
    Channel,
    Duration,
    Region,
    Share,
    TimeOfDay,
    TimePoint,
    WallTime,
    to_action,
    to_actions,
    to_behavior,
    to_channel,
    to_duration,
    to_region,
    to_share,
    to_time_of_day,
    to_wall_time,
)
from ._structure import Checked, Problem
from .workspace.channels import IN_SESSION

__all__ = [
    "CampaignSchedule",
    "DeclaredCampaign",
    "DeclaredCanvas",
    "DeclaredStep",
    "FrequencyCap",
    "Goal",
    "QuietHours",
    "StepPath",
]

Day = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
_DAYS: tuple[Day, ...] = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MOST_GOALS = 4
_LONGEST_WINDOW = 30 * 86_400
#: The end of a Canvas, as the next step of a path.
_END = "end"
#: The kinds of steps that split users into paths.
_SPLITS = ("experiment", "decision", "audience")


# Lists are fine where tuples are kept.


def _to_days(value: Iterable[Day]) -> tuple[Day, ...]:
    return tuple(value)


def _to_names(value: Iterable[str]) -> tuple[str, ...]:
    return tuple(value)


def _to_goals(value: Iterable[Goal]) -> tuple[Goal, ...]:
    return tuple(value)


def _to_paths(value: Iterable[StepPath]) -> tuple[StepPath, ...]:
    return tuple(value)


def _to_steps(value: Iterable[DeclaredStep]) -> tuple[DeclaredStep, ...]:
    return tuple(value)


@attrs.frozen(kw_only=True)
class CampaignSchedule(Checked):
    """When a scheduled campaign goes out: on days of the week, or once.

    Attributes:
        days: the days of the week; all by default.
        at: the time of the day, such as `10:00`.
        once: the only time: a date and time without a zone, or a duration after the start.
        zone: whether these times are `local`, in the zone of each user, or in `UTC`.
    """

    days: tuple[Day, ...] = attrs.field(default=_DAYS, converter=_to_days)
    at: TimeOfDay | None = attrs.field(
        default=None, converter=attrs.converters.optional(to_time_of_day)
    )
    once: WallTime | None = attrs.field(
        default=None, converter=attrs.converters.optional(to_wall_time)
    )
    zone: Literal["local", "UTC"] = "local"

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the problems of settings that are valid by themselves."""
        match values:
            case {"at": None, "once": None}:
                yield (), "it needs at, a time of the day, or once, the only time"
            case {"at": int(), "once": TimePoint()}:
                yield ("once",), "at and once exclude each other"
            case {"once": TimePoint(), "days": days} if days != _DAYS:
                yield ("days",), "days and once exclude each other"
        if values.get("days") == ():
            yield ("days",), "it is empty; leave it out for all days"


@attrs.frozen(kw_only=True)
class Goal(Checked):
    """A conversion event.

    Attributes:
        behavior: what counts as the conversion.
        window: how long after the receipt it counts: 3 days by default, and at most 30.
    """

    behavior: Behavior = attrs.field(converter=to_behavior)
    window: Duration = attrs.field(default=Duration(3 * 86_400), converter=to_duration)

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the problems of settings that are valid by themselves."""
        if "window" in values and not 0 < values["window"] <= _LONGEST_WINDOW:
            yield ("window",), "it must be longer than 0 seconds, and at most 30 days"


@attrs.frozen(kw_only=True)
class FrequencyCap(Checked):
    """How many messages of a channel a user gets at most.

    Attributes:
        messages: how many messages.
        days: in how many calendar days, in the user's zone.
    """

    messages: int
    days: int = 7

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the problems of settings that are valid by themselves."""
        for name in ("messages", "days"):
            if values.get(name, 1) < 1:
                yield (name,), "it must be at least 1"


@attrs.frozen(kw_only=True)
class QuietHours(Checked):
    """When no message goes out, in the user's zone; messages wait for the end.

    Attributes:
        start: when they begin, such as `22:00`.
        end: when they end, such as `07:00`; on the next day if that is not after the start.
    """

    start: TimeOfDay = attrs.field(converter=to_time_of_day)
    end: TimeOfDay = attrs.field(converter=to_time_of_day)

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the problems of settings that are valid by themselves."""
        match values:
            case {"start": start, "end": end} if start == end:
                yield ("end",), "it must differ from the start"


@attrs.frozen(kw_only=True)
class _Declared(Checked):
    """What campaigns and Canvases have in common.

    Attributes:
        name: its name.
        path: the path of its links on the brand's site; made from the name if it is empty.
        region: where its users live, such as `EU`; `Global` for everywhere.
        share: the share of users in its audience, from 0 to 1.
        variations: the names of its variations; users are divided equally among them.
        control: the share of its audience in the control group, from 0 to 1.
        goals: the conversion events, the primary one first; at most 4.
        frequency_cap: its frequency cap; None for the workspace's.
        quiet_hours: its quiet hours; None for the workspace's.
    """

    name: str
    path: str = ""
    region: Region = attrs.field(default=Region("Global"), converter=to_region)
    share: Share = attrs.field(default=Share(1.0), converter=to_share)
    variations: tuple[str, ...] = attrs.field(default=("Variant A",), converter=_to_names)
    control: Share = attrs.field(default=Share(0.0), converter=to_share)
    goals: tuple[Goal, ...] = attrs.field(default=(), converter=_to_goals)
    frequency_cap: FrequencyCap | None = None
    quiet_hours: QuietHours | None = None

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the problems of settings that are valid by themselves."""
        if len(values.get("goals", ())) > _MOST_GOALS:
            yield ("goals", _MOST_GOALS), f"there are at most {_MOST_GOALS} conversion events"
        variations = values.get("variations")
        if variations == ():
            yield ("variations",), "it is empty; there must be at least one variation"
        elif variations and len(set(variations)) < len(variations):
            yield ("variations",), "the names of variations must differ"


@attrs.frozen(kw_only=True)
class DeclaredCampaign(_Declared):
    """A campaign.

    Attributes:
        channel: its channel.
        schedule: when it goes out, if it is scheduled.
        entry: what a user does to get it, if it is action-based or API-triggered.
        delay: how long after the entry it goes out.
        trigger: what sends it. `scheduled` is the default if it has a schedule, otherwise `action`.
            With `api`, the entry makes a system of the customer call the API.
        send_id: whether the API calls ask for a send id.
    """

    channel: Channel = attrs.field(converter=to_channel)
    schedule: CampaignSchedule | None = None
    entry: Action | None = attrs.field(default=None, converter=attrs.converters.optional(to_action))
    delay: Duration = attrs.field(default=Duration(0), converter=to_duration)
    trigger: Literal["scheduled", "action", "api"] = attrs.field()
    send_id: bool = False

    @trigger.default
    def _default_trigger(self) -> str:
        return "scheduled" if self.schedule else "action"

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the problems of settings that are valid by themselves."""
        yield from super().conflicts(values)
        match values:
            case {"schedule": None, "entry": None}:
                yield (), "a campaign needs a schedule or an entry"
            case {"schedule": CampaignSchedule(), "entry": str()}:
                yield ("entry",), "a campaign has either a schedule or an entry"
            case {"schedule": None, "trigger": "scheduled"}:
                yield ("trigger",), "a scheduled campaign needs a schedule"
            case {"entry": None, "trigger": "action" | "api" as trigger}:
                yield ("trigger",), f"with {trigger!r}, a campaign needs an entry, not a schedule"
        match values:
            case {"schedule": CampaignSchedule(), "delay": delay} if delay:
                yield ("delay",), "a scheduled campaign has no delay"
        if values.get("channel") in IN_SESSION:
            for name in ("frequency_cap", "quiet_hours"):
                if values.get(name) is not None:
                    yield (name,), "messages that users see in a session are not held back"
        if values.get("send_id") and values.get("trigger", "action") != "api":
            yield ("send_id",), "only a campaign with the trigger 'api' has send ids"


@attrs.frozen(kw_only=True)
class StepPath:
    """A path of a step that splits users.

    Attributes:
        name: its name.
        share: the share of users who take it, from 0 to 1; None for an equal part of what the other
            paths leave.
        next: the name of a later step, or `end`; None for the step that comes next.
    """

    name: str
    share: Share | None = attrs.field(default=None, converter=attrs.converters.optional(to_share))
    next: str | None = None


@attrs.frozen(kw_only=True)
class DeclaredStep(Checked):
    """A step of a Canvas.

    Attributes:
        name: its name.
        kind: `message`; `experiment`, `decision` (a Decision Split) or `audience` (Audience Paths),
            which split users into paths; `destination`, which passes users on to an external
            destination; or `update`, which changes the user's profile.
        channel: the channel of a message.
        delay: how long after the step before it comes.
        paths: the paths of a step that splits users; empty for the usual ones.
        control: the share of users in the control group of an experiment, from 0 to 1.
    """

    name: str
    kind: Literal["message", "experiment", "decision", "audience", "destination", "update"] = (
        "message"
    )
    channel: Channel | None = attrs.field(
        default=None, converter=attrs.converters.optional(to_channel)
    )
    delay: Duration = attrs.field(default=Duration(0), converter=to_duration)
    paths: tuple[StepPath, ...] = attrs.field(default=(), converter=_to_paths)
    control: Share = attrs.field(default=Share(0.0), converter=to_share)

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the problems of settings that are valid by themselves."""
        match values:
            case {"kind": "message", "channel": None}:
                yield ("channel",), "a message step needs a channel"
            case {"kind": kind, "channel": str()} if kind != "message":
                yield ("channel",), f"{kind!r} steps have no channel"
        match values:
            case {"kind": kind, "paths": paths} if paths and kind not in _SPLITS:
                yield ("paths",), f"{kind!r} steps have no paths"
            case {"kind": kind, "control": control} if control and kind != "experiment":
                yield ("control",), "only experiments have a control group"
        shares = [path.share for path in values.get("paths", ())]
        total = sum(share for share in shares if share is not None)
        if total > 1 + 1e-9 or (shares and None not in shares and total < 1 - 1e-9):
            yield ("paths",), f"the shares of the paths add up to {total:.4g}; it must be 1"

    def path_shares(self) -> tuple[float, ...]:
        """Return the share of each path; they add up to 1."""
        given = [path.share for path in self.paths if path.share is not None]
        rest = (1 - sum(given)) / max(1, len(self.paths) - len(given))
        return tuple(max(0.0, rest) if path.share is None else path.share for path in self.paths)


@attrs.frozen(kw_only=True)
class DeclaredCanvas(_Declared):
    """A Canvas.

    Attributes:
        entry: what a user does to enter it.
        entry_delay: how long after that the user enters.
        exit: what makes users leave it before its end, one action or several.
        steps: its steps, in their order.
    """

    entry: Action = attrs.field(converter=to_action)
    entry_delay: Duration = attrs.field(default=Duration(0), converter=to_duration)
    exit: Actions = attrs.field(default=Actions(()), converter=to_actions)
    steps: tuple[DeclaredStep, ...] = attrs.field(converter=_to_steps)

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the problems of settings that are valid by themselves."""
        yield from super().conflicts(values)
        steps = values.get("steps", ())
        if values.get("steps") == ():
            yield ("steps",), "it is empty; a Canvas needs at least one step"
        for number, step in enumerate(steps):
            later = {each.name for each in steps[number + 1 :]} | {_END}
            for at, path in enumerate(step.paths):
                if path.next is not None and path.next not in later:
                    text = f"{quoted(path.next)} is neither a later step nor end"
                    yield (
                        ("steps", number, "paths", at, "next"),
                        text + did_you_mean(path.next, later),
                    )
