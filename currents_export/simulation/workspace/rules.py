"""What campaigns and Canvases decide for themselves, instead of leaving it to the workspace."""

from __future__ import annotations

from typing import Literal

import attrs

__all__ = ["Rules"]


@attrs.frozen
class Rules:
    """The rules of a campaign or Canvas that was declared, as in a scenario.

    Attributes:
        path: the path of its links on the brand's site.
        control: the share of its audience in the control group, from 0 to 1.
        goals: its conversion events, the primary one first: what users do, and within how many
            seconds.
        cap: its frequency cap, how many messages of a channel in how many days; None for the
            workspace's.
        quiet_hours: the seconds of the day between which its messages wait, in local time; None for
            the workspace's.
        trigger: what sends a campaign.
        send_id: whether its API calls ask for a send id.
    """

    path: str
    control: float = 0.0
    goals: tuple[tuple[str, int], ...] = ()
    cap: tuple[int, int] | None = None
    quiet_hours: tuple[int, int] | None = None
    trigger: Literal["scheduled", "action", "api"] = "action"
    send_id: bool = False
