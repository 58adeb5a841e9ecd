"""The attributes of users are consistent, and reach nobody."""

from __future__ import annotations

import re
from zoneinfo import available_timezones

from currents_export.events import Event
from currents_export.simulation import User, World
from tests.support.traffic import NEWEST

PHONES = {
    "US": r"\+1\d{3}55501\d\d",
    "CA": r"\+1\d{3}55501\d\d",
    "GB": r"\+447700900\d{3}",
    "IE": r"\+3532091\d{5}",
    "FR": r"\+3363998\d{4}",
    "DE": r"\+49176040690\d\d",
    "SE": r"\+467017406\d\d",
    "AU": r"\+6149157\d{4}",
    "JP": r"\+81900000\d{4}",
    "BR": r"\+55119000\d{5}",
    "MX": r"\+52550000\d{4}",
}

RESERVED = {"example.com", "example.org", "example.net", "mail.example", "inbox.example"}


def test_users_are_consistent(world: World) -> None:
    timezones = available_timezones()
    for user in world.users:
        assert re.fullmatch(r"[0-9a-f]{24}", user.id)
        assert user.place.timezone in timezones
        assert 1 <= len(user.devices) <= 3
        assert user.user_agent.startswith("Mozilla/5.0 ")
        if user.external_id is None:
            known = (user.email, user.phone, user.first_name, user.dob, user.email_domain)
            assert known == (None,) * 5
        else:
            assert user.email is not None
            assert user.phone is not None
            assert user.email_domain in RESERVED
            assert user.email.isascii()
            if user.mailbox_provider == "iCloud":
                assert any(device.platform == "ios" for device in user.devices)


def test_births(world: World) -> None:
    dates = [user.dob for user in world.users if user.dob]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00\.000\+00:00", each) for each in dates)
    assert "1949" < min(dates)[:4] <= max(dates)[:4] < "2010"


def test_most_users_are_known(world: World) -> None:
    anonymous = [user for user in world.users if user.external_id is None]
    assert 0 < len(anonymous) < 0.04 * len(world.users)
    assert world.users[0].external_id


def test_addresses_are_made_of_names(world: World) -> None:
    for user in world.users:
        if user.email and user.place.country in ("US", "GB"):
            assert user.last_name is not None
            plain = re.sub(r"[^a-z]", "", user.last_name.lower())
            assert plain in user.email.replace(".", "")


def test_phone_numbers_are_reserved(world: World) -> None:
    for user in world.users:
        if user.phone:
            assert re.fullmatch(PHONES[user.place.country], user.phone)
    # Australia reserves too few numbers for fiction.
    phones = [user.phone for user in world.users if user.phone and user.place.country != "AU"]
    assert len(set(phones)) == len(phones)


def test_fields_are_the_users(traffic: list[Event], owners: dict[str, User]) -> None:
    for event in traffic:
        if "user_id" not in event.user:
            assert event.event_type.startswith(("agentconsole.", "contentoptimizer."))
            continue
        user = owners[event.user["user_id"]]
        if "user.external_user_id" in NEWEST[event.event_type].fields:
            assert event.user.get("external_user_id") == user.external_id
        expected = {
            "email_address": user.email,
            "to_phone_number": user.phone,
            "user_phone_number": user.phone,
            "phone_number": user.phone,
            "recipient_domain": user.email_domain,
            "native_line_id": user.native_line_id,
            "bsuid": user.bsuid,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "home_city": user.place.city,
            "country": user.place.country,
            "language": user.place.language,
            "currency": user.place.currency,
            "locale_key": user.place.locale_key,
        }
        for name, value in expected.items():
            assert event.properties.get(name, value) in (value, None)
        assert event.user.get("timezone", user.place.timezone) == user.place.timezone
