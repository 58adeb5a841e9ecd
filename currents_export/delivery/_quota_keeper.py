"""What the lead does for the quota of a workspace: it reserves events and gives others back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from ..errors import WorkspaceError
from ._desk import Desk
from ._latch import Turn
from ._quota import Allowance

if TYPE_CHECKING:  # SQLite is loaded only where it is used
    from ._quota_file import WorkspaceFile

__all__ = ["QuotaKeeper"]


class QuotaKeeper:
    """The chores of a workspace; its file is used without the turn.

    Args:
        file: the workspace.
        allowance: what this sender may use of its quota.
        desk: the requests of callers.
        turn: what guards these two.
        follow_up: called with the turn held after each change, with the time.
    """

    def __init__(
        self,
        file: WorkspaceFile,
        allowance: Allowance,
        desk: Desk,
        turn: Turn,
        follow_up: Callable[[float], None],
    ) -> None:
        self._file = file
        self._allowance = allowance
        self._core = desk.core
        self._desk = desk
        self._turn = turn
        self._follow_up = follow_up

    def is_due(self, now: float) -> bool:
        """Return whether there is a chore; the turn is held."""
        return self._to_reserve(now) != 0

    def _to_reserve(self, now: float) -> int:
        return self._allowance.to_reserve(now, needed=self._desk.needs_quota(now))

    def work(self, now: float) -> None:
        """Do the chores that are due, in the lead."""
        with self._turn:
            count = self._to_reserve(now)
            back = self._allowance.take_back() if count < 0 else 0
        if back:
            self._give_back(back, now)
        elif count > 0:
            self._reserve(count, now)

    def _reserve(self, count: int, now: float) -> None:
        try:
            granted, total = self._file.reserve(count, now)
        except WorkspaceError as error:
            with self._turn:
                self._core.halt(str(error), now, gave_up=True)
                self._follow_up(now)
            return
        with self._turn:
            self._allowance.reserved(count, granted, total, now)
            self._core.tick(now)
            self._follow_up(now)

    def _give_back(self, count: int, now: float) -> None:
        # What cannot be given back stays used until the quota resets.
        with suppress(WorkspaceError):
            self._file.give_back(count, now)

    def close(self, now: float) -> None:
        """Give back what is left, at the end of the lead."""
        with self._turn:
            back = self._allowance.take_back() if self._to_reserve(now) < 0 else 0
        if back:
            self._give_back(back, now)
