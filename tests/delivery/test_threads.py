"""Threads, processes, signals and garbage collection."""

from __future__ import annotations

import _thread
import gc
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from currents_export.delivery import Hooks, ManualClock, Sender
from currents_export.errors import SenderClosedError
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, SEND, event, make_events
from tests.support.senders import PATIENCE, abandoned, adds_up, stuck
from tests.support.servers import Responding


def test_no_thread_before_first_event(ok: Responding, clock: ManualClock) -> None:
    before = threading.active_count()
    with Sender(custom(), transport=ok, clock=clock, hooks=Hooks(on_notice=print)) as sender:
        assert sender.result.accepted == 0
        assert [*sender.pending()] == []
        sender.resume()
        sender.flush()
        sender.check_credentials()
        assert threading.active_count() == before
        sender.send(event())
        assert threading.active_count() > before


@pytest.mark.parametrize("concurrency", [1, 2, 5])
def test_failures_need_no_threads(concurrency: int) -> None:
    """Every type fails, and its batch waits: in the scheduler, not in a thread."""
    before = set(threading.enumerate())
    clock = ManualClock()
    types = sorted(custom().selected)
    tried: set[str] = set()
    most, all_tried = 0, threading.Event()

    def response(request: httpx.Request) -> int:
        nonlocal most
        most = max(most, len(set(threading.enumerate()) - before))
        tried.add(request.content.split(b'"event_type":"')[1].split(b'"')[0].decode())
        if len(tried) == len(types):
            all_tried.set()
        return 503

    sender = Sender(
        custom(),
        transport=Responding(response),
        clock=clock,
        batch_size=1,
        concurrency=concurrency,
        hooks=Hooks(on_attempt=lambda _: None),
    )
    with abandoned(sender):
        sender.send([event(number, each) for number, each in enumerate(types)])
        assert all_tried.wait(PATIENCE)
        assert adds_up(sender.result)
        assert most <= concurrency + 2
    for thread in set(threading.enumerate()) - before:
        thread.join(PATIENCE)
    assert set(threading.enumerate()) <= before


