"""Turn what happened into calls of hooks and loggers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from ..current import Current
from ..events import Event
from ._core import Attempted, Delivered, Dropped, Happening, Noticed
from ._hook_calls import HookCalls
from ._ledger import Drop
from .hooks import Attempt, Hooks, Notice
from .reasons import FilterReason

__all__ = ["Reports"]

_log = logging.getLogger("currents_export.delivery")


class Reports:
    """The calls that follow from what happened.

    Args:
        calls: where the calls are added.
        hooks: the hooks.
        current: returns the Current.
    """

    def __init__(self, calls: HookCalls, hooks: Hooks, current: Callable[[], Current]) -> None:
        self._calls = calls
        self._hooks = hooks
        self._current = current

    def filtered(self, event: Event, reason: FilterReason) -> None:
        """Report an event that was not accepted."""
        self._calls.add(self._hooks.on_filtered, event, reason)

    def happened(self, happenings: Iterable[Happening]) -> None:
        """Report what happened, in order."""
        for each in happenings:
            match each:
                case Attempted():
                    self._attempted(each)
                case Delivered(batch):
                    if self._hooks.on_delivered is not None:
                        ids = tuple([event.id for event in batch.events])
                        self._calls.add(self._hooks.on_delivered, batch.event_type, ids)
                case Dropped(drop):
                    self._calls.add(_log_drop, drop)
                    self._calls.add(self._hooks.on_dropped, drop)
                case Noticed():
                    self._noticed(each)

    def _attempted(self, each: Attempted) -> None:
        hooks = self._hooks
        if hooks.on_attempt is not None or hooks.on_batch is not None:
            attempt = Attempt(
                event_type=each.batch.event_type,
                size=len(each.batch.events),
                number=each.number,
                response=each.response,
                action=each.action,
                at=each.at,
                duration_s=each.duration_s,
            )
            self._calls.add(hooks.on_attempt, attempt)
            if hooks.on_batch is not None:
                bodies = tuple([event.body for event in each.batch.events])
                self._calls.add(hooks.on_batch, attempt, bodies)

    def _noticed(self, each: Noticed) -> None:
        current = self._current()
        notice = Notice(
            each.kind, current.integration_name, current.contact_email, each.reason, each.at
        )
        self._calls.add(_log.warning, "%s (to %s)", notice.message, notice.contact_email)
        self._calls.add(self._hooks.on_notice, notice)


def _log_drop(drop: Drop) -> None:
    _log.debug("dropped %s (%s): %s %s", drop.id, drop.event_type, drop.reason, drop.response)
