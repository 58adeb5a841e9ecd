from __future__ import annotations

import random
from itertools import pairwise

import pytest

from currents_export.delivery import Backoff, Hooks, ManualClock, Sender
from currents_export.errors import OptionError
from tests.support.currents import custom
from tests.support.events import event
from tests.support.servers import Responding


def test_waits_double_up_to_maximum(clock: ManualClock) -> None:
    at: list[float] = []
    statuses = iter([503] * 9)
    with Sender(
        custom(),
        transport=Responding(lambda _: next(statuses, 200)),
        clock=clock,
        wait=Backoff(initial=1.0, maximum=20.0),
        hooks=Hooks(on_attempt=lambda each: at.append(each.at)),
        rng=random.Random(7),
    ) as sender:
        sender.send(event())
        sender.flush()
    waits = [later - earlier for earlier, later in pairwise(at)]
    for wait, limit in zip(waits, [1, 2, 4, 8, 16, 20, 20, 20, 20], strict=True):
        assert limit / 2 - 1e-6 <= wait <= limit + 1e-6
    assert len(set(waits)) == len(waits)


@pytest.mark.parametrize("backoff", [{"initial": 0}, {"initial": 5, "maximum": 1}, {"initial": -1}])
def test_invalid_backoff_is_refused(backoff: dict[str, float]) -> None:
    with pytest.raises(OptionError, match="0 < initial <= maximum"):
        Backoff(**backoff)
