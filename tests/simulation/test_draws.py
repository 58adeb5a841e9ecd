"""Keys, and the draws that they determine."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from statistics import fmean

from hypothesis import given
from hypothesis import strategies as st

from currents_export.simulation._draws import Draws, factor_of, mix, share, stir, unit

#: Numbers of 64 bits.
NUMBERS = st.integers(0, 2**64 - 1)
PARTS = st.lists(st.one_of(NUMBERS, st.text()), min_size=2, max_size=4)


@given(PARTS)
def test_keys_have_64_bits(parts: list[int | str]) -> None:
    key = mix(*parts)
    assert key == mix(*parts)
    assert 0 <= key < 2**64
    assert 0.0 <= unit(key) < 1.0


def test_limits_of_unit() -> None:
    assert unit(0) == 0.0
    assert unit(2**64 - 1) == 1.0 - 2.0**-53


@given(st.lists(st.one_of(NUMBERS, st.text()), min_size=1, max_size=3), NUMBERS, NUMBERS)
def test_last_parts_give_unique_keys(parts: list[int | str], one: int, other: int) -> None:
    assert (mix(*parts, one) == mix(*parts, other)) == (one == other)


@given(NUMBERS, st.integers(0, 10**9))
def test_text_is_not_a_number(seed: int, number: int) -> None:
    assert mix(seed, number) != mix(seed, str(number))


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_order_of_parts_matters(one: int, other: int) -> None:
    """The first part is a text or a key, so that the others come after something mixed."""
    assert (mix("text", one, other) == mix("text", other, one)) == (one == other)
    assert mix("text", one, other) != mix("text", one, other, 0)


def test_another_process_has_the_same_keys() -> None:
    code = "from currents_export.simulation._draws import mix; print(mix(7, 'user', 1))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(out.stdout) == mix(7, "user", 1)


@given(NUMBERS)
def test_same_key_gives_same_draws(key: int) -> None:
    one, other = Draws(key), Draws()
    first = [one.random(), one.bits(7), one.bits(128)]
    other.state = key
    assert [other.random(), other.bits(7), other.bits(128)] == first
    assert 0.0 <= first[0] < 1.0


@given(NUMBERS, st.integers(0, 1_000))
def test_bits_are_in_range(key: int, count: int) -> None:
    assert 0 <= Draws(key).bits(count) < 2**count


@given(NUMBERS)
def test_every_bit_is_drawn(key: int) -> None:
    draws = Draws(key)
    ones, zeros = 0, 0
    for _ in range(64):
        bits = draws.bits(130)
        ones, zeros = ones | bits, zeros | ~bits
    assert ones == 2**130 - 1
    assert zeros & ones == ones


@given(st.integers(0, 2**63), st.text(max_size=5))
def test_neighbors_are_independent(first: int, name: str) -> None:
    """The means of keys in a row, of their draws and of products of neighbors are as expected."""
    keys = [mix(first + number, name, 0) for number in range(1_000)]
    draws = [Draws(key).random() for key in keys]
    later = [Draws(key + 1).random() for key in keys]
    for values in (list(map(unit, keys)), draws, later):
        assert abs(fmean(values) - 1 / 2) < 0.06
        pairs = zip(values[1:], values[:-1], strict=True)
        assert abs(fmean(one * other for one, other in pairs) - 1 / 4) < 0.06
    assert abs(fmean(one * other for one, other in zip(draws, later, strict=True)) - 1 / 4) < 0.06


@given(NUMBERS, NUMBERS)
def test_stir_mixes_two_numbers(key: int, part: int) -> None:
    assert stir(key, part) == mix(key, part)


@given(NUMBERS, st.text(max_size=5))
def test_limits_of_share(key: int, name: str) -> None:
    assert 0.0 <= share(key, factor_of(name)) < 1.0
    assert share(2**64 - 1, 1) < 1.0


@given(st.integers(0, 2**63), st.text(max_size=5), st.text(max_size=5))
def test_shares_of_keys_are_independent(first: int, name: str, other: str) -> None:
    """They are those of keys in a row, and for different names of the same key."""
    keys = [mix(first + number, "key") for number in range(1_000)]
    shares = [share(key, factor_of(name)) for key in keys]
    others = [share(key, factor_of(f"{other} and another")) for key in keys]
    assert abs(fmean(shares) - 1 / 2) < 0.06
    assert abs(fmean(one * two for one, two in pairwise(shares)) - 1 / 4) < 0.06
    assert abs(fmean(one * two for one, two in zip(shares, others, strict=True)) - 1 / 4) < 0.06
