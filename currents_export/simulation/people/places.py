"""The places where users live, with phone numbers that reach nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .._data import read_rows, split
from .model import Place

__all__ = ["PLACES", "WEIGHTS", "phone_number"]

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

#: The weight of each of `PLACES`.
WEIGHTS = tuple(int(row["weight"]) for row in _CITIES)

PLACES = tuple(_place(row, _COUNTRIES[row["country"]]) for row in _CITIES)


def phone_number(place: Place, number: int) -> str:
    """Return a phone number at a place by its index, in E.164; a large index starts over."""
    prefix, digits, tails = place.phone
    return f"{prefix}{tails[number % len(tails)]:0{digits}d}"
