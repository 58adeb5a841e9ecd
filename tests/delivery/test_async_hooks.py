"""Hooks of a sender in an event loop."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from currents_export.delivery import AsyncSender, FilterReason, Hooks, ManualClock, Result, Sender
from currents_export.errors import OptionError
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, event, make_events
from tests.support.servers import Responding


def test_coroutines_run_in_loop_in_order(ok: Responding) -> None:
    seen: list[Any] = []

    async def on_delivered(event_type: str, ids: tuple[str, ...]) -> None:
        seen.append(("begin", event_type, len(ids), threading.get_ident()))
        await asyncio.sleep(0.001)
        seen.append(("end", event_type))

    def on_filtered(filtered: object, reason: FilterReason) -> None:
        seen.append((reason, threading.get_ident()))

    async def main() -> int:
        hooks = Hooks(on_delivered=on_delivered, on_filtered=on_filtered)
        current = custom(event_types=[OPEN])
        async with AsyncSender(
            current, transport=ok, hooks=hooks, batch_size=10, concurrency=1
        ) as sender:
            await sender.send(event(1, CLICK))
            await sender.send(make_events(20))
            await sender.flush()
        return threading.get_ident()

    here = asyncio.run(main())
    assert seen == [
        (FilterReason.NOT_SELECTED, here),
        ("begin", OPEN, 10, here),
        ("end", OPEN),
        ("begin", OPEN, 10, here),
        ("end", OPEN),
    ]


def test_failures_are_counted(ok: Responding, caplog: pytest.LogCaptureFixture) -> None:
    async def fails(*_: object) -> None:
        raise LookupError("no such thing")

    async def main() -> int:
        hooks = Hooks(on_delivered=fails)
        async with AsyncSender(custom(), transport=ok, hooks=hooks, batch_size=5) as sender:
            await sender.send(make_events(10))
            return (await sender.flush()).hook_failures

    assert asyncio.run(main()) == 2
    assert "no such thing" in caplog.text


def test_hook_may_await_the_sender(ok: Responding) -> None:
    """A hook does not wait for itself, also when it flushes or closes."""
    results: list[Result] = []

    async def main() -> None:
        async def on_delivered(event_type: str, ids: tuple[str, ...]) -> None:
            if event_type == OPEN:
                await sender.send([event(99, CLICK)])
                results.append(await sender.flush())
                results.append(await sender.close())

        sender = AsyncSender(custom(), transport=ok, hooks=Hooks(on_delivered=on_delivered))
        await sender.send(make_events(3))
        await sender.flush()
        await sender.close()

    asyncio.run(main())
    assert [each.delivered for each in results] == [4, 4]


def test_task_that_outlives_its_hook(ok: Responding) -> None:
    """Only the hook itself is not waited for; a task it started waits like any other."""
    ended: list[int] = []

    async def main() -> None:
        tasks: list[asyncio.Task[Any]] = []
        gate = asyncio.Event()

        async def later() -> None:
            await gate.wait()
            await sender.send(event(5, CLICK))
            await sender.flush()
            ended.append(len(slow))

        async def on_delivered(event_type: str, ids: tuple[str, ...]) -> None:
            if event_type == OPEN:
                tasks.append(asyncio.create_task(later()))
            else:
                await asyncio.sleep(0.05)
                slow.append(event_type)

        slow: list[str] = []
        async with AsyncSender(
            custom(), transport=ok, hooks=Hooks(on_delivered=on_delivered)
        ) as sender:
            await sender.send(event(1))
            await sender.flush()
            gate.set()
            await tasks[0]

    asyncio.run(main())
    assert ended == [1]


def test_many_filtered_events(ok: Responding) -> None:
    count = 0

    async def on_filtered(*_: object) -> None:
        nonlocal count
        count += 1

    async def main() -> None:
        current = custom(event_types=[OPEN])
        async with AsyncSender(current, transport=ok, hooks=Hooks(on_filtered=on_filtered)) as one:
            await one.send(make_events(3000, CLICK))

    asyncio.run(main())
    assert count == 3000


def test_loop_that_ends_before_its_hooks() -> None:
    """The thread of the hooks does not wait for a loop that is closed."""
    began = threading.Event()

    async def on_delivered(*_: object) -> None:
        if not began.is_set():
            began.set()
            await asyncio.Event().wait()

    sender = AsyncSender(
        custom(),
        transport=Responding(lambda _: 200),
        clock=ManualClock(),
        batch_size=1,
        hooks=Hooks(on_delivered=on_delivered),
    )

    async def main() -> None:
        await sender.send(make_events(3))
        while not began.is_set():
            await asyncio.sleep(0.001)

    asyncio.run(main())
    result = asyncio.run(sender.close(timeout=0))
    assert result.delivered == 3
    assert result.hook_failures >= 1


def test_sender_refuses_coroutines(ok: Responding) -> None:
    async def on_delivered(*_: object) -> None: ...

    with pytest.raises(OptionError, match="AsyncSender"):
        Sender(custom(), transport=ok, hooks=Hooks(on_delivered=on_delivered))
