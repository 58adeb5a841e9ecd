"""Nothing in common, and nothing received, when both inputs are from the same run."""

from __future__ import annotations

from typing import Any

import pytest

from currents_export.errors import OptionError, ReadError
from currents_export.verification import Through, Verdict, reconcile
from tests.support.events import event, make_events

SENT = make_events(3)


@pytest.mark.parametrize(
    ("through", "is_expected"),
    [
        (None, Through.RUDDERSTACK),
        ("rudderstack", Through.RUDDERSTACK),
        ("currents", Through.CURRENTS),
    ],
)
def test_nothing_received(through: Any, is_expected: Through) -> None:
    with pytest.raises(ReadError, match="it contains no events"):
        reconcile(SENT, [], through=through)
    report = reconcile(SENT, [], through=through, same_run=True)
    assert report.through is is_expected
    assert report.verdict is Verdict.WRONG
    assert (report.received, report.missing.count) == (0, 3)


def test_nothing_in_common() -> None:
    with pytest.raises(OptionError, match="are the two inputs from the same run"):
        reconcile(SENT, [event(9)])
    report = reconcile(SENT, [event(9)], same_run=True)
    assert (report.missing.count, report.unexpected.count) == (3, 1)


def test_nothing_sent() -> None:
    with pytest.raises(ReadError, match="it contains no events"):
        reconcile([], SENT, same_run=True)
