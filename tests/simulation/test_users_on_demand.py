"""Users are made when they are needed, each from the seed and the user's number."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Sequence
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from currents_export.simulation import App, User, World
from currents_export.simulation._data import read_rows
from currents_export.simulation.people import people
from currents_export.simulation.people.names import names_of
from currents_export.simulation.people.people import People
from currents_export.simulation.people.places import PLACES, find_home, phone_number
from currents_export.simulation.people.users import Population, make_user

APPS = World(users=1).apps
SEEDS = st.integers(-(2**70), 2**70)
MILLION = 10**6
WEIGHTS = {row["city"]: int(row["weight"]) for row in read_rows("people", "cities.tsv")}
GROUP = sum(WEIGHTS.values())


@pytest.fixture(scope="module")
def many() -> Sequence[User]:
    return list(People(11, 20_000, APPS))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the numbers of the users that are made from now on."""
    numbers: list[int] = []

    def make(population: Population, number: int) -> User:
        numbers.append(number)
        return make_user(population, number)

    monkeypatch.setattr(people, "make_user", make)
    return numbers


@settings(max_examples=40, deadline=None)
@given(st.data(), SEEDS, st.integers(1, 2 * MILLION), st.integers(1, 2 * MILLION))
def test_count_changes_nobody(data: st.DataObject, seed: int, one: int, other: int) -> None:
    number = data.draw(st.integers(0, min(one, other) - 1))
    assert World(seed, users=one).users[number] == World(seed, users=other).users[number]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, MILLION - 1), min_size=1, max_size=20))
def test_order_changes_nobody(numbers: list[int]) -> None:
    one, other = People(5, MILLION, APPS), People(5, MILLION, APPS)
    found = {number: one[number] for number in numbers}
    assert found == {number: other[number] for number in sorted(numbers, reverse=True)}
    assert [user.number for user in found.values()] == list(found)


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(0, MILLION))
def test_seeds_make_other_people(seed: int, number: int) -> None:
    """Even seeds that differ by a power of two."""
    for other in (seed + 1, seed + 2**64):
        pair = [People(each, number + 1, APPS)[number] for each in (seed, other)]
        assert pair[0].id != pair[1].id
        assert pair[0].devices != pair[1].devices


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_first_user_has_everything(seed: int) -> None:
    user = People(seed, 1, APPS)[0]
    assert None not in attrs.asdict(user, recurse=False).values()
    ios, web = user.devices
    assert (ios.platform, web.platform) == ("ios", "web")
    assert ios.push_token
    assert ios.ad_id
    assert ios.push_to_start_token
    assert web.push_token
    assert web.web_push_public_key


def test_million_users_are_not_made(made: list[int]) -> None:
    world = World(users=MILLION)
    assert len(world.users) == MILLION
    assert len(world.users[5:]) == MILLION - 5
    assert made == []
    assert world.users[-1] is world.users[MILLION - 1]
    assert made == [MILLION - 1]


def test_sample_looks_at_few(made: list[int]) -> None:
    world = World(users=MILLION)
    for name in world.catalog:
        world.sample(name)
    assert len(made) == len(set(made)) <= 1_000


def test_forgotten_user_is_the_same(made: list[int]) -> None:
    users = People(1, MILLION, APPS)
    first = users[0]
    assert sum(1 for _ in users[:10_000]) == 10_000
    assert users[0] == first
    assert Counter(made) == {**dict.fromkeys(range(10_000), 1), 0: 2}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 30), st.slices(30))
def test_is_a_sequence(count: int, part: slice) -> None:
    users = People(3, count, APPS)
    expected = [People(3, 30, APPS)[number] for number in range(count)]
    assert list(users) == expected
    assert list(reversed(users)) == expected[::-1]
    assert list(users[part]) == expected[part]
    assert [users[part][index] for index in range(len(users[part]))] == expected[part]
    assert [users[number - count] for number in range(count)] == expected
    for index in (count, -count - 1):
        with pytest.raises(IndexError):
            users[index]


