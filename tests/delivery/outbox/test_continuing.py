"""Another sender continues with what an outbox holds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from currents_export.current import Current
from currents_export.delivery import DropReason, Hooks, ManualClock, Result, Sender
from currents_export.delivery.outbox import read_contents
from currents_export.events import Event
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, SEND, event, make_events
from tests.support.processes import run_python
from tests.support.senders import PATIENCE, HookLog, abandoned, adds_up
from tests.support.servers import Responding

MIXED = [event(number, (OPEN, CLICK, SEND)[number % 3]) for number in range(900)]


def store(path: Path, events: Iterable[Event], current: Current | None = None) -> Result:
    """Accept events with a sender that delivers none of them."""
    transport = Responding(lambda _: 503)
    with abandoned(
        Sender(current or custom(), transport=transport, outbox=path, clock=ManualClock())
    ) as sender:
        sender.send(events)
        return sender.result


def ids(events: Iterable[Event]) -> list[str]:
    return [each.id for each in events]


def test_pending_events_are_sent_later(path: Path, ok: Responding) -> None:
    assert store(path, MIXED).pending == 900
    with Sender(custom(), transport=ok, outbox=path) as sender:
        result = sender.flush(PATIENCE)
    assert (result.accepted, result.delivered, result.carried_over) == (900, 900, 900)
    assert sorted(each["id"] for each in ok.events) == ids(MIXED)
    assert {each["id"]: each for each in ok.events} == {each.id: each.to_dict() for each in MIXED}


def test_delivered_events_are_not_sent_again(path: Path, ok: Responding) -> None:
    for _ in range(2):
        with Sender(custom(), transport=ok, outbox=path) as sender:
            sender.send(event(1))
    assert len(ok.events) == 2
    contents = read_contents(path, 0.0)
    totals = contents.by_event_type[OPEN]
    assert (totals.accepted, totals.delivered, totals.pending, totals.oldest) == (2, 2, 0, None)


def test_order_within_type_is_kept(path: Path, ok: Responding) -> None:
    store(path, make_events(700))
    with Sender(
        custom(), transport=ok, outbox=path, concurrency=1, max_pending_events=64
    ) as sender:
        sender.send(event(number) for number in range(700, 900))
        sender.flush(PATIENCE)
    assert [each["id"] for each in ok.events] == ids(make_events(900))


@pytest.mark.parametrize("room", [1, 10, 250])
def test_little_room_is_enough(room: int, path: Path, ok: Responding) -> None:
    with Sender(custom(), transport=ok, outbox=path, max_pending_events=room) as sender:
        sender.send(MIXED)
        result = sender.flush(PATIENCE)
    assert (result.delivered, adds_up(result)) == (900, True)
    assert sorted(each["id"] for each in ok.events) == ids(MIXED)


def test_few_bytes_are_enough(path: Path, ok: Responding) -> None:
    events = [event(number, text="x" * (1 + number % 50 * 100)) for number in range(300)]
    with Sender(custom(), transport=ok, outbox=path, max_pending_bytes=4_000) as sender:
        sender.send(events)
        result = sender.flush(PATIENCE)
    assert result.delivered == 300


def test_send_never_waits_for_room(path: Path) -> None:
    transport = Responding(lambda _: 401)
    with abandoned(
        Sender(custom(), transport=transport, outbox=path, max_pending_events=10)
    ) as sender:
        sender.send(make_events(500), block=False)
        assert sender.result.pending == 500
        assert sorted(ids(sender.pending())) == ids(make_events(500))
    assert sorted(ids(sender.pending())) == ids(make_events(500))


def test_failing_type_does_not_block_others(path: Path) -> None:
    failing = Responding(lambda request: 503 if CLICK.encode() in request.content else 200)
    left, done = set(ids(make_events(1_000))), threading.Event()

    def on_delivered(_: str, delivered: tuple[str, ...]) -> None:
        left.difference_update(delivered)
        if len(left) < 100:  # the last batch waits until it is full
            done.set()

    with abandoned(
        Sender(
            custom(),
            transport=failing,
            outbox=path,
            max_pending_events=300,
            clock=ManualClock(),
            hooks=Hooks(on_delivered=on_delivered),
        )
    ) as sender:
        sender.send(make_events(2_000, CLICK))
        sender.send(make_events(1_000, OPEN))
        assert done.wait(PATIENCE)
        assert sender.result.by_event_type[CLICK].pending == 2_000


def test_original_is_kept(path: Path, ok: Responding) -> None:
    current = custom(field_transformations={"email_address": "hash"})
    store(path, [event(1)], current)
    with abandoned(
        Sender(current, transport=Responding(lambda _: 503), outbox=path, max_pending_events=1)
    ) as sender:
        assert list(sender.pending()) == [event(1)]
    with Sender(current, transport=ok, outbox=path):
        pass
    assert len(ok.events[0]["properties"]["email_address"]) == 64


def test_drops_are_noted(path: Path, log: HookLog) -> None:
    rejecting = Responding(lambda request: 400 if b'"bad"' in request.content else 200)
    events = [event(1), event(2, text="bad"), event(3, text="x" * 900_000)]
    with Sender(custom(), transport=rejecting, outbox=path, hooks=log.hooks) as sender:
        sender.send(events)
        sender.flush(PATIENCE)
    contents = read_contents(path, 0.0)
    assert (contents.pending, contents.by_event_type[OPEN].dropped) == (0, 2)
    assert contents.drop_reasons == {DropReason.REJECTED_ALONE: 1, DropReason.TOO_LARGE: 1}
    assert {each.id for each in contents.drops} == {events[1].id, events[2].id}
    assert {each.id for each in log.drops} == {events[1].id, events[2].id}


def test_killed_process_loses_nothing(path: Path, ok: Responding) -> None:
    run = run_python(f"""
