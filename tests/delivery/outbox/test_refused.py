"""Outboxes that cannot be used, and events that cannot be stored."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from currents_export.delivery import DropReason, Sender
from currents_export.delivery.outbox import export_events, read_contents
from currents_export.errors import NotStoredError, OptionError, OutboxError
from currents_export.events import Event
from tests.support.currents import custom, rudderstack
from tests.support.events import event, make_events
from tests.support.processes import run_python
from tests.support.senders import PATIENCE, abandoned
from tests.support.servers import Responding

UNAVAILABLE = Responding(lambda _: 401)


def refusal(path: Path) -> str:
    """Return why an outbox cannot be opened; check that the file is not changed."""
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(OutboxError) as caught:
        Sender(custom(), outbox=path)
    assert (path.read_bytes() if path.is_file() else b"") == before
    assert not Path(f"{path}.lock").exists()
    assert str(path) in str(caught.value)
    return str(caught.value)


def filled(path: Path, count: int = 300) -> None:
    with abandoned(Sender(custom(), transport=UNAVAILABLE, outbox=path)) as sender:
        sender.send(make_events(count))


def execute(path: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        for each in statements:
            connection.execute(each)


def test_second_sender_is_told_who_holds_it(path: Path, ok: Responding) -> None:
    with Sender(custom(), transport=ok, outbox=path) as sender:
        with pytest.raises(OutboxError, match=rf"in use by process {os.getpid()} on .*, since 20"):
            Sender(custom(), outbox=path)
        run = run_python(f"""
from currents_export import Sender
from tests.support.currents import custom
Sender(custom(), outbox={str(path)!r})
""")
        assert f"in use by process {os.getpid()} on " in run.stderr
        assert read_contents(path, 0.0).holder is not None
        sender.send(event())
    assert len(ok.events) == 1
    Sender(custom(), transport=ok, outbox=path).close()
    assert read_contents(path, 0.0).holder is None


def test_killed_holder_frees_it(path: Path, ok: Responding) -> None:
    run = run_python(f"""
import os, signal
from currents_export import Sender
from tests.support.currents import custom
sender = Sender(custom(), outbox={str(path)!r})
os.kill(os.getpid(), signal.SIGKILL)
""")
    assert run.returncode == -9
    assert Path(f"{path}.lock").exists()
    assert read_contents(path, 0.0).holder is None
    Sender(custom(), transport=ok, outbox=path).close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_forked_child_does_not_hold_it(path: Path) -> None:
    run = run_python(f"""
import os, time
from currents_export import Sender, SenderClosedError
from tests.support.currents import custom
from tests.support.events import event, make_events
from tests.support.servers import Responding

sender = Sender(custom(), outbox={str(path)!r}, transport=Responding(lambda _: 401))
sender.send(make_events(200))
read, write = os.pipe()
child = os.fork()
if not child:
    try:
        sender.send(event())
    except SenderClosedError:
        pass
    os.close(write)
    os.read(read, 1)  # until the parent is done
    raise SystemExit
