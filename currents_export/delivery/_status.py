"""Whether a Current is active, paused or disabled: a state machine that takes time as an argument.

Source: Braze, Custom Currents export and Currents FAQ.
"""

from __future__ import annotations

import attrs

from .._codes import Code
from ._responses import Action

__all__ = ["ALARM_AFTER", "DISABLE_AFTER", "KEEP_FOR", "NoticeKind", "State", "Status"]

#: Seconds after which events that are stuck raise an alarm.
ALARM_AFTER = 24 * 3600.0
#: Seconds of failures without a success after which the Current is disabled.
DISABLE_AFTER = 5 * 24 * 3600.0
#: Seconds for which a disabled Current keeps the events that are queued.
KEEP_FOR = 7 * 24 * 3600.0


class State(Code):
    """Whether a Current sends events."""

    ACTIVE = "active", "events are sent"
    PAUSED = "paused", "nothing is sent until it is resumed"
    DISABLED = "disabled", "new events are dropped; queued ones are kept for 7 days"


class NoticeKind(Code):
    """What a notice to the contact email reports."""

    PAUSED = "paused", "paused; nothing is sent until it is resumed"
    ALARM = "alarm", "events have been stuck for 24 hours"
    DISABLED = "disabled", "disabled after 5 days of failures; new events are dropped"
    EXPIRED = (
        "expired",
        "queued events were dropped 7 days after it was disabled",
    )
    RESUMED = "resumed", "resumed; events are sent again"


@attrs.frozen
class Status:
    """The state of a Current, and how long its requests have failed.

    A streak of failures begins with the first response that leaves a batch waiting (one that means
    retry or pause) and ends with the first response that does not. A long streak disables the
    Current. The alarm depends on the batch that has been failing longest, even if other batches are
    delivered meanwhile.

    Attributes:
        state: active, paused or disabled.
        reason: why it is not active, or the last failure of the streak.
        failing_since: when the streak of failures began.
        alarmed: whether the alarm was raised for the batch that is stuck now.
        disabled_at: when the Current was disabled.
        expired: whether the events that were kept after that have been dropped.
        pause_after: seconds of failures after which the Current is paused.
    """

    state: State = State.ACTIVE
    reason: str = ""
    failing_since: float | None = None
    alarmed: bool = False
    disabled_at: float | None = None
    expired: bool = False
    pause_after: float | None = None

    def after_response(self, action: Action, reason: str, now: float) -> Status:
        """Return the status after a response that led to `action`."""
        if self.state is not State.ACTIVE:
            return self
        if action in (Action.RETRY, Action.PAUSE):
            since = now if self.failing_since is None else self.failing_since
            status = attrs.evolve(self, failing_since=since, reason=reason)
            return attrs.evolve(status, state=State.PAUSED) if action is Action.PAUSE else status
        if self.failing_since is None:
            return self
        return attrs.evolve(self, failing_since=None, reason="")

    def at(
        self, now: float, stuck_since: float | None = None
    ) -> tuple[Status, tuple[NoticeKind, ...]]:
        """Return the status at a given time, and the notices that became due until then.

        Args:
            now: the time.
            stuck_since: when the batch that has been failing longest began to fail.
        """
        status, notices = self, []
        stuck = stuck_since is not None and now - stuck_since >= ALARM_AFTER
        if stuck and not status.alarmed:
            notices.append(NoticeKind.ALARM)
        status = attrs.evolve(status, alarmed=stuck)
        if (since := status.failing_since) is not None:
            lasted = now - since
            if status.state is not State.DISABLED and lasted >= DISABLE_AFTER:
                disabled_at = since + DISABLE_AFTER
                status = attrs.evolve(status, state=State.DISABLED, disabled_at=disabled_at)
                notices.append(NoticeKind.DISABLED)
            if (
                status.state is State.ACTIVE
                and status.pause_after is not None
                and lasted >= status.pause_after
            ):
                status = attrs.evolve(status, state=State.PAUSED)
                notices.append(NoticeKind.PAUSED)
        if (
            status.disabled_at is not None
            and not status.expired
            and now - status.disabled_at >= KEEP_FOR
        ):
            status = attrs.evolve(status, expired=True)
            notices.append(NoticeKind.EXPIRED)
        return status, tuple(notices)

    def next_change(self, stuck_since: float | None = None) -> float | None:
        """Return when `at` will next give a notice, unless a response changes the status."""
        times = []
        if stuck_since is not None and not self.alarmed:
            times.append(stuck_since + ALARM_AFTER)
        if self.failing_since is None:
            return min(times, default=None)
        if self.state is not State.DISABLED:
            times.append(self.failing_since + DISABLE_AFTER)
        if self.state is State.ACTIVE and self.pause_after is not None:
            times.append(self.failing_since + self.pause_after)
        if self.disabled_at is not None and not self.expired:
            times.append(self.disabled_at + KEEP_FOR)
        return min(times, default=None)

    def paused(self, reason: str) -> Status:
        """Return the status after the user paused an active Current; this ends the streak."""
        if self.state is not State.ACTIVE:
            return self
        return attrs.evolve(self, state=State.PAUSED, reason=reason, failing_since=None)

    def resumed(self) -> Status:
        """Return the status of the Current after it was enabled again."""
        return Status(pause_after=self.pause_after)
