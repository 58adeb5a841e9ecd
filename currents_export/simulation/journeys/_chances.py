"""The named chances and delays of lives: tables of defaults, and what replaces them.

`effects.tsv` has what may follow from a message, `rates.tsv` and `delays.tsv` everything else.
Source: the column `source` of each; `assumed` where nothing is published.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

import attrs

from .._data import read_rows, split
from .._draws import MASK, UNIT, draw, factor_of, key_of, share
from .._settings import Delay
from ..workspace.channels import channel_of
from ._calendar import IN_SESSION

if TYPE_CHECKING:
    from ._life import Journey, Life
    from ._strata import Strata

__all__ = ["DELAYS", "EFFECTS", "RATES", "Chances", "Delay", "Effect"]

T = TypeVar("T")

#: What is added to the name of a chance for the messages of Canvases and action-based campaigns.
_FLOW = ".flow"


@attrs.frozen
class Effect:
    """Something that may follow from a message.

    Attributes:
        name: its name, such as `email.open`.
        channel: its channel.
        event_type: the type of its event; None if it has none.
        causes: what it follows from: `send`, or effects of the same channel; empty if only other
            parts of a life cause it.
        group: effects of a cause with the same group exclude each other.
        share: its share of the cases of `of`; None for what remains in its group.
        flow_share: the same for Canvases and action-based campaigns.
        of: the earlier cause that the share refers to; empty for the cause itself.
    """

    name: str
    channel: str
    event_type: str | None
    causes: tuple[str, ...]
    group: str
    share: float | None
    flow_share: float | None
    of: str


def _read_effect(row: Mapping[str, str]) -> Effect:
    channel, name = row["channel"], f"{row['channel']}.{row['name']}"
    causes = tuple(
        each if each == "send" else f"{channel}.{each}"
        for each in split(row["cause"])
        if each != "-"
    )
    of = f"{channel}.{row['of']}" if row["of"] not in ("", "send") else row["of"]
    share = None if row["share"] == "rest" else float(row["share"])
    return Effect(
        name=name,
        channel=channel,
        event_type=None if row["effect"] == "-" else f"users.messages.{channel}.{row['effect']}",
        causes=causes,
        group=f"{channel}.{row['group'] or row['name']}",
        share=share,
        flow_share=float(row["flow"]) if row["flow"] else share,
        of=of,
    )


#: What may follow from a message, by name.
EFFECTS: Mapping[str, Effect] = MappingProxyType(
    {
        effect.name: effect
        for row in read_rows("journeys", "effects.tsv")
        for effect in (_read_effect(row),)
    }
)
#: The channel of the effects that stand for those of channels without any.
_OTHER = "*"
#: What a message is before anything follows from it.
_ROOTS = frozenset({"Send", "Abort", "Retry"})


def _more_effects(event_types: Iterable[str]) -> Iterator[Effect]:
    """Yield an effect for each type of message events that no code and no table names."""
    named = {effect.event_type for effect in EFFECTS.values()}
    named |= {row["event_type"] for row in read_rows("journeys", "types.tsv")}
    for event_type in event_types:
        channel, last = channel_of(event_type), event_type.rpartition(".")[2]
        if channel is not None and event_type not in named and last not in _ROOTS:
            if channel in IN_SESSION and last == "Impression":
                continue
            known = EFFECTS.get(f"{_OTHER}.{last.lower()}") or EFFECTS[f"{_OTHER}.other"]
            yield attrs.evolve(known, channel=channel, event_type=event_type, group=event_type)


def _read_rates() -> Mapping[str, float]:
    rates = {row["name"]: float(row["share"]) for row in read_rows("journeys", "rates.tsv")}
    for effect in EFFECTS.values():
        if effect.share is not None and effect.flow_share is not None:
            rates[effect.name] = effect.share
            if effect.share != effect.flow_share:
                rates[effect.name + _FLOW] = effect.flow_share
    return MappingProxyType(rates)


def _read_delays() -> Mapping[str, Delay]:
    delays = {
        row["name"]: Delay.parse(row["quantiles"]) for row in read_rows("journeys", "delays.tsv")
    }
    for row in read_rows("journeys", "effects.tsv"):
        delays[f"{row['channel']}.{row['name']}"] = Delay.parse(row["delay"])
    return MappingProxyType(delays)


#: The default share of each named chance, between 0 and 1.
RATES: Mapping[str, float] = _read_rates()
#: The default distribution of each named delay.
DELAYS: Mapping[str, Delay] = _read_delays()


#: The key of the draws for what excludes each other, and each choice with the upper limit of the
#: draws that choose it.
_Group = tuple[int, tuple[tuple[float, T], ...]]
#: The factor of the draw that chooses from several groups at once, the upper limit of each outcome
#: except the last one, the outcomes, and the groups that they are made from.
_Joint = tuple[int, Sequence[float], Sequence[Sequence[T]], Sequence[_Group[T]]]


def _join(name: str, groups: Sequence[_Group[T]]) -> _Joint[T]:
    """Let one draw, which has a name, choose from all groups: a draw for each would take longer."""
    outcomes: list[tuple[float, tuple[T, ...]]] = [(1.0, ())]
    for _, choices in groups:
        ways: list[tuple[float, tuple[T, ...]]] = []
        last = 0.0
        for limit, choice in choices:
            ways.append((limit - last, (choice,)))
            last = limit
        ways.append((1.0 - last, ()))
        outcomes = [
            (chance * more, (*before, *after))
            for chance, before in outcomes
            for more, after in ways
            if chance * more > 0.0
        ]
    # What remains must not be missed by an error of rounding.
    limits = tuple(accumulate(chance for chance, _ in outcomes[:-1]))
    return factor_of(f"{name} jointly"), limits, [each for _, each in outcomes], groups


class Chances:
    """The chances and delays of a run.

    Args:
        event_types: the types that may occur. Those that no table names follow from messages, too.
        rates: shares that replace the defaults, by name.
        delays: delays that replace the defaults, by name.
        forced: chances that always or never come true, by name.

    Attributes:
        shares: for each named chance its share, also of 2**64, and the key and the factor of its
            draws.
        delays: for each named delay its quantile function, and the key and the factor of its draws.
        strata: what draws if shares are to be exact: of 50 people, a chance of 2 % comes true for
            one. With None, chances are drawn at random.
    """

    def __init__(
        self,
        event_types: Iterable[str] = (),
        rates: Mapping[str, float] = MappingProxyType({}),
        delays: Mapping[str, Delay] = MappingProxyType({}),
        *,
        forced: Mapping[str, bool] = MappingProxyType({}),
    ) -> None:
        self._rates = {**RATES, **rates}
        self._forced = dict(forced)
        self._delays = {**DELAYS, **delays}
        self.strata: Strata | None = None
        self._effects: dict[str, list[Effect]] = {}
        for effect in (*EFFECTS.values(), *_more_effects(event_types)):
            self._effects.setdefault(effect.channel, []).append(effect)
        self.shares = {
            name: (share, int(share * 2**64), key_of(name), factor_of(name))
            for name, rate in self._rates.items()
            for share in (float(self._forced.get(name, rate)),)
        }
        # A chance and a delay may have the same name, but their draws must not be the same.
        self.delays = {
            name: (delay.at, key_of(f"{name} delay"), factor_of(f"{name} delay"))
            for name, delay in self._delays.items()
        }
        self._all_effects: dict[tuple[str, bool], _Joint[Effect]] = {}
        self._exclusive: dict[tuple[str, ...], tuple[Sequence[float], Sequence[str], int]] = {}
        self._totals: dict[tuple[str, ...], float] = {}
        self._joints: dict[tuple[str, ...], _Joint[str]] = {}

    def share(self, name: str) -> float:
        """Return the share of a named chance."""
        return self.shares[name][0]

    def total(self, names: tuple[str, ...]) -> float:
        """Return the sum of the shares of some named chances."""
        found = self._totals.get(names)
        if found is None:
            found = self._totals[names] = sum(self.shares[name][0] for name in names)
        return found

    def of(self, life: Life, key: int) -> float:
        """Return the number in [0, 1) that a person has for a key, such as that of a campaign."""
        if self.strata is None:
            return (life.key * (key | 1) & MASK) * UNIT
        return self.strata.of(life.number, key)

    def of_person(self, person: int, life_key: int, key: int) -> float:
        """Return the same for a person whose life has a key."""
        if self.strata is None:
            return (life_key * (key | 1) & MASK) * UNIT
        return self.strata.of(person, key)

    def delay(self, key: int, name: str, occurrence: int = 0) -> int:
        """Return a named delay in what has a key, in seconds."""
        at, part, factor = self.delays[name]
        return at(draw(key, part + occurrence) if occurrence else (key * factor & MASK) * UNIT)

    def quantile(self, name: str, share: float) -> int:
        """Return how long, in seconds, a share of the named delays is at most."""
        return self.delays[name][0](share)

    def which(self, journey: Journey, names: tuple[str, ...]) -> str:
        """Return which of some named chances comes true in a journey; empty for none of them.

        They exclude each other.
        """
        found = self._exclusive.get(names)
        if found is None:
            # What is forced to happen comes first, so that nothing else can be chosen.
            order = sorted(names, key=lambda name: not self._forced.get(name))
            found = (
                [*accumulate(self.shares[name][0] for name in order)],
                (*order, ""),
                factor_of(f"{names[0]} or another"),
            )
            self._exclusive[names] = found
        limits, order_and_none, factor = found
        if self.strata is not None:
            # Each share is exact.
            return next((name for name in order_and_none if name and journey.happens(name)), "")
        return order_and_none[bisect_right(limits, (journey.key * factor & MASK) * UNIT)]

    def together(self, journey: Journey, names: tuple[str, ...]) -> Sequence[str]:
        """Return which of some named chances come true in a journey: any number of them."""
        joint = self._joints.get(names)
        if joint is None:
            groups = [(key_of(name), ((self.shares[name][0], name),)) for name in names]
            joint = self._joints[names] = _join(names[0], groups)
        return self._choose(journey, joint)

    def effects(self, journey: Journey, cause: str, flow: bool) -> Sequence[Effect]:
        """Return what follows from `send`, preceded by its channel, or from an effect.

        Args:
            journey: the message.
            cause: the name of the cause.
            flow: whether the message belongs to a Canvas or to an action-based campaign.
        """
        joint = self._all_effects.get((cause, flow))
        if joint is None:
            joint = _join(cause, [*self._make_groups(cause, flow=flow)])
            self._all_effects[cause, flow] = joint
        if self.strata is None:
            factor, limits, outcomes, _ = joint
            drawn = (journey.key * factor & MASK) * UNIT
            return outcomes[bisect_right(limits, drawn)]
        return self._choose(journey, joint)

    def _choose(self, journey: Journey, joint: _Joint[T]) -> Sequence[T]:
        factor, limits, outcomes, groups = joint
        if self.strata is None:
            return outcomes[bisect_right(limits, share(journey.key, factor))]
        chosen = []
        for key, choices in groups:
            drawn = self.strata.unit(journey, key)
            for limit, choice in choices:
                if drawn < limit:
                    chosen.append(choice)
                    break
        return chosen

    def _make_groups(self, cause: str, *, flow: bool) -> list[_Group[Effect]]:
        channel, _, name = cause.partition(".")
        there: dict[str, list[Effect]] = {}
        own = "send" if name == "send" else cause
        for effect in self._effects.get(channel, ()):
            if own in effect.causes:
                there.setdefault(effect.group, []).append(effect)
        groups: list[_Group[Effect]] = []
        for group, effects in there.items():
            limits, total = [], 0.0
            # What is forced to happen comes first, so that nothing else can be chosen.
            for effect in sorted(effects, key=lambda each: not self._forced_of(each, flow=flow)):
                total += self._share(effect, cause, flow=flow)
                # What remains must not be missed by an error of rounding.
                limits.append((total if total < 1.0 - 1e-9 else 1.0, effect))
            groups.append((key_of(group), tuple(limits)))
        return groups

    def _forced_of(self, effect: Effect, *, flow: bool) -> bool | None:
        forced = self._forced.get(effect.name + _FLOW) if flow else None
        return self._forced.get(effect.name) if forced is None else forced

    def _share(self, effect: Effect, cause: str, *, flow: bool) -> float:
        """Return the share of an effect given its cause."""
        forced = self._forced_of(effect, flow=flow)
        if forced is not None:
            return float(forced)
        if effect.share is None:
            rest = 1.0
            for each in self._effects[effect.channel]:
                if each is not effect and each.group == effect.group:
                    rest -= self._share(each, cause, flow=flow)
            return max(rest, 0.0)
        name = effect.name + _FLOW if flow and effect.name + _FLOW in self._rates else effect.name
        share, at = self._rates[name], cause
        # The share refers to an earlier cause: divide by the shares of the steps between.
        while effect.of and at != effect.of and at in EFFECTS and at.partition(".")[2] != "send":
            between = EFFECTS[at]
            reached = self._share(between, between.causes[0], flow=flow)
            share = share / reached if reached else 0.0
            at = between.causes[0]
        return min(share, 1.0)
