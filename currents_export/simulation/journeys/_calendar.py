"""The campaigns and Canvases of a workspace: when their messages go out, and to whom."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import attrs

from .._data import read_rows
from .._draws import mix
from ..workspace.channels import channel_of
from ..workspace.model import Campaign, Canvas, Message, Workspace
from ._curve import DAY

__all__ = ["IN_SESSION", "Calendar", "Occurrence"]

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
        self._slots: dict[tuple[str, int], tuple[list[int], list[tuple[Campaign, bool]]]] = {}
        self._keys = {campaign.id: mix(campaign.id) for campaign in workspace.campaigns}
        self._messages: dict[str, list[Message]] = {}
        self._steps: dict[tuple[str, str, str], list[Message]] = {}
        for message in workspace.messages:
            fields = message.fields
            if message.kind == "campaign":
                self._messages.setdefault(fields["campaign_id"], []).append(message)
            elif message.kind == "canvas":
                step = fields.get("canvas_step_id", "")
                key = (fields["canvas_id"], fields["canvas_variation_id"], step)
                self._steps.setdefault(key, []).append(message)

    def messages_of(self, campaign: Campaign) -> Sequence[Message]:
        """Return the messages of a campaign, one for each variation, the control group last."""
        return self._messages[campaign.id]

    def message_of(self, canvas: str, variation: str, step: str = "") -> Sequence[Message]:
        """Return the messages of a Canvas step, one for each path; without a step, the control."""
        return self._steps[canvas, variation, step]

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

    def canvases(self, entry: str, region: str) -> Iterator[Canvas]:
        """Yield the Canvases that users of a region enter by an action.

        Where a Canvas for the region has the same steps as one for everywhere, only the former.
        """
        found: dict[str, Canvas] = {}
        for canvas in self._workspace.canvases:
            if canvas.entry == entry and canvas.region in (region, _EVERYWHERE):
                name = canvas.name.removesuffix(canvas.region)
                if name not in found or canvas.region == region:
                    found[name] = canvas
        yield from found.values()

    def occurrences(self, region: str, offset: int, after: int) -> Iterator[Occurrence]:
        """Yield the occurrences for users of a region after a time, in order, without end.

        Args:
            region: the region.
            offset: how many seconds their clocks are ahead of UTC.
            after: the time, in seconds since the epoch.
        """
        seconds, campaigns = self._week(region, offset)
        week, second = divmod(after + offset + _MONDAY, _WEEK)
        place = bisect_right(seconds, second)
        while seconds:
            if place == len(seconds):
                week, place = week + 1, 0
            local = week * _WEEK + seconds[place] - _MONDAY
            campaign, in_local_time = campaigns[place]
            launched = local if in_local_time else local - offset
            yield Occurrence(
                campaign, local - offset, mix(self._keys[campaign.id], launched), launched
            )
            place += 1

    def _week(self, region: str, offset: int) -> tuple[list[int], list[tuple[Campaign, bool]]]:
        """Return the seconds of the local week at which campaigns go out, and the campaigns.

        Beside each campaign: whether it goes out in the time zone of each user.
        """
        if (region, offset) not in self._slots:
            slots = sorted(
                (
                    # No two campaigns begin in the same second.
                    (day * DAY + schedule.second + number + (0 if schedule.local else offset))
                    % _WEEK,
                    number,
                    schedule.local,
                )
                for number, campaign in enumerate(self._workspace.campaigns)
                if campaign.region in (region, _EVERYWHERE)
                and campaign.channel not in IN_SESSION | _ELSEWHERE
                for schedule in (campaign.schedule,)
                if schedule
                for day in schedule.days
            )
            self._slots[region, offset] = (
                [second for second, _, _ in slots],
                [(self._workspace.campaigns[number], local) for _, number, local in slots],
            )
        return self._slots[region, offset]
