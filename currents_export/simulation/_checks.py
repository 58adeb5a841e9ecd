"""Checks of what worlds are asked for."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

from ..catalog import Catalog, EventType
from ..errors import OptionError

__all__ = [
    "LAST_TIME",
    "MOST_USERS",
    "SAMPLE_TIME",
    "below",
    "check_number",
    "check_start",
    "check_whole",
    "choose_people",
    "choose_types",
    "sample_time",
]

#: The default time of samples: 2026-07-01 12:00:00 UTC.
SAMPLE_TIME = 1_782_907_200

#: Braze's ids count the seconds in 32 bits, so this is the last one: in the year 2106.
LAST_TIME = 2**32 - 1

#: Streams of larger worlds would take minutes to begin.
MOST_USERS = 10_000_000


def check_number(name: str, value: object) -> None:
    """Refuse what is neither None nor a number greater than 0."""
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise OptionError(f"{name} is {value!r}; it must be a number greater than 0")


def check_whole(name: str, value: object, *, least: int | None = None, most: int = 0) -> None:
    """Refuse what is not a whole number between two others."""
    if type(value) is int and (least is None or value >= least) and not 0 < most < value:
        return
    limits = "" if least is None else f" of {least} or more"
    if most:
        limits = f" from {least} to {most}"
    raise OptionError(f"{name} is {value!r}; it must be a whole number{limits}")


def check_start(start: int | None) -> int:
    """Return when a stream begins, and refuse what is not a time."""
    if start is None:
        raise OptionError("start is missing; only a scenario can give it")
    check_whole("start", start, least=1, most=LAST_TIME)
    return start


def sample_time(time: int | None, name: str = "time") -> int:
    """Return the time of a sample, or of a journey."""
    if time is None:
        return SAMPLE_TIME
    check_whole(name, time, least=1, most=LAST_TIME)
    return time


def choose_types(catalog: Catalog, event_types: Iterable[EventType | str] | None) -> list[str]:
    """Return the names of the event types that are wanted: all by default."""
    if event_types is None:
        if not catalog:
            raise OptionError("the catalog has no event types")
        return list(catalog)
    if isinstance(event_types, str | EventType):
        raise OptionError(
            f"event_types is {_name(event_types)!r}; it must be a collection; use a list"
        )
    names = [_name(each) for each in event_types]
    if not names:
        raise OptionError("event_types is empty; give at least one, or leave it out for all")
    return [each.name for each in catalog.select(*names)]


def _name(event_type: EventType | str) -> str:
    return event_type.name if isinstance(event_type, EventType) else event_type


def choose_people(
    count: int, users: Iterable[int] | None, shard: tuple[int, int]
) -> Collection[int]:
    """Return the numbers of the users whose events are wanted, in order."""
    number, parts = shard
    check_whole("shard", parts, least=1)
    if not 0 <= number < parts:
        raise OptionError(f"shard is {shard!r}; its first number must be from 0 to {parts - 1}")
    if users is None:
        return range(number, count, parts)
    everybody = range(count)
    if isinstance(users, range) and users and everybody[users.start : users.stop] == users:
        return users[(number - users.start) % parts :: parts]
    chosen = sorted(set(users))
    for each in (*chosen[:1], *chosen[-1:]):
        if not 0 <= each < count:
            raise OptionError(f"users has {each}; the users of this world are 0 to {count - 1}")
    return [each for each in chosen if each % parts == number]


def below(people: Collection[int], most: int) -> Collection[int]:
    """Return the people with numbers below a limit; a range stays one."""
    if isinstance(people, range):
        return people[: max(0, -(-(most - people.start) // people.step))]
    return [person for person in people if person < most]
