"""What the lead does for an outbox: it stores events, notes what became of them, and loads others.

The outbox is used without the turn, so that workers go on meanwhile.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from ..errors import NotTakenError
from ._batches import Revise
from ._core import Core
from ._desk import Desk
from ._latch import Turn
from ._outbox import Notes, Outbox

__all__ = ["Keeper"]


class Keeper:
    """The chores of an outbox.

    Args:
        outbox: the outbox.
        core: the state of the delivery.
        desk: the requests of callers.
        turn: what guards these two.
        follow_up: called with the turn held after each change, with the time.
    """

    def __init__(
        self, outbox: Outbox, core: Core, desk: Desk, turn: Turn, follow_up: Callable[[float], None]
    ) -> None:
        self.outbox = outbox
        self._core = core
        self._desk = desk
        self._turn = turn
        self._follow_up = follow_up

    def begin(self, revise: Revise | None, now: float) -> bool:
        """Continue with what the outbox holds; return whether there is something to do.

        Args:
            revise: applies the form of the Current to the events, if stored under another.
            now: the time.
        """
        self._desk.has_outbox = True
        self._core.use_outbox(self.outbox.pending, self.outbox.status, now, revise=revise)
        return bool(self.outbox.pending) or not self._core.status.is_calm

    def is_due(self) -> bool:
        """Return whether there is a chore; the turn is held."""
        core = self._core
        loads = not core.stopped and core.scheduler.stored and core.scheduler.to_load()
        return bool(loads) or core.has_notes or self._desk.can_store

    def work(self, now: float) -> None:
        """Do the chores that are due, in the lead."""
        self._note(now)
        self._store(now)
        with self._turn:
            wanted = [] if self._core.stopped else self._core.scheduler.to_load()
        for event_type, after, count in wanted:
            self._load(event_type, after, count, now)

    def _note(self, now: float) -> None:
        with self._turn:
            notes = self._desk.begin_notes()
        if notes is not None:
            self.write(notes, now)

    def _store(self, now: float) -> bool:
        """Store what was submitted, up to a group; return whether there was something."""
        with self._turn:
            admissions = self._desk.to_store(self.outbox.group)
            revision = self._core.revision
        if not admissions:
            return False
        entries = [entry for each in admissions for entry in each.entries]
        progress = [each.progress for each in admissions if each.progress is not None]
        outdated = any(each.revision != revision for each in admissions)
        stored: Sequence[int] | NotTakenError
        try:
            stored = self.outbox.store(entries, progress, now, outdated=outdated)
        except NotTakenError as error:
            stored = error
        with self._turn:
            self._desk.stored(admissions, stored, now)
            # No other thread may take these notes: what was dropped at once must not be loaded.
            notes = self._desk.begin_notes()
            self._follow_up(now)
        if notes is not None:
            self.write(notes, now)
        return True

    def _load(self, event_type: str, after: int, count: int, now: float) -> None:
        try:
            loaded = self.outbox.load(event_type, after, count)
        except sqlite3.Error as error:
            with self._turn:
                self._core.halt(f"{self.outbox} cannot be read: {error}", now, gave_up=True)
                self._follow_up(now)
            return
        with self._turn:
            self._core.load(event_type, count, loaded)
            self._follow_up(now)

    def write(self, notes: Notes, now: float) -> None:
        """Write notes; the lead and the workers may do so at the same time."""
        self.outbox.note(notes, now)
        with self._turn:
            self._desk.end_notes()
            self._follow_up(now)

    def close(self, now: float) -> None:
        """Store what was submitted, write the last notes, and close the outbox."""
        while self._store(now):
            pass
        self._note(now)
        with self._turn:
            self._desk.ended = True
        self.outbox.close(now)
