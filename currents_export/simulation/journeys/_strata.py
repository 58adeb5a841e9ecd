"""Stratified draws: of 50 people, a share of 2 % is exactly one.

Each draw is a permutation of the people it could concern, so their draws are spread evenly. Who
they are must not depend on what happens: for a message, they are those in its audience who can be
reached when lives begin. Where only some of them get so far, as clicks need opens, a share is not
exact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from .._draws import key_of, mix, permute
from ..workspace.model import Campaign, Canvas, Message

if TYPE_CHECKING:
    from ._life import Journey, Life

__all__ = ["Strata"]


class Strata:
    """The stratified draws of a run.

    Args:
        population: how many people there are.
        reach_of: returns the region of a person, and on which channels the person can be reached
            when lives begin.
        owners: the campaigns and Canvases by id.
    """

    def __init__(
        self,
        population: int,
        reach_of: Callable[[int], tuple[str, frozenset[str]]],
        owners: Mapping[str, Campaign | Canvas],
    ) -> None:
        self._population = population
        self._reach_of = cache(reach_of)
        self._owners = owners
        self._ranks: dict[tuple[str, str], Mapping[int, int]] = {}

    def of(self, person: int, key: int) -> float:
        """Return the draw of a person."""
        return _place(person, self._population, key)

    def unit(self, journey: Journey, key: int) -> float:
        """Return a draw in a journey."""
        life, message = journey.life, journey.message
        if message is None:
            return self.of(life.number, mix(key, *_moment(journey)))
        fields = message.fields
        owner = fields.get("campaign_id") or fields.get("canvas_id") or ""
        step = fields.get("canvas_step_id") or owner
        key = mix(key, step, *_occasion(journey))
        ranks = self._members(owner, message)
        rank = ranks.get(life.number)
        if rank is None:  # only later did the person become one who can be reached
            return self.of(life.number, key)
        return _place(rank, len(ranks), key)

    def _members(self, owner: str, message: Message) -> Mapping[int, int]:
        """Return who can get a message, each with the rank among them."""
        found = self._ranks.get((owner, message.channel))
        if found is None:
            there = (n for n in range(self._population) if self._can_get(n, owner, message))
            found = {number: rank for rank, number in enumerate(there)}
            self._ranks[owner, message.channel] = found
        return found

    def _can_get(self, person: int, owner: str, message: Message) -> bool:
        region, channels = self._reach_of(person)
        if message.channel not in channels or message.region not in (region, "Global"):
            return False
        rules, whole = message.rules, self._owners.get(owner)
        if rules is None or whole is None:
            return True
        variation = key_of(owner) if isinstance(whole, Campaign) else mix(owner, "variation")
        chosen = self.of(person, mix(owner, "audience")) < whole.share
        return chosen and self.of(person, variation) >= rules.control


def _moment(journey: Journey) -> tuple[int | str, ...]:
    """Return when a journey without a message happens, in terms that people share."""
    life: Life = journey.life
    return journey.name, life.sessions, life.background


def _occasion(journey: Journey) -> tuple[int | str, ...]:
    """Return at which occasion a message goes out, in terms that people share."""
    message = journey.message
    if message is not None and message.kind == "canvas":
        return ()
    if getattr(journey, "flow", True):
        return (journey.life.sessions,)
    return (str(journey.facts.get("dispatch_id")),)


def _place(rank: int, count: int, key: int) -> float:
    """Return the draw of one of several people, each of whom is in the middle of an equal part."""
    return (permute(rank, count, key) + 0.5) / count