os.close(read)
sender.send(make_events(300)[200:])
sender.close(timeout=0)
again = Sender(custom(), outbox={str(path)!r}, transport=Responding(lambda _: 200))
again.resume()
assert again.flush(60).delivered == 300
again.close()
os.close(write)
assert os.waitpid(child, 0)[1] == 0
""")
    assert run.returncode == 0, run.stderr


def test_other_current(path: Path) -> None:
    filled(path)
    with pytest.raises(OutboxError, match="it belongs to another Current: 'test'"):
        Sender(custom("http://127.0.0.1:9/elsewhere"), outbox=path)
    with pytest.raises(OutboxError, match="another Current"):
        Sender(rudderstack("http://127.0.0.1:9"), outbox=path)
    assert read_contents(path, 0.0).pending == 300


def test_later_version(path: Path) -> None:
    filled(path)
    execute(path, "PRAGMA user_version = 9")
    assert "a later version of currents-export wrote it (its format is 9;" in refusal(path)


def test_other_database(path: Path) -> None:
    execute(path, "CREATE TABLE mine (value)", "INSERT INTO mine VALUES (1)")
    assert "an SQLite file, but not an outbox" in refusal(path)


@pytest.mark.parametrize("content", [b"{}", b"x" * 10_000])
def test_other_file(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    assert "the file is not an outbox" in refusal(path)


def test_directory(path: Path) -> None:
    path.mkdir()
    assert "it is not a regular file" in refusal(path)


def test_missing_directory(tmp_path: Path) -> None:
    assert "No such file or directory" in refusal(tmp_path / "missing" / "events.db")


@pytest.mark.parametrize("length", [5_000, 40_000, 100_000])
def test_truncated_file(length: int, path: Path) -> None:
    filled(path)
    path.write_bytes(path.read_bytes()[:length])
    assert "damaged" in refusal(path)


def test_damaged_pages(path: Path) -> None:
    filled(path)
    content = bytearray(path.read_bytes())
    content[50_000:60_000] = bytes(10_000)
    path.write_bytes(content)
    assert "the file is damaged; 'currents-export outbox FILE --export'" in refusal(path)
    saved: set[str] = set()
    with pytest.raises(OutboxError, match="some events could not be read"):
        saved.update(each.id for each in export_events(path))
    assert {event(0).id, event(299).id} <= saved
    assert len(saved) > 200


def test_damaged_state(path: Path) -> None:
    filled(path)
    execute(path, "UPDATE state SET value = x'5b' WHERE name = 'totals'")
    assert "the file is damaged" in refusal(path)


def test_damaged_event_is_dropped(path: Path, ok: Responding) -> None:
    filled(path)
    good = make_events(300)
    content = path.read_bytes()
    changed = good[7].user["external_user_id"].encode()
    assert content.count(b'"' + changed + b'"') == 1
    path.write_bytes(content.replace(b'"' + changed + b'"', b'"' + b"x" * len(changed) + b'"'))
    with Sender(custom(), transport=ok, outbox=path) as sender:
        sender.resume()
        result = sender.flush(PATIENCE)
    assert (result.delivered, result.drop_reasons) == (299, {DropReason.DAMAGED: 1})
    assert {each["id"] for each in ok.events} == {each.id for each in good} - {good[7].id}
    assert [each.id for each in read_contents(path, 0.0).drops] == [good[7].id]


def test_missing_events_are_dropped(path: Path, ok: Responding) -> None:
    filled(path)
    execute(path, "DELETE FROM events WHERE key % 2")
    with Sender(custom(), transport=ok, outbox=path) as sender:
        sender.resume()
        result = sender.flush(PATIENCE)
    assert (result.delivered, result.drop_reasons) == (150, {DropReason.DAMAGED: 150})


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a directory on a file system of eight MiB."""
    directory = tmp_path / "disk"
    directory.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    command = [str(mount), "-t", "tmpfs", "-o", "size=8m", "none", str(directory)]
    if mount is None or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a file system")
    yield directory
    subprocess.run([str(umount), "-l", str(directory)], check=True)


def test_full_disk(small_disk: Path) -> None:
    path, filler = small_disk / "events.db", small_disk / "filler"
    filler.write_bytes(bytes(6 * 2**20))
    respond = [401]
    transport = Responding(lambda _: respond[0])
    events = make_events(20_000)
    with abandoned(Sender(custom(), transport=transport, outbox=path)) as sender:
        left = iter(events)
        with pytest.raises(NotStoredError, match="events were not accepted: the disk") as caught:
            sender.send(left)
        error = caught.value
        assert error.event is not None
        assert [error.event, *error.read_ahead, *left] == events[error.taken :]
        assert 0 < sender.result.pending == error.taken
        # What was accepted is delivered even so.
        respond[0] = 200
        sender.resume()
        assert sender.flush(PATIENCE).delivered == error.taken
        filler.unlink()
        sender.send(events[error.taken :][:200])
        assert sender.flush(PATIENCE).pending == 0
    assert read_contents(path, 0.0).pending == 0
    last = {each["id"] for each in transport.events[-200:]}  # batches may change places
    assert last == {each.id for each in events[error.taken :][:200]}
    delivered = {each["id"] for each in transport.events}
    assert delivered == {each.id for each in events[: error.taken + 200]}


