"""Users, named by Faker."""

from __future__ import annotations

import datetime
import random
import unicodedata
from collections import Counter
from collections.abc import Mapping

from faker import Faker

from ._devices import make_device
from ._ids import object_id
from ._model import App, Device, Place, User
from ._places import PLACES, WEIGHTS, phone_number

__all__ = ["make_users"]

#: The first users were seen on 2022-01-01, the last ones on 2025-06-30.
_FIRST_SEEN, _LAST_SEEN = 1_640_995_200, 1_751_241_600

#: Domains that RFC 2606 reserves, and who runs the mailboxes there.
_MAILBOXES = (
    *(("example.com", "Gmail"),) * 5,
    *(("mail.example", "Gmail"),) * 2,
    *(("example.net", "Yahoo"),) * 3,
    *(("example.org", "Outlook"),) * 3,
)
_APPLE_MAILBOXES = (("inbox.example", "iCloud"),) * 9

#: How devices are shared out among the platforms: the first device, and further ones.
_FIRST_DEVICE = {"ios": 44, "android": 38, "web": 18}
_NEXT_DEVICE = {"web": 52, "ios": 14, "android": 18, "kindle": 4, "tvos": 6, "roku": 6}
_HOW_MANY_DEVICES = (55, 33, 12)

#: The phone of a user who has no app of the brand on it.
_OTHER_PHONE = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/141.0.0.0 Mobile Safari/537.36"
)

_GENDERS, _GENDER_WEIGHTS = "FMONP", (47, 46, 2, 2, 3)


def make_users(seed: int, count: int, apps: tuple[App, ...]) -> tuple[User, ...]:
    """The users of a world, the most active first.

    The first user has all a user can have: an external id, an iPhone and a browser, push and ad
    tracking on, a LINE account. Of the others some three in a hundred are anonymous.
    """
    rng = random.Random(f"{seed}:users")
    fakers: dict[str, Faker] = {}
    # One generator for each locale: a `Faker` of several locales has them share one.
    for locale in dict.fromkeys(place.faker_locale for place in PLACES):
        fakers[locale] = Faker(locale)
        fakers[locale].seed_instance(f"{seed}:{locale}")
    by_platform = {app.platform: app for app in apps}
    addresses: Counter[str] = Counter()
    phones: Counter[str] = Counter()
    return tuple(
        _user(rng, fakers, by_platform, addresses, phones, first=number == 0)
        for number in range(count)
    )


def _user(
    rng: random.Random,
    fakers: Mapping[str, Faker],
    apps: Mapping[str, App],
    addresses: Counter[str],
    phones: Counter[str],
    *,
    first: bool,
) -> User:
    bits = rng.getrandbits
    (place,) = rng.choices(PLACES, WEIGHTS)
    seen = rng.randrange(_FIRST_SEEN, _LAST_SEEN)
    devices = _devices(rng, apps, place, seen, first=first)
    browsers = tuple(device.browser for device in devices if device.browser)
    phone = next(
        (each.user_agent for each in browsers if each.device_class == "mobile"), _OTHER_PHONE
    )
    user_id = object_id(seen, f"{bits(64):016x}")
    if not first and rng.random() < 0.03:
        return User(
            id=user_id,
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
            user_agent=phone,
        )
    (gender,) = rng.choices(_GENDERS, _GENDER_WEIGHTS)
    first_name, last_name, written = _name(fakers[place.faker_locale], gender)
    apple = any(device.platform == "ios" for device in devices)
    domain, provider = rng.choice((*_MAILBOXES, *_APPLE_MAILBOXES) if apple else _MAILBOXES)
    dob = datetime.date(1950, 1, 1) + datetime.timedelta(
        days=int(rng.triangular(0, 20_700, 14_000))
    )
    phones[place.phone[0]] += 1
    return User(
        id=user_id,
        external_id=f"cust_{bits(40) % 90_000_000 + 10_000_000}",
        first_name=first_name,
        last_name=last_name,
        email=_address(rng, written, dob.year, domain, addresses),
        phone=phone_number(place, phones[place.phone[0]] - 1),
        gender=gender,
        dob=dob.isoformat(),
        place=place,
        mailbox_provider=provider,
        native_line_id=f"U{bits(128):032x}"
        if first or rng.random() < (0.85 if place.country == "JP" else 0.02)
        else None,
        bsuid=f"{place.country}.{bits(64) % 9 * 10**16 + bits(53) + 10**16}",
        devices=devices,
        browsers=browsers,
        user_agent=phone,
    )


def _devices(
    rng: random.Random, apps: Mapping[str, App], place: Place, since: int, *, first: bool
) -> tuple[Device, ...]:
    if first:
        platforms = ["ios", "web"]
    else:
        platforms = rng.choices(list(_FIRST_DEVICE), list(_FIRST_DEVICE.values()))
        (more,) = rng.choices(range(3), _HOW_MANY_DEVICES)
        platforms += rng.choices(list(_NEXT_DEVICE), list(_NEXT_DEVICE.values()), k=more)
    return tuple(
        make_device(rng, apps[platform], place, since=since, open_=first) for platform in platforms
    )


def _name(faker: Faker, gender: str) -> tuple[str, str, tuple[str, str]]:
    """First and last name, and both in the letters an email address is written in."""
    if faker.locales == ["ja_JP"]:
        pair = {"F": faker.first_name_female_pair, "M": faker.first_name_male_pair}
        first, _, first_romaji = pair.get(gender, faker.first_name_pair)()
        last, _, last_romaji = faker.last_name_pair()
        return first, last, (first_romaji, last_romaji)
    pick = {"F": faker.first_name_female, "M": faker.first_name_male}
    first, last = pick.get(gender, faker.first_name)(), faker.last_name()
    return first, last, (first, last)


#: Letters that are not a letter and a mark.
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d"})


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS))
    return "".join(letter for letter in plain if letter.isascii() and letter.isalnum())


def _address(
    rng: random.Random,
    name: tuple[str, str],
    born: int,
    domain: str,
    taken: Counter[str],
) -> str:
    """An address made of the name; a number follows where the address is taken."""
    first, last = map(_ascii, name)
    local = rng.choice(
        (f"{first}.{last}", f"{first}.{last}", f"{first}{last}", f"{first[:1]}.{last}",
         f"{first}_{last}", f"{first}.{last}{born % 100:02d}")
    )  # fmt: skip
    taken[f"{local}@{domain}"] += 1
    again = taken[f"{local}@{domain}"]
    return f"{local}{again if again > 1 else ''}@{domain}"
