"""Where users live, and the phone numbers there that reach nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .._data import read_rows, split
from .model import Place

__all__ = ["PLACES", "WEIGHTS", "phone_number"]

# The phone ranges in `countries.tsv`: Ofcom, ComReg, ARCEP, BNetzA, PTS and ACMA keep theirs for
# drama; North America keeps 555-0100 to 555-0199 in every area code. Japan, Brazil and Mexico keep
# none, but no subscriber's number begins with these zeros there.


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

#: How many users live in each of `PLACES`, relative to the others.
WEIGHTS = tuple(int(row["weight"]) for row in _CITIES)

PLACES = tuple(_place(row, _COUNTRIES[row["country"]]) for row in _CITIES)


def phone_number(place: Place, number: int) -> str:
    """Return the phone number of that index at a place, in E.164; after the last, the first."""
    prefix, digits, tails = place.phone
    return f"{prefix}{tails[number % len(tails)]:0{digits}d}"
