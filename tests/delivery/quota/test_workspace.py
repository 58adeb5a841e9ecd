"""Test Currents of a workspace share its quota, in all processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import attrs
import pytest

from currents_export.current import Current
from currents_export.delivery import AsyncSender, Hooks, ManualClock, NoticeKind, Sender, State
from currents_export.delivery._quota_file import WorkspaceFile, default_file
from currents_export.errors import WorkspaceError
from tests.support.currents import custom
from tests.support.events import CLICK, event, make_events
from tests.support.senders import PATIENCE, HookLog, abandoned
from tests.support.servers import Responding

DAY = 86_400.0
NOW = 1_750_000_000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "workspaces.db"


def member(path: Path | None, name: str = "test", workspace: str = "staging") -> Current:
    current = custom(test_current=True, workspace=workspace, workspace_file=path)
    return attrs.evolve(current, integration_name=name)


def used(path: Path, now: float = NOW) -> int:
    return WorkspaceFile(path, "staging", "test").enter(now)


def test_two_currents_share_the_quota(path: Path, ok: Responding) -> None:
    clock = ManualClock()
    options: dict[str, Any] = {"transport": ok, "clock": clock}
    with (
        Sender(member(path, "one"), **options) as one,
        Sender(member(path, "two"), **options) as two,
        Sender(member(path, workspace="other"), **options) as other,
    ):
        one.send(make_events(980))
        assert one.flush(PATIENCE).delivered == 980
        two.send(make_events(1_000))
        result = two.flush(PATIENCE)
        assert (result.delivered, result.pending) == (520, 480)
        assert result.quota is not None
        assert (result.quota.used, result.quota.workspace) == (1_500, "staging")
        other.send(make_events(1_200))
        assert other.flush(PATIENCE).complete
        clock.advance(DAY)
        assert two.flush(PATIENCE).complete
    assert used(path, clock.now()) == 480


def test_what_is_not_delivered_is_given_back(path: Path) -> None:
    failed = threading.Event()
    sender = Sender(
        member(path),
        transport=Responding(lambda _: 503),
        clock=ManualClock(),
        hooks=Hooks(on_attempt=lambda _: failed.set()),
    )
    with abandoned(sender):
        sender.send(make_events(200))
        assert failed.wait(PATIENCE)
    assert sender.result.pending == 200
    assert used(path) == 0


def test_events_of_another_current_are_noticed(path: Path, ok: Responding) -> None:
    """What another Current gives back is used after a minute."""
    clock = ManualClock()
    other = WorkspaceFile(path, "staging", "other")
    other.reserve(1_500, NOW)
    with Sender(member(path), transport=ok, clock=clock) as sender:
        sender.send(make_events(150))
        assert sender.flush(PATIENCE).delivered == 0
        other.give_back(100, NOW)
        clock.advance(59)
        assert sender.flush(PATIENCE).delivered == 0
        clock.advance(1)
        result = sender.flush(PATIENCE)
        assert (result.delivered, result.pending) == (100, 50)
    assert used(path) == 1_500


def test_nothing_is_kept_for_events_that_wait(path: Path, ok: Responding) -> None:
    clock = ManualClock()
    with Sender(member(path), transport=ok, clock=clock) as sender:
        sender.send([*make_events(30), *(event(number, CLICK) for number in range(30, 60))])
        sender.flush(PATIENCE)
        sender.send(event(60))
        assert sender.result.pending == 1
        assert sender.result.pending == 1  # the lead has done its chores before it answers again
        assert used(path) == 60
    assert used(path) == 61


CODE = """
import sys
import threading
from pathlib import Path
from currents_export.delivery import Sender
from tests.delivery.quota.test_workspace import member
from tests.support.events import make_events
from tests.support.servers import Responding

transport = Responding(lambda _: 200)
with Sender(member(Path(sys.argv[1]), sys.argv[2]), transport=transport, batch_size=50) as sender:
    print("ready", flush=True)
    sys.stdin.readline()
    sender.send(make_events(1_000))
    sender.flush(60)