def test_membership(made: list[int]) -> None:
    users = People(3, MILLION, APPS)
    stranger = People(4, MILLION, APPS)[500_000]
    neighbor = People(3, 2 * MILLION, APPS)[MILLION]
    made.clear()
    assert users[500_000] in users
    assert users[500_000] not in users[:500_000]
    assert attrs.evolve(users[500_000], phone="+1") not in users
    assert stranger not in users
    assert neighbor not in users
    strangers: list[Any] = [None, 500_000, "500000"]
    assert not [each for each in strangers if each in users]
    assert set(made) == {500_000}


def test_cannot_be_changed() -> None:
    users: Any = People(3, 2, APPS)
    with pytest.raises(TypeError):
        operator.setitem(users, 0, users[1])
    with pytest.raises(TypeError):
        operator.delitem(users, 0)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        users[0].phone = None


def test_everyone_differs(many: Sequence[User]) -> None:
    assert len({user.id for user in many}) == len(many)
    known = [user for user in many if user.external_id is not None]
    for name in ("external_id", "email", "bsuid"):
        assert len({getattr(user, name) for user in known}) == len(known)
    devices = [device for user in many for device in user.devices]
    for name in ("id", "session_key"):
        assert len({getattr(device, name) for device in devices}) == len(devices)
    tokens = [device.push_token for device in devices if device.push_token]
    assert len(set(tokens)) == len(tokens)
    names = {(user.first_name, user.last_name) for user in known}
    assert len(names) > len(known) / 2


def test_few_are_anonymous(many: Sequence[User]) -> None:
    anonymous = [user for user in many if user.external_id is None]
    assert 0.024 < len(anonymous) / len(many) < 0.036


def test_created_is_in_the_id(many: Sequence[User]) -> None:
    for user in many:
        assert int(user.id[:8], 16) == user.created
        for device in user.devices:
            if device.push_token_created_at is not None:
                assert device.push_token_created_at >= user.created
    years = {1970 + user.created // 31_556_952 for user in many}
    assert years == {2022, 2023, 2024, 2025}


def test_places_have_their_weights(many: Sequence[User]) -> None:
    """Each group of as many users as the sum of the weights has exactly these shares."""
    groups = [many[start : start + GROUP] for start in range(0, 10 * GROUP, GROUP)]
    orders = {tuple(user.place.city for user in group) for group in groups}
    assert len(orders) == len(groups)
    for order in orders:
        assert Counter(order) == WEIGHTS


@pytest.mark.parametrize("key", [0, 1, 2**64 - 1])
def test_phones_are_used_one_by_one(key: int) -> None:
    """A number is used again only after all numbers with the same prefix are used."""
    used: dict[str, dict[int, str]] = {place.phone[0]: {} for place in PLACES}
    groups = 200
    for number in range(groups * GROUP):
        place, index = find_home(key, number)
        phones = used[place.phone[0]]
        assert index not in phones
        phones[index] = phone_number(key, place, index)
    for place in PLACES:
        prefix, digits, tails = place.phone
        phones = used[prefix]
        assert sorted(phones) == list(range(len(phones)))
        first = [phones[index] for index in range(min(len(phones), len(tails)))]
        assert len(set(first)) == len(first)
        assert first != sorted(first)
        assert set(first) <= {f"{prefix}{tail:0{digits}d}" for tail in tails}
        for index, phone in phones.items():
            assert phone == phones[index % len(tails)]


@pytest.mark.parametrize("locale", sorted({place.faker_locale for place in PLACES}))
def test_pools_of_names(locale: str) -> None:
    names, other = names_of(1, locale), names_of(2, locale)
    assert names != other
    for pool in (names.first("F"), names.first("M"), names.first("P"), names.last):
        assert len(set(pool)) > 15
        for name, spelled in pool:
            assert name
            assert spelled.isascii()
            assert spelled.isalpha()
            assert spelled == spelled.lower()
    assert names.first("F") != names.first("M") != names.first("P")


def test_apps_are_the_worlds(many: Sequence[User]) -> None:
    used: set[App] = {device.app for user in many for device in user.devices}
    assert used == set(APPS)
