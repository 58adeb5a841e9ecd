"""Turn what happened into calls of hooks and loggers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from .._logs import Log
from ..current import Current
from ..events import Event
from ._happenings import Attempted, Delivered, Dropped, Happening, Noticed
from ._hook_calls import HookCalls
from ._ledger import Drop
from ._notice_command import run_notice_command
from .hooks import Attempt, Hooks, Notice
from .reasons import FilterReason

__all__ = ["Reports"]

_log = Log("delivery")


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
        if hooks.on_attempt is not None or hooks.on_batch is not None or _log.shows_debug:
            attempt = Attempt(
                event_type=each.batch.event_type,
                size=len(each.batch.events),
                number=each.number,
                response=each.response,
                action=each.action,
                at=each.at,
                duration_s=each.duration_s,
            )
            if _log.shows_debug:
                self._calls.add(_log_attempt, attempt)
            self._calls.add(hooks.on_attempt, attempt)
            if hooks.on_batch is not None:
                bodies = tuple([event.body for event in each.batch.events])
                self._calls.add(hooks.on_batch, attempt, bodies)

    def _noticed(self, each: Noticed) -> None:
        current = self._current()
        notice = Notice(
            each.kind,
            current.integration_name,
            current.contact_email,
            each.reason,
            each.at,
            each.since,
        )
        self._calls.add(_log_notice, notice)
        self._calls.add(self._hooks.on_notice, notice)
        if current.notice_command:
            self._calls.add(run_notice_command, current.notice_command, notice)


def _log_drop(drop: Drop) -> None:
    _log.debug(
        "dropped",
        "dropped %s (%s): %s %s",
        drop.id,
        drop.event_type,
        drop.reason,
        drop.response,
        **drop._asdict(),
    )


def _log_notice(notice: Notice) -> None:
    _log.warning(
        "notice",
        "%s (to %s)",
        notice.message,
        notice.contact_email,
        **attrs.asdict(notice),
    )


def _log_attempt(attempt: Attempt) -> None:
    _log.debug(
        "attempt",
        "%s events of %s, attempt %s: %s, %s",
        attempt.size,
        attempt.event_type,
        attempt.number,
        attempt.response,
        attempt.action,
        event_type=attempt.event_type,
        size=attempt.size,
        number=attempt.number,
        status=attempt.response.status,
        action=attempt.action,
        duration_s=attempt.duration_s,
    )
