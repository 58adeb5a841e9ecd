"""The places where users live, with phone numbers that reach nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from .._data import read_rows, split
from .._draws import mix, permute, stir
from .model import Place

__all__ = ["PLACES", "find_home", "phone_number"]

# The phone ranges in `countries.tsv`: Ofcom, ComReg, ARCEP, BNetzA, PTS and ACMA reserve theirs for
# drama; North America reserves 555-0100 to 555-0199 in every area code. Japan, Brazil and Mexico
# reserve none, but no subscriber's number there begins with these zeros.


def _numbers(cell: str) -> Sequence[int]:
    first, dash, last = cell.partition("-")
    return range(int(first), int(last) + 1) if dash else tuple(map(int, split(cell)))


def _place(city: Mapping[str, str], country: Mapping[str, str]) -> Place:
    return Place(
        city=city["city"],
        country=country["country"],
        region=country["region"],
        timezone=city["timezone"],
        language=country["language"],
        currency=country["currency"],
        latitude=float(city["latitude"]),
        longitude=float(city["longitude"]),
        faker_locale=country["faker_locale"],
        phone=(
            country["phone_prefix"].replace("{area}", city["area_code"]),
            int(country["phone_digits"]),
            _numbers(country["phone_numbers"]),
        ),
        carriers=split(country["carriers"]),
    )


_CITIES = read_rows("people", "cities.tsv")
_COUNTRIES = {row["country"]: row for row in read_rows("people", "countries.tsv")}

PLACES = tuple(_place(row, _COUNTRIES[row["country"]]) for row in _CITIES)

#: Each place as often as its weight says, those that share a phone prefix next to each other.
_HOMES = sorted(
    (place for place, row in zip(PLACES, _CITIES, strict=True) for _ in range(int(row["weight"]))),
    key=lambda place: place.phone[0],
)
_PREFIXES = [place.phone[0] for place in _HOMES]
_FIRST_HOMES = {prefix: _PREFIXES.index(prefix) for prefix in _PREFIXES}
_SHARES = Counter(_PREFIXES)


def find_home(key: int, number: int) -> tuple[Place, int]:
    """Return where a user lives, and the user's index among those with the same phone prefix.

    Users are divided into groups as large as the sum of all weights. Each group is spread over the
    places exactly by their weights, in an order of its own. So the index is known without making
    the other users, and no two users with the same prefix have the same.
    """
    group, member = divmod(number, len(_HOMES))
    home = permute(member, len(_HOMES), stir(key, group))
    place = _HOMES[home]
    prefix = place.phone[0]
    return place, group * _SHARES[prefix] + home - _FIRST_HOMES[prefix]


def phone_number(key: int, place: Place, index: int) -> str:
    """Return a phone number at a place by its index, in E.164; a large index starts over."""
    prefix, digits, tails = place.phone
    tail = tails[permute(index % len(tails), len(tails), mix(key, prefix))]
    return f"{prefix}{tail:0{digits}d}"
