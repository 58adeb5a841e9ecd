"""Whether a Current runs, is paused or is disabled: a state machine that takes the time as given.

Source: Braze, Custom Currents export and Currents FAQ.
"""

from __future__ import annotations

import attrs

from .._codes import Code
from ._responses import Action

__all__ = ["ALARM_AFTER", "DISABLE_AFTER", "KEEP_FOR", "NoticeKind", "State", "Status"]

#: Data stuck for longer than this (seconds) raises an alarm.
ALARM_AFTER = 24 * 3600.0
#: Trouble that lasts longer than this (seconds) disables the Current.
DISABLE_AFTER = 5 * 24 * 3600.0
#: What is queued when a Current is disabled is kept for this long (seconds) from then on.
KEEP_FOR = 7 * 24 * 3600.0


class State(Code):
    """The state of a Current."""

    ACTIVE = "active", "events are sent"
    PAUSED = "paused", "nothing is sent until it is resumed"
    DISABLED = "disabled", "new events are dropped; queued ones are kept for 7 days"


class NoticeKind(Code):
    """What a notice to the contact email is about."""

    PAUSED = "paused", "paused; nothing is sent until it is resumed"
    ALARM = "alarm", "events have been stuck for 24 hours"
    DISABLED = "disabled", "disabled after 5 days without a success; new events are dropped"
    EXPIRED = "expired", "events kept for 7 days after it was disabled were dropped"
    RESUMED = "resumed", "resumed"


@attrs.frozen
class Status:
    """The state of a Current and how long its trouble has lasted.

    A streak of trouble begins with the first response that leaves a batch waiting (one to be sent
    again, or one that pauses) and ends with the first that does not. It is what disables a
    Current. The alarm is about data: about the batch that has been failing for longest, even while
    others get through.

    Attributes:
        state: active, paused or disabled.
        reason: why it is not active.
        failing_since: when the streak of trouble began.
        alarmed: whether the alarm was raised for what is stuck now.
        disabled_at: when the Current was disabled.
        expired: whether what was kept after that has been dropped.
        pause_after: seconds of trouble after which the Current is paused instead of trying on.
    """

    state: State = State.ACTIVE
    reason: str = ""
    failing_since: float | None = None
    alarmed: bool = False
    disabled_at: float | None = None
    expired: bool = False
    pause_after: float | None = None

    def answered(self, action: Action, reason: str, now: float) -> Status:
        """The status after a response that led to `action`."""
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
        """The status at a time, and what happened on the way that somebody must be told.

        Args:
            now: the time.
            stuck_since: when the batch that has been failing for longest began to.
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
        """When `at` will next have something to say if nothing else happens."""
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

    def resumed(self) -> Status:
        """The status of a Current that was enabled again."""
        return Status(pause_after=self.pause_after)
