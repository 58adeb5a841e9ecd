"""The SQLite file of an outbox: how it is made, opened and checked.

An event's key is the number of its type in the upper bits and a counter in the lower ones. SQLite
stores rows in the order of their keys, so the events of a type are together: a batch that leaves
empties whole pages, and the next events of a type are read in one piece.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from ..._redaction import printable
from ...errors import OutboxError

__all__ = [
    "TYPE_BITS",
    "check_format",
    "connect",
    "create",
    "explain",
    "open_file",
    "reading",
    "transaction",
    "vacuum_pays",
]

#: How far the number of a type is shifted in a key.
TYPE_BITS = 40
#: What marks an SQLite file as an outbox, and the version of its tables.
_APPLICATION_ID = 0x43584F42  # "CXOB"
_FORMAT = 1
#: The largest file that is checked as a whole when it is opened.
_CHECKED_BYTES = 32 * 2**20
#: When VACUUM pays: at least the first number of bytes is free, and at most the second must be
#: copied.
_VACUUM_BYTES = 8 * 2**20
_MOST_COPIED_BYTES = 64 * 2**20
#: Seconds to wait for another program that reads the file with a lock.
_PATIENCE = 5.0

_TABLES = f"""
    BEGIN;
    PRAGMA application_id = {_APPLICATION_ID};
    PRAGMA user_version = {_FORMAT};
    CREATE TABLE types (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE events (
        key INTEGER PRIMARY KEY, id BLOB, body BLOB, original BLOB, at_ms INTEGER, crc INTEGER
    );
    CREATE TABLE drops (
        number INTEGER PRIMARY KEY, event_type TEXT, id TEXT, reason TEXT, response TEXT, at REAL
    );
    CREATE TABLE sources (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE blocks (
        source INTEGER, number INTEGER, count INTEGER, digest BLOB, PRIMARY KEY (source, number)
    ) WITHOUT ROWID;
    CREATE TABLE state (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
    COMMIT;
"""

_REASONS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written (it may be full)",
    sqlite3.SQLITE_CORRUPT: "the file is damaged",
    sqlite3.SQLITE_NOTADB: "the file is not an outbox",
    sqlite3.SQLITE_READONLY: "the file or its directory cannot be written",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened; its directory must be writable",
    sqlite3.SQLITE_BUSY: "another program keeps the file locked",
    sqlite3.SQLITE_LOCKED: "another program keeps the file locked",
    sqlite3.SQLITE_TOOBIG: "an event is too large to be stored",
}


def explain(error: Exception) -> str:
    """Return what is wrong, in words."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    code = getattr(error, "sqlite_errorcode", None)
    reason = None if code is None else _REASONS.get(code & 0xFF)
    # What SQLite adds may quote the file, and thus personal data, only if it is not known above.
    return reason or printable(str(error))


def connect(path: Path, *, read_only: bool = False, immutable: bool = False) -> sqlite3.Connection:
    """Open a file that exists; transactions are explicit, and text is returned as bytes.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    mode = "ro" if read_only else "rw"
    also = "&immutable=1" if immutable else ""
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}{also}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=_PATIENCE,
    )
    connection.text_factory = bytes
    return connection


def create(path: Path) -> None:
    """Create an empty file that only its owner can read, or take that right from the others.

    Raises:
        OSError: that is not possible.
        OutboxError: there is something else, such as a directory.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        raise OutboxError("it is not a regular file", path=path)
    if mode & 0o077:
        path.chmod(stat.S_IMODE(mode) & 0o700)


def open_file(path: Path, *, power: bool) -> sqlite3.Connection:
    """Open an outbox to use it, and make its tables if the file is empty.

    Args:
        path: the file, which exists.
        power: whether what is stored must survive a power failure.

    Raises:
        OutboxError: it is damaged, or not an outbox of this version.
        sqlite3.Error: it cannot be opened or written.
    """
    connection = connect(path)
    try:
        is_new = check_format(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if power else 'NORMAL'}")
        if power:
            connection.execute("PRAGMA fullfsync = ON")  # of macOS
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA cache_size = -8000")
        connection.execute("PRAGMA wal_autocheckpoint = 8000")
        if is_new:
            connection.executescript(_TABLES)
        elif path.stat().st_size <= _CHECKED_BYTES:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != b"ok":
                raise OutboxError(_DAMAGED, path=path)
        # Whether it can be written shows now, and not only when an event comes.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except BaseException:
        connection.close()
        raise
    return connection


_DAMAGED = (
    "the file is damaged; 'currents-export outbox FILE --export' writes the events that can still "
    "be read"
)


def check_format(connection: sqlite3.Connection, path: Path) -> bool:
    """Check that a file is an outbox of this version; return whether it is empty.

    Raises:
        OutboxError: it is something else, or damaged.
        sqlite3.Error: it cannot be read.
    """
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_CORRUPT:
            raise OutboxError(_DAMAGED, path=path) from error
        raise
    if not (application or version or tables):
        return True
    if application != _APPLICATION_ID:
        raise OutboxError("it is an SQLite file, but not an outbox", path=path)
    if version > _FORMAT:
        raise OutboxError(
            f"a later version of currents-export wrote it (its format is {version}; this version "
            f"reads up to {_FORMAT})",
            path=path,
        )
    return False


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open an outbox to read it, whoever else uses it.

    Raises:
        OutboxError: it cannot be read, or is not an outbox of this version.
    """
    if not path.is_file():
        raise OutboxError("there is no such file", path=path)
    try:
        connection = _connect_to_read(path)
        with contextlib.closing(connection):
            if check_format(connection, path):
                raise OutboxError("it is empty, and not an outbox", path=path)
            yield connection
    except sqlite3.Error as error:
        raise OutboxError(explain(error), path=path) from error


def vacuum_pays(connection: sqlite3.Connection) -> bool:
    """Return whether much of the file is unused, and little must be copied to free that.

    Raises:
        sqlite3.Error: the file cannot be read.
    """
    free, pages, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("freelist_count", "page_count", "page_size")
    )
    used = pages - free
    return bool(free * size >= _VACUUM_BYTES and used <= free and used * size <= _MOST_COPIED_BYTES)


def _connect_to_read(path: Path) -> sqlite3.Connection:
    connection = connect(path, read_only=True)
    try:
        connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        if Path(f"{path}-wal").exists():
            raise
        # In a directory that cannot be written, SQLite cannot make the files beside it.
        return connect(path, read_only=True, immutable=True)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit what happens inside, or undo it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # some errors end the transaction
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        raise