def test_failed_start_accepts_nothing(
    ok: Responding, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise RuntimeError("can't start new thread")

    with Sender(custom(), transport=ok, clock=clock) as sender:
        with monkeypatch.context() as patch:
            patch.setattr(_thread, "start_new_thread", fail)
            with pytest.raises(RuntimeError):
                sender.send(event(0))
        assert sender.result.accepted == 0
        sender.send(event(1))
        assert sender.flush().delivered == 1


@pytest.mark.parametrize("failures", [1, 2, 3, 1_000_000])
def test_failed_threads_lose_nothing(
    failures: int,
    ok: Responding,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One thread is enough to deliver; hooks run at the end, in the thread that waits for them."""
    start = threading.Thread.start
    left = iter(range(failures))
    delivered: list[str] = []

    def maybe(thread: threading.Thread) -> None:
        if next(left, None) is not None:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", maybe)
    hooks = Hooks(on_delivered=lambda _, ids: delivered.extend(ids))
    with Sender(custom(), transport=ok, clock=clock, batch_size=2, hooks=hooks) as sender:
        sender.send([event(number, (OPEN, CLICK)[number % 2]) for number in range(20)])
        assert sender.flush().delivered == 20
    assert len(delivered) == 20


def test_sender_belongs_to_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Callable[[Sender], object]] = [
        lambda sender: sender.send(event(1)),
        lambda sender: sender.result,
        lambda sender: sender.flush(),
        lambda sender: sender.pending(),
        lambda sender: sender.resume(),
        lambda sender: sender.check_credentials(),
        lambda sender: sender.close(),
    ]
    with abandoned(stuck()) as sender:
        sender.send(event())
        with monkeypatch.context() as patch:
            patch.setattr("os.getpid", lambda: -1)
            for call in calls:
                with pytest.raises(SenderClosedError, match="another process"):
                    call(sender)
        assert sender.result.pending == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_forked_child_gets_errors(ok: Responding, clock: ManualClock) -> None:
    """The child is forked while threads send, so it inherits locks in any state."""
    stop = threading.Event()

    def keep_sending() -> None:
        while not stop.is_set():
            sender.send(make_events(10))

    with Sender(custom(), transport=ok, clock=clock, batch_size=3) as sender:
        threads = [threading.Thread(target=keep_sending) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(10):
                assert child_exit_code(sender) == 0
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def child_exit_code(sender: Sender) -> int:
    """Fork, use the sender in the child, and return 0 if each call failed at once."""
    child = os.fork()
    if child == 0:  # pragma: no cover - coverage does not see the child
        signal.alarm(int(PATIENCE))
        failures = 0
        for call in (lambda: sender.send(event()), lambda: sender.result, sender.close):
            try:
                call()
            except SenderClosedError:
                failures += 1
        os._exit(0 if failures == 3 else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_sender_is_garbage_collected() -> None:
    reference = weakref.ref(Sender(custom()))
    gc.collect()
    assert reference() is None


def test_many_threads_send_at_once(ok: Responding, clock: ManualClock) -> None:
    with Sender(
        custom(), transport=ok, clock=clock, max_pending_events=50, batch_size=10
    ) as sender:
        threads = [
            threading.Thread(target=sender.send, args=([event(k * 100 + n) for n in range(100)],))
            for k in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        result = sender.flush()
    sent = [each["id"] for each in ok.events]
    assert result.delivered == len(sent) == len(set(sent)) == 800


def test_single_events_keep_their_order(ok: Responding, clock: ManualClock) -> None:
    """Each is accepted without waiting for the engine, and counted at once."""
    options: dict[str, Any] = {"batch_size": 7, "concurrency": 1}
    with Sender(custom(), transport=ok, clock=clock, **options) as sender:
        for number in range(300):
            sender.send(event(number))
            assert sender.result.accepted == number + 1
        sender.send(event(number) for number in range(300, 600))
        sender.send(event(0, SEND))
    assert [each["id"] for each in ok.events if each["event_type"] == OPEN] == [
        event(number).id for number in range(600)
    ]


SIGNALLED = """
import signal, sys, threading
from currents_export import ManualClock, Sender
from tests.support.currents import custom
from tests.support.events import event, make_events
from tests.support.servers import Responding

sender = Sender(custom(), transport=Responding(lambda _: 200), batch_size=10, {options})
handled = 0

def handler(*_):
    global handled
    handled += 1
    result = sender.result
    assert result.accepted == result.delivered + result.dropped + result.pending, result
    len([*sender.pending()])
    if handled < 20:
        sender.send([event(1)], timeout=0.01) if result.pending < 50 else None
        sender.flush(timeout=0.001)
        signal.setitimer(signal.ITIMER_REAL, 0.0005 + 0.0003 * handled)
    else:
        result = sender.close(timeout=1)
        print("closed", result.pending)
        raise SystemExit(0)

signal.signal(signal.SIGALRM, handler)
events = make_events(30)
sender.send(event())
signal.setitimer(signal.ITIMER_REAL, 0.001)
while True:
    {call}
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs timers that send signals")
@pytest.mark.parametrize(
    ("call", "options"),
    [
        ("sender.send(events)", "max_pending_events=100"),
        ("sender.send(event())", ""),
        ("sender.send(iter(events)); sender.flush()", ""),
        ("sender.result; [*sender.pending()]", ""),
    ],
)
def test_signal_handler_may_use_sender(call: str, options: str) -> None:
    """Real signals interrupt the main thread wherever it is."""
    code = SIGNALLED.format(call=call, options=options)
    run = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        timeout=PATIENCE,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("closed 0")


def test_interrupted_wait_leaves_true_totals(clock: ManualClock) -> None:
    """An interrupt ends the wait for room; the events that had no room are not accepted later."""
    release = threading.Event()

    def response(_: httpx.Request) -> int:
        release.wait(PATIENCE)
        return 200

    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with Sender(
            custom(), transport=Responding(response), clock=clock, max_pending_events=3
        ) as sender:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(KeyboardInterrupt):
                sender.send(make_events(10))
            release.set()
            result = sender.flush()
            assert result.accepted == result.delivered <= 3
    finally:
        signal.signal(signal.SIGALRM, before)


def test_exit_while_sending_ends(ok: Responding) -> None:
    """The process ends while daemon threads run, without a message."""
    code = """
import threading
from currents_export import Hooks, Sender
from tests.support.currents import custom
from tests.support.events import make_events
from tests.support.servers import Responding

hooks = Hooks(on_delivered=lambda *_: None)
sender = Sender(custom(), transport=Responding(lambda _: 200), batch_size=3, hooks=hooks)
def work():
    while True:
        sender.send(make_events(10))
threading.Thread(target=work, daemon=True).start()
sender.send(make_events(100))
"""
    run = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        timeout=PATIENCE,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert run.returncode == 0
    assert "Traceback" not in run.stderr


def test_close_at_exit_makes_all_calls() -> None:
    """At interpreter exit no thread can be started; hooks run in the thread that closes."""
    code = """
import atexit
from currents_export import Hooks, Sender
from tests.support.currents import custom
from tests.support.events import make_events
from tests.support.servers import Responding

calls = []
hooks = Hooks(on_delivered=lambda _, ids: calls.extend(ids))
sender = Sender(custom(), transport=Responding(lambda _: 200), batch_size=3, hooks=hooks)

@atexit.register
def close():
    result = sender.close()
    print(result.delivered, len(calls))

sender.send(make_events(2))
"""
    run = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        timeout=PATIENCE,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert run.stdout == "2 2\n"
