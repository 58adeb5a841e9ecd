"""Signals, forks and interpreter exit."""

from __future__ import annotations

import _thread
import gc
import os
import random
import signal
import sys
import threading
from collections.abc import Callable

import httpx
import pytest

from currents_export.delivery import ManualClock, Sender
from currents_export.errors import SenderClosedError
from tests.support.currents import custom
from tests.support.events import event, make_events
from tests.support.processes import run_python
from tests.support.senders import PATIENCE, adds_up
from tests.support.servers import Responding

LONG = bool(os.environ.get("CURRENTS_EXPORT_LONG"))
needs_timers = pytest.mark.skipif(
    not hasattr(signal, "setitimer"), reason="needs timers that send signals"
)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.skipif(
    sys.gettrace() is not None,
    reason="a child forked while threads are traced can wait forever for a lock of coverage's",
)
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
            for _ in range(50):
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


@needs_timers
@pytest.mark.parametrize(
    ("call", "options"),
    [
        ("sender.send(events)", "max_pending_events=100"),
        ("sender.send(event())", ""),
        ("sender.send(iter(events)); sender.flush()", ""),
        ("sender.result; [*sender.pending()]", ""),
    ],
)
@pytest.mark.parametrize("run", range(10 if LONG else 1))
def test_signal_handler_may_use_sender(call: str, options: str, run: int) -> None:
    """Real signals interrupt the main thread wherever it is."""
    code = SIGNALLED.format(call=call, options=options)
    process = run_python(code)
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.startswith("closed 0")


@needs_timers
@pytest.mark.parametrize("run", range(200 if LONG else 2))
@pytest.mark.parametrize(
    "interrupt",
    [
        lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM),
        # As a signal that arrives just before the wait begins: it does not end the wait.
        lambda: _thread.interrupt_main(signal.SIGALRM),
    ],
    ids=["signal", "flag"],
)
def test_interrupted_wait_leaves_true_totals(
    interrupt: Callable[[], object], run: int, clock: ManualClock
) -> None:
    """An interrupt ends the wait for room; the events that had no room are not accepted later."""
    release = threading.Event()

    def response(_: httpx.Request) -> int:
        if not release.is_set():
            interrupt()
            release.wait(PATIENCE)
        return 200

    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with Sender(
            custom(), transport=Responding(response), clock=clock, max_pending_events=3
        ) as sender:
            with pytest.raises(KeyboardInterrupt):
                sender.send(make_events(10))
            release.set()
            result = sender.flush()
            assert result.accepted == result.delivered == 3
    finally:
        release.set()
        signal.signal(signal.SIGALRM, before)


@needs_timers
@pytest.mark.parametrize("seed", range(200 if LONG else 5))
def test_interrupt_anywhere_leaves_true_totals(seed: int, clock: ManualClock) -> None:
    ok = Responding(lambda _: 200)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    gc.disable()  # Python ignores an interrupt that arrives in a callback of the collector
    try:
        sender = Sender(custom(), transport=ok, clock=clock, max_pending_events=50, batch_size=7)
        sender.send(event())
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - it arrives anywhere
            signal.setitimer(signal.ITIMER_REAL, random.Random(seed).uniform(1e-5, 5e-3))
            for _ in range(100_000):
                sender.send(make_events(30))
                sender.send(iter(make_events(3)))
        result = sender.close()
        assert adds_up(result)
        assert result.accepted == result.delivered == len(ok.events)
    finally:
        gc.enable()
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
    run = run_python(code)
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
    run = run_python(code)
    assert run.stdout == "2 2\n"
