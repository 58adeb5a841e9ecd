"""Properties that are true for all responses, in any order."""

from __future__ import annotations

import threading

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from currents_export.delivery import ManualClock, Sender, State
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, SEND, event
from tests.support.senders import PATIENCE, HookLog, adds_up
from tests.support.servers import Responding, events_of

STATUSES = st.sampled_from([200, 200, 200, 204, 400, 400, 401, 404, 413, 413, 429, 500, 302, None])


@settings(max_examples=150, deadline=None)
@given(
    statuses=st.lists(STATUSES, max_size=30),
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=5),
    batch_size=st.integers(1, 5),
    concurrency=st.integers(1, 3),
    resumes=st.integers(0, 5),
)
def test_accepted_means_kept(
    statuses: list[int | None],
    sizes: list[int],
    batch_size: int,
    concurrency: int,
    resumes: int,
) -> None:
    """Every event is delivered, dropped or pending, and is never sent again after a 2XX."""
    lock = threading.Lock()
    script = iter(statuses)
    done: set[str] = set()
    sent_again: list[str] = []

    def response(request: httpx.Request) -> int:
        ids = [each["id"] for each in events_of(request)]
        assert 1 <= len(ids) <= batch_size
        with lock:
            sent_again.extend(done.intersection(ids))
            status = next(script, 200)
            if status is not None and 200 <= status < 300:
                done.update(ids)
        if status is None:
            raise httpx.ConnectError("no")
        return status

    log = HookLog()
    sender = Sender(
        custom(),
        transport=Responding(response),
        clock=ManualClock(skip=PATIENCE),
        batch_size=batch_size,
        concurrency=concurrency,
        hooks=log.hooks,
    )
    sent: list[str] = []
    for number, size in enumerate(sizes):
        batch = [event(100 * number + n, (OPEN, CLICK, SEND)[n % 3]) for n in range(size)]
        sent += [each.id for each in batch]
        sender.send(batch)
    for _ in range(resumes):
        sender.flush()
        sender.resume()
    result = sender.close(timeout=None)
    pending = [each.id for each in sender.pending()]
    assert not sent_again
    assert result.accepted == len(sent)
    assert adds_up(result)
    assert all(totals.pending >= 0 for totals in result.by_event_type.values())
    assert set(log.delivered) == done
    assert sorted([*log.delivered, *(drop.id for drop in log.drops), *pending]) == sorted(sent)
    assert result.pending == len(pending)
    if result.state is State.ACTIVE:
        assert not pending
