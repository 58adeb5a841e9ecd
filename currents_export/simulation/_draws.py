"""Random draws from keys, so that the same key always gives the same draws.

The generator is splitmix64. Source: Steele, Lea and Flood, "Fast splittable pseudorandom number
generators" (2014).
"""

from __future__ import annotations

from functools import cache
from hashlib import blake2b, shake_128

__all__ = [
    "MASK",
    "UNIT",
    "Draws",
    "draw",
    "factor_of",
    "key_of",
    "mix",
    "permute",
    "share",
    "stir",
    "unit",
]

#: The largest number of 64 bits.
MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15
_A, _B = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_UNIT = 2.0**-53
#: Keeps numbers of 64 bits below 1, although the largest of them become 2**64 as floats.
UNIT = 2.0**-64 * (1 - 2.0**-53)


@cache
def key_of(text: str) -> int:
    """Return the key of 64 bits that stands for a text."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())


def mix(first: int | str, *parts: int | str) -> int:
    """Return a key of 64 bits for the parts in their order.

    Whole numbers count modulo 2**64; the first part should be a text or a key, because the order of
    two other numbers does not matter. If all parts but the last are the same, different last parts
    of 64 bits give different keys, so that keys can serve as unique ids.
    """
    key = first if isinstance(first, int) else key_of(first)
    for part in parts:
        # The sum with a constant keeps 0 from being its own key.
        key = (key ^ (part if isinstance(part, int) else key_of(part))) + _GAMMA & MASK
        key = (key ^ key >> 30) * _A & MASK
        key = (key ^ key >> 27) * _B & MASK
        key ^= key >> 31
    return key


def stir(key: int, part: int) -> int:
    """Return `mix(key, part)` for two numbers, faster."""
    key = (key ^ part) + _GAMMA & MASK
    key = (key ^ key >> 30) * _A & MASK
    key = (key ^ key >> 27) * _B & MASK
    return key ^ key >> 31


@cache
def factor_of(text: str) -> int:
    """Return the odd factor of 64 bits that stands for a text, for `share`."""
    return key_of(text) | 1


def share(key: int, factor: int) -> float:
    """Return the number in [0, 1) that a key and a factor determine.

    It takes a third of the time of `draw`. The key must be one that `mix` made, and the factor odd
    and random, such as that of a text. Then the numbers are uniform over keys, and those of a key
    for different factors are as independent as the numbers that follow each other in a linear
    congruential generator.
    """
    return (key * factor & MASK) * UNIT


def draw(key: int, part: int) -> float:
    """Return `unit(mix(key, part))`, faster."""
    key = (key ^ part) + _GAMMA & MASK
    key = (key ^ key >> 30) * _A & MASK
    key = (key ^ key >> 27) * _B & MASK
    return ((key ^ key >> 31) >> 11) * _UNIT


def unit(key: int) -> float:
    """Return the number in [0, 1) that belongs to a key made by `mix`."""
    return (key >> 11) * _UNIT


def permute(number: int, size: int, key: int) -> int:
    """Return where a number of `range(size)` is after a shuffle that the key determines."""
    width = (size - 1).bit_length()
    mask, shift = (1 << width) - 1, width // 2 + 1
    odd, more = key >> 16 | 1, key >> 40
    while True:
        # Each line permutes the numbers of that width. Repeat until the result is in the range.
        number = (number ^ key) * odd & mask
        number ^= number >> shift
        number = (number + more) * _A & mask
        number ^= number >> shift
        if number < size:
            return number


class Draws:
    """The stream of draws that a key determines.

    Attributes:
        state: where the stream is; setting it to a key starts that key's stream.
    """

    __slots__ = ("state",)

    def __init__(self, key: int = 0) -> None:
        self.state = key

    def random(self) -> float:
        """Return the next number in [0, 1)."""
        self.state = key = self.state + _GAMMA & MASK
        key = (key ^ key >> 30) * _A & MASK
        key = (key ^ key >> 27) * _B & MASK
        return ((key ^ key >> 31) >> 11) * _UNIT

    def bits(self, count: int) -> int:
        """Return a number of that many random bits."""
        if count > 128:  # A hash is faster than that many steps.
            self.state = key = self.state + _GAMMA & MASK
            size = -(-count // 8)
            return int.from_bytes(shake_128(key.to_bytes(8)).digest(size)) >> -count % 8
        result = 0
        for _ in range(-(-count // 64)):
            self.state = key = self.state + _GAMMA & MASK
            key = (key ^ key >> 30) * _A & MASK
            key = (key ^ key >> 27) * _B & MASK
            result = result << 64 | key ^ key >> 31
        return result >> -count % 64
