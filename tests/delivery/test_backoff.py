from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest
import tenacity

from currents_export.delivery import (
    Backoff,
    Hooks,
    ManualClock,
    NoticeKind,
    Result,
    Sender,
    State,
)
from currents_export.errors import OptionError
from tests.support.currents import custom
from tests.support.events import event
from tests.support.senders import HookLog
from tests.support.servers import Responding


def test_waits_double_up_to_maximum(clock: ManualClock) -> None:
    at: list[float] = []
    statuses = iter([503] * 9)
    with Sender(
        custom(),
        transport=Responding(lambda _: next(statuses, 200)),
        clock=clock,
        wait=Backoff(initial=1.0, maximum=20.0, rng=random.Random(7)),
        hooks=Hooks(on_attempt=lambda each: at.append(each.at)),
    ) as sender:
        sender.send(event())
        sender.flush()
    waits = [later - earlier for earlier, later in pairwise(at)]
    for wait, limit in zip(waits, [1, 2, 4, 8, 16, 20, 20, 20, 20], strict=True):
        assert limit / 2 - 1e-6 <= wait <= limit + 1e-6
    assert len(set(waits)) == len(waits)


@pytest.mark.parametrize(("initial", "maximum"), [(0, 1), (5, 1), (-1, 1)])
def test_invalid_backoff_is_refused(initial: float, maximum: float) -> None:
    with pytest.raises(OptionError, match="0 < initial <= maximum"):
        Backoff(initial, maximum)


def waits_with(clock: ManualClock, count: int, **options: Any) -> tuple[list[float], Result]:
    """Send an event that fails some times; return the waits, and the result."""
    at: list[float] = []
    statuses = iter([503] * count)
    with Sender(
        custom(),
        transport=Responding(lambda _: next(statuses, 200)),
        clock=clock,
        hooks=Hooks(on_attempt=lambda each: at.append(each.at)),
        **options,
    ) as sender:
        sender.send(event())
        result = sender.flush()
    return [later - earlier for earlier, later in pairwise(at)], result


def test_any_tenacity_strategy_waits(clock: ManualClock) -> None:
    wait = tenacity.wait_fixed(3) + tenacity.wait_incrementing(start=1, increment=2)
    waits, result = waits_with(clock, 4, wait=wait)
    assert waits == pytest.approx([4, 6, 8, 10])
    assert result.delivered == 1


def test_strategy_sees_attempts(clock: ManualClock) -> None:
    seen: list[tuple[int, float, float, int]] = []

    def wait(state: tenacity.RetryCallState) -> float:
        assert state.outcome is not None
        assert state.seconds_since_start is not None
        response = state.outcome.result()
        seen.append(
            (state.attempt_number, state.seconds_since_start, state.idle_for, response.status)
        )
        return 10.0

    waits_with(clock, 3, wait=wait)
    assert seen == [(1, 0.0, 0.0, 503), (2, 10.0, 10.0, 503), (3, 20.0, 20.0, 503)]


def test_stop_pauses_with_notice(clock: ManualClock, log: HookLog) -> None:
    with Sender(
        custom(),
        transport=Responding(lambda _: 503),
        clock=clock,
        stop=tenacity.stop_after_attempt(3),
        hooks=log.hooks,
    ) as sender:
        sender.send(event())
        result = sender.flush()
        assert (result.state, result.pending, result.requests) == (State.PAUSED, 1, 3)
    assert log.kinds == [NoticeKind.PAUSED]


def test_stop_sees_time_of_clock(clock: ManualClock) -> None:
    stop = tenacity.stop_before_delay(100)
    waits, result = waits_with(clock, 10, wait=tenacity.wait_fixed(30), stop=stop)
    assert waits == pytest.approx([30, 30, 30])
    assert result.state is State.PAUSED


@pytest.mark.parametrize("wrong", [float("nan"), -1.0, "soon", SystemExit(), ZeroDivisionError()])
def test_failing_strategy_is_replaced(
    wrong: object, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    def wait(_: tenacity.RetryCallState) -> Any:
        if isinstance(wrong, BaseException):
            raise wrong
        return wrong

    waits, result = waits_with(clock, 1, wait=wait)
    assert 0.5 <= waits[0] <= 1.0
    assert result.delivered == 1
    assert "strategy" in caplog.text


def test_strategy_must_be_callable() -> None:
    with pytest.raises(OptionError, match="wait is 5; it must be a wait strategy of tenacity"):
        Sender(custom(), wait=5)  # type: ignore[arg-type]
