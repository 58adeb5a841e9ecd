from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from currents_export.delivery import Action, NoticeKind, State
from currents_export.delivery._status import ALARM_AFTER, DISABLE_AFTER, KEEP_FOR, Status

DAY = 86_400.0


def failing(since: float = 0.0, *, pause_after: float | None = None) -> Status:
    return Status(pause_after=pause_after).after_response(Action.RETRY, "503", since)


def test_limits_are_those_of_braze() -> None:
    assert (ALARM_AFTER, DISABLE_AFTER, KEEP_FOR) == (DAY, 5 * DAY, 7 * DAY)


def test_day_of_failures_alarms_once() -> None:
    status, notices = failing().at(DAY - 1, 0.0)
    assert notices == ()
    status, notices = status.at(DAY, 0.0)
    assert notices == (NoticeKind.ALARM,)
    assert status.state is State.ACTIVE
    assert status.at(2 * DAY, 0.0)[1] == ()


def test_alarm_is_about_stuck_batch() -> None:
    status = Status()
    assert status.next_change(10.0) == 10.0 + DAY
    status, notices = status.at(10.0 + DAY, 10.0)
    assert notices == (NoticeKind.ALARM,)
    status = status.after_response(Action.DELIVERED, "200", 11.0 + DAY)
    assert status.at(2 * DAY, 10.0)[1] == ()
    assert status.next_change(10.0) is None
    status, notices = status.at(2 * DAY, None)  # it was delivered
    assert (status, notices) == (Status(), ())
    assert status.at(9 * DAY, 5 * DAY)[1] == (NoticeKind.ALARM,)


def test_five_days_disable_seven_more_expire() -> None:
    status, notices = failing().at(5 * DAY, 0.0)
    assert notices == (NoticeKind.ALARM, NoticeKind.DISABLED)
    assert (status.state, status.disabled_at) == (State.DISABLED, 5 * DAY)
    assert status.at(12 * DAY - 1, 0.0)[1] == ()
    status, notices = status.at(12 * DAY, 0.0)
    assert notices == (NoticeKind.EXPIRED,)
    assert status.at(99 * DAY, 0.0)[1] == ()


def test_twelve_days_give_all_notices() -> None:
    status, notices = failing().at(12 * DAY, 0.0)
    assert notices == (NoticeKind.ALARM, NoticeKind.DISABLED, NoticeKind.EXPIRED)
    assert status.expired
    assert status.next_change() is None


def test_pause_ends_in_disabling() -> None:
    status = Status().after_response(Action.PAUSE, "401", 10.0)
    assert (status.state, status.reason, status.failing_since) == (State.PAUSED, "401", 10.0)
    assert status.at(10.0 + DISABLE_AFTER)[0].state is State.DISABLED


def test_final_response_ends_streak() -> None:
    for action in (Action.DELIVERED, Action.DROP, Action.SPLIT_TO_ONES, Action.SPLIT_SMALLER):
        status = failing().after_response(action, "", 5 * DAY - 1)
        assert status == Status()
        assert status.after_response(Action.RETRY, "503", 7 * DAY).failing_since == 7 * DAY


def test_late_response_changes_nothing() -> None:
    paused = Status().after_response(Action.PAUSE, "401", 0.0)
    assert paused.after_response(Action.DELIVERED, "200", 1.0) is paused


def test_pause_after() -> None:
    status = failing(pause_after=60.0)
    assert status.next_change() == 60.0
    assert status.at(59.0)[1] == ()
    paused, notices = status.at(60.0)
    assert (paused.state, notices) == (State.PAUSED, (NoticeKind.PAUSED,))
    assert paused.resumed() == Status(pause_after=60.0)


def test_disabling_wins_over_pausing() -> None:
    status, notices = failing(pause_after=6 * DAY).at(6 * DAY)
    assert status.state is State.DISABLED
    assert NoticeKind.PAUSED not in notices


def test_active_current_changes_nothing() -> None:
    assert Status().next_change() is None
    assert Status().at(99 * DAY) == (Status(), ())


@given(
    st.lists(st.floats(0, 20 * DAY), max_size=8),
    st.none() | st.floats(1, 10 * DAY),
)
def test_looking_often_changes_no_notice(moments: list[float], pause_after: float | None) -> None:
    end = max(moments, default=0.0)
    status = failing(pause_after=pause_after)
    seen: list[NoticeKind] = []
    for moment in sorted(moments):
        status, notices = status.at(moment, 0.0)
        seen += notices
    assert len(seen) == len(set(seen))
    _, once = failing(pause_after=pause_after).at(end, 0.0)
    assert set(once) <= set(seen)
    assert set(seen) - set(once) <= {NoticeKind.PAUSED}


@given(st.floats(0, 20 * DAY), st.none() | st.floats(1, 10 * DAY))
def test_next_change_is_next_notice(moment: float, pause_after: float | None) -> None:
    status, _ = failing(pause_after=pause_after).at(moment, 0.0)
    change = status.next_change(0.0)
    if change is None:
        assert status.at(1e9, 0.0)[1] == ()
    else:
        assert change > moment
        assert status.at((moment + change) / 2, 0.0)[1] == () or change - moment < 1e-3
        assert status.at(change + 1e-3, 0.0)[1] != ()
