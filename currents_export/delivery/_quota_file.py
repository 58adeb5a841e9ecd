"""The file in which the quotas of workspaces are counted, for all processes of a user."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

from .._redaction import printable
from ..errors import OutboxError, WorkspaceError
from ._quota import DAILY_EVENTS, MOST_TEST_CURRENTS, day_of
from .outbox import connect, create, explain

__all__ = ["WorkspaceFile", "default_file"]

#: What marks an SQLite file as one of workspaces, and the version of its tables.
_APPLICATION_ID = 0x43585753  # "CXWS"
_FORMAT = 1
_DAY = 86_400.0

_TABLES = (
    f"PRAGMA application_id = {_APPLICATION_ID}",
    f"PRAGMA user_version = {_FORMAT}",
    """CREATE TABLE events (
        workspace BLOB, day BLOB, count INTEGER NOT NULL CHECK (count >= 0),
        PRIMARY KEY (workspace, day)
    ) WITHOUT ROWID""",
    """CREATE TABLE currents (
        workspace BLOB, day BLOB, name BLOB, PRIMARY KEY (workspace, day, name)
    ) WITHOUT ROWID""",
)


def default_file() -> Path:
    """Return the file in the directory for state of this user.

    Source: XDG Base Directory Specification; on Windows, the directory for local data.
    """
    name = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_STATE_HOME"
    given = os.environ.get(name, "")
    base = Path(given) if Path(given).is_absolute() else Path.home() / ".local" / "state"
    return base / "currents-export" / "workspaces.db"


class WorkspaceFile:
    """The count of one workspace, for one of its Test Currents.

    The file is opened for each operation, so any process and thread may use it at any time. What
    a process reserved when it was killed stays used for the day.

    Args:
        path: the file; None is the default one. It is made if it does not exist.
        workspace: the name of the workspace.
        current: the name of the Current.
        limit: the most events in a day.

    Raises:
        WorkspaceError: the file cannot be made or used.
    """

    def __init__(
        self, path: Path | None, workspace: str, current: str, *, limit: int = DAILY_EVENTS
    ) -> None:
        self._workspace = _blob(workspace)
        self._current = _blob(current)
        self._shown = workspace
        self._limit = limit
        try:
            self.path = (path or default_file()).expanduser().absolute()
            if path is None:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            create(self.path)
        except OutboxError:
            raise WorkspaceError("it is not a regular file", path=self.path) from None
        except OSError as error:
            where = Path(error.filename or self.path)
            raise WorkspaceError(f"it cannot be used: {explain(error)}", path=where) from error
        except RuntimeError as error:
            raise WorkspaceError(
                "the home directory is unknown; set workspace_file", path=path or Path("~")
            ) from error

    def __str__(self) -> str:
        return str(self.path)

    def enter(self, now: float) -> int:
        """Count this Current among those of the day; return how many events are used or reserved.

        Raises:
            WorkspaceError: the workspace has as many Test Currents as Braze allows, or the file
                cannot be used.
        """
        day = _blob(day_of(now))
        with self._transaction() as connection:
            yesterday = _blob(day_of(now - _DAY))
            for table in ("events", "currents"):
                connection.execute(f"DELETE FROM {table} WHERE day < ?", (yesterday,))  # noqa: S608 - our tables
            others = connection.execute(
                "SELECT CAST(name AS BLOB) FROM currents "
                "WHERE (workspace, day) = (?, ?) AND name != ?",
                (self._workspace, day, self._current),
            ).fetchall()
            if len(others) >= MOST_TEST_CURRENTS:
                names = ", ".join(printable(name.decode("utf-8", "replace")) for (name,) in others)
                raise WorkspaceError(
                    f"the workspace {self._shown} has {len(others)} other Test Currents today, and "
                    f"Braze allows {MOST_TEST_CURRENTS}: {names}; use one of them or another "
                    "workspace, or wait until 00:00 UTC",
                    path=self.path,
                )
            self._register(connection, day)
            return self._count(connection, day)

    def reserve(self, count: int, now: float) -> tuple[int, int]:
        """Reserve events; return how many were reserved, and how many are used or reserved now.

        Raises:
            WorkspaceError: the file cannot be used.
        """
        day = _blob(day_of(now))
        with self._transaction() as connection:
            self._register(connection, day)
            used = self._count(connection, day)
            granted = min(count, max(self._limit - used, 0))
            self._write(connection, day, used + granted)
            return granted, used + granted

    def give_back(self, count: int, now: float) -> None:
        """Give back events that were reserved on this day and are not used.

        Raises:
            WorkspaceError: the file cannot be used.
        """
        day = _blob(day_of(now))
        with self._transaction() as connection:
            self._write(connection, day, max(self._count(connection, day) - count, 0))

    def _register(self, connection: sqlite3.Connection, day: bytes) -> None:
        values = (self._workspace, day, self._current)
        connection.execute("INSERT OR IGNORE INTO currents VALUES (?, ?, ?)", values)

    def _count(self, connection: sqlite3.Connection, day: bytes) -> int:
        (count,) = connection.execute(
            "SELECT count FROM events WHERE (workspace, day) = (?, ?)", (self._workspace, day)
        ).fetchone() or (0,)
        return int(count)

    def _write(self, connection: sqlite3.Connection, day: bytes, count: int) -> None:
        values = (self._workspace, day, count)
        connection.execute("INSERT OR REPLACE INTO events VALUES (?, ?, ?)", values)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with contextlib.closing(connect(self.path)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                self._check_format(connection)
                yield connection
                connection.execute("COMMIT")
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise WorkspaceError(_explain(error), path=self.path) from error

    def _check_format(self, connection: sqlite3.Connection) -> None:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not (application or version or tables):
            for statement in _TABLES:
                connection.execute(statement)
        elif application != _APPLICATION_ID:
            raise WorkspaceError("it is an SQLite file, but not one of workspaces", path=self.path)
        elif version > _FORMAT:
            raise WorkspaceError(
                f"a later version of currents-export wrote it (its format is {version}; this "
                f"version reads up to {_FORMAT})",
                path=self.path,
            )


def _blob(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _explain(error: Exception) -> str:
    if isinstance(error, ValueError | TypeError):
        return _DAMAGED
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    # Tables of another form are damage, too: the format was checked.
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR):
        return _DAMAGED
    if code == sqlite3.SQLITE_NOTADB:
        return f"the file is not one of workspaces, or {_DAMAGED.removeprefix('the file is ')}"
    return f"it cannot be used: {explain(error)}"


_DAMAGED = "the file is damaged; if you remove it, the counts of today begin again"
