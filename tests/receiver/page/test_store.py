"""The rows that are kept, in bounded memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from currents_export.receiver.page._store import EventRow, RequestRow, Ring


def row(number: int, size: int) -> EventRow:
    return EventRow(number, 0, 0, 0.0, None, "", "?", (), "", "", "", "", b"x" * size, (), True)


@given(
    sizes=st.lists(st.integers(0, 50), max_size=60),
    most=st.integers(1, 10),
    most_bytes=st.integers(1, 100),
)
def test_ring_keeps_the_newest(sizes: list[int], most: int, most_bytes: int) -> None:
    ring: Ring[EventRow] = Ring(most, most_bytes)
    for number, size in enumerate(sizes):
        ring.append(row(number, size))
        kept = [each.number for each in ring.newest_first()]
        assert kept == list(range(number, ring.first - 1, -1))
        assert 1 <= len(kept) <= most
        total = sum(sizes[each] for each in kept)
        assert total <= most_bytes or kept == [number]
        # It drops no more than it must.
        if ring.first > 0 and len(kept) < most:
            assert total + sizes[ring.first - 1] > most_bytes


def test_dropped_rows_are_not_found() -> None:
    ring: Ring[EventRow] = Ring(2, 1000)
    for number in range(3):
        ring.append(row(number, 1))
    assert ring.get(0) is None
    assert ring.get(3) is None
    assert ring.get(2) is not None
    assert [each.number for each in ring.newest_first(before=2)] == [1]
    ring.clear()
    assert [*ring.newest_first()] == []
    ring.append(row(3, 1))
    assert [each.number for each in ring.newest_first()] == [3]


def test_headers_count_towards_the_size() -> None:
    request = RequestRow(
        0,
        0.0,
        "POST",
        "/",
        b"",
        ((b"a", b"bc"),),
        "200",
        1.0,
        9,
        None,
        None,
        False,
        "",
        False,
        None,
        (),
    )
    assert request.size == 4
