"""The ids of events."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from currents_export.simulation._draws import mix
from currents_export.simulation._ids import id_number, uuid_text


@given(st.integers(0, 2**64 - 1))
def test_events_of_a_journey_have_different_uuids(key: int) -> None:
    """Also those of journeys with keys next to each other, and of very long ones."""
    ids = [
        uuid_text(id_number(mix(each, "key"), n)) for each in (key, key + 1) for n in range(1, 90)
    ]
    assert len(set(ids)) == len(ids)
    for each in map(UUID, ids):
        assert each.version == 4
        assert each.variant == "specified in RFC 4122"


def test_every_digit_differs() -> None:
    ids = [uuid_text(id_number(mix(key, "key"), 1 + key % 5)) for key in range(500)]
    fixed = {8, 13, 14, 18, 23}  # the dashes and the version
    for place, digits in enumerate(zip(*ids, strict=True)):
        assert len(set(digits)) == (1 if place in fixed else 4 if place == 19 else 16)
