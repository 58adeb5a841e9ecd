"""The event loop goes on while an `AsyncSender` works in it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sqlite3
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from currents_export.current import Current
from currents_export.delivery import AsyncSender
from currents_export.delivery._latch import Latch
from currents_export.events import Event
from currents_export.payload import encode_events
from tests.benchmarks.servers import minimal_server
from tests.support.currents import custom
from tests.support.events import OPEN, event, make_events

#: The longest time, in seconds, for which a sender may keep the loop from other tasks.
MOST = 0.005
#: How often a run may be repeated, because other processes hold up the loop too.
TRIES = 20

EVENTS = make_events(2_000)


@pytest.fixture(scope="module")
def current() -> Iterator[Current]:
    """Return a Current to a server in another process, which does not hold up this one."""
    with minimal_server() as url:
        yield custom(url)


class Pauses(NamedTuple):
    """The longest pauses between two beats, in seconds, beyond the time that a beat waits.

    Attributes:
        wall: as the clock on the wall shows.
        cpu: how much the thread of the loop worked; other processes and threads do not count.
    """

    wall: float
    cpu: float


async def longest_pauses(work: Coroutine[Any, Any, object]) -> Pauses:
    pauses: list[Pauses] = []

    async def beat() -> None:
        while True:
            wall, cpu = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.001)
            pauses.append(Pauses(time.perf_counter() - wall - 0.001, time.thread_time() - cpu))

    heart = asyncio.create_task(beat())
    await asyncio.sleep(0.01)
    pauses.clear()
    await work
    await asyncio.sleep(0.005)
    heart.cancel()
    return Pauses(*map(max, zip(*pauses, strict=True)))


async def send_list(sender: AsyncSender) -> None:
    await sender.send(EVENTS)


async def send_one_by_one(sender: AsyncSender) -> None:
    for each in EVENTS[:500]:
        await sender.send(each)


async def send_large(sender: AsyncSender) -> None:
    large: list[Event] = [event(number, OPEN, note="x" * 300_000) for number in range(20)]
    await sender.send(large)


async def ask_often(sender: AsyncSender) -> None:
    for each in EVENTS[::20]:
        await sender.send(each)
        await sender.result()


WORK = [send_list, send_one_by_one, send_large, ask_often]


@pytest.fixture(params=["without an outbox", "with an outbox"])
def options(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], dict[str, Any]]:
    """Return a function that returns the options of a new sender."""
    numbers = itertools.count()
    if request.param == "without an outbox":
        return lambda: {"max_pending_events": 1_000}
    return lambda: {"max_pending_events": 1_000, "outbox": tmp_path / f"{next(numbers)}.db"}


@contextlib.contextmanager
def busy_threads(count: int) -> Iterator[None]:
    """Run threads that work and rest in turn, as those of a sender do."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.0005):
            encode_events(EVENTS[:100])

    threads = [threading.Thread(target=work) for _ in range(count)]
    for each in threads:
        each.start()
    try:
        yield
    finally:
        ended.set()
        for each in threads:
            each.join()


@pytest.mark.parametrize("work", WORK)
def test_loop_is_not_blocked(
    work: Callable[[AsyncSender], Coroutine[Any, Any, None]],
    options: Callable[[], dict[str, Any]],
    current: Current,
) -> None:
    """The sender holds up the loop no longer than threads do that have nothing to do with it."""

    async def use() -> None:
        async with AsyncSender(current, **options()) as sender:
            await work(sender)
            assert (await sender.flush()).pending == 0

    async def main() -> tuple[float, float, float]:
        # Other processes hold up any loop, and other threads one that needs Python's global lock.
        began = time.monotonic()
        busy = await longest_pauses(use())
        with busy_threads(3):
            control = await longest_pauses(asyncio.sleep(time.monotonic() - began))
        return busy.wall, control.wall, busy.cpu

    runs: list[tuple[float, float, float]] = []
    while len(runs) < TRIES and not any(wall <= max(MOST, control) for wall, control, _ in runs):
        runs.append(asyncio.run(main()))
    assert any(wall <= max(MOST, control) for wall, control, _ in runs), runs
    # What the thread of the loop did itself does not depend on others.
    assert min(cpu for _, _, cpu in runs) <= MOST, runs


def test_certificates_are_read_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading them takes longer than a beat."""
    threads: list[str] = []
    read = httpx.create_ssl_context

    def spy(*args: Any, **options: Any) -> ssl.SSLContext:
        threads.append(threading.current_thread().name)
        return read(*args, **options)

    monkeypatch.setattr(httpx, "create_ssl_context", spy)

    async def main() -> None:
        async with AsyncSender(custom("https://collector.example/")) as sender:
            await sender.edit(custom("http://127.0.0.1:9/"))

    asyncio.run(main())
    assert threads
    assert "MainThread" not in threads


@pytest.mark.parametrize("work", WORK)
def test_nothing_waits_in_the_loop(
    work: Callable[[AsyncSender], Coroutine[Any, Any, None]],
    options: Callable[[], dict[str, Any]],
    current: Current,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In the thread of the loop, no latch is waited for, and no file is read or written."""
    waits: list[object] = []
    statements: list[str] = []
    wait = Latch.wait

    def in_loop() -> bool:
        return threading.current_thread() is threading.main_thread()

    def spy(self: Latch, seconds: float) -> bool:
        if in_loop() and seconds:
            waits.append(seconds)
        return wait(self, seconds)

    class Connection(sqlite3.Connection):
        def execute(self, *arguments: Any) -> sqlite3.Cursor:
            (waits if in_loop() else statements).append(arguments[0])
            return super().execute(*arguments)

    monkeypatch.setattr(Latch, "wait", spy)
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Connection))

    async def main(**chosen: Any) -> None:
        async with AsyncSender(current, **chosen) as sender:
            await work(sender)
            await sender.pause()
            await sender.edit(custom(current.url, event_types=[OPEN]))
            await sender.resume()
        unused = AsyncSender(current, **chosen)
        await unused.result()
        await unused.close()
        if "outbox" in chosen:
            async with AsyncSender(current, **chosen) as sender:
                await sender.send(iter(EVENTS[:10]), source="a")

    asyncio.run(main(**(chosen := options())))
    assert not waits
    assert bool(statements) is ("outbox" in chosen)