import os, signal
from currents_export import ManualClock, Sender
from tests.support.currents import custom
from tests.support.events import make_events
from tests.support.servers import Responding

transport = Responding(lambda _: 503)
sender = Sender(custom(), transport=transport, outbox={str(path)!r}, clock=ManualClock())
sender.send(make_events(150))
sender.send(each for each in make_events(1200)[150:])
os.kill(os.getpid(), signal.SIGKILL)
""")
    assert run.returncode == -9, run.stderr
    with Sender(custom(), transport=ok, outbox=path) as sender:
        assert sender.flush(PATIENCE).delivered == 1_200
    assert sorted(each["id"] for each in ok.events) == ids(make_events(1_200))


def test_unclosed_sender_is_reported(path: Path) -> None:
    run = run_python(f"""
from currents_export import ManualClock, Sender
from tests.support.currents import custom
from tests.support.events import event

sender = Sender(custom(), clock=ManualClock(), outbox={str(path)!r})
sender.send(event())
""")
    assert f"was not closed; 1 pending events are kept in {path}" in run.stderr


def test_closing_says_where_events_are(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        store(path, [event()])
    assert f"closed with 1 events pending, kept in {path}" in caplog.text


def test_opening_is_logged(path: Path, ok: Responding, caplog: pytest.LogCaptureFixture) -> None:
    store(path, make_events(3))
    with caplog.at_level(logging.DEBUG, "currents_export"):
        Sender(custom(), transport=ok, outbox=path).close()
    events = {each.event: each.fields for each in caplog.records}  # type: ignore[attr-defined]
    opened = events["outbox_opened"]
    assert (opened["pending"], opened["state"], opened["path"]) == (3, "active", str(path))
    assert events["outbox_closed"]
    assert f"{path}: outbox opened with 3 pending events" in caplog.text


def test_unused_space_is_freed(
    path: Path, ok: Responding, caplog: pytest.LogCaptureFixture
) -> None:
    store(path, [event(number, text="x" * 800_000) for number in range(12)])
    with (
        caplog.at_level(logging.INFO, "currents_export"),
        Sender(custom(), transport=ok, outbox=path) as sender,
    ):
        sender.flush(PATIENCE)
    assert path.stat().st_size < 1_000_000
    assert f"{path}: unused space freed" in caplog.text


def test_hook_may_send(path: Path, ok: Responding) -> None:
    sender: Sender

    def on_delivered(_: str, delivered: tuple[str, ...]) -> None:
        if event(1).id in delivered:
            sender.send(event(2))

    with Sender(
        custom(), transport=ok, outbox=path, hooks=Hooks(on_delivered=on_delivered)
    ) as sender:
        sender.send(event(1))
        sender.flush(PATIENCE)
        assert sender.flush(PATIENCE).delivered == 2


def test_flush_notes_what_was_delivered(path: Path, ok: Responding) -> None:
    with Sender(custom(), transport=ok, outbox=path) as sender:
        sender.send(MIXED)
        sender.flush(PATIENCE)
        assert read_contents(path, 0.0).pending == 0
