"""The built-in journeys, as `stories.toml` has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import attrs

from ..._suggestions import nearest, question
from ...errors import UnknownNameError
from .._data import read_data
from .._settings import Delay, to_duration, to_time_of_day
from ..journeys import RATES

__all__ = ["STORIES", "Outcome", "Story", "find_outcome", "find_story"]

_DATA = read_data("stories", "stories.toml")
#: What is added to the name of a chance for the messages of Canvases; see `Chances`.
_FLOW = ".flow"

#: A step: what happens, and how many seconds after the beginning.
_Step = tuple[str, int]


@attrs.frozen
class Outcome:
    """How a journey can end.

    Attributes:
        name: its name, such as `converted`.
        description: what happens, in a sentence.
        needs: what a user must have for it.
        types: the event types without which it is not possible.
        steps: what happens and when, in seconds after the beginning; everything else follows from
            it.
        forced: which chances come true, and which do not.
        delays: how long things take.
        at: the local time at which it begins, in seconds since midnight; None for any.
    """

    name: str
    description: str
    needs: tuple[str, ...] = attrs.field(repr=False)
    types: tuple[str, ...] = attrs.field(repr=False)
    steps: tuple[_Step, ...] = attrs.field(repr=False)
    forced: Mapping[str, bool] = attrs.field(repr=False, hash=False)
    delays: Mapping[str, Delay] = attrs.field(repr=False, hash=False)
    at: int | None = attrs.field(repr=False)


@attrs.frozen
class Story:
    """A built-in journey.

    Attributes:
        name: its name, such as `abandoned-cart`.
        description: what happens, in a sentence.
        outcomes: how it can end, by name; the first is the default.
        canvas: the name of its Canvas; empty if it has none.
        campaign: the name and the channel of its campaign; empty if it has none.
    """

    name: str
    description: str
    outcomes: Mapping[str, Outcome] = attrs.field(repr=False, hash=False)
    canvas: str = attrs.field(repr=False)
    campaign: tuple[str, ...] = attrs.field(repr=False)

    @property
    def default(self) -> Outcome:
        """The outcome that it has by default."""
        return next(iter(self.outcomes.values()))


def _read() -> Iterator[Story]:
    for name, row in _DATA["journeys"].items():
        outcomes = [_outcome(row, ending) for ending in row["outcomes"]]
        yield Story(
            name=name,
            description=row["description"],
            outcomes=MappingProxyType({each.name: each for each in outcomes}),
            canvas=row.get("canvas", ""),
            campaign=tuple(row.get("campaign", ())),
        )


def _outcome(story: Mapping[str, Any], name: str) -> Outcome:
    ending = _DATA["endings"][name]
    forced = {each: False for each in RATES if not each.endswith(_FLOW)}
    forced |= dict.fromkeys((*_DATA["usual"], *ending.get("happens", ())), True)
    forced |= dict.fromkeys(ending.get("never", ()), False)
    delays = {**_DATA["delays"], **ending.get("delays", {})}
    steps = [*ending.get("begin", story["begin"]), *ending.get("then", ())]
    return Outcome(
        name=name.partition(".")[2],
        description=ending["description"],
        needs=(*story["needs"], *ending.get("needs", ())),
        types=(*story.get("types", ()), *ending.get("types", ())),
        steps=tuple((what, int(to_duration(after))) for what, after in steps),
        forced=MappingProxyType(forced),
        delays=MappingProxyType({each: Delay.parse(text) for each, text in delays.items()}),
        at=int(to_time_of_day(ending["at"])) if "at" in ending else None,
    )


#: The journeys, by name.
STORIES: Mapping[str, Story] = MappingProxyType({story.name: story for story in _read()})


def find_story(name: str) -> Story:
    """Return the journey with a name.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in STORIES:
        close = nearest(name, STORIES)
        hint = question(close) or f"; the journeys are {', '.join(STORIES)}"
        raise UnknownNameError(f"unknown journey {name!r}{hint}", name=name, nearest=close)
    return STORIES[name]


def find_outcome(story: Story, name: str | None) -> Outcome:
    """Return the outcome of a journey with a name; without one, its default.

    Raises:
        UnknownNameError: there is none.
    """
    if name is None:
        return story.default
    if name not in story.outcomes:
        close = nearest(name, story.outcomes)
        hint = question(close) or f"; its outcomes are {', '.join(story.outcomes)}"
        raise UnknownNameError(
            f"the journey {story.name!r} has no outcome {name!r}{hint}", name=name, nearest=close
        )
    return story.outcomes[name]
