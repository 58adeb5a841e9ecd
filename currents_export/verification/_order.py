"""Find the events that arrived before an earlier event of the same user."""

from __future__ import annotations

from ._collect import Collector
from ._store import PARTITIONS, Partitions

__all__ = ["find_reordered"]


def find_reordered(pairs: Partitions, names: list[str]) -> Collector:
    """Find the events that arrived before an event of the same user that was sent earlier.

    Events that were moved on purpose are left out.

    Args:
        pairs: the user, the number of the sent event, the number of the arrival, the number of the
            event type, the id, and whether the event was moved on purpose, by user.
        names: the names of the event types.
    """
    found = Collector()
    for number in range(PARTITIONS):
        user, latest = None, -1
        for each in sorted(pairs.take(number)):
            if each[0] != user:
                user, latest = each[0], -1
            if each[5]:
                continue
            if each[2] > latest:
                latest = each[2]
            elif each[2] < latest:
                found.add(each[4], names[each[3]])
    return found
