"""Make users, with names from Faker."""

from __future__ import annotations

import datetime
import random
import unicodedata
from collections import Counter
from collections.abc import Mapping
from typing import Any

import attrs
from faker import Faker

from .._data import read_data, read_rows
from .._ids import object_id
from ..workspace.model import App
from .devices import PLATFORMS, make_device
from .model import Device, Place, User
from .places import PLACES, WEIGHTS, phone_number

__all__ = ["make_users"]

_PEOPLE = read_data("people", "people.toml")
_FIRST_SEEN, _LAST_SEEN = (int(_PEOPLE[name].timestamp()) for name in ("first_seen", "last_seen"))
_GENDERS: Mapping[str, int] = _PEOPLE["genders"]
_LETTERS = str.maketrans(_PEOPLE["letters"])

#: Domains that RFC 2606 reserves, and who runs the mailboxes there; for all, and for Apple users.
_MAILBOXES, _APPLE_MAILBOXES = (
    tuple(
        (row["domain"], row["provider"])
        for row in read_rows("people", "mailboxes.tsv")
        for _ in range(int(row[column]))
    )
    for column in ("weight", "apple_weight")
)


def make_users(seed: int, count: int, apps: tuple[App, ...]) -> tuple[User, ...]:
    """Make the users of a world, the most active first.

    The first user has everything that a user can have: an external id, an iPhone and a browser,
    push and ad tracking on, a LINE account. About three percent of the others are anonymous.
    """
    maker = _Maker(seed, apps)
    return tuple(maker.make(first=number == 0) for number in range(count))


class _Maker:
    def __init__(self, seed: int, apps: tuple[App, ...]) -> None:
        self._rng = random.Random(f"{seed}:users")
        self._apps = {app.platform: app for app in apps}
        self._addresses: Counter[str] = Counter()
        self._phones: Counter[str] = Counter()
        # Use one generator for each locale: the locales of one `Faker` would share a generator.
        self._fakers: dict[str, Faker] = {}
        for locale in dict.fromkeys(place.faker_locale for place in PLACES):
            self._fakers[locale] = Faker(locale)
            self._fakers[locale].seed_instance(f"{seed}:{locale}")

    def make(self, *, first: bool) -> User:
        rng = self._rng
        (place,) = rng.choices(PLACES, WEIGHTS)
        seen = rng.randrange(_FIRST_SEEN, _LAST_SEEN)
        devices = self._devices(place, seen, first=first)
        browsers = tuple(device.browser for device in devices if device.browser)
        phones = [each.user_agent for each in browsers if each.device_class == "mobile"]
        user = User(
            id=object_id(seen, f"{rng.getrandbits(64):016x}"),
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
            user_agent=phones[0] if phones else _PEOPLE["other_phone"],
        )
        if not first and rng.random() < _PEOPLE["anonymous"]:
            return user
        return attrs.evolve(user, **self._known(user, first=first))

    def _known(self, user: User, *, first: bool) -> dict[str, Any]:
        """Make the attributes that are known of a user who is not anonymous."""
        rng, place = self._rng, user.place
        bits = rng.getrandbits
        (gender,) = rng.choices(list(_GENDERS), list(_GENDERS.values()))
        first_name, last_name, written = _name(self._fakers[place.faker_locale], gender)
        apple = any(device.platform == "ios" for device in user.devices)
        domain, provider = rng.choice(_APPLE_MAILBOXES if apple else _MAILBOXES)
        born = datetime.date(1950, 1, 1) + datetime.timedelta(
            days=int(rng.triangular(0, 20_700, 14_000))
        )
        self._phones[place.phone[0]] += 1
        there = place.country in _PEOPLE["line_countries"]
        on_line = rng.random() < _PEOPLE["line_there" if there else "line_elsewhere"]
        return {
            "external_id": f"cust_{bits(40) % 90_000_000 + 10_000_000}",
            "first_name": first_name,
            "last_name": last_name,
            "email": self._address(written, born.year, domain),
            "phone": phone_number(place, self._phones[place.phone[0]] - 1),
            "gender": gender,
            "dob": f"{born.isoformat()}T00:00:00.000+00:00",
            "mailbox_provider": provider,
            "native_line_id": f"U{bits(128):032x}" if first or on_line else None,
            "bsuid": f"{place.country}.{bits(64) % 9 * 10**16 + bits(53) + 10**16}",
        }

    def _devices(self, place: Place, since: int, *, first: bool) -> tuple[Device, ...]:
        rng = self._rng
        platforms = ["ios", "web"]
        if not first:
            names = list(PLATFORMS)
            (more,) = rng.choices(range(len(_PEOPLE["devices"])), _PEOPLE["devices"])
            platforms = [
                *rng.choices(names, [each.first_device for each in PLATFORMS.values()]),
                *rng.choices(names, [each.next_device for each in PLATFORMS.values()], k=more),
            ]
        return tuple(
            make_device(rng, self._apps[platform], place, since=since, open_=first)
            for platform in platforms
        )

    def _address(self, name: tuple[str, str], born: int, domain: str) -> str:
        """Make an address from the name, with a number if the address is taken."""
        first, last = map(_ascii, name)
        template: str = self._rng.choice(_PEOPLE["addresses"])
        local = template.format(first=first, last=last, initial=first[:1], year=f"{born % 100:02d}")
        self._addresses[f"{local}@{domain}"] += 1
        again = self._addresses[f"{local}@{domain}"]
        return f"{local}{again if again > 1 else ''}@{domain}"


def _name(faker: Faker, gender: str) -> tuple[str, str, tuple[str, str]]:
    """Draw a first and a last name, and both again as spelled in email addresses."""
    if faker.locales == ["ja_JP"]:
        pair = {"F": faker.first_name_female_pair, "M": faker.first_name_male_pair}
        first, _, first_romaji = pair.get(gender, faker.first_name_pair)()
        last, _, last_romaji = faker.last_name_pair()
        return first, last, (first_romaji, last_romaji)
    pick = {"F": faker.first_name_female, "M": faker.first_name_male}
    first, last = pick.get(gender, faker.first_name)(), faker.last_name()
    return first, last, (first, last)


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS))
    return "".join(letter for letter in plain if letter.isascii() and letter.isalnum())
