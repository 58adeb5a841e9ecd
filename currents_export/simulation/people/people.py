"""`People`: the users of a world as a sequence, made when they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import overload

from .._draws import mix
from ..workspace.model import App
from .model import Place, User
from .places import find_home
from .users import Population, make_user

__all__ = ["People"]

#: How many users are kept in memory after they were made.
_KEPT = 4_096


class _Part(Sequence[User]):
    """The users with the given numbers; each is made when it is needed."""

    __slots__ = ("_make", "_numbers")

    def __init__(self, make: Callable[[int], User], numbers: range) -> None:
        self._make = make
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> User: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[User]: ...
    def __getitem__(self, index: int | slice) -> User | Sequence[User]:
        numbers = self._numbers[index]
        return _Part(self._make, numbers) if isinstance(numbers, range) else self._make(numbers)

    def __iter__(self) -> Iterator[User]:
        return map(self._make, self._numbers)

    def __contains__(self, value: object) -> bool:
        return (
            isinstance(value, User)
            and value.number in self._numbers
            and self._make(value.number) == value
        )

    def __repr__(self) -> str:
        return f"<{len(self):,} users>"


class People(_Part):
    """The users of a world.

    Each user depends only on the seed, the apps and the user's number, so the users can be made in
    any order, and there can be millions of them. Only the last few thousand are kept in memory. A
    slice makes no user either.

    Args:
        seed: selects the world.
        count: how many users there are; it changes none of them.
        apps: an app for each platform.
    """

    __slots__ = ("_ids",)

    def __init__(self, seed: int, count: int, apps: Sequence[App]) -> None:
        population = Population(
            seed=seed,
            apps={app.platform: app for app in apps},
            # As text, because numbers count modulo 2**64 in keys.
            key=mix(str(seed), "user"),
            ids=mix(str(seed), "ids"),
        )

        @lru_cache(maxsize=_KEPT)
        def make(number: int) -> User:
            return make_user(population, number)

        super().__init__(make, range(count))
        self._ids = population.ids

    def home(self, number: int) -> Place:
        """Return where a user lives, without making the user."""
        return find_home(self._ids, number)[0]
