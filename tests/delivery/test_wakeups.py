"""Whatever becomes possible wakes the thread that can do it.

The clocks here never end a wait of the sender by themselves, so a change that wakes nobody leaves
the test waiting.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import tenacity
from hypothesis import given, settings
from hypothesis import strategies as st

from currents_export.delivery import Hooks, ManualClock, Sender
from currents_export.delivery._hook_calls import LIMIT
from currents_export.errors import QueueFullError
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, SEND, event, make_events
from tests.support.senders import PATIENCE, abandoned, adds_up
from tests.support.servers import Responding, events_of

MAX_AGE = 300.0


class SleepyClock(ManualClock):
    """A clock whose waits end only when something else wakes the waiting thread.

    Attributes:
        alarms: the times that were waited for.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.alarms: list[float] = []
        self._changed = threading.Condition()

    def timeout(self, until: float | None) -> float:
        if until is None or until <= self.now():
            return super().timeout(until)
        with self._changed:
            self.alarms.append(until)
            self._changed.notify_all()
        return PATIENCE

    def wait_for_alarm(self, at: float) -> None:
        """Wait until the sender waits for the given time."""
        with self._changed:
            assert self._changed.wait_for(lambda: at in self.alarms, PATIENCE / 2)


class Gate:
    """A transport that responds when it is let, to one request at a time."""

    def __init__(self, status: Callable[[httpx.Request], int] = lambda _: 200) -> None:
        self.arrived = threading.Semaphore(0)
        self.opened = threading.Semaphore(0)
        self.transport = Responding(self.respond)
        self._status = status

    def respond(self, request: httpx.Request) -> int:
        self.arrived.release()
        assert self.opened.acquire(timeout=PATIENCE)
        return self._status(request)

    def await_request(self) -> None:
        assert self.arrived.acquire(timeout=PATIENCE / 2)


@pytest.mark.parametrize("concurrency", [1, 2])
def test_idle_worker_lets_lead_set_alarm(concurrency: int) -> None:
    """While all workers are busy, a batch that is not full has no time at which it can leave."""
    clock, gate = SleepyClock(), Gate()
    sender = Sender(
        custom(),
        transport=gate.transport,
        clock=clock,
        batch_size=2,
        concurrency=concurrency,
        max_age=MAX_AGE,
    )
    due = clock.now() + MAX_AGE
    with abandoned(sender):
        sender.send(make_events(2 * concurrency))
        for _ in range(concurrency):
            gate.await_request()
        sender.send(event(9, CLICK))
        assert due not in clock.alarms
        gate.opened.release()
        clock.wait_for_alarm(due)
        for _ in range(concurrency):
            gate.opened.release()


def test_retry_of_busy_sender_gets_alarm() -> None:
    """A failed batch waits; the only worker is busy with another type until later."""
    gate = Gate(lambda request: 503 if events_of(request)[0]["event_type"] == OPEN else 200)
    clock = SleepyClock()
    sender = Sender(
        custom(),
        transport=gate.transport,
        clock=clock,
        batch_size=1,
        concurrency=1,
        wait=tenacity.wait_fixed(7),
    )
    with abandoned(sender):
        sender.send([event(0, OPEN), event(1, CLICK)])
        gate.await_request()
        gate.opened.release()
        gate.await_request()
        gate.opened.release()
        clock.wait_for_alarm(clock.now() + 7)


def test_retry_behind_another_gets_alarm() -> None:
    """One type that fails may be asked again only when another one has its response."""
    clock, gate, failed = SleepyClock(), Gate(lambda _: 503), threading.Semaphore(0)
    sender = Sender(
        custom(),
        transport=gate.transport,
        clock=clock,
        batch_size=1,
        concurrency=2,
        wait=tenacity.wait_fixed(7),
        hooks=Hooks(on_attempt=lambda _: failed.release()),
    )
    with abandoned(sender):
        sender.send([event(0, OPEN), event(1, CLICK)])
        for _ in range(2):
            gate.await_request()
        gate.opened.release(2)
        for _ in range(2):  # so that both have the same time
            assert failed.acquire(timeout=PATIENCE)
        clock.wait_for_alarm(clock.now() + 7)
        clock.advance(7)
        sender.flush(timeout=0)
        for _ in range(2):
            gate.await_request()
            gate.opened.release()
        clock.wait_for_alarm(clock.now() + 7)


def test_split_batch_gets_second_worker() -> None:
    """The worker takes one half itself; only the lead can start a worker for the other."""
    gate = Gate(lambda request: 413 if len(events_of(request)) == 2 else 200)
    sender = Sender(
        custom(), transport=gate.transport, clock=SleepyClock(), batch_size=2, concurrency=2
    )
    with abandoned(sender):
        sender.send(make_events(2))
        gate.await_request()
        gate.opened.release()
        for _ in range(2):
            gate.await_request()
        for _ in range(2):
            gate.opened.release()
        assert sender.flush(timeout=PATIENCE / 2).delivered == 2


