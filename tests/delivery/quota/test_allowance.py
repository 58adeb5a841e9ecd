"""State machines: in any order of steps, no more events leave in a day than the quota allows."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from currents_export.delivery._happenings import Delivered
from currents_export.delivery._quota import Allowance
from tests.delivery.test_core_machine import LONG, CoreMachine

LIMIT = 10
DAY = 86_400
EXAMPLES = 1_000 if LONG else 40


class QuotaMachine(CoreMachine):
    """The queues of a Test Current that counts by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.allowance = Allowance(batch_size=4, limit=LIMIT)
        self.core.scheduler.allowance = self.allowance
        self.used: Counter[int] = Counter()

    def learn(self) -> None:
        for each in self.core.happenings:
            if isinstance(each, Delivered):
                self.used[int(each.batch.sent_at // DAY)] += len(each.batch.events)
        super().learn()

    @invariant()
    def quota_is_kept(self) -> None:
        used = self.used.copy()
        for batch, _ in self.in_flight:
            used[int(batch.sent_at // DAY)] += len(batch.events)
        assert max(used.values(), default=0) <= LIMIT
        quota = self.allowance.quota(self.now)
        assert quota.used == used[int(self.now // DAY)]
        assert self.now < quota.resets_at <= self.now + DAY


QuotaMachine.TestCase.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=50, deadline=None
)
TestQuotaMachine = QuotaMachine.TestCase


class WorkspaceMachine(RuleBasedStateMachine):
    """Three Currents that share the quota of a workspace."""

    def __init__(self) -> None:
        super().__init__()
        self.allowances = [Allowance(batch_size=4, workspace="a", limit=LIMIT) for _ in range(3)]
        self.now = 1_000.0
        self.counts: Counter[int] = Counter()  # as in the file, by day
        self.left: Counter[int] = Counter()
        self.in_flight: list[tuple[Allowance, int, float]] = []

    @rule(
        who=st.integers(0, 2),
        needed=st.booleans(),
        seconds=st.sampled_from([0.0, 0.0, 1.0, 70.0, DAY]),
    )
    def look(self, who: int, needed: bool, seconds: float) -> None:
        """Reserve or give back, in a file that takes some time."""
        allowance, at = self.allowances[who], self.now
        day = int(at // DAY)
        asked = allowance.to_reserve(at, needed=needed)
        if asked < 0:
            back = allowance.take_back()
            assert back == -asked
            self.counts[day] -= back
        elif asked:
            granted = min(asked, LIMIT - self.counts[day])
            self.counts[day] += granted
            total = self.counts[day]
            self.now += seconds
            if seconds:
                allowance.quota(self.now)  # another thread learns of the time first
            allowance.reserved(asked, granted, total, at)
            assert needed
        if seconds < 60:
            assert not allowance.to_reserve(self.now, needed=needed)

    @rule(who=st.integers(0, 2), most=st.integers(1, 4))
    def leave(self, who: int, most: int) -> None:
        allowance = self.allowances[who]
        count = min(allowance.may_leave(self.now), most)
        if count:
            allowance.leave(count, self.now)
            self.left[int(self.now // DAY)] += count
            self.in_flight.append((allowance, count, self.now))

    @precondition(lambda self: bool(self.in_flight))
    @rule(place=st.integers(0, 10), delivered=st.booleans())
    def settle(self, place: int, delivered: bool) -> None:
        allowance, count, left_at = self.in_flight.pop(place % len(self.in_flight))
        allowance.settle(count, left_at, self.now, delivered=delivered)
        if not delivered:
            self.left[int(left_at // DAY)] -= count

    @rule(seconds=st.sampled_from([1.0, 60.0, 3_600.0, float(DAY), 3.0 * DAY]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def quota_is_kept(self) -> None:
        assert max(self.left.values(), default=0) <= LIMIT
        assert max(self.counts.values(), default=0) <= LIMIT
        for day in self.counts:
            assert 0 <= self.left[day] <= self.counts[day]

    @invariant()
    def nothing_waits_forever(self) -> None:
        """What cannot leave can ask now, or knows when it can."""
        for each in self.allowances:
            if not each.may_leave(self.now) and not each.to_reserve(self.now, needed=True):
                assert each.is_spent(self.now)
                opens_at = each.opens_at
                assert opens_at is not None
                assert self.now < opens_at <= self.now + 60
                assert each.to_reserve(opens_at, needed=True)


WorkspaceMachine.TestCase.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=50, deadline=None
)
TestWorkspaceMachine = WorkspaceMachine.TestCase


@pytest.mark.parametrize("used", [0, 1, 1_499, 1_500, 9_999])
def test_earlier_events_count_on_their_day(used: int) -> None:
    now = 20_000.0 * DAY + 5
    allowance = Allowance(batch_size=100)
    allowance.count_before({"2024-10-04": used, "2024-10-03": 77}, now)
    assert allowance.quota(now).used == used
    assert allowance.quota(now).left == max(1_500 - used, 0)
    assert allowance.may_leave(now) == max(1_500 - used, 0)
    assert allowance.may_leave(now + DAY) == 1_500


def test_days_begin_at_midnight() -> None:
    midnight = 20_000.0 * DAY
    allowance = Allowance(batch_size=100)
    allowance.leave(1_500, midnight - 0.001)
    assert allowance.is_spent(midnight - 0.001)
    assert allowance.opens_at == midnight
    assert allowance.may_leave(midnight) == 1_500
    # What left yesterday is not given back today.
    allowance.leave(1, midnight)
    allowance.settle(100, midnight - 0.001, midnight, delivered=False)
    assert allowance.quota(midnight).used == 1


def test_quota_in_words() -> None:
    allowance = Allowance(batch_size=100, workspace="staging")
    allowance.count_before({"2024-10-04": 1_234}, 20_000.0 * DAY)
    assert allowance.quota(20_000.0 * DAY).text == (
        "1,234 of 1,500 events are used today in the workspace staging; "
        "the quota resets at 2024-10-05 00:00 UTC"
    )


def test_workspace_is_asked_for_whole_batches() -> None:
    """What is given back does not leave as a small batch while there is more in the workspace."""
    now = 20_000.0 * DAY
    allowance = Allowance(batch_size=100, workspace="staging")
    allowance.reserved(100, 100, 100, now)
    allowance.leave(100, now)
    allowance.settle(1, now, now, delivered=False)
    assert (allowance.may_leave(now), allowance.to_reserve(now, needed=True)) == (0, 99)
    allowance.reserved(99, 20, 1_500, now)
    assert (allowance.may_leave(now), allowance.to_reserve(now, needed=True)) == (21, 0)
