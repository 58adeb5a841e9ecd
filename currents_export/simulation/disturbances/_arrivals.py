"""Disturbances of when events arrive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import attrs

from .._draws import mix, unit
from .._settings import Duration, Share, TimePoint, to_duration, to_share, to_time_point
from .._structure import Problem
from ..answer_key import DUPLICATE
from ._base import Disturbance, Item

__all__ = ["Burst", "Duplicate", "Gap", "Late", "OutOfOrder"]


@attrs.frozen(kw_only=True)
class _Moving(Disturbance):
    """A disturbance after which an event arrives later.

    Attributes:
        at_least: how much later at least.
        up_to: how much later at most.
    """

    rank: ClassVar[int] = 1

    at_least: Duration = attrs.field(default=Duration(1), converter=to_duration)
    up_to: Duration = attrs.field(default=Duration(3600), converter=to_duration)

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the problems of settings that are valid by themselves."""
        match values:
            case {"up_to": 0}:
                yield ("up_to",), "it must be longer than 0 seconds"
            case {"at_least": at_least, "up_to": up_to} if at_least > up_to:
                yield ("at_least",), f"{at_least} s is longer than up_to, which is {up_to} s"

    def _delay(self, key: int) -> int:
        return self.at_least + int(unit(key) * (self.up_to - self.at_least + 1))

    def disturb(self, item: Item, key: int) -> Item | None:
        delay = self._delay(key)
        if delay:
            item.arrival += delay
            self.mark(item)
        return None


@attrs.frozen(kw_only=True)
class Late(_Moving):
    """A device is offline: its events arrive later, with the time at which they happened.

    Attributes:
        at_least: how much later at least: a minute by default.
        up_to: how much later at most: 6 hours by default.
    """

    kind: ClassVar[str] = "late"

    at_least: Duration = attrs.field(default=Duration(60), converter=to_duration)
    up_to: Duration = attrs.field(default=Duration(21600), converter=to_duration)


@attrs.frozen(kw_only=True)
class OutOfOrder(_Moving):
    """An event arrives after some that happened after it.

    Attributes:
        at_least: how much later at least: a second by default.
        up_to: how much later at most: a minute by default.
    """

    kind: ClassVar[str] = "out_of_order"

    up_to: Duration = attrs.field(default=Duration(60), converter=to_duration)


@attrs.frozen(kw_only=True)
class Duplicate(_Moving):
    """An event arrives again, with the same id and the same content.

    Attributes:
        at_least: how long after the first time at least: a minute by default.
        up_to: how long after the first time at most: 3 hours by default.
    """

    kind: ClassVar[str] = DUPLICATE
    rank: ClassVar[int] = 2

    at_least: Duration = attrs.field(default=Duration(60), converter=to_duration)
    up_to: Duration = attrs.field(default=Duration(10800), converter=to_duration)

    def disturb(self, item: Item, key: int) -> Item | None:
        if self.kind in item.kinds:
            return None
        copy = attrs.evolve(item, arrival=item.arrival + self._delay(key))
        self.mark(copy)
        return copy


@attrs.frozen(kw_only=True)
class _Stretch(Disturbance):
    """A disturbance of everything that arrives in a stretch of time.

    Attributes:
        share: the share of the stretches, from 0 to 1; 1 if `at` is given.
        lasting: how long a stretch is.
        at: when the only stretch begins: a time, or how long after the start. By default, stretches
            follow one another, and each is drawn.
    """

    rank: ClassVar[int] = 3

    share: Share = attrs.field(default=Share(1.0), converter=to_share)
    lasting: Duration = attrs.field(default=Duration(3600), converter=to_duration)
    at: TimePoint | None = attrs.field(
        default=None, converter=attrs.converters.optional(to_time_point)
    )

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the problems of settings that are valid by themselves."""
        match values:
            case {"lasting": 0}:
                yield ("lasting",), "it must be longer than 0 seconds"
            case {"at": TimePoint(), "share": share} if share < 1:
                yield ("share",), "it must be 1, since at chooses the stretch"

    def apply(self, item: Item, key: int) -> Item | None:
        """Hold back an event that arrives in the stretch, or in one that is drawn."""
        if self.at is None:
            begin = item.arrival - item.arrival % self.lasting
            hit = unit(mix(key, begin // self.lasting)) < self.share
        else:
            begin = self.at.at(item.context.start)
            hit = begin <= item.arrival < begin + self.lasting
        if hit:
            end = begin + self.lasting
            arrival = end - (end - item.arrival) * self._pressed() // self.lasting
            if arrival != item.arrival:
                item.arrival = arrival
                self.mark(item)
        return None

    def _pressed(self) -> int:
        """Return how long the events of a stretch take to arrive, until its end."""
        return 0


@attrs.frozen(kw_only=True)
class Burst(_Stretch):
    """The events of a stretch of time arrive within a short time at its end, in their order.

    Attributes:
        lasting: how long a stretch is: an hour by default.
        within: how long its events take to arrive: a minute by default.
    """

    kind: ClassVar[str] = "burst"

    within: Duration = attrs.field(default=Duration(60), converter=to_duration)

    @classmethod
    def conflicts(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the problems of settings that are valid by themselves."""
        yield from super().conflicts(values)
        match values:
            case {"within": within, "lasting": lasting} if within > lasting > 0:
                yield ("within",), f"{within} s is longer than lasting, which is {lasting} s"

    def _pressed(self) -> int:
        return self.within


@attrs.frozen(kw_only=True)
class Gap(_Stretch):
    """Nothing arrives for a stretch of time; at its end, everything arrives at once.

    Attributes:
        lasting: how long it is: an hour by default.
    """

    kind: ClassVar[str] = "gap"
