"""The campaigns and Canvases of a workspace: when their messages go out, and to whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import attrs

from .._data import read_rows
from .._draws import mix
from ..people.model import Place
from ..workspace.channels import channel_of
from ..workspace.model import Campaign, Canvas, Message, Workspace
from ._curve import DAY, universal_time

__all__ = ["IN_SESSION", "Calendar", "Occurrence", "begin_of", "week_of"]

#: Channels whose messages users see in a session, when the app asks for them.
IN_SESSION = frozenset({"inappmessage", "banner", "featureflag", "newsfeedcard"})

#: Channels of which other journeys make all events.
_ELSEWHERE = frozenset(
    channel_of(row["event_type"]) for row in read_rows("journeys", "types.tsv")
) - {None}

_WEEK = 7 * DAY
#: The epoch was a Thursday: three days after a Monday.
_MONDAY = 3 * DAY
_EVERYWHERE = "Global"
#: How many weeks of places are kept: those of all places for some weeks.
_KEPT = 512


@attrs.frozen(eq=False)
class Occurrence:
    """One time that a scheduled campaign goes out.

    Attributes:
        campaign: the campaign.
        time: when it goes out to a user, in seconds since the epoch.
        key: what distinguishes it from other times.
        launched: when it was launched for users everywhere.
    """

    campaign: Campaign
    time: int
    key: int
    launched: int


class Calendar:
    """What happens in a workspace without users doing anything, and what users can set off.

    Args:
        workspace: the workspace.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._weeks: dict[tuple[str, str, int], Sequence[Occurrence]] = {}
        self._keys = {campaign.id: mix(campaign.id) for campaign in workspace.campaigns}
        self._messages: dict[str, tuple[list[Message], list[Message]]] = {}
        self._steps: dict[tuple[str, str, str], list[Message]] = {}
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
                *(canvas.exit for canvas in canvases),
            )
        )

    @cached_property
    def triggered(self) -> Mapping[str, Sequence[Campaign]]:
        """The action-based campaigns, by what sets them off."""
        found: dict[str, list[Campaign]] = {}
        for campaign in self._workspace.campaigns:
            if campaign.event and campaign.channel not in IN_SESSION | _ELSEWHERE:
                found.setdefault(campaign.event, []).append(campaign)
        return found

    @cached_property
    def in_session(self) -> Mapping[str, Sequence[Campaign]]:
        """The campaigns that users see in a session, by channel."""
        found: dict[str, list[Campaign]] = {}
        for campaign in self._workspace.campaigns:
            if campaign.channel in IN_SESSION:
                found.setdefault(campaign.channel, []).append(campaign)
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
                    name = canvas.name.removesuffix(canvas.region)
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

    def _make_occurrences(self, region: str, zone: str, week: int) -> Iterator[Occurrence]:
        # By the clocks at the place, some are in the week before or after.
        starts = [begin_of(each) for each in (week - 1, week, week + 1)]
        for number, campaign in enumerate(self._workspace.campaigns):
            schedule = campaign.schedule
            if schedule is None or campaign.region not in (region, _EVERYWHERE):
                continue
            if campaign.channel in IN_SESSION | _ELSEWHERE:
                continue
            for launched in (
                # No two campaigns begin in the same second.
                start + day * DAY + schedule.second + number
                for start in starts
                for day in schedule.days
            ):
                time = universal_time(zone, launched) if schedule.local else launched
                if week_of(time) == week:
                    yield Occurrence(
                        campaign, time, mix(self._keys[campaign.id], launched), launched
                    )


def week_of(time: int) -> int:
    """Return the number of the week of a time, from Monday to Sunday in UTC."""
    return (time + _MONDAY) // _WEEK


def begin_of(week: int) -> int:
    """Return the time at which a week begins."""
    return week * _WEEK - _MONDAY
