"""The thread that watches the time looks at it again whenever that may have become necessary."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from currents_export.delivery import Hooks, ManualClock, Sender
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, SEND, event
from tests.support.senders import PATIENCE, abandoned
from tests.support.servers import Responding, events_of

MAX_AGE = 200.0


class AlarmClock(ManualClock):
    """A clock that stands still, and notes until when the sender wants to wait."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()
        self._alarms: list[float] = []

    def timeout(self, until: float | None) -> float:
        with self._changed:
            if until is not None:
                self._alarms.append(until)
                self._changed.notify_all()
        # As long as a test, so that only a wake-up ends the wait.
        return 0.0 if until is not None and until <= self.now() else 10 * PATIENCE

    def waits_until(self, time: float) -> bool:
        """Wait until the sender waits for this time."""
        with self._changed:
            return self._changed.wait_for(lambda: time in self._alarms, PATIENCE)

    def forget(self) -> None:
        """Forget the times that the sender has waited for."""
        with self._changed:
            self._alarms.clear()


class Gate:
    """A transport's response that waits for a permission."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.reached, self.opened = threading.Semaphore(0), threading.Semaphore(0)

    def respond(self, request: Any) -> int:
        if events_of(request)[0]["event_type"] == SEND:
            return 200
        self.reached.release()
        assert self.opened.acquire(timeout=PATIENCE)
        return self.status


@pytest.mark.parametrize("concurrency", [1, 2])
@pytest.mark.parametrize("status", [200, 400, 503])
def test_batch_that_becomes_due_behind_busy_workers(concurrency: int, status: int) -> None:
    """All workers are busy when the age of a batch is noted; then one of them becomes idle."""
    clock, gate = AlarmClock(), Gate(status)
    sender = Sender(
        custom(),
        transport=Responding(gate.respond),
        clock=clock,
        batch_size=2,
        max_age=MAX_AGE,
        concurrency=concurrency,
        wait=lambda _: 1_000.0,
    )
    with abandoned(sender):
        for number in range(concurrency):
            sender.send([event(4 * number), event(4 * number + 1)])
            assert gate.reached.acquire(timeout=PATIENCE)
        clock.advance(10.0)
        sender.send(event(100, CLICK))
        assert sender.result.pending == 2 * concurrency + 1
        clock.forget()
        gate.opened.release(100)
        assert clock.waits_until(clock.now() + MAX_AGE)


def test_retry_that_waits_behind_another() -> None:
    """A failing type may be asked again only when another failing one has its response."""
    clock, gate, recorded = AlarmClock(), Gate(503), threading.Semaphore(0)
    sender = Sender(
        custom(),
        transport=Responding(gate.respond),
        clock=clock,
        batch_size=1,
        concurrency=2,
        wait=lambda _: 50.0,
        hooks=Hooks(on_attempt=lambda _: recorded.release()),
    )
    with abandoned(sender):
        for number, event_type in enumerate((OPEN, CLICK)):
            sender.send(event(number, event_type))
            assert gate.reached.acquire(timeout=PATIENCE)
        gate.opened.release(2)
        for _ in range(2):
            assert recorded.acquire(timeout=PATIENCE)
        clock.advance(50.0)
        sender.flush(timeout=0)
        assert gate.reached.acquire(timeout=PATIENCE)
        gate.opened.release()
        assert gate.reached.acquire(timeout=PATIENCE)
        clock.forget()
        gate.opened.release()
        assert clock.waits_until(clock.now() + 50.0)


def test_new_age_while_idle() -> None:
    """A worker is idle when the first event of a queue arrives."""
    clock = AlarmClock()
    sender = Sender(
        custom(), transport=Responding(lambda _: 200), clock=clock, batch_size=2, max_age=MAX_AGE
    )
    with abandoned(sender):
        sender.send([event(0), event(1)])
        sender.flush()
        clock.advance(7.0)
        clock.forget()
        sender.send(event(2, CLICK))
        assert clock.waits_until(clock.now() + MAX_AGE)
