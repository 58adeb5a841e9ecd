"""Names from Faker, in pools that are filled once for each locale."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache

import attrs
from faker import Faker

from .._data import read_data

__all__ = ["Name", "Names", "names_of"]

_LETTERS = str.maketrans(read_data("people", "people.toml")["letters"])

#: How many names are drawn for each pool. Frequent names are in it more than once.
_SIZE = 400

#: A name, and its spelling in an email address: ASCII letters in lower case.
Name = tuple[str, str]


@attrs.frozen
class Names:
    """The names that people of a locale have.

    Attributes:
        female: first names of women.
        male: first names of men.
        any: first names of everyone else.
        last: last names.
    """

    female: tuple[Name, ...]
    male: tuple[Name, ...]
    any: tuple[Name, ...]
    last: tuple[Name, ...]

    def first(self, gender: str) -> tuple[Name, ...]:
        """Return the first names of people of a gender, such as `F`."""
        return {"F": self.female, "M": self.male}.get(gender, self.any)


@lru_cache(maxsize=256)
def names_of(seed: int, locale: str) -> Names:
    """Return the names of a locale, such as `de_DE`."""
    faker = Faker(locale, providers=["faker.providers.person"])
    faker.seed_instance(f"{seed}:{locale}")
    if locale == "ja_JP":
        return Names(
            female=_fill(faker.first_name_female_pair),
            male=_fill(faker.first_name_male_pair),
            any=_fill(faker.first_name_pair),
            last=_fill(faker.last_name_pair),
        )
    return Names(
        female=_fill(faker.first_name_female),
        male=_fill(faker.first_name_male),
        any=_fill(faker.first_name),
        last=_fill(faker.last_name),
    )


def _fill(draw: Callable[[], str | tuple[str, str, str]]) -> tuple[Name, ...]:
    """Draw the names of a pool; a Japanese one comes with its spelling in Latin letters."""
    known: dict[str, Name] = {}
    names = []
    for _ in range(_SIZE):
        drawn = draw()
        name, _, latin = (drawn, "", drawn) if isinstance(drawn, str) else drawn
        if name not in known:
            known[name] = (name, _spell(latin))
        names.append(known[name])
    return tuple(names)


def _spell(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS))
    return "".join(letter for letter in plain if letter.isascii() and letter.isalpha())
