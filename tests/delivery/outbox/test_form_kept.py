"""Events in an outbox, and a Current whose form changes."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import attrs
import pytest

from currents_export.current import Current
from currents_export.delivery import DropReason, ManualClock, NoticeKind, Sender, State
from currents_export.delivery._ledger import Drop
from currents_export.delivery._outbox import Notes
from currents_export.delivery.outbox import SqliteOutbox, read_contents
from currents_export.errors import OutboxError
from currents_export.events import Event
from currents_export.payload import MAX_EVENT_BYTES, encode_event
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, event, make_events
from tests.support.senders import PATIENCE, HookLog, abandoned
from tests.support.servers import Responding

HASHED = custom(field_transformations={"email_address": "hash"})
ONLY_CLICK = custom(event_types=[CLICK])
EVENTS = [event(number, (OPEN, CLICK)[number % 2]) for number in range(300)]


def store(path: Path, events: Iterable[Event], current: Current) -> None:
    transport = Responding(lambda _: 503)
    with abandoned(
        Sender(current, transport=transport, outbox=path, clock=ManualClock())
    ) as sender:
        sender.send(events)


def emails(transport: Responding) -> set[int]:
    """Return the lengths of the e-mail addresses; a hash has 64 characters."""
    return {len(each["properties"]["email_address"]) for each in transport.events}


class TestEdit:
    """An edit of a sender, most of whose events are only on disk."""

    def edited(self, current: Current, path: Path, ok: Responding, log: HookLog) -> Sender:
        sender = Sender(custom(), transport=ok, outbox=path, max_pending_events=20, hooks=log.hooks)
        with sender:
            sender.pause()
            sender.send(EVENTS)
            sender.edit(current)
            sender.resume()
            sender.flush(PATIENCE)
        return sender

    def test_deselected_types_are_dropped(self, path: Path, ok: Responding, log: HookLog) -> None:
        result = self.edited(ONLY_CLICK, path, ok, log).result
        assert (result.delivered, result.drop_reasons) == (150, {DropReason.DESELECTED: 150})
        assert {each["event_type"] for each in ok.events} == {CLICK}
        assert {each.id for each in log.drops} == {
            each.id for each in EVENTS if each.event_type == OPEN
        }
        contents = read_contents(path, 0.0)
        assert (contents.pending, contents.drop_reasons) == (0, result.drop_reasons)

    def test_transformations_are_applied(self, path: Path, ok: Responding, log: HookLog) -> None:
        assert self.edited(HASHED, path, ok, log).result.delivered == 300
        assert emails(ok) == {64}

    def test_new_url_is_on_disk(self, path: Path, ok: Responding) -> None:
        moved = custom("http://127.0.0.1:9/new")
        with Sender(custom(), transport=Responding(lambda _: 401), outbox=path) as sender:
            sender.send(EVENTS)
            sender.edit(moved)
        with pytest.raises(OutboxError, match="belongs to another Current"):
            Sender(custom(), outbox=path)
        with Sender(moved, transport=ok, outbox=path) as sender:
            sender.resume()
            assert sender.flush(PATIENCE).delivered == 300

    def test_during_preparation(self, path: Path, ok: Responding) -> None:
        """Events that were prepared before an edit and stored after it are revised later."""
        sender = Sender(
            custom(include_anonymous=False),
            transport=Responding(lambda _: 503),
            outbox=path,
            clock=ManualClock(),
        )

        class Meddling(dict[str, Any]):
            def get(self, key: str, default: Any = None) -> Any:
                sender.edit(HASHED)
                return super().get(key, default)

        with abandoned(sender):
            sender.send(attrs.evolve(event(1), user=Meddling(event(1).user)))
            assert sender.result.pending == 1
        with Sender(HASHED, transport=ok, outbox=path) as later:
            assert later.flush(PATIENCE).delivered == 1
        assert emails(ok) == {64}


class TestRestart:
    def test_with_another_selection(self, path: Path, ok: Responding, log: HookLog) -> None:
        store(path, EVENTS, custom())
        with Sender(ONLY_CLICK, transport=ok, outbox=path, hooks=log.hooks) as sender:
            result = sender.flush(PATIENCE)
        assert (result.delivered, result.drop_reasons) == (150, {DropReason.DESELECTED: 150})
        assert len(log.drops) == 150
        with Sender(custom(), transport=ok, outbox=path) as sender:
            assert sender.flush(PATIENCE).accepted == 0

    @pytest.mark.parametrize(
        ("before", "after", "length"), [(custom(), HASHED, 64), (HASHED, custom(), 17)]
    )
    def test_with_other_transformations(
        self, before: Current, after: Current, length: int, path: Path, ok: Responding
    ) -> None:
        store(path, make_events(10), before)
        with Sender(after, transport=ok, outbox=path) as sender:
            assert sender.flush(PATIENCE).delivered == 10
        assert emails(ok) == {length}

    def test_form_is_kept_by_several_processes(self, path: Path, ok: Responding) -> None:
        """Events of different forms are in one file, which knows only that."""
        store(path, make_events(10), custom())
        store(path, make_events(20)[10:], HASHED)
        with Sender(HASHED, transport=ok, outbox=path) as sender:
            assert sender.flush(PATIENCE).delivered == 20
        assert emails(ok) == {64}


class TestPause:
    def test_lasts_until_resume(self, path: Path, ok: Responding, log: HookLog) -> None:
        with Sender(custom(), transport=ok, outbox=path) as sender:
            sender.pause()
            assert read_contents(path, 0.0).status.state is State.PAUSED
            sender.send(make_events(10))
        for _ in range(2):
            with Sender(custom(), transport=ok, outbox=path, hooks=log.hooks) as sender:
                result = sender.flush(PATIENCE)
                assert (result.state, result.reason) == (State.PAUSED, "by request")
        assert (ok.requests, log.kinds) == ([], [])
        with Sender(custom(), transport=ok, outbox=path, hooks=log.hooks) as sender:
            sender.resume()
            assert read_contents(path, 0.0).status.state is State.ACTIVE
            assert sender.flush(PATIENCE).delivered == 10
        assert log.kinds == [NoticeKind.RESUMED]

    def test_resume_of_an_empty_outbox_is_noticed(
        self, path: Path, ok: Responding, log: HookLog
    ) -> None:
        with Sender(custom(), transport=ok, outbox=path) as sender:
            sender.pause()
        with Sender(custom(), transport=ok, outbox=path, hooks=log.hooks) as sender:
            sender.resume()
        assert log.kinds == [NoticeKind.RESUMED]
        with Sender(custom(), transport=ok, outbox=path) as sender:
            assert sender.result.state is State.ACTIVE

    @pytest.mark.parametrize("call", [Sender.pause, Sender.resume])
    def test_ends_if_it_cannot_be_noted(
        self, call: Callable[[Sender], None], path: Path, ok: Responding
    ) -> None:
        with Sender(custom(), transport=ok, outbox=path) as sender:
            sender.send(event(1))
            refuse(path, "INSERT ON state")
            call(sender)
            call(sender)


def refuse(path: Path, action: str) -> None:
    """Let SQLite refuse an action, whoever asks for it."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TRIGGER t BEFORE {action} BEGIN SELECT RAISE(ABORT, 'no'); END")