def test_job_of_failed_worker_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first worker gives the second one a job, and then the second one cannot be started."""
    gate, start, started = Gate(), threading.Thread.start, Counter[str]()
    failed = threading.Event()

    def fail_third(thread: threading.Thread) -> None:
        started[thread.name] += 1
        if thread.name == "currents-export" and started[thread.name] == 3:
            gate.await_request()
            gate.opened.release()
            gate.await_request()  # the first worker has taken another batch
            failed.set()
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", fail_third)
    sender = Sender(
        custom(), transport=gate.transport, clock=SleepyClock(), batch_size=1, concurrency=2
    )
    with abandoned(sender):
        sender.send(make_events(3))
        assert failed.wait(PATIENCE)
        gate.await_request()
        gate.opened.release(2)
        assert sender.flush(timeout=PATIENCE / 2).delivered == 3


def test_freed_room_ends_wait_at_once() -> None:
    """One response is enough, even if the worker goes on with other batches."""
    gate = Gate()
    sender = Sender(
        custom(),
        transport=gate.transport,
        clock=SleepyClock(),
        batch_size=1,
        concurrency=1,
        max_pending_events=20,
    )
    sent = threading.Event()

    def send_another() -> None:
        sender.send(event(99, CLICK))
        sent.set()

    with abandoned(sender):
        sender.send(make_events(20))
        thread = threading.Thread(target=send_another)
        thread.start()
        gate.await_request()
        gate.opened.release()
        assert sent.wait(PATIENCE / 2)
        thread.join()
        gate.opened.release(30)


def test_resumed_sender_sends_at_once() -> None:
    responses = iter([401, 200])
    sender = Sender(
        custom(), transport=Responding(lambda _: next(responses)), clock=SleepyClock(), batch_size=1
    )
    with abandoned(sender):
        sender.send(event())
        sender.flush(timeout=PATIENCE / 2)
        sender.resume()
        assert sender.flush(timeout=PATIENCE / 2).delivered == 1


def test_clock_that_resumes_wakes_lead() -> None:
    """A clock is code of the user and may call the sender, even from the lead."""

    class Resuming(SleepyClock):
        def timeout(self, until: float | None) -> float:
            sleeps = until is not None and until > self.now()
            if sleeps and tried.is_set() and not resumed.is_set():
                resumed.set()
                sender.resume()
            return super().timeout(until)

    tried, resumed, delivered = threading.Event(), threading.Event(), threading.Event()

    def response(_: httpx.Request) -> int:
        if tried.is_set():
            return 200
        tried.set()
        return 503

    sender = Sender(
        custom(),
        transport=Responding(response),
        clock=Resuming(),
        batch_size=1,
        wait=tenacity.wait_fixed(7),
        stop=tenacity.stop_after_attempt(1),
        hooks=Hooks(on_delivered=lambda *_: delivered.set()),
    )
    with abandoned(sender):
        sender.send(event())
        assert delivered.wait(PATIENCE / 2)


def test_ended_hooks_let_batches_leave(ok: Responding) -> None:
    release = threading.Event()
    hooks = Hooks(on_attempt=lambda _: release.wait(PATIENCE))
    sender = Sender(
        custom(), transport=ok, clock=SleepyClock(), batch_size=1, hooks=hooks, concurrency=2
    )
    with abandoned(sender):
        # In a thread, because too many calls hold up the call of send, too.
        sending = threading.Thread(target=sender.send, args=(make_events(2 * LIMIT),))
        sending.start()
        while sender.result.delivered < LIMIT:
            pass
        release.set()
        sending.join(PATIENCE)
        assert sender.flush(timeout=PATIENCE / 2).delivered == 2 * LIMIT


def test_skipping_clock_is_asked_for_each_retry(clock: ManualClock) -> None:
    """Also for one that is later than the next change of the Current's state."""
    sender = Sender(
        custom(),
        transport=Responding(lambda _: 503),
        clock=SleepyClock(skip=PATIENCE),
        pause_after=100,
        wait=tenacity.wait_fixed(30),
    )
    with abandoned(sender):
        sender.send(event())
        assert sender.flush(timeout=PATIENCE * 10).state == "paused"


STATUSES = st.sampled_from([200, 200, 400, 401, 413, 429, 503])


@settings(max_examples=60, deadline=None)
@given(
    statuses=st.lists(STATUSES, max_size=30),
    types=st.lists(st.sampled_from([OPEN, CLICK, SEND]), min_size=1, max_size=30),
    batch_size=st.integers(1, 4),
    concurrency=st.integers(1, 4),
    limit=st.sampled_from([2, 7, 1_000]),
)
def test_nothing_waits_for_the_clock(
    statuses: list[int], types: list[str], batch_size: int, concurrency: int, limit: int
) -> None:
    script, lock = iter(statuses), threading.Lock()

    def response(_: httpx.Request) -> int:
        with lock:
            return next(script, 200)

    sender = Sender(
        custom(),
        transport=Responding(response),
        clock=SleepyClock(),
        batch_size=batch_size,
        concurrency=concurrency,
        max_pending_events=limit,
        wait=tenacity.wait_none(),
    )
    with abandoned(sender):
        for number, each in enumerate(types):
            while True:
                try:
                    sender.send(event(number, each))
                    break
                except QueueFullError:  # the Current is paused
                    sender.resume()
        for _ in range(len(statuses) + 1):
            result = sender.flush(timeout=PATIENCE)
            sender.resume()
        assert adds_up(result)
        assert result.pending == 0
