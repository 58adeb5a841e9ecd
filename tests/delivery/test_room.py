"""The limits on pending events."""

from __future__ import annotations

import threading
from collections import deque

import pytest

from currents_export.delivery import ManualClock, Sender
from currents_export.errors import NotTakenError, QueueFullError, SenderClosedError
from tests.support.currents import custom
from tests.support.events import event, make_events
from tests.support.senders import PATIENCE, abandoned, stuck
from tests.support.servers import Responding


def test_full_queue_keeps_what_it_accepted() -> None:
    with abandoned(stuck(max_pending_events=5)) as sender:
        with pytest.raises(QueueFullError, match="5 events are pending") as caught:
            sender.send(make_events(8), block=False)
        assert (caught.value.taken, caught.value.event) == (5, event(5))
        assert sender.result.accepted == 5


def test_taken_counts_filtered_events() -> None:
    with abandoned(stuck(max_pending_events=3)) as sender:
        events = [event(number, "x") if number % 2 else event(number) for number in range(8)]
        with pytest.raises(QueueFullError) as caught:
            sender.send(events, block=False)
        assert (caught.value.taken, caught.value.event) == (6, event(6))
        assert (sender.result.accepted, sender.result.filtered) == (3, 3)


def test_iterator_keeps_its_rest() -> None:
    stream = iter(make_events(8))
    with abandoned(stuck(max_pending_events=5)) as sender:
        with pytest.raises(QueueFullError) as caught:
            sender.send(stream, block=False)
        assert (caught.value.taken, caught.value.event) == (5, event(5))
        assert [*stream] == [event(6), event(7)]


def test_full_queue_notes_earlier_problems() -> None:
    with abandoned(stuck(max_pending_events=1)) as sender:
        with pytest.raises(QueueFullError) as caught:
            sender.send([event(0, price=float("nan")), event(1), event(2)], block=False)
        assert caught.value.taken == 2
        assert "price is nan" in caught.value.__notes__[0]


def test_one_large_event_fits() -> None:
    with abandoned(stuck(max_pending_bytes=500)) as sender:
        sender.send(event(0, user_agent="x" * 1_000), block=False)
        with pytest.raises(QueueFullError):
            sender.send(event(1), block=False)


def test_wait_for_room_times_out() -> None:
    with abandoned(stuck(max_pending_events=1)) as sender:
        sender.send(event(0))
        with pytest.raises(QueueFullError, match="no room in time"):
            sender.send(event(1), timeout=0.0)


def test_paused_current_does_not_block_forever(clock: ManualClock) -> None:
    transport = Responding(lambda _: 401)
    with Sender(custom(), transport=transport, clock=clock, max_pending_events=2) as sender:
        with pytest.raises(QueueFullError, match="paused") as caught:
            sender.send(make_events(5))
        assert (caught.value.taken, sender.result.pending) == (2, 2)


def test_send_blocks_until_there_is_room(ok: Responding, clock: ManualClock) -> None:
    with Sender(custom(), transport=ok, clock=clock, max_pending_events=7, batch_size=3) as sender:
        sender.send(make_events(100))
        sender.send(iter(make_events(100)))
        result = sender.flush()
    assert (result.accepted, result.delivered) == (200, 200)


def test_full_queue_sends_small_batches_early(ok: Responding) -> None:
    # No batch gets full, and the clock stands still: the age limit would never be reached.
    with Sender(
        custom(), transport=ok, clock=ManualClock(), max_pending_events=10, batch_size=100
    ) as sender:
        sender.send(make_events(50))
        assert sender.flush().delivered == 50


def test_any_iterable_is_accepted(ok: Responding, clock: ManualClock) -> None:
    with Sender(custom(), transport=ok, clock=clock) as sender:
        for events in (
            tuple(make_events(3)),
            deque(make_events(3)),
            {1: event()}.values(),
            iter(make_events(3)),
        ):
            sender.send(events)
        assert sender.flush().delivered == 10


def test_close_ends_wait_for_room() -> None:
    errors: list[NotTakenError] = []
    sender = stuck(max_pending_events=1)
    sender.send(event(0))

    def send_more() -> None:
        try:
            sender.send(make_events(3))
        except NotTakenError as error:
            errors.append(error)

    thread = threading.Thread(target=send_more)
    thread.start()
    sender.close(timeout=0)
    thread.join(PATIENCE)
    assert [(type(error), error.taken) for error in errors] == [(SenderClosedError, 0)]