def test_dropped_events_are_not_loaded(path: Path) -> None:
    """Even if it could not be noted that they were dropped."""
    outbox = SqliteOutbox(path, custom())
    entries = [(each.event_type, each.id, encode_event(each), None) for each in make_events(6)]
    keys = outbox.store(entries, [], 0.0)
    refuse(path, "DELETE ON events")
    drop = Drop(OPEN, event(1).id, DropReason.TOO_LARGE)
    outbox.note(Notes(keys=[keys[1]], drops=[drop]), 0.0)
    loaded = outbox.load(OPEN, 0, 4)
    assert [each.id for each in loaded] == [event(number).id for number in (0, 2, 3, 4)]
    outbox.close(0.0)


def test_too_large_event_is_dropped_later(path: Path, ok: Responding) -> None:
    """The process ended after it was stored, and before it was dropped."""
    outbox = SqliteOutbox(path, custom())
    large = event(1, note="x" * MAX_EVENT_BYTES)
    entries = [(each.event_type, each.id, encode_event(each), None) for each in (event(0), large)]
    outbox.store(entries, [], 0.0)
    outbox.close(0.0)
    with Sender(custom(), transport=ok, outbox=path) as sender:
        result = sender.flush(PATIENCE)
    assert (result.delivered, result.drop_reasons) == (1, {DropReason.TOO_LARGE: 1})
    assert [each["id"] for each in ok.events] == [event(0).id]
