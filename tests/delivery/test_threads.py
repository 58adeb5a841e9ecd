"""Threads, processes, signals and garbage collection."""

from __future__ import annotations

import _thread
import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from currents_export.delivery import Hooks, ManualClock, Sender
from currents_export.errors import SenderClosedError
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, SEND, event
from tests.support.senders import PATIENCE, abandoned, adds_up, stuck
from tests.support.servers import Responding


def test_no_thread_before_first_event(ok: Responding, clock: ManualClock) -> None:
    before = set(threading.enumerate())  # threads of other tests may still end
    with Sender(custom(), transport=ok, clock=clock, hooks=Hooks(on_notice=print)) as sender:
        assert sender.result.accepted == 0
        assert [*sender.pending()] == []
        sender.resume()
        sender.flush()
        sender.check_credentials()
        assert set(threading.enumerate()) <= before
        sender.send(event())
        assert not set(threading.enumerate()) <= before


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
