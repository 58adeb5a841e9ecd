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
    QUOTA = "quota", "the quota of the Test Current is used up; nothing is sent until it resets"


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
        paused_at: when the Current was paused.
        gave_up: whether it was paused only because of the sender's options.
        failed_before: when a streak of failures of an earlier process began. The first response
            decides whether it continues.
    """

    state: State = State.ACTIVE
    reason: str = ""
    failing_since: float | None = None
    alarmed: bool = False
    disabled_at: float | None = None
    expired: bool = False
    pause_after: float | None = None
    paused_at: float | None = None
    gave_up: bool = False
    failed_before: float | None = None

    def after_response(
        self, action: Action, reason: str, now: float, *, gave_up: bool = False
    ) -> Status:
        """Return the status after a response that led to `action`.

        Args:
            action: what the response means.
            reason: the response.
            now: the time.
            gave_up: whether a pause follows from the sender's options, and not from the response.
        """
        if self.state is not State.ACTIVE:
            return self
        if action in (Action.RETRY, Action.PAUSE):
            since = now if self.failing_since is None else self.failing_since
            status = attrs.evolve(self, failing_since=since, reason=reason)
            return status.paused(now, gave_up=gave_up) if action is Action.PAUSE else status
        if self.failing_since is None and self.failed_before is None:
            return self
        return attrs.evolve(self, failing_since=None, failed_before=None, reason="")

    def paused(self, now: float, *, gave_up: bool) -> Status:
        """Return the status after a pause."""
        return attrs.evolve(self, state=State.PAUSED, paused_at=now, gave_up=gave_up)

    def halted(self, now: float, reason: str, *, gave_up: bool) -> Status:
        """Return the status after a pause that no response led to; it ends the streak."""
        calm = attrs.evolve(self, failing_since=None, failed_before=None, reason=reason)
        return calm.paused(now, gave_up=gave_up)

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
        if status.disabling_at is not None and now >= status.disabling_at:
            status = attrs.evolve(status, state=State.DISABLED, disabled_at=status.disabling_at)
            notices.append(NoticeKind.DISABLED)
        if status.pausing_at is not None and now >= status.pausing_at:
            status = status.paused(status.pausing_at, gave_up=True)
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
        times = [self.disabling_at, self.pausing_at]
        if stuck_since is not None and not self.alarmed:
            times.append(stuck_since + ALARM_AFTER)
        if self.disabled_at is not None and not self.expired:
            times.append(self.disabled_at + KEEP_FOR)
        return min((each for each in times if each is not None), default=None)

    @property
    def disabling_at(self) -> float | None:
        """When the Current will be disabled if no response changes that.

        A streak of an earlier process counts, but not without a failure in this one.
        """
        if self.failing_since is None or self.state is State.DISABLED:
            return None
        began = self.failing_since if self.failed_before is None else self.failed_before
        return max(began + DISABLE_AFTER, self.failing_since)

    @property
    def pausing_at(self) -> float | None:
        """When the Current will be paused because of the sender's options."""
        if self.failing_since is None or self.pause_after is None:
            return None
        return self.failing_since + self.pause_after if self.state is State.ACTIVE else None

    @property
    def began_failing(self) -> float | None:
        """When the streak of failures began, if there is one."""
        return self.failing_since if self.failed_before is None else self.failed_before

    @property
    def since(self) -> float | None:
        """Since when the Current is paused or disabled."""
        return {State.PAUSED: self.paused_at, State.DISABLED: self.disabled_at}.get(self.state)

    @property
    def is_calm(self) -> bool:
        """Whether `at` changes nothing unless a batch is stuck."""
        return self.failing_since is None and self.disabled_at is None and not self.alarmed

    def continued(self, now: float, *, pause_after: float | None) -> Status:
        """Return the status with which another process continues.

        A pause that followed from the options of the sender ends with its process, and a streak of
        failures continues only if the first response is a failure.

        Args:
            now: the time.
            pause_after: seconds of failures after which the Current is paused.
        """
        common = Status(
            pause_after=pause_after, failed_before=self.began_failing, reason=self.reason
        )
        if self.state is State.ACTIVE or self.gave_up:
            return common
        return attrs.evolve(
            common,
            state=self.state,
            failing_since=None if self.began_failing is None else now,
            paused_at=self.paused_at,
            disabled_at=self.disabled_at,
            expired=self.expired,
        )

    def resumed(self) -> Status:
        """Return the status of the Current after it was enabled again."""
        return Status(pause_after=self.pause_after)