print(len(transport.events))
"""


def test_two_processes_share_the_quota(path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CODE, str(path), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[3],
        )
        for name in ("one", "two")
    ]
    with contextlib.ExitStack() as stack:
        for each in processes:
            stack.callback(each.wait, PATIENCE)
            stack.callback(each.kill)
        for each in processes:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        counts = []
        for each in processes:
            assert each.stdin is not None
            each.stdin.write("\n")
            each.stdin.flush()
        counts = [int(each.communicate(timeout=PATIENCE)[0]) for each in processes]
    if sum(counts) != 1_500:  # midnight passed
        assert sum(counts) == 2_000
    assert max(counts) <= 1_000


def test_reserved_when_killed_stays_used(path: Path) -> None:
    file = WorkspaceFile(path, "staging", "test")
    assert file.reserve(100, NOW) == (100, 100)
    assert WorkspaceFile(path, "staging", "test").reserve(1_450, NOW) == (1_400, 1_500)
    assert file.reserve(1, NOW) == (0, 1_500)
    assert file.reserve(1, NOW + DAY) == (1, 1)
    file.give_back(5, NOW + DAY)
    assert used(path, NOW + DAY) == 0


def test_restart_keeps_the_count(path: Path, log: HookLog, ok: Responding) -> None:
    for count in (900, 900):
        with Sender(member(path), transport=ok, clock=ManualClock(), hooks=log.hooks) as sender:
            sender.send(make_events(count))
            result = sender.flush(PATIENCE)
    assert (result.delivered, result.pending) == (600, 300)
    assert log.kinds == [NoticeKind.QUOTA]


# The Currents of a workspace


def test_eleventh_test_current(path: Path, ok: Responding) -> None:
    clock = ManualClock()
    for number in [*range(10), 3, 3]:
        Sender(member(path, f"Current {number}"), transport=ok, clock=clock).close()
    with pytest.raises(WorkspaceError) as caught:
        Sender(member(path, "eleventh"), transport=ok, clock=clock)
    message = str(caught.value)
    assert message.startswith(
        f"{path}: the workspace staging has 10 other Test Currents today, and Braze allows 10: "
        "Current 0, Current 1, "
    )
    assert message.endswith("use one of them or another workspace, or wait until 00:00 UTC")
    Sender(member(path, "eleventh", "other"), transport=ok, clock=clock).close()
    clock.advance(DAY)
    Sender(member(path, "eleventh"), transport=ok, clock=clock).close()


# The file


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_only_the_owner_can_read_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    before = os.umask(0)
    try:
        Sender(member(None)).close()
    finally:
        os.umask(before)
    path = tmp_path / "state" / "currents-export" / "workspaces.db"
    assert default_file() == path
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name != "posix", reason="directories of XDG")
def test_default_file(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = Path.home() / ".local" / "state" / "currents-export" / "workspaces.db"
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert default_file() == expected
    monkeypatch.setenv("XDG_STATE_HOME", "not/absolute")
    assert default_file() == expected


def refusal(path: Path) -> str:
    with pytest.raises(WorkspaceError) as caught:
        Sender(member(path))
    assert str(caught.value).startswith(f"{path}: ")
    assert caught.value.path == path
    return str(caught.value)


def execute(path: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize("content", [b"{}", b"x" * 10_000])
def test_other_file(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    assert "the file is not one of workspaces, or damaged; if you remove it" in refusal(path)
    assert path.read_bytes() == content


def test_other_database(path: Path) -> None:
    execute(path, "CREATE TABLE mine (value)")
    assert "it is an SQLite file, but not one of workspaces" in refusal(path)


def test_later_version(path: Path) -> None:
    used(path)
    execute(path, "PRAGMA user_version = 9")
    assert "a later version of currents-export wrote it (its format is 9;" in refusal(path)


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE events",
        "DROP TABLE currents",
        "UPDATE events SET count = 'many'",
        "UPDATE events SET count = x'61'",
    ],
)
def test_damaged_contents(statement: str, path: Path) -> None:
    file = WorkspaceFile(path, "staging", "test")
    file.reserve(7, NOW)
    execute(path, statement)
    with pytest.raises(WorkspaceError) as caught:
        file.enter(NOW)
    assert str(caught.value) == (
        f"{path}: the file is damaged; if you remove it, the counts of today begin again"
    )


def test_truncated_file(path: Path) -> None:
    used(path)
    path.write_bytes(path.read_bytes()[:5_000])
    assert "damaged" in refusal(path)


def test_directory(path: Path) -> None:
    path.mkdir()
    assert refusal(path).endswith("it is not a regular file")


def test_missing_directory(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "workspaces.db"
    assert refusal(path).endswith("it cannot be used: No such file or directory")


def test_locked_by_another_program(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used(path)
    monkeypatch.setattr("currents_export.delivery.outbox._database._PATIENCE", 0.01)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        assert "another program keeps the file locked" in refusal(path)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="users of POSIX")
def test_read_only_file(path: Path) -> None:
    file = WorkspaceFile(path, "staging", "test")
    file.reserve(7, NOW)
    path.chmod(0o444)
    changed = [each for each in path.parents if not each.stat().st_mode & 0o001]
    modes = [each.stat().st_mode for each in changed]
    for each, mode in zip(changed, modes, strict=True):
        each.chmod(mode | 0o005)
    user = os.geteuid()
    try:
        if not user:
            os.seteuid(65_534)  # root writes anything
        with pytest.raises(WorkspaceError, match=r"its directory (cannot|must) be writ"):
            file.reserve(1, NOW)
        with pytest.raises(WorkspaceError, match="it cannot be used: "):
            WorkspaceFile(path.parent / "new.db" if not user else path, "a", "b").enter(NOW)
    finally:
        os.seteuid(user)
        for each, mode in zip(changed, modes, strict=True):
            each.chmod(mode)
    assert used(path) == 7


def test_error_of_an_async_sender(path: Path) -> None:
    path.mkdir()

    async def run() -> None:
        sender = AsyncSender(member(path))
        with pytest.raises(WorkspaceError, match="not a regular file"):
            await sender.send(event())

    asyncio.run(run())


def test_damage_while_sending_pauses(path: Path, log: HookLog, ok: Responding) -> None:
    """Without a count nothing is sent, and nothing is lost; a repaired file is used again."""
    with Sender(member(path), transport=ok, clock=ManualClock(), hooks=log.hooks) as sender:
        sender.send(make_events(10))
        sender.flush(PATIENCE)
        path.write_bytes(b"x" * 5_000)
        sender.send(make_events(10))
        result = sender.flush(PATIENCE)
        assert (result.delivered, result.pending, result.state) == (10, 10, State.PAUSED)
        assert f"{path}: the file is not one of workspaces, or damaged" in result.reason
        path.unlink()
        path.touch()
        sender.resume()
        assert sender.flush(PATIENCE).complete
    assert log.kinds == [NoticeKind.PAUSED, NoticeKind.RESUMED]
