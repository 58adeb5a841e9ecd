"""What was accepted from a source before is not accepted again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from currents_export.delivery import Sender
from currents_export.errors import InvalidEventsError, SenderClosedError
from currents_export.events import Event
from tests.support.currents import custom
from tests.support.events import event, make_events
from tests.support.senders import PATIENCE
from tests.support.servers import Responding


def send(path: Path, events: list[Event], ok: Responding, name: str = "a") -> int:
    """Send events of a source, and return how many were skipped."""
    with Sender(custom(), transport=ok, outbox=path) as sender:
        sender.send(iter(events), source=name)
        return sender.flush(PATIENCE).skipped


@pytest.mark.parametrize("first", [0, 1, 999, 1_000, 1_001, 2_500, 3_000])
def test_rest_is_accepted(first: int, path: Path, ok: Responding) -> None:
    events = make_events(3_000)
    send(path, events[:first], ok)
    assert send(path, events, ok) == first
    assert sorted(each["id"] for each in ok.events) == [each.id for each in events]


def test_repeated_source_is_skipped(path: Path, ok: Responding) -> None:
    events = make_events(1_234)
    assert [send(path, events, ok) for _ in range(3)] == [0, 1_234, 1_234]
    assert len(ok.events) == 1_234


def test_other_source_is_accepted(path: Path, ok: Responding) -> None:
    assert [send(path, make_events(10), ok, name) for name in "ab"] == [0, 0]
    assert len(ok.events) == 20


def test_only_changed_blocks_are_accepted_again(path: Path, ok: Responding) -> None:
    events = make_events(3_000)
    send(path, events, ok)
    events[1_500] = event(5_000)
    assert send(path, events, ok) == 2_000
    assert sum(each["id"] == event(5_000).id for each in ok.events) == 1
    assert send(path, events, ok) == 3_000


def test_shorter_source(path: Path, ok: Responding) -> None:
    send(path, make_events(1_500), ok)
    assert send(path, make_events(1_200), ok) == 1_000
    assert send(path, make_events(800), ok) == 0


def test_interrupted_iterator_continues(path: Path, ok: Responding) -> None:
    def broken() -> Iterator[Event]:
        yield from make_events(700)
        raise ValueError("stop")

    with Sender(custom(), transport=ok, outbox=path) as sender:
        with pytest.raises(ValueError, match="stop"):
            sender.send(broken(), source="a")
        sender.send(iter(make_events(900)), source="a")
        result = sender.flush(PATIENCE)
    assert (result.skipped, result.delivered) == (700, 900)


def test_interruption_while_skipping_accepts_nothing(path: Path, ok: Responding) -> None:
    def broken() -> Iterator[Event]:
        yield from make_events(500)
        raise ValueError("stop")

    send(path, make_events(900), ok)
    with Sender(custom(), transport=ok, outbox=path) as sender:
        with pytest.raises(ValueError, match="stop"):
            sender.send(broken(), source="a")
        assert sender.result.accepted == 0
        sender.send(iter(make_events(900)), source="a")
    assert len(ok.events) == 900


def test_filtered_and_invalid_events_have_positions(path: Path, ok: Responding) -> None:
    events = make_events(9)
    events[3] = event(3, price=float("nan"))
    events[5] = event(5, "users.messages.sms.Send")
    events[8] = event(8, "users.messages.sms.Send")
    for skipped in (0, 9):
        with Sender(
            custom(event_types=["users.messages.email.*"]), transport=ok, outbox=path
        ) as sender:
            if skipped:
                sender.send(iter(events), source="a")
            else:
                with pytest.raises(InvalidEventsError):
                    sender.send(iter(events), source="a")
            assert sender.flush(PATIENCE).skipped == skipped
    assert len(ok.events) == 6


def test_list_with_source(path: Path, ok: Responding) -> None:
    with Sender(custom(), transport=ok, outbox=path) as sender:
        sender.send(make_events(20), source="a")
        sender.send(make_events(30), source="a")
        assert sender.flush(PATIENCE).delivered == 30


def test_name_without_outbox(ok: Responding) -> None:
    with Sender(custom(), transport=ok) as sender:
        for _ in range(2):
            sender.send(make_events(5), source="a")
        assert sender.flush(PATIENCE).delivered == 10


def test_closed_sender_says_what_remains(path: Path, ok: Responding) -> None:
    sender = Sender(custom(), transport=ok, outbox=path)
    events = make_events(500)
    left = iter(events)

    def closing() -> Iterator[Event]:
        for number, each in enumerate(left):
            if number == 300:
                sender.close()
            yield each

    with pytest.raises(SenderClosedError) as caught:
        sender.send(closing(), source="a")
    first = caught.value.event
    assert first is not None
    remaining = [first, *caught.value.read_ahead, *left]
    assert remaining == events[caught.value.taken :]
    assert len(ok.events) == caught.value.taken
