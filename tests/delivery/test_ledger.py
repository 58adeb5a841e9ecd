from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from currents_export.delivery import DropReason, FilterReason, Totals
from currents_export.delivery._ledger import Ledger

TYPES = st.sampled_from("ab")


def test_pending_is_what_is_left() -> None:
    ledger = Ledger()
    ledger.accept("a", 5)
    ledger.deliver("a", 2)
    ledger.drop("a", DropReason.EXPIRED, 1)
    ledger.filter("b", FilterReason.NOT_SELECTED)
    assert ledger.totals_by_type() == {
        "a": Totals(accepted=5, delivered=2, dropped=1, pending=2),
        "b": Totals(filtered=1),
    }


def test_drop_of_nothing_leaves_no_reason() -> None:
    ledger = Ledger()
    ledger.drop("a", DropReason.EXPIRED, 0)
    assert ledger.totals_by_type() == {}
    assert not ledger.drop_reasons


@given(
    steps=st.lists(
        st.tuples(TYPES, st.integers(0, 9), st.sampled_from([None, *DropReason, *FilterReason]))
    )
)
def test_totals_always_add_up(
    steps: list[tuple[str, int, DropReason | FilterReason | None]],
) -> None:
    ledger = Ledger()
    reasons: Counter[object] = Counter()
    for event_type, count, why in steps:
        if isinstance(why, FilterReason):
            ledger.filter(event_type, why)
            reasons[why] += 1
            continue
        ledger.accept(event_type, count)
        if why is None:
            ledger.deliver(event_type, count // 2)
        else:
            ledger.drop(event_type, why, count)
            reasons[why] += count
        for totals in ledger.totals_by_type().values():
            assert totals.accepted == totals.delivered + totals.dropped + totals.pending
            assert totals.pending >= 0
    assert +reasons == Counter(ledger.drop_reasons) + Counter(ledger.filter_reasons)
