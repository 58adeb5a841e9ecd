from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from currents_export.delivery._answers import Action
from currents_export.delivery._health import (
    ALARM_AFTER,
    DISABLE_AFTER,
    KEEP_FOR,
    Health,
    NoticeKind,
    State,
)

HOUR, DAY = 3600.0, 86_400.0


def failing(since: float = 0.0, *, pause_after: float | None = None) -> Health:
    return Health(pause_after=pause_after).answered(Action.RETRY, "503", since)


def test_the_limits_are_a_day_five_days_and_seven_days() -> None:
    assert (ALARM_AFTER, DISABLE_AFTER, KEEP_FOR) == (DAY, 5 * DAY, 7 * DAY)


def test_a_day_of_trouble_raises_the_alarm_once() -> None:
    health, notices = failing().at(DAY - 1, 0.0)
    assert notices == ()
    health, notices = health.at(DAY, 0.0)
    assert notices == (NoticeKind.ALARM,)
    assert health.state is State.ACTIVE
    assert health.at(2 * DAY, 0.0)[1] == ()


def test_the_alarm_is_about_what_is_stuck_even_while_others_get_through() -> None:
    health = Health()
    assert health.next_change(10.0) == 10.0 + DAY
    health, notices = health.at(10.0 + DAY, 10.0)
    assert notices == (NoticeKind.ALARM,)
    health = health.answered(Action.DELIVERED, "200", 11.0 + DAY)
    assert health.at(2 * DAY, 10.0)[1] == ()
    assert health.next_change(10.0) is None
    health, notices = health.at(2 * DAY, None)  # it got through
    assert (health, notices) == (Health(), ())
    assert health.at(9 * DAY, 5 * DAY)[1] == (NoticeKind.ALARM,)


def test_five_days_of_trouble_disable_and_seven_more_expire() -> None:
    health, notices = failing().at(5 * DAY, 0.0)
    assert notices == (NoticeKind.ALARM, NoticeKind.DISABLED)
    assert (health.state, health.disabled_at) == (State.DISABLED, 5 * DAY)
    assert health.at(12 * DAY - 1, 0.0)[1] == ()
    health, notices = health.at(12 * DAY, 0.0)
    assert notices == (NoticeKind.EXPIRED,)
    assert health.at(99 * DAY, 0.0)[1] == ()


def test_twelve_days_looked_at_at_once_tell_everything_in_order() -> None:
    health, notices = failing().at(12 * DAY, 0.0)
    assert notices == (NoticeKind.ALARM, NoticeKind.DISABLED, NoticeKind.EXPIRED)
    assert health.expired
    assert health.next_change() is None


def test_a_pause_is_trouble_too_and_ends_in_disabling() -> None:
    health = Health().answered(Action.PAUSE, "401", 10.0)
    assert (health.state, health.reason, health.failing_since) == (State.PAUSED, "401", 10.0)
    assert health.at(10.0 + DISABLE_AFTER)[0].state is State.DISABLED


def test_an_answer_that_lets_a_batch_go_ends_the_streak() -> None:
    for action in (Action.DELIVERED, Action.DROP, Action.SPLIT_TO_ONES, Action.SPLIT_SMALLER):
        health = failing().answered(action, "", 5 * DAY - 1)
        assert health == Health()
        assert health.answered(Action.RETRY, "503", 7 * DAY).failing_since == 7 * DAY


def test_late_answers_change_nothing_once_it_is_not_active() -> None:
    paused = Health().answered(Action.PAUSE, "401", 0.0)
    assert paused.answered(Action.DELIVERED, "200", 1.0) is paused


def test_pausing_can_be_asked_for_earlier() -> None:
    health = failing(pause_after=60.0)
    assert health.next_change() == 60.0
    assert health.at(59.0)[1] == ()
    paused, notices = health.at(60.0)
    assert (paused.state, notices) == (State.PAUSED, (NoticeKind.PAUSED,))
    assert paused.resumed() == Health(pause_after=60.0)


def test_trouble_that_outlasts_both_limits_disables_rather_than_pauses() -> None:
    health, notices = failing(pause_after=6 * DAY).at(6 * DAY)
    assert health.state is State.DISABLED
    assert NoticeKind.PAUSED not in notices


def test_a_healthy_current_has_nothing_to_come() -> None:
    assert Health().next_change() is None
    assert Health().at(99 * DAY) == (Health(), ())


@given(
    st.lists(st.floats(0, 20 * DAY), max_size=8),
    st.none() | st.floats(1, 10 * DAY),
)
def test_looking_often_and_looking_once_tell_the_same(
    moments: list[float], pause_after: float | None
) -> None:
    end = max(moments, default=0.0)
    health = failing(pause_after=pause_after)
    told: list[NoticeKind] = []
    for moment in sorted(moments):
        health, notices = health.at(moment, 0.0)
        told += notices
    assert len(told) == len(set(told))
    _, once = failing(pause_after=pause_after).at(end, 0.0)
    assert set(once) <= set(told)
    assert set(told) - set(once) <= {NoticeKind.PAUSED}


@given(st.floats(0, 20 * DAY), st.none() | st.floats(1, 10 * DAY))
def test_the_next_change_is_when_something_is_told(
    moment: float, pause_after: float | None
) -> None:
    health, _ = failing(pause_after=pause_after).at(moment, 0.0)
    change = health.next_change(0.0)
    if change is None:
        assert health.at(1e9, 0.0)[1] == ()
    else:
        assert change > moment
        assert health.at((moment + change) / 2, 0.0)[1] == () or change - moment < 1e-3
        assert health.at(change + 1e-3, 0.0)[1] != ()
