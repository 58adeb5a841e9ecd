"""What makes external ids and addresses unique, however many users there are."""

from __future__ import annotations

import re
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from currents_export.simulation._draws import permute
from currents_export.simulation.people.users import address_digits, external_id

KEYS = st.integers(0, 2**64 - 1)
#: Numbers of users: of those before and after the eight digits are used up.
NUMBERS = st.one_of(st.integers(0, 3_000_000), st.integers(89_000_000, 91_000_000), KEYS)


@given(st.integers(1, 700), KEYS)
def test_permutations(size: int, key: int) -> None:
    assert sorted(permute(number, size, key) for number in range(size)) == list(range(size))


@given(st.data(), st.integers(2, 2**70), KEYS)
def test_large_permutations(data: st.DataObject, size: int, key: int) -> None:
    numbers = st.integers(0, size - 1)
    one, other = data.draw(numbers), data.draw(numbers)
    moved = permute(one, size, key)
    assert 0 <= moved < size
    assert (moved == permute(other, size, key)) == (one == other)


@given(st.integers(0, 2**63))
def test_permutations_shuffle(first: int) -> None:
    """Over several keys, numbers get about everywhere, and neighbors do not stay together."""
    size, keys = 1_000, [(first + number) * 0x9E3779B97F4A7C15 % 2**64 for number in range(20)]
    moves = [[permute(number, size, key) for number in range(size)] for key in keys]
    steps = [b - a for moved in moves for a, b in pairwise(moved)]
    assert sum(abs(step) <= 5 for step in steps) < 0.06 * len(steps)
    stayed = sum(number == to for moved in moves for number, to in enumerate(moved))
    assert stayed < 0.02 * size * len(keys)


@given(NUMBERS, NUMBERS, KEYS)
def test_external_ids(one: int, other: int, key: int) -> None:
    found = external_id(key, one)
    assert re.fullmatch(r"cust_[1-9]\d{7,}", found)
    assert (len(found) == len("cust_12345678")) == (one < 90_000_000)
    assert (found == external_id(key, other)) == (one == other)


@given(NUMBERS, NUMBERS, KEYS)
def test_digits_of_addresses(one: int, other: int, key: int) -> None:
    digits = address_digits(key, one)
    assert len(digits) == (len(str(one)) if one else 0)
    assert (digits == address_digits(key, other)) == (one == other)
