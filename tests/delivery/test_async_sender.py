"""The face of delivery for asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from currents_export.delivery import AsyncSender, ManualClock, Sender, State
from currents_export.errors import (
    CurrentsExportError,
    EventError,
    InvalidEventsError,
    OptionError,
    QueueFullError,
    SenderClosedError,
)
from currents_export.events import Event
from tests.support.currents import custom
from tests.support.events import OPEN, event, make_events
from tests.support.senders import PATIENCE, adds_up
from tests.support.servers import Responding


async def stream(events: list[Event]) -> AsyncIterator[Event]:
    for each in events:
        await asyncio.sleep(0)
        yield each


@contextlib.asynccontextmanager
async def stuck(**options: Any) -> AsyncIterator[AsyncSender]:
    """Make a sender whose events do not leave, and close it without waiting."""
    sender = AsyncSender(
        custom(), transport=Responding(lambda _: 503), clock=ManualClock(), **options
    )
    try:
        yield sender
    finally:
        await sender.close(timeout=0)


@pytest.mark.parametrize("kind", ["list", "iterator", "async iterator", "one by one"])
def test_every_kind_of_input(kind: str, ok: Responding) -> None:
    events = make_events(250)

    async def main() -> None:
        async with AsyncSender(custom(), transport=ok) as sender:
            match kind:
                case "list":
                    await sender.send(events)
                case "iterator":
                    await sender.send(iter(events))
                case "async iterator":
                    await sender.send(stream(events))
                case _:
                    for each in events:
                        await sender.send(each)
            result = await sender.flush()
            assert (result.accepted, result.delivered, result.pending) == (250, 250, 0)
            assert (await sender.result()).delivered == 250

    asyncio.run(main())
    assert sorted(each["id"] for each in ok.events) == [each.id for each in events]


def test_end_of_context_flushes(ok: Responding) -> None:
    async def main() -> AsyncSender:
        async with AsyncSender(custom(), transport=ok) as sender:
            await sender.send(make_events(3))
        with pytest.raises(SenderClosedError):
            await sender.send(event(1))
        assert (await sender.close()).delivered == 3
        return sender

    asyncio.run(main())
    assert len(ok.events) == 3


def test_made_outside_of_loop(ok: Responding) -> None:
    sender = AsyncSender(custom(), transport=ok)

    async def main() -> None:
        await sender.send(event(1))
        await sender.close()

    asyncio.run(main())
    assert len(ok.events) == 1


def test_second_loop_is_refused(ok: Responding) -> None:
    sender = AsyncSender(custom(), transport=ok)
    first = asyncio.new_event_loop()
    first.run_until_complete(sender.send(event(1)))
    with pytest.raises(RuntimeError, match="another event loop"):
        asyncio.run(sender.flush())
    first.close()
    assert asyncio.run(sender.close()).delivered == 1


def test_arguments_are_those_of_sender() -> None:
    assert inspect.signature(AsyncSender) == inspect.signature(Sender)
    with pytest.raises(OptionError):
        AsyncSender(custom(), concurrency=0)


def test_methods_are_those_of_sender() -> None:
    def methods(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert methods(AsyncSender) == methods(Sender)
    for name in methods(AsyncSender):
        assert inspect.iscoroutinefunction(getattr(AsyncSender, name))


def test_unreadable_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file")
    sender = AsyncSender(custom("https://collector.example/"))

    async def main() -> None:
        for _ in range(2):
            with pytest.raises(CurrentsExportError, match="SSL_CERT_FILE"):
                await sender.send(event(1))
        await sender.close()

    asyncio.run(main())


def test_back_pressure_lets_tasks_run() -> None:
    gate = threading.Event()

    def respond(_: object) -> int:
        assert gate.wait(PATIENCE)
        return 200

    async def main() -> None:
        beats = 0
        async with AsyncSender(
            custom(event_types=[OPEN]), transport=Responding(respond), max_pending_events=10
        ) as sender:
            task = asyncio.create_task(sender.send(make_events(50)))
            while not (await sender.result()).accepted:
                await asyncio.sleep(0)
            for _ in range(20):
                await asyncio.sleep(0.001)
                beats += 1
            assert not task.done()
            gate.set()
            await task
            assert (await sender.flush()).delivered == 50

    asyncio.run(main())


def test_no_room() -> None:
    async def main() -> None:
        sender = AsyncSender(
            custom(), transport=Responding(lambda _: 503), max_pending_events=2, max_age=10
        )
        with pytest.raises(QueueFullError, match="in time"):
            await sender.send(make_events(5), timeout=0.05)
        with pytest.raises(QueueFullError) as caught:
            await sender.send(make_events(5), block=False)
        assert caught.value.event is not None
        await sender.close(timeout=0)

    asyncio.run(main())


def test_invalid_events(ok: Responding) -> None:
    bad = event(7, OPEN, price=float("nan"))

    async def main() -> None:
        async with AsyncSender(custom(), transport=ok) as sender:
            with pytest.raises(InvalidEventsError) as caught:
                await sender.send([event(1), bad, "text", event(2)])  # type: ignore[list-item]
            assert len(caught.value.problems) == 2
            with pytest.raises(EventError, match="price"):
                await sender.send(bad)
            assert (await sender.flush()).delivered == 2

    asyncio.run(main())


def test_large_events(ok: Responding) -> None:
    large = [event(number, OPEN, note="x" * 500_000) for number in range(3)]
    nested = event(9, OPEN, extra_data={"a": [{"b": "y" * 1000}] * 300})

    async def main() -> None:
        async with AsyncSender(custom(), transport=ok) as sender:
            await sender.send([*large, nested, event(10)])
            await sender.send(event(11, OPEN, note="x" * 950_000))
            result = await sender.flush()
            assert (result.delivered, result.drop_reasons) == (5, {"too_large": 1})

    asyncio.run(main())


def test_pause_and_resume_with_another_current() -> None:
    def respond(request: Any) -> int:
        return 200 if "authorization" in request.headers else 401

    async def main() -> None:
        async with AsyncSender(custom(), transport=Responding(respond)) as sender:
            await sender.send(make_events(3))
            result = await sender.flush()
            assert (result.state, result.pending) == (State.PAUSED, 3)
            assert [each.id for each in await sender.pending()] == [e.id for e in make_events(3)]
            assert not (await sender.check_credentials()).holds
            await sender.resume(custom(bearer_token="token"))
            assert (await sender.check_credentials()).holds
            assert (await sender.flush()).delivered == 3

    asyncio.run(main())


def test_test_events(ok: Responding) -> None:
    from currents_export.simulation import World

    async def main() -> None:
        current = custom(event_types=["users.messages.sms.*"], include_anonymous=True)
        async with AsyncSender(current, transport=ok) as sender:
            result = await sender.send_test_events(World(1, users=10).sample)
            assert result.delivered == len(current.selected)

    asyncio.run(main())


def test_many_tasks(ok: Responding) -> None:
    async def main() -> None:
        async with AsyncSender(custom(), transport=ok, max_pending_events=200) as sender:
            parts = [make_events(1000)[at : at + 50] for at in range(0, 1000, 50)]
            await asyncio.gather(*(sender.send(stream(part)) for part in parts))
            result = await sender.flush()
            assert result.delivered == 1000
            assert adds_up(result)

    asyncio.run(main())
    assert {each["id"] for each in ok.events} == {each.id for each in make_events(1000)}


class TestCancelling:
    """What was accepted is delivered; what was not is still with the caller."""

    @staticmethod
    async def _cancel(sender: AsyncSender, events: Any) -> None:
        """Cancel a task that waits for room."""
        task = asyncio.create_task(sender.send(events))
        before = -1
        while (accepted := (await sender.result()).accepted) != before or not accepted:
            before = accepted
            await asyncio.sleep(0.02)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    @pytest.mark.parametrize("asynchronous", [False, True])
    def test_iterator_holds_the_rest(self, asynchronous: bool) -> None:
        events = make_events(100)

        async def main() -> None:
            async with stuck(max_pending_events=10) as sender:
                given: Iterator[Event] = iter(events)
                source = _each(given) if asynchronous else given
                await self._cancel(sender, source)
                rest = [*given]
                accepted = [each.id for each in await sender.pending()]
                assert sorted(accepted) + [each.id for each in rest] == [each.id for each in events]
                assert rest

        asyncio.run(main())

    def test_list_stays_with_caller(self) -> None:
        async def main() -> None:
            async with stuck(max_pending_events=10) as sender:
                await self._cancel(sender, make_events(100))
                result = await sender.result()
                assert adds_up(result)
                await asyncio.sleep(0.01)
                assert (await sender.result()).accepted == result.accepted < 100

        asyncio.run(main())

    def test_flush_and_close(self, ok: Responding) -> None:
        gate = threading.Event()

        def respond(_: object) -> int:
            assert gate.wait(PATIENCE)
            return 200

        async def main() -> None:
            sender = AsyncSender(custom(), transport=Responding(respond))
            await sender.send(make_events(30))
            for wait in (sender.flush(), sender.close()):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(wait, 0.02)
            gate.set()
            result = await sender.close()
            assert (result.delivered, result.pending) == (30, 0)

        asyncio.run(main())

    def test_context_delivers(self) -> None:
        gate = threading.Event()
        transport = Responding(lambda _: 200 if gate.wait(PATIENCE) else 500)
        sender = AsyncSender(custom(), transport=transport)

        async def work(sent: asyncio.Event) -> None:
            async with sender:
                await sender.send(make_events(30))
                sent.set()
                await asyncio.Event().wait()

        async def main() -> None:
            sent = asyncio.Event()
            task = asyncio.create_task(work(sent))
            await sent.wait()
            task.cancel()
            await asyncio.sleep(0.02)
            assert not task.done()
            gate.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await sender.result()).delivered == 30

        asyncio.run(main())

    def test_context_leaves_when_cancelled_again(self) -> None:
        async def work(sent: asyncio.Event) -> None:
            async with AsyncSender(custom(), transport=Responding(lambda _: 503)) as sender:
                await sender.send(make_events(30))
                sent.set()
                await asyncio.Event().wait()

        async def main() -> None:
            sent = asyncio.Event()
            task = asyncio.create_task(work(sent))
            await sent.wait()
            for _ in range(2):
                task.cancel()
                await asyncio.sleep(0.05)
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(asyncio.shield(task), PATIENCE)

        asyncio.run(main())


async def _each(events: Iterator[Event]) -> AsyncIterator[Event]:
    for each in events:
        yield each