def test_list_on_full_disk(small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes(6 * 2**20))
    events = make_events(20_000)
    with abandoned(
        Sender(custom(), transport=UNAVAILABLE, outbox=small_disk / "events.db")
    ) as sender:
        with pytest.raises(NotStoredError) as caught:
            sender.send(events)
        assert caught.value.event == events[caught.value.taken]
        assert sender.result.accepted == caught.value.taken
        assert not caught.value.read_ahead


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="users")
def test_read_only_directory(tmp_path: Path) -> None:
    directory = tmp_path / "read-only"
    directory.mkdir()
    path = directory / "events.db"
    filled(path, 10)
    path.chmod(0o444)
    directory.chmod(0o555)
    for each in [directory, *directory.parents]:
        if not each.stat().st_mode & 0o001:
            each.chmod(each.stat().st_mode | 0o005)
    run = run_python(f"""
import os
from pathlib import Path
from currents_export import OutboxError, Sender
from currents_export.delivery.outbox import read_contents
from tests.support.currents import custom

Sender(custom(), outbox={str(tmp_path / "other.db")!r}).close()  # imports everything
read_contents({str(tmp_path / "other.db")!r}, 0.0)
if not os.getuid():
    os.setgid(65_534)
    os.setuid(65_534)
for name in ("events.db", "new.db"):
    try:
        Sender(custom(), outbox=Path({str(directory)!r}) / name)
    except OutboxError as error:
        print(error)
print(read_contents({str(path)!r}, 0.0).pending)
""")
    directory.chmod(0o755)
    assert run.stdout.splitlines() == [
        f"{path}: it cannot be used: Permission denied",
        f"{directory / 'new.db'}: it cannot be used: Permission denied",
        "10",
    ], run.stderr


def test_locked_by_another_program(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("currents_export.delivery.outbox._database._PATIENCE", 0.05)
    with abandoned(Sender(custom(), transport=UNAVAILABLE, outbox=path)) as sender:
        with contextlib.closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(NotStoredError, match="another program keeps the file locked"):
                sender.send(event(1))
        sender.send(event(2))
        assert [each.id for each in sender.pending()] == [event(2).id]


def test_notes_wait_for_the_file(
    path: Path, ok: Responding, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("currents_export.delivery.outbox._database._PATIENCE", 0.05)
    filled(path, 10)
    with Sender(custom(), transport=ok, outbox=path) as sender:
        with contextlib.closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            sender.resume()
            assert sender.flush(PATIENCE).delivered == 10
            assert "deliveries cannot be noted: another program" in caplog.text
        sender.send(event(20))
    contents = read_contents(path, 0.0)
    assert (contents.pending, contents.by_event_type[event().event_type].delivered) == (0, 11)


def test_unknown_durability() -> None:
    with pytest.raises(OptionError, match="durability is 'disk'; it must be process or power"):
        Sender(custom(), durability="disk")


def test_power_mode_waits_for_the_disk(path: Path, ok: Responding) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    counts = {}
    for durability in ("process", "power"):
        file = path.with_name(durability)
        code = f"""
from currents_export import Sender
from tests.support.currents import custom
from tests.support.events import event
from tests.support.servers import Responding
with Sender(
    custom(), outbox={str(file)!r}, durability={durability!r}, transport=Responding(lambda _: 200)
) as sender:
    for number in range(5):
        sender.send(event(number))
"""
        run = subprocess.run(
            [strace, "-f", "-e", "trace=fsync,fdatasync", sys.executable, "-c", code],
            check=False,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            cwd=Path(__file__).parents[3],
        )
        if "ptrace" in run.stderr and run.returncode:
            pytest.skip("strace is not allowed")
        counts[durability] = run.stderr.count("sync(")
    assert counts["power"] >= counts["process"] + 5


def test_broken_tables_are_reported(path: Path, ok: Responding) -> None:
    def source() -> Iterator[Event]:
        yield from make_events(10)
        with contextlib.closing(sqlite3.connect(path)) as other:
            other.execute("DROP TABLE events")
        yield from make_events(20)[10:]

    with (
        abandoned(Sender(custom(), transport=ok, outbox=path)) as sender,
        pytest.raises(NotStoredError, match="no such table"),
    ):
        sender.send(source())
