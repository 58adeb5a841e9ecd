"""The event loop goes on while an `AsyncSender` works in it."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, NamedTuple

import httpx
import pytest

from currents_export.current import Current
from currents_export.delivery import AsyncSender
from currents_export.delivery._latch import Latch
from currents_export.events import Event
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
    for each in EVENTS:
        await sender.send(each)


async def send_large(sender: AsyncSender) -> None:
    large: list[Event] = [event(number, OPEN, note="x" * 300_000) for number in range(20)]
    await sender.send(large)


async def ask_often(sender: AsyncSender) -> None:
    for each in EVENTS[::20]:
        await sender.send(each)
        await sender.result()


WORK = [send_list, send_one_by_one, send_large, ask_often]


@pytest.mark.parametrize("work", WORK)
def test_loop_is_not_blocked(
    work: Callable[[AsyncSender], Coroutine[Any, Any, None]], current: Current
) -> None:
    async def use() -> None:
        async with AsyncSender(current, max_pending_events=1_000) as sender:
            await work(sender)
            assert (await sender.flush()).pending == 0

    async def main() -> tuple[float, float]:
        # What other processes do to a loop that does nothing is not the sender's.
        idle = await longest_pauses(asyncio.sleep(0.1))
        busy = await longest_pauses(use())
        return busy.wall - idle.wall, busy.cpu

    pauses: list[tuple[float, float]] = []
    while len(pauses) < TRIES and min(pauses, default=(1.0,))[0] > MOST:
        pauses.append(asyncio.run(main()))
    assert min(pauses)[0] <= MOST, pauses
    assert min(cpu for _, cpu in pauses) <= MOST, pauses


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
    current: Current,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No latch is waited for in the thread of the loop, not even for a moment."""
    waits: list[float] = []
    wait = Latch.wait

    def spy(self: Latch, seconds: float) -> bool:
        if threading.current_thread() is threading.main_thread():
            waits.append(seconds)
        return wait(self, seconds)

    monkeypatch.setattr(Latch, "wait", spy)

    async def main() -> None:
        async with AsyncSender(current, max_pending_events=1_000) as sender:
            await work(sender)

    asyncio.run(main())
    assert not any(waits)
