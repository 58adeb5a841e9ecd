"""Identifiers in the forms that Braze and its providers use."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

from ._draws import mix

__all__ = [
    "base64url",
    "curve_point",
    "id_number",
    "object_id",
    "token_of",
    "uuid4",
    "uuid_from",
    "uuid_of",
    "uuid_text",
    "wamid",
]

#: `random.Random.getrandbits`.
Bits = Callable[[int], int]

_MASK = ~((0xF << 76) | (0x3 << 62)) & (1 << 128) - 1
_VERSION_4 = (0x4 << 76) | (0x2 << 62)
#: The second half of a UUID from a key: different keys give different halves.
_ODD, _LOW = 0x94D049BB133111EB, (1 << 64) - 1
#: Odd numbers of 128 bits: what the key of a journey is multiplied by for its first events.
_FACTORS = tuple(
    int.from_bytes(hashlib.blake2b(b"event %d" % count, digest_size=16).digest()) | 1
    for count in range(64)
)


def uuid4(bits: Bits) -> str:
    """Make a UUID of version 4."""
    return uuid_text(bits(128) & _MASK | _VERSION_4)


def uuid_from(key: int) -> str:
    """Return the UUID that belongs to a key made by `mix`."""
    return uuid_text((key << 64 | key * _ODD & _LOW) & _MASK | _VERSION_4)


def id_number(key: int, count: int) -> int:
    """Return the number of a UUID for the event of a journey with a key; the first one is 1."""
    if count >= len(_FACTORS):
        key, count = mix(key, count), 0
    return key * _FACTORS[count] & _MASK | _VERSION_4


def uuid_text(number: int) -> str:
    """Return the UUID with a number of 128 bits."""
    # `uuid.UUID` would take as long as everything else in an event.
    digits = "%032x" % number  # noqa: UP031 - an f-string takes longer
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def uuid_of(*parts: object) -> str:
    """Return a UUID made from the parts; equal parts give equal UUIDs."""
    number = int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:16])
    return uuid4(lambda _: number)


def token_of(*parts: object) -> str:
    """Return a push token of 128 hexadecimal digits; equal parts give equal tokens."""
    return hashlib.sha512(repr(parts).encode()).hexdigest()


def object_id(time: int, rest: str) -> str:
    """Make a BSON ObjectId: the time in 8 hexadecimal digits, then the `rest`, 16 more."""
    return f"{time & 0xFFFFFFFF:08x}{rest}"


def base64url(bits: Bits, size: int) -> str:
    """Return `size` random bytes as URL-safe Base64 without padding."""
    return base64.urlsafe_b64encode(bits(8 * size).to_bytes(size, "big")).decode().rstrip("=")


def curve_point(bits: Bits) -> str:
    """Make a public key: a point of the curve P-256, which begins with a 4 when not compressed."""
    return base64url(lambda size: 4 << size - 8 | bits(size - 8), 65)


def wamid(bits: Bits, phone: str) -> str:
    """Make a WhatsApp message id; like WhatsApp's own, it contains the user's phone number."""
    digits = phone[1:].encode()
    unique = b"%018X" % bits(72)
    raw = b"\x1c\x18%c%b\x15\x02\x00\x11\x18\x12%b\x00" % (len(digits), digits, unique)
    return "wamid." + base64.b64encode(raw).decode()
