"""How the room is divided among the event types."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from currents_export.delivery._room import Room

NAMES = "abcdef"


def fill(room: Room, event_type: str, *, size: int = 1) -> int:
    """Add events of a type until there is no room for it; return how many were added."""
    count = 0
    while room.fits(event_type, size):
        room.add(event_type, 1, size)
        count += 1
    return count


def test_only_type_takes_all_room() -> None:
    assert fill(Room(100, 10**6, types=1), "a") == 100


def test_first_type_takes_common_room() -> None:
    room = Room(100, 10**6, types=5)
    assert [fill(room, name) for name in "abcde"] == [60, 10, 10, 10, 10]


def test_freed_room_is_common_again() -> None:
    room = Room(100, 10**6, types=5)
    fill(room, "a")
    room.add("a", -55, -55)
    assert fill(room, "b") == 60


def test_small_limit_has_no_parts() -> None:
    room = Room(3, 10**6, types=5)
    assert (fill(room, "a"), fill(room, "b")) == (3, 0)


def test_bytes_are_divided_too() -> None:
    room = Room(10**6, 1_000, types=5)
    assert [fill(room, name, size=50) for name in "abcde"] == [12, 2, 2, 2, 2]


def test_large_event_fits_if_its_type_holds_nothing() -> None:
    room = Room(10, 1_000, types=1)
    assert fill(room, "a", size=5_000) == 1


def test_promised_room_is_not_given_away() -> None:
    room = Room(100, 10**6, types=5)
    room.promise(20, 0)
    assert [fill(room, name) for name in "ab"] == [40, 10]
    assert not room.fits_any(1, 1)
    room.promise(0, 0)
    assert room.fits_any(20, 20)
    assert not room.fits_any(21, 21)


def test_room_is_divided_again() -> None:
    """A Current that is resumed with fewer types divides the room among those."""
    room = Room(100, 10**6, types=5)
    fill(room, "a")
    room.divide(1)
    assert fill(room, "a") == 40


@given(
    st.lists(
        st.tuples(st.sampled_from(NAMES), st.integers(-30, 30), st.integers(1, 8)), max_size=80
    ),
    st.integers(1, 90),
)
def test_pending_keeps_to_limit(changes: list[tuple[str, int, int]], limit: int) -> None:
    """However it is divided; and unless it is divided again, every type gets its part."""
    room = Room(limit, 10**9, types=len(NAMES))
    held: Counter[str] = Counter()
    divided = False
    for event_type, count, types in changes:
        if types > len(NAMES):
            room.divide(types)
            divided = True
        for _ in range(count):
            if room.fits(event_type, 1):
                room.add(event_type, 1, 1)
                held[event_type] += 1
            else:
                part_is_taken = divided and room.events.used == limit
                assert held[event_type] >= room.events.part or part_is_taken
        gone = min(max(-count, 0), held[event_type])
        room.add(event_type, -gone, -gone)
        held[event_type] -= gone
        assert room.events.used == held.total() <= limit
        assert room.events.in_parts == sum(min(each, room.events.part) for each in held.values())


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.integers(1, 400)), max_size=60))
def test_bytes_keep_to_limit(events: list[tuple[str, int]]) -> None:
    """Only the first pending event of a type may be larger than what is left."""
    room, held = Room(10**6, 1_000, types=len(NAMES)), Counter[str]()
    first: Counter[str] = Counter()
    for event_type, size in events:
        if room.fits(event_type, size):
            room.add(event_type, 1, size)
            first[event_type] = first[event_type] or size
            held[event_type] += size
    assert room.bytes.used == held.total() <= 1_000 + first.total()


def test_more_types_than_the_room_was_divided_among() -> None:
    room = Room(100, 10**6, types=2)
    assert sum(fill(room, name) for name in "fedcba") == 100
