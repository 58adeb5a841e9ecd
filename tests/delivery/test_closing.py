"""Flushing, closing, and the end of the process."""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Callable, Generator

import httpx
import pytest

from currents_export.delivery import Hooks, ManualClock, Result, Sender
from currents_export.errors import SenderClosedError
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, event, make_events
from tests.support.processes import run_python
from tests.support.senders import (
    PATIENCE,
    LeapingClock,
    abandoned,
    assert_threads_end,
    stuck,
    worker_threads,
)
from tests.support.servers import Responding


def test_flush_times_out() -> None:
    with abandoned(stuck()) as sender:
        sender.send(make_events(3))
        assert sender.flush(timeout=0.0).pending == 3


def test_flush_ignores_later_events(ok: Responding, clock: ManualClock) -> None:
    numbers = iter(range(100_000))

    def send_another(*_: object) -> None:
        if (number := next(numbers, None)) is not None:
            sender.send(event(number, CLICK))

    sender = Sender(
        custom(), transport=ok, clock=clock, batch_size=1, hooks=Hooks(on_delivered=send_another)
    )
    sender.send(event())
    assert sender.flush().delivered < 100_000
    numbers = iter(())
    assert sender.close().by_event_type[OPEN].delivered == 1


def test_close_interrupts_backoff(caplog: pytest.LogCaptureFixture) -> None:
    before = worker_threads()
    attempted = threading.Event()
    sender = Sender(
        custom(),
        transport=Responding(lambda _: 503),
        clock=ManualClock(),  # stands still, so that the wait would last forever
        hooks=Hooks(on_attempt=lambda _: attempted.set()),
        batch_size=2,
    )
    sender.send(make_events(3))
    assert attempted.wait(PATIENCE)
    result = sender.close(timeout=0)
    assert (result.pending, result.delivered) == (3, 0)
    assert {each.id for each in sender.pending()} == {each.id for each in make_events(3)}
    assert "closed with 3 events pending" in caplog.text
    assert_threads_end(before)


def test_closed_sender_refuses_events(ok: Responding, clock: ManualClock) -> None:
    with Sender(custom(), transport=ok, clock=clock) as sender:
        sender.send(event())
    sender.close()
    with pytest.raises(SenderClosedError) as caught:
        sender.send([event(1)])
    assert (caught.value.taken, caught.value.event) == (0, event(1))
    with pytest.raises(SenderClosedError):
        sender.send(event(2, "not.selected"))
    with pytest.raises(SenderClosedError):
        sender.resume()
    assert sender.result.accepted == 1
    assert sender.result.filtered == 0


def send_and_raise(error: type[BaseException], sender: Sender) -> Result:
    def block() -> None:
        with sender:
            sender.send(make_events(50))
            raise error

    with pytest.raises(error):
        block()
    return sender.result


@pytest.mark.parametrize(
    "error", [ZeroDivisionError, SystemExit, GeneratorExit, asyncio.CancelledError]
)
def test_error_in_block_still_delivers(
    error: type[BaseException], ok: Responding, clock: ManualClock
) -> None:
    sender = Sender(custom(), transport=ok, clock=clock)
    assert send_and_raise(error, sender).delivered == 50


def test_closed_generator_delivers(ok: Responding, clock: ManualClock) -> None:
    def results() -> Generator[Sender, None, None]:
        with Sender(custom(), transport=ok, clock=clock) as sender:
            sender.send(event())
            yield sender

    generator = results()
    sender = next(generator)
    generator.close()
    assert sender.result.delivered == 1


def test_cancelled_task_delivers(ok: Responding, clock: ManualClock) -> None:
    sender = Sender(custom(), transport=ok, clock=clock)

    async def task() -> None:
        with sender:
            sender.send(make_events(50))
            await asyncio.Event().wait()

    async def cancel() -> None:
        running = asyncio.create_task(task())
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running])

    asyncio.run(cancel())
    assert sender.result.delivered == 50


def test_interrupt_in_block_does_not_wait() -> None:
    assert send_and_raise(KeyboardInterrupt, stuck()).pending == 50


def test_request_in_flight_at_close_counts() -> None:
    begun, release, delivered = threading.Event(), threading.Event(), threading.Event()

    def slow(_: httpx.Request) -> int:
        begun.set()
        release.wait(PATIENCE)
        return 200

    sender = Sender(
        custom(),
        transport=Responding(slow),
        clock=LeapingClock(),  # leaps over the second that the request still gets
        batch_size=1,
        hooks=Hooks(on_delivered=lambda *_: delivered.set()),
    )
    sender.send(event())
    assert begun.wait(PATIENCE)
    assert sender.close(timeout=0).pending == 1
    release.set()
    assert delivered.wait(PATIENCE)
    assert sender.result.delivered == 1


def test_exit_without_close_is_logged() -> None:
    code = """
from currents_export import ManualClock, Sender
from tests.support.currents import custom
from tests.support.events import event

sender = Sender(custom(), clock=ManualClock())
sender.send(event())
"""
    run = run_python(code)
    assert run.returncode == 0
    assert "was not closed; 1 pending events are lost" in run.stderr
    assert run.stdout == ""


def test_exit_logs_only_lost_events(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered: list[Callable[[], object]] = []
    monkeypatch.setattr(atexit, "register", registered.append)
    sender = stuck()
    (at_exit,) = registered
    at_exit()
    assert caplog.text == ""
    sender.send(event())
    at_exit()
    assert "was not closed; 1 pending events are lost" in caplog.text
    sender.close(timeout=0)
