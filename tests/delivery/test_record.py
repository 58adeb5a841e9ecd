"""The record of a sender: what it says of every attempt, drop and filtered event."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from currents_export.delivery import Attempt, Hooks, ManualClock, Sender, SendRecord
from currents_export.errors import OptionError
from currents_export.payload import MAX_EVENT_BYTES
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, event, make_events
from tests.support.servers import Responding


def lines(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a record."""
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_line_of_an_event(ok: Responding, clock: ManualClock, tmp_path: Path) -> None:
    current = custom(field_transformations={"email_address": "remove"})
    sent_at = clock.now()
    with (
        SendRecord(tmp_path / "record") as record,
        Sender(current, transport=ok, clock=clock, hooks=record.hooks) as sender,
    ):
        sender.send(event(1))
    assert lines(tmp_path / "record") == [
        {
            "event": event(1, email_address="[REDACTED]").to_dict(),
            "attempt": 1,
            "status": 200,
            "sent_at": sent_at,
            "responded_at": sent_at,
        }
    ]
    assert (record.lines, record.problem) == (1, None)


def test_every_attempt_has_a_line(clock: ManualClock, tmp_path: Path) -> None:
    statuses = iter([503, 200])
    transport = Responding(lambda _: next(statuses))
    with (
        SendRecord(tmp_path / "record") as record,
        Sender(custom(), transport=transport, clock=clock, hooks=record.hooks) as sender,
    ):
        sender.send(make_events(2))
        sender.flush()
    found = lines(tmp_path / "record")
    assert [(each["event"]["id"], each["attempt"], each["status"]) for each in found] == [
        (event(n).id, *what) for what in ((1, 503), (2, 200)) for n in range(2)
    ]
    assert ["error" in each for each in found] == [True, True, False, False]
    assert found[0]["error"].startswith("503")


def test_what_is_not_sent(ok: Responding, clock: ManualClock, tmp_path: Path) -> None:
    large = event(1, x="x" * MAX_EVENT_BYTES)
    with (
        SendRecord(tmp_path / "record") as record,
        Sender(custom(event_types=[OPEN]), transport=ok, clock=clock, hooks=record.hooks) as sender,
    ):
        sender.send([event(0, CLICK), large])
    assert {each["id"]: each for each in lines(tmp_path / "record")} == {
        event(0).id: {"id": event(0).id, "event_type": CLICK, "filtered": "not_selected"},
        large.id: {"id": large.id, "event_type": OPEN, "dropped": "too_large", "error": ""},
    }


def test_record_is_continued(ok: Responding, clock: ManualClock, tmp_path: Path) -> None:
    path = tmp_path / "record"
    path.write_bytes(b'{"event":{"id":"torn')
    with (
        SendRecord(path) as record,
        Sender(custom(), transport=ok, clock=clock, hooks=record.hooks) as sender,
    ):
        sender.send(event(1))
    torn, whole = path.read_bytes().splitlines()
    assert (torn, orjson.loads(whole)["status"]) == (b'{"event":{"id":"torn', 200)


def test_new_record_is_private(tmp_path: Path) -> None:
    SendRecord(tmp_path / "record").close()
    assert (tmp_path / "record").stat().st_mode & 0o077 == 0


def test_record_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="the record cannot be opened: "):
        SendRecord(tmp_path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_record_that_cannot_be_written(ok: Responding, clock: ManualClock) -> None:
    with (
        SendRecord("/dev/full") as record,
        Sender(custom(), transport=ok, clock=clock, hooks=record.hooks) as sender,
    ):
        sender.send(make_events(3))
    assert (record.problem, record.lines) == ("No space left on device", 0)
    assert (sender.result.delivered, sender.result.hook_failures) == (3, 0)


def test_hooks_of_two(ok: Responding, clock: ManualClock, tmp_path: Path) -> None:
    seen: list[str] = []

    def fail(_: Attempt, __: tuple[bytes, ...]) -> None:
        seen.append("batch")
        raise ZeroDivisionError

    hooks = Hooks(on_batch=fail, on_delivered=lambda name, _: seen.append(name))
    with (
        SendRecord(tmp_path / "record") as record,
        Sender(custom(), transport=ok, clock=clock, hooks=hooks.also(record.hooks)) as sender,
    ):
        sender.send(event(1))
    assert seen == ["batch", OPEN]
    assert (record.lines, sender.result.hook_failures) == (1, 1)
