"""`SqliteOutbox`: an outbox in an SQLite file."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import weakref
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..._logs import Log
from ...current import Current
from ...errors import NotStoredError, OutboxError
from .._batches import Entry
from .._latch import Turn
from .._outbox import Block, Loaded, Notes, Progress
from .._revision import form_of
from ._contents import export_events
from ._database import TYPE_BITS, create, explain, open_file, transaction, vacuum_pays
from ._lock import Lock, holder_of
from ._rows import insert_rows, load_rows, runs
from ._state import Destination, Totals, read_status, status_json

__all__ = ["SqliteOutbox"]

_log = Log("delivery")

#: About how many values, and bytes, one statement inserts. With each statement, SQLite gives up
#: Python's global lock once; before that, all values are copied. SQLite allows 32,766 values.
_VALUES = 6_000
_BYTES = 256 * 1024
#: Seconds to wait for a process that only looks who uses the file.
_PATIENCE = 0.2
#: About how many events are stored together, without and with waits for the disk. With small
#: groups, workers wait less for the file; with large ones, the disk is waited for less often.
_GROUPS = (250, 2_500)
#: How many dropped events are listed.
_MOST_DROPS = 10_000

#: The form of events that were stored under different ones.
_MIXED = b"mixed"

#: The connections that a forked child inherits. They must not be closed there: SQLite would end the
#: locks of the parent.
_INHERITED: list[sqlite3.Connection] = []
_OPEN: weakref.WeakSet[SqliteOutbox] = weakref.WeakSet()


class SqliteOutbox:
    """An outbox in an SQLite file that this process holds.

    Args:
        path: the file; it is made if it does not exist.
        current: the Current that it belongs to.
        power: whether what is stored must survive a power failure.

    Attributes:
        pending: how many events it held when it was opened, by type.
        status: the status that was noted last.
        outdated: whether these events were stored under another form of the Current.
        group: about how many events are best stored together.

    Raises:
        OutboxError: it cannot be used, is in use, or belongs to another Current.
    """

    def __init__(self, path: Path | str, current: Current | None, *, power: bool = False) -> None:
        self._path = Path(path).expanduser().resolve()
        self._turn = Turn()
        self.group = _GROUPS[power]
        self._unwritten = Notes()
        self._failed = self.outdated = False
        self._belongs_to: tuple[Destination, bytes] | None = None
        lock_file = Path(f"{self._path}.lock")
        try:
            self._lock = Lock(lock_file, patience=_PATIENCE)
        except OSError as error:
            raise OutboxError(f"it cannot be used: {explain(error)}", path=self._path) from error
        if not self._lock.held:
            raise OutboxError(f"it is in use by {holder_of(lock_file)}", path=self._path)
        try:
            self._open(power, current)
        except BaseException:
            self._lock.release()
            raise
        _OPEN.add(self)
        pending = sum(self.pending.values())
        _log.info(
            "outbox_opened",
            "%s: outbox opened with %d pending events",
            self._path,
            pending,
            path=str(self._path),
            pending=pending,
            state=self.status.state.value,
            outdated=self.outdated,
        )

    def _open(self, power: bool, current: Current | None) -> None:
        try:
            create(self._path)
            self._connection = open_file(self._path, power=power)
            try:
                self._read(current)
            except BaseException:
                self._connection.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise OutboxError(f"it cannot be used: {explain(error)}", path=self._path) from error

    def _read(self, current: Current | None) -> None:
        rows = self._connection.execute("SELECT number, name FROM types").fetchall()
        self._numbers = {name.decode(): number for number, name in rows}
        rows = self._connection.execute("SELECT number, name FROM sources").fetchall()
        self._sources = {name.decode(): number for number, name in rows}
        state = {
            name.decode(): value
            for name, value in self._connection.execute("SELECT name, value FROM state")
        }
        try:
            self._totals = Totals.from_json(state.get("totals", b"{}"))
            self.status = read_status(state.get("status"))
            known = Destination.from_json(state["destination"]) if "destination" in state else None
        except (ValueError, KeyError, TypeError) as error:
            raise OutboxError("the file is damaged", path=self._path) from error
        self.pending: Mapping[str, int] = self._totals.pending()
        if current is None:
            return
        ours = Destination.of(current)
        if known is not None and not known.is_same(ours):
            raise OutboxError(
                f"it belongs to another Current: {known.integration_name!r} to {known.url}, not "
                f"{ours.integration_name!r} to {ours.url}",
                path=self._path,
            )
        if known != ours:
            self._write("destination", ours.to_json())
        form = form_of(current)
        self.outdated = bool(self.pending) and state.get("form") != form
        self._write("form", _MIXED if self.outdated else form)
        self._belongs_to = (ours, form)

    def __str__(self) -> str:
        return str(self._path)

    @property
    def days(self) -> Mapping[str, int]:
        """How many were delivered on the last day in UTC on which there were any, by that day."""
        return self._totals.days

    @property
    def is_mine(self) -> bool:
        """Whether this thread is using it at this moment."""
        return self._turn.is_mine

    # Write

    def store(
        self,
        entries: Sequence[Entry],
        progress: Sequence[Progress],
        now: float,
        *,
        outdated: bool = False,
    ) -> Sequence[int]:
        """Store events, all or none, and return their keys.

        Args:
            entries: the events.
            progress: how far the sources are accepted with these events.
            now: the time.
            outdated: whether they may have another form than that of the Current.

        Raises:
            NotStoredError: the events could not be stored.
        """
        if not entries and not progress:
            return []
        with self._turn:
            try:
                with transaction(self._connection):
                    numbers = self._add_types({each[0] for each in entries})
                    keys = self._insert(entries, numbers, now)
                    totals = self._totals.after_accepting(Counter(each[0] for each in entries))
                    self._write("totals", totals.to_json())
                    if outdated:
                        self._write("form", _MIXED)
                    sources = self._add_progress(progress)
            except (sqlite3.Error, OverflowError) as error:
                message = f"{self._path}: events were not accepted: {explain(error)}"
                raise NotStoredError(message) from error
            self._totals, self._numbers, self._sources = totals, numbers, sources
            if self._unwritten:
                self._try_to_note(now)
            return keys

    def _add_types(self, names: set[str]) -> dict[str, int]:
        numbers = dict(self._numbers)
        for name in sorted(names - numbers.keys()):
            numbers[name] = len(numbers) + 1
            self._connection.execute("INSERT INTO types VALUES (?, ?)", (numbers[name], name))
        return numbers

    def _insert(
        self, entries: Sequence[Entry], numbers: Mapping[str, int], now: float
    ) -> list[int]:
        # Written for speed: every event passes through here.
        counts = {name: self._totals.accepted(name) for name in {each[0] for each in entries}}
        keys: list[int] = []
        values: list[Any] = []
        size, at_ms = 0, int(now * 1000)
        for event_type, event_id, body, original in entries:
            counts[event_type] += 1
            key = numbers[event_type] << TYPE_BITS | counts[event_type]
            crc = zlib.crc32(body) if original is None else zlib.crc32(original, zlib.crc32(body))
            values += (key, event_id.encode(), body, original, at_ms, crc)
            keys.append(key)
            size += len(body)
            if len(values) >= _VALUES or size >= _BYTES:
                insert_rows(self._connection, values)
                values, size = [], 0
        if values:
            insert_rows(self._connection, values)
        return keys

    def _add_progress(self, progress: Sequence[Progress]) -> dict[str, int]:
        sources = dict(self._sources) if progress else self._sources
        latest = {(each.source, each.number): each.block for each in progress}
        for (source, number), block in latest.items():
            if source not in sources:
                sources[source] = len(sources) + 1
                self._connection.execute(
                    "INSERT INTO sources VALUES (?, ?)", (sources[source], source)
                )
            self._connection.execute(
                "INSERT OR REPLACE INTO blocks VALUES (?, ?, ?, ?)",
                (sources[source], number, *block),
            )
        return sources

    def note(self, notes: Notes, now: float) -> None:
        """Note what became of events; what cannot be noted now is noted later."""
        with self._turn:
            self._unwritten.add(notes)
            self._try_to_note(now)

    def _try_to_note(self, now: float) -> None:
        notes = self._unwritten
        try:
            with transaction(self._connection):
                self._delete(sorted(notes.keys))
                totals = self._totals.after_noting(notes, now)
                self._write("totals", totals.to_json())
                for each in notes.drops:
                    values = (each.event_type, each.id, each.reason.value, each.response, now)
                    self._connection.execute(_ADD_DROP, values)
                if notes.drops:
                    self._connection.execute(_FORGET_DROPS, (_MOST_DROPS,))
                if notes.status is not None:
                    self._write("status", status_json(notes.status))
        except sqlite3.Error as error:
            if not self._failed:
                _log.error(
                    "not_noted", "%s: deliveries cannot be noted: %s", self._path, explain(error)
                )
            self._failed = True
            return
        self._totals, self._unwritten, self._failed = totals, Notes(), False
        if notes.status is not None:
            self.status = notes.status

    def _delete(self, keys: Sequence[int]) -> None:
        for first, last in runs(keys):
            self._connection.execute("DELETE FROM events WHERE key BETWEEN ? AND ?", (first, last))

    def use(self, current: Current) -> None:
        """Belong to another Current from now on.

        Raises:
            OutboxError: that cannot be stored.
        """
        belongs_to = (Destination.of(current), form_of(current))
        with self._turn:
            if belongs_to == self._belongs_to:
                return
            try:
                with transaction(self._connection):
                    self._write("destination", belongs_to[0].to_json())
                    self._write("form", _MIXED if self._totals.pending() else belongs_to[1])
            except sqlite3.Error as error:
                raise OutboxError(explain(error), path=self._path) from error
            self._belongs_to = belongs_to

    def purge(self) -> None:
        """Erase all events, totals and sources; the Current and its status stay.

        Raises:
            OutboxError: that is not possible.
        """
        with self._turn:
            try:
                with transaction(self._connection):
                    for table in ("events", "drops", "blocks", "sources"):
                        self._connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our tables
                    self._write("totals", Totals().to_json())
                self._connection.execute("VACUUM")
            except sqlite3.Error as error:
                raise OutboxError(explain(error), path=self._path) from error
            self._totals, self._sources = Totals(days=self._totals.days), {}

    # Read

    def load(self, event_type: str, after: int, count: int) -> Sequence[Loaded]:
        """Return up to `count` events of a type whose keys are greater than `after`, in order."""
        number = self._numbers[event_type]
        first, before = max(after, number << TYPE_BITS), (number + 1) << TYPE_BITS
        with self._turn:
            gone = {key for key in self._unwritten.keys if first < key < before}
            loaded = load_rows(self._connection, first, before, count + len(gone))
        return [each for each in loaded if each.key not in gone][:count]

    def pending_after(self, keys: Mapping[str, int]) -> Iterator[bytes]:
        """Yield the JSON of the events of some types after these keys, as it was accepted.

        Raises:
            OutboxError: they cannot be read.
        """
        for each in export_events(self._path, after=keys):
            if each.body is not None:
                yield each.original or each.body

    def blocks(self, source: str) -> Mapping[int, Block]:
        """Return what of a source is accepted, by the number of the block.

        Raises:
            NotStoredError: the file cannot be read.
        """
        with self._turn:
            try:
                rows = self._connection.execute(
                    "SELECT number, count, digest FROM blocks WHERE source = ?",
                    (self._sources.get(source, 0),),
                ).fetchall()
            except sqlite3.Error as error:
                message = f"{self._path}: events were not accepted: {explain(error)}"
                raise NotStoredError(message) from error
        return {number: Block(count, digest) for number, count, digest in rows}

    # End

    def close(self, now: float) -> None:
        """Note what is left, erase what is not needed, and let another process use the file."""
        with self._turn:
            if not self._lock.held:
                return
            path = str(self._path)
            if self._unwritten:
                self._try_to_note(now)
            with contextlib.suppress(sqlite3.Error):
                if vacuum_pays(self._connection):
                    self._connection.execute("VACUUM")
                    _log.info("outbox_vacuumed", "%s: unused space freed", path, path=path)
                # The log may still contain events that have left.
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.close()
            self._lock.release()
            _log.debug("outbox_closed", "%s: outbox closed", path, path=path)

    def abandon(self) -> None:
        """Leave it to the parent process, in a forked child."""
        _INHERITED.append(self._connection)

    def _write(self, name: str, value: bytes) -> None:
        self._connection.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))


_ADD_DROP = "INSERT INTO drops (event_type, id, reason, response, at) VALUES (?, ?, ?, ?, ?)"
_FORGET_DROPS = "DELETE FROM drops WHERE number <= (SELECT max(number) FROM drops) - ?"


def _abandon_all() -> None:
    for each in list(_OPEN):
        each.abandon()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_abandon_all)
