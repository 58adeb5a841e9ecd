"""Make users: each is a function of the seed and the user's number."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from typing import TypeVar

import attrs

from .._data import read_data, read_rows
from .._draws import Draws, mix, permute
from .._ids import object_id
from ..workspace.model import App
from .devices import PLATFORMS, make_device
from .model import Device, Place, User
from .names import names_of
from .places import find_home, phone_number

__all__ = ["Population", "address_digits", "external_id", "make_user"]

T = TypeVar("T")

_PEOPLE = read_data("people", "people.toml")
_FIRST_SEEN, _LAST_SEEN = (int(_PEOPLE[name].timestamp()) for name in ("first_seen", "last_seen"))
_SEEN = _LAST_SEEN - _FIRST_SEEN
_ANONYMOUS: float = _PEOPLE["anonymous"]
_ADDRESSES: Sequence[str] = _PEOPLE["addresses"]
_LINE_COUNTRIES: Sequence[str] = _PEOPLE["line_countries"]

# In these tables, each entry occurs as often as its weight says.
_GENDERS = [name for name, weight in _PEOPLE["genders"].items() for _ in range(weight)]
_FURTHER = [count for count, weight in enumerate(_PEOPLE["devices"]) for _ in range(weight)]
_FIRST_DEVICES = [each.name for each in PLATFORMS.values() for _ in range(each.first_device)]
_NEXT_DEVICES = [each.name for each in PLATFORMS.values() for _ in range(each.next_device)]
#: Domains that RFC 2606 reserves, and who runs the mailboxes there; for all, and for Apple users.
_MAILBOXES, _APPLE_MAILBOXES = (
    [
        (row["domain"], row["provider"])
        for row in read_rows("people", "mailboxes.tsv")
        for _ in range(int(row[column]))
    ]
    for column in ("weight", "apple_weight")
)

#: Dates of birth are between these two; the most frequent ones are near the third.
_OLDEST, _YOUNGEST, _USUAL = (
    datetime.date(*each).toordinal() for each in ((1950, 1, 1), (2006, 9, 4), (1988, 5, 1))
)

#: The numbers of eight digits.
_EIGHT_DIGITS = range(10_000_000, 100_000_000)


@attrs.frozen
class Population:
    """What the users of a world have in common.

    Attributes:
        seed: selects the world.
        apps: the app of each platform.
        key: keys the draws of each user.
        ids: keys what makes ids, addresses and phone numbers differ.
    """

    seed: int
    apps: Mapping[str, App]
    key: int
    ids: int


def make_user(population: Population, number: int) -> User:
    """Make the user with a number.

    The first user has everything that a user can have: an external id, an iPhone and a browser,
    push and ad tracking on, a LINE account. About three percent of the others are anonymous.
    """
    first, ids = number == 0, population.ids
    draws = Draws(mix(population.key, number))
    random, bits = draws.random, draws.bits
    place, index = find_home(ids, number)
    created = _FIRST_SEEN + int(random() * _SEEN)
    devices = _make_devices(draws, population, place, created, first=first)
    browsers = tuple([device.browser for device in devices if device.browser])
    phones = [each.user_agent for each in browsers if each.device_class == "mobile"]
    anonymous = random() < _ANONYMOUS and not first
    # For a given key, different numbers give different keys.
    user_id = object_id(created, f"{mix(ids, number):016x}")
    user_agent = phones[0] if phones else _PEOPLE["other_phone"]
    if anonymous:
        return User(
            number=number,
            id=user_id,
            created=created,
            external_id=None,
            first_name=None,
            last_name=None,
            email=None,
            phone=None,
            gender=None,
            dob=None,
            place=place,
            mailbox_provider=None,
            native_line_id=None,
            bsuid=None,
            devices=devices,
            browsers=browsers,
            user_agent=user_agent,
        )
    gender = _pick(random, _GENDERS)
    names = names_of(population.seed, place.faker_locale)
    first_name, first_spelled = _pick(random, names.first(gender))
    last_name, last_spelled = _pick(random, names.last)
    apple = "ios" in [device.app.platform for device in devices]
    domain, provider = _pick(random, _APPLE_MAILBOXES if apple else _MAILBOXES)
    local = _pick(random, _ADDRESSES).format(
        first=first_spelled, last=last_spelled, initial=first_spelled[:1]
    )
    there = place.country in _LINE_COUNTRIES
    on_line = random() < _PEOPLE["line_there" if there else "line_elsewhere"] or first
    return User(
        number=number,
        id=user_id,
        created=created,
        external_id=external_id(ids, number),
        first_name=first_name,
        last_name=last_name,
        email=f"{local}{address_digits(ids, number)}@{domain}",
        phone=phone_number(ids, place, index),
        gender=gender,
        dob=f"{_draw_birth(random()).isoformat()}T00:00:00.000+00:00",
        place=place,
        mailbox_provider=provider,
        native_line_id=f"U{bits(128):032x}" if on_line else None,
        bsuid=f"{place.country}.{bits(64) % (9 * 10**16) + 10**16}",
        devices=devices,
        browsers=browsers,
        user_agent=user_agent,
    )


def external_id(key: int, number: int) -> str:
    """Return the external id of the user with a number; no two users have the same.

    It has eight digits; when these are used up, more.
    """
    count = len(_EIGHT_DIGITS)
    shuffled = permute(number, count, key) if number < count else number
    return f"cust_{_EIGHT_DIGITS.start + shuffled}"


def address_digits(key: int, number: int) -> str:
    """Return the digits in the address of the user with a number; no two users have the same.

    They are as many as the number has, so that addresses are short in a small world. The first user
    needs none.
    """
    if number == 0:
        return ""
    first = 10 ** (len(str(number)) - 1)
    return str(first + permute(number - first, 9 * first, key))


def _pick(random: Callable[[], float], things: Sequence[T]) -> T:
    return things[int(random() * len(things))]


def _draw_birth(share: float) -> datetime.date:
    """Return a date of birth; the dates have a triangular distribution."""
    whole, usual = _YOUNGEST - _OLDEST, _USUAL - _OLDEST
    if share * whole < usual:
        day = _OLDEST + sqrt(share * whole * usual)
    else:
        day = _YOUNGEST - sqrt((1.0 - share) * whole * (whole - usual))
    return datetime.date.fromordinal(int(day))


def _make_devices(
    draws: Draws, population: Population, place: Place, created: int, *, first: bool
) -> tuple[Device, ...]:
    random = draws.random
    if first:
        platforms = ["ios", "web"]
    else:
        platforms = [_pick(random, _FIRST_DEVICES)]
        platforms += [_pick(random, _NEXT_DEVICES) for _ in range(_pick(random, _FURTHER))]
    return tuple(
        [
            make_device(draws, population.apps[platform], place, since=created, open_=first)
            for platform in platforms
        ]
    )
