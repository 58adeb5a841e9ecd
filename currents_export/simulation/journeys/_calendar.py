"""The campaigns and Canvases of a workspace: when their messages go out, and to whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import attrs

from .._data import read_data, read_rows
from .._draws import mix, unit
from ..people.model import Place
from ..people.places import PLACES
from ..workspace.channels import IN_SESSION, channel_of
from ..workspace.model import Campaign, Canvas, Message, Workspace
from ._curve import DAY, universal_time

if TYPE_CHECKING:
    from ._awaiting import Goal

__all__ = ["IN_SESSION", "Calendar", "Occurrence", "begin_of", "week_of"]

#: Channels of which other journeys make all events.
_ELSEWHERE = frozenset(
    channel_of(row["event_type"]) for row in read_rows("journeys", "types.tsv")
) - {None}

#: Channels of which campaigns send nothing by themselves.
_UNSENT = IN_SESSION | _ELSEWHERE

_WEEK = 7 * DAY
#: The epoch was a Thursday: three days after a Monday.
_MONDAY = 3 * DAY
_EVERYWHERE = "Global"
#: What the names of custom events begin with, where they are actions.
_CUSTOM = "custom:"
#: The custom events that users cause by what they do anyway.
_KNOWN_EVENTS = frozenset(
    _CUSTOM + each["name"] for each in read_data("fields", "custom_events.toml")["events"]
)
#: How many seconds before it goes out a campaign is made at most, if it goes out once.
_MADE_BEFORE = 1800
#: How many weeks of places are kept: those of all places for some weeks. For each of them, users
#: differ by the channels that they can be reached on.
_KEPT, _KEPT_REACHING = 512, 8_192


@attrs.frozen(eq=False)
class Occurrence:
    """One time that a scheduled campaign goes out.

    Attributes:
        campaign: the campaign.
        time: when it goes out to a user, in seconds since the epoch.
        key: what distinguishes it from other times.
        launched: when it was launched for users everywhere.
        audience: what its audience is drawn by.
        factor: the factor by which the key of a life is multiplied to draw that.
        limit: whoever is below this of 2**64 is in the audience.
    """

    campaign: Campaign
    time: int
    key: int
    launched: int
    audience: int
    factor: int = attrs.field(init=False)
    limit: int = attrs.field(init=False)

    @factor.default
    def _factor(self) -> int:
        return self.audience | 1

    @limit.default
    def _limit(self) -> int:
        return int(min(self.campaign.share, 1.0) * 2**64)


class Calendar:
    """What happens in a workspace without users doing anything, and what users can set off.

    Args:
        workspace: the workspace.
        start: the time that durations after the start refer to.

    Attributes:
        goals: the conversion events of messages that were awaited, by the identities of these.
    """

    def __init__(self, workspace: Workspace, start: int = 0) -> None:
        self._workspace = workspace
        self._start = start
        self.goals: dict[int, Sequence[Goal]] = {}
        self._weeks: dict[tuple[str, str, int], Sequence[Occurrence]] = {}
        self._reaching: dict[tuple[str, str, int, frozenset[str]], Sequence[Occurrence]] = {}
        self._keys = {campaign.id: mix(campaign.id) for campaign in workspace.campaigns}
        self._messages: dict[str, tuple[list[Message], list[Message]]] = {}
        self._steps: dict[tuple[str, str, str], list[Message]] = {}
        self._triggered: dict[tuple[str, str], Sequence[Campaign]] = {}
        self._seen: dict[tuple[str, str], Sequence[Campaign]] = {}
        self._entries: dict[tuple[str, str], Sequence[Canvas]] = {}
        for message in workspace.messages:
            fields = message.fields
            if message.kind == "campaign":
                found = self._messages.setdefault(fields["campaign_id"], ([], []))
                found[message.control].append(message)
            elif message.kind == "canvas":
                step = fields.get("canvas_step_id", "")
                key = (fields["canvas_id"], fields["canvas_variation_id"], step)
                self._steps.setdefault(key, []).append(message)

    def messages_of(self, campaign: Campaign) -> tuple[Sequence[Message], Sequence[Message]]:
        """Return the messages of a campaign, and those of the control group: one or none."""
        return self._messages[campaign.id]

    def message_of(self, canvas: str, variation: str, step: str = "") -> Sequence[Message]:
        """Return the messages of a Canvas step, one for each path; without a step, the control."""
        return self._steps[canvas, variation, step]

    @cached_property
    def answered(self) -> frozenset[str]:
        """The actions that set off campaigns, or lead into Canvases or out of them."""
        canvases = self._workspace.canvases
        return frozenset(
            (
                *self.triggered,
                *(canvas.entry for canvas in canvases),
                *(action for canvas in canvases for action in canvas.exit),
            )
        )

    @cached_property
    def own_events(self) -> Sequence[str]:
        """The names of custom events that only declared campaigns and Canvases know."""
        workspace = self._workspace
        actions = {
            *(each.event for each in workspace.campaigns),
            *(action for each in workspace.canvases for action in (each.entry, *each.exit)),
        }
        for whole in self.owners.values():
            actions.update(behavior for behavior, _ in (whole.rules.goals if whole.rules else ()))
        names = {each for each in actions if each.startswith(_CUSTOM)} - _KNOWN_EVENTS
        return sorted(each.removeprefix(_CUSTOM) for each in names)

    @cached_property
    def caps(self) -> Mapping[str, int]:
        """The most messages in a frequency cap of a campaign or Canvas, by channel."""
        found: dict[str, int] = {}
        for message in self._workspace.messages:
            if message.rules and message.rules.cap:
                most = max(found.get(message.channel, 0), message.rules.cap[0])
                found[message.channel] = most
        return found

    @cached_property
    def owners(self) -> Mapping[str, Campaign | Canvas]:
        """The campaigns and Canvases by id."""
        campaigns: dict[str, Campaign | Canvas] = {
            each.id: each for each in self._workspace.campaigns
        }
        return campaigns | {each.id: each for each in self._workspace.canvases}

    @cached_property
    def examples(self) -> Sequence[Message]:
        """A message of each channel."""
        return list({each.channel: each for each in self._workspace.messages}.values())

    @cached_property
    def single(self) -> Sequence[tuple[Campaign, int]]:
        """The campaigns that go out once, each with the time of the first user who gets it."""
        zones = {place.timezone for place in PLACES}
        return [
            (campaign, min(_time(zone, launched, local=schedule.local) for zone in zones))
            for campaign in self._workspace.campaigns
            if (schedule := campaign.schedule) and schedule.once
            for launched in (schedule.once.at(self._start),)
        ]

    @cached_property
    def made(self) -> Mapping[str, int]:
        """When campaigns and Canvases were made, by their ids; most were made long ago."""
        return {
            campaign.id: time - int(unit(mix(self._keys[campaign.id], "made")) * _MADE_BEFORE)
            for campaign, time in self.single
        }

    @cached_property
    def triggered(self) -> Mapping[str, Sequence[Campaign]]:
        """The action-based campaigns, by what sets them off."""
        found: dict[str, list[Campaign]] = {}
        for campaign in self._workspace.campaigns:
            if campaign.event and (campaign.rules or campaign.channel not in _UNSENT):
                found.setdefault(campaign.event, []).append(campaign)
        return found

    def triggered_in(self, action: str, region: str) -> Sequence[Campaign]:
        """Return the action-based campaigns that an action sets off for users of a region."""
        found = self._triggered.get((action, region))
        if found is None:
            there = self.triggered.get(action, ())
            found = [each for each in there if each.region in (region, _EVERYWHERE)]
            self._triggered[action, region] = found
        return found

    @cached_property
    def in_session(self) -> Mapping[str, Sequence[Campaign]]:
        """The campaigns that users see in a session, by channel."""
        found: dict[str, list[Campaign]] = {}
        for campaign in self._workspace.campaigns:
            if campaign.channel in IN_SESSION and not campaign.rules:
                found.setdefault(campaign.channel, []).append(campaign)
        return found

    def seen_in(self, channel: str, region: str) -> Sequence[Campaign]:
        """Return the campaigns of a channel that users of a region see in a session."""
        found = self._seen.get((channel, region))
        if found is None:
            there = self.in_session.get(channel, ())
            found = [each for each in there if each.region in (region, _EVERYWHERE)]
            self._seen[channel, region] = found
        return found

    def canvases(self, entry: str, region: str) -> Sequence[Canvas]:
        """Return the Canvases that users of a region enter by an action.

        Where a Canvas for the region has the same steps as one for everywhere, only the former.
        """
        found = self._entries.get((entry, region))
        if found is None:
            by_name: dict[str, Canvas] = {}
            for canvas in self._workspace.canvases:
                if canvas.entry == entry and canvas.region in (region, _EVERYWHERE):
                    name = canvas.id if canvas.rules else canvas.name.removesuffix(canvas.region)
                    if name not in by_name or canvas.region == region:
                        by_name[name] = canvas
            found = self._entries[entry, region] = list(by_name.values())
        return found

    def occurrences(self, place: Place, week: int) -> Sequence[Occurrence]:
        """Return what goes out to users at a place in a week, in order; see `week_of`."""
        key = (place.region, place.timezone, week)
        found = self._weeks.get(key)
        if found is None:
            if len(self._weeks) > _KEPT:
                self._weeks.clear()
            made = sorted(self._make_occurrences(*key), key=lambda each: each.time)
            found = self._weeks[key] = made
        return found

    def reaching(self, place: Place, week: int, channels: frozenset[str]) -> Sequence[Occurrence]:
        """Return what goes out on some channels to users at a place in a week, in order."""
        key = (place.region, place.timezone, week, channels)
        found = self._reaching.get(key)
        if found is None:
            if len(self._reaching) > _KEPT_REACHING:
                self._reaching.clear()
            there = self.occurrences(place, week)
            found = [each for each in there if each.campaign.channel in channels]
            self._reaching[key] = found
        return found

    def _make_occurrences(self, region: str, zone: str, week: int) -> Iterator[Occurrence]:
        # By the clocks at the place, some are in the week before or after.
        starts = [begin_of(each) for each in (week - 1, week, week + 1)]
        for campaign in self._workspace.campaigns:
            schedule = campaign.schedule
            if schedule is None or campaign.region not in (region, _EVERYWHERE):
                continue
            if campaign.channel in _UNSENT and not campaign.rules:
                continue
            launches = [
                start + day * DAY + schedule.second for start in starts for day in schedule.days
            ]
            if schedule.once is not None:
                launches.append(schedule.once.at(self._start))
            for launched in launches:
                time = _time(zone, launched, local=schedule.local)
                if week_of(time) == week:
                    key = mix(self._keys[campaign.id], launched)
                    audience = mix(campaign.id, "audience") if campaign.rules else key
                    yield Occurrence(campaign, time, key, launched, audience)


def _time(zone: str, launched: int, *, local: bool) -> int:
    """Return when a campaign goes out to users in a zone."""
    return universal_time(zone, launched) if local else launched


def week_of(time: int) -> int:
    """Return the number of the week of a time, from Monday to Sunday in UTC."""
    return (time + _MONDAY) // _WEEK


def begin_of(week: int) -> int:
    """Return the time at which a week begins."""
    return week * _WEEK - _MONDAY
