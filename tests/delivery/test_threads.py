"""Threads, processes, interrupts and garbage collection."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator, Sequence

import pytest

from currents_export.delivery import ManualClock, Sender
from currents_export.delivery._scheduler import Scheduler
from currents_export.errors import SenderClosedError
from tests.support.currents import custom
from tests.support.events import CLICK, event, make_events
from tests.support.senders import abandoned, stuck
from tests.support.servers import Responding


class Interrupted(list[Entry]):
    """Entries whose iteration is interrupted after the first."""

    def __iter__(self) -> Iterator[Entry]:
        yield self[0]
        raise KeyboardInterrupt


def test_interrupt_leaves_true_totals(
    ok: Responding, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Queues.add

    def interrupted(queues: Queues, entries: Sequence[Entry], now: float) -> bool:
        return add(queues, Interrupted(entries), now)

    with Sender(custom(), transport=ok, clock=clock) as sender:
        with monkeypatch.context() as patch:
            patch.setattr(Queues, "add", interrupted)
            with pytest.raises(KeyboardInterrupt):
                sender.send(make_events(5))
        assert sender.result.accepted == 1
        sender.send(make_events(2))
        assert sender.flush().delivered == 3


def test_failed_thread_loses_no_event(
    ok: Responding,
    caplog: pytest.LogCaptureFixture,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Sender(custom(), transport=ok, clock=clock) as sender:
        start = threading.Thread.start
        full = iter([True, False, True])

        def maybe(thread: threading.Thread) -> None:
            if next(full, False):
                raise RuntimeError("can't start new thread")
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", maybe)
        with pytest.raises(RuntimeError):
            sender.send(event(0))
        sender.send([event(1), event(2, CLICK)])
        assert sender.flush().delivered == 2
    assert "cannot start another thread" in caplog.text


def test_sender_belongs_to_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    with abandoned(stuck()) as sender:
        sender.send(event())
        with monkeypatch.context() as patch:
            patch.setattr("os.getpid", lambda: -1)
            with pytest.raises(SenderClosedError, match="another process"):
                sender.send(event(1))
            assert sender.flush().pending == 1


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
