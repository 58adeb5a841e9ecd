"""Where users live, and the phone numbers there that reach nobody."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from ._model import Place

__all__ = ["PLACES", "WEIGHTS", "phone_number"]


@attrs.frozen
class _Country:
    """What the cities of a country share; `phone` as in `Place`."""

    region: str
    language: str
    currency: str
    faker_locale: str
    carriers: tuple[str, ...]
    phone: tuple[str, int, Sequence[int]] = ("", 0, ())


# The numbers ACMA keeps for fiction come one by one.
_AU_TAILS = (
    *(6, 156, 157, 158, 159, 110, 313, 737, 1266, 1491, 1804, 2549, 2665, 2983, 3770, 3087),
    *(4118, 4632, 5254, 5789, 6398, 6801, 7426, 7644, 8957, 8148, 8888, 9212, 9760, 9455),
)

# Ofcom, ComReg, ARCEP, BNetzA, PTS and ACMA keep these ranges for drama. Japan, Brazil and Mexico
# keep none, but no subscriber's number begins with these zeros there.
_COUNTRIES = {
    "US": _Country("NA", "en", "USD", "en_US", ("Verizon", "T-Mobile", "AT&T")),
    "CA": _Country("NA", "en", "CAD", "en_CA", ("Rogers", "Bell", "TELUS")),
    "GB": _Country(
        "EU", "en", "GBP", "en_GB", ("EE", "O2 - UK", "vodafone UK"), ("+447700900", 3, range(1000))
    ),
    "IE": _Country(
        "EU", "en", "EUR", "en_IE", ("vodafone IE", "3", "eir"), ("+3532091", 5, range(100_000))
    ),
    "FR": _Country(
        "EU", "fr", "EUR", "fr_FR", ("Orange F", "SFR", "Free"), ("+3363998", 4, range(10_000))
    ),
    "DE": _Country(
        *("EU", "de", "EUR", "de_DE", ("Telekom.de", "Vodafone.de", "o2 - de")),
        phone=("+49176040690", 2, range(100)),
    ),
    "SE": _Country(
        "EU", "sv", "SEK", "sv_SE", ("Telia", "Tele2"), ("+467017406", 2, range(5, 100))
    ),
    "AU": _Country("APAC", "en", "AUD", "en_AU", ("Telstra", "Optus"), ("+6149157", 4, _AU_TAILS)),
    "JP": _Country(
        *("APAC", "ja", "JPY", "ja_JP", ("NTT DOCOMO", "SoftBank", "KDDI")),
        phone=("+81900000", 4, range(10_000)),
    ),
    "BR": _Country(
        "LATAM", "pt", "BRL", "pt_BR", ("VIVO", "Claro BR", "TIM"), ("+55119000", 5, range(100_000))
    ),
    "MX": _Country(
        "LATAM",
        "es",
        "MXN",
        "es_MX",
        ("TELCEL", "AT&T", "Movistar"),
        ("+52550000", 4, range(10_000)),
    ),
}

#: How many users live there, the city, country, time zone, position, and the area code where
#: numbers kept for fiction go by area codes.
_CITIES: tuple[tuple[int, str, str, str, float, float, int], ...] = (
    (30, "New York", "US", "America/New_York", 40.7128, -74.0060, 212),
    (26, "Los Angeles", "US", "America/Los_Angeles", 34.0522, -118.2437, 213),
    (22, "Chicago", "US", "America/Chicago", 41.8781, -87.6298, 312),
    (14, "Houston", "US", "America/Chicago", 29.7604, -95.3698, 713),
    (12, "Denver", "US", "America/Denver", 39.7392, -104.9903, 303),
    (12, "Phoenix", "US", "America/Phoenix", 33.4484, -112.0740, 602),
    (14, "Seattle", "US", "America/Los_Angeles", 47.6062, -122.3321, 206),
    (14, "Miami", "US", "America/New_York", 25.7617, -80.1918, 305),
    (12, "Boston", "US", "America/New_York", 42.3601, -71.0589, 617),
    (12, "Toronto", "CA", "America/Toronto", 43.6532, -79.3832, 416),
    (8, "Vancouver", "CA", "America/Vancouver", 49.2827, -123.1207, 604),
    (30, "London", "GB", "Europe/London", 51.5072, -0.1276, 0),
    (12, "Manchester", "GB", "Europe/London", 53.4808, -2.2426, 0),
    (8, "Dublin", "IE", "Europe/Dublin", 53.3498, -6.2603, 0),
    (18, "Paris", "FR", "Europe/Paris", 48.8566, 2.3522, 0),
    (8, "Lyon", "FR", "Europe/Paris", 45.7640, 4.8357, 0),
    (16, "Berlin", "DE", "Europe/Berlin", 52.5200, 13.4050, 0),
    (12, "Munich", "DE", "Europe/Berlin", 48.1351, 11.5820, 0),
    (8, "Stockholm", "SE", "Europe/Stockholm", 59.3293, 18.0686, 0),
    (8, "Sydney", "AU", "Australia/Sydney", -33.8688, 151.2093, 0),
    (5, "Melbourne", "AU", "Australia/Melbourne", -37.8136, 144.9631, 0),
    (22, "Tokyo", "JP", "Asia/Tokyo", 35.6762, 139.6503, 0),
    (10, "Osaka", "JP", "Asia/Tokyo", 34.6937, 135.5023, 0),
    (14, "São Paulo", "BR", "America/Sao_Paulo", -23.5558, -46.6396, 0),
    (10, "Mexico City", "MX", "America/Mexico_City", 19.4326, -99.1332, 0),
)


def _place(
    city: str, code: str, timezone: str, area: int, *, latitude: float, longitude: float
) -> Place:
    country = _COUNTRIES[code]
    return Place(
        city=city,
        country=code,
        region=country.region,
        timezone=timezone,
        language=country.language,
        currency=country.currency,
        latitude=latitude,
        longitude=longitude,
        faker_locale=country.faker_locale,
        # North America: 555-0100 to 555-0199 in every area code.
        phone=(f"+1{area}55501", 2, range(100)) if area else country.phone,
        carriers=country.carriers,
    )


#: How many users live in each of `PLACES`, relative to the others.
WEIGHTS = tuple(row[0] for row in _CITIES)

PLACES = tuple(
    _place(city, code, timezone, area, latitude=latitude, longitude=longitude)
    for _, city, code, timezone, latitude, longitude, area in _CITIES
)


def phone_number(place: Place, number: int) -> str:
    """The phone number of that index at a place, in E.164; past the last, from the first on."""
    prefix, digits, tails = place.phone
    return f"{prefix}{tails[number % len(tails)]:0{digits}d}"
