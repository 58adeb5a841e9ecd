"""Event types that only the tables know: they happen now and then, as `traffic.tsv` says."""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Collection

from .._data import read_rows
from .._draws import mix, unit
from .._plan import Plan
from ..workspace.channels import channel_of
from ._curve import DAY
from ._life import Journey, Life

__all__ = ["begin_unnamed", "unnamed_types"]

#: In a month, a user has this many events of a type with the weight 1.
_MONTHLY = 0.05


def unnamed_types(names: list[str]) -> list[str]:
    """Return the types that no journey and no message machine makes."""
    known = {row["event_type"] for row in read_rows("journeys", "types.tsv")}
    return [name for name in names if name not in known and channel_of(name) is None]


def begin_unnamed(life: Life) -> None:
    """Begin to let events of such types happen."""
    if life.run.unnamed:
        _plan(life)


def _plan(life: Life) -> None:
    total = sum(rule.weight for _, rule in life.run.unnamed) * _MONTHLY
    if total <= 0.0:
        return
    life.others += 1
    gap = -math.log(1.0 - unit(mix(life.key, "unnamed", life.others))) / (total / 30)
    life.at(life.now + 1 + int(gap * DAY), _happen, life)


def _happen(life: Life) -> None:
    unnamed = life.run.unnamed
    rest = unit(mix(life.key, "which", life.others)) * sum(rule.weight for _, rule in unnamed)
    plan, rule = unnamed[-1]
    for each in unnamed:
        rest -= each[1].weight
        if rest < 0:
            plan, rule = each
            break
    _emit(Journey(life, plan.event_type.name, life.others), plan, rule.audience.platforms)
    _plan(life)


def _emit(journey: Journey, plan: Plan, platforms: Collection[str]) -> None:
    """Let the event happen, if the user has a device for it."""
    user = journey.life.user
    devices = [
        each.device
        for each in journey.life.devices
        if each.installed and (not platforms or each.device.platform in platforms)
    ]
    if platforms and not devices:
        return
    device = devices[0] if devices and journey.unit("device") < plan.on_device else None
    if plan.pools:
        pool = plan.pools[bisect(plan.shares, journey.unit("pool"))].messages[user.place.region]
        if pool:
            journey.message, _ = pool[int(len(pool) * journey.unit("message") ** 2)]
    journey.emit(plan.event_type.name, device=device)
