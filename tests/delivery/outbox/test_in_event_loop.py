"""An `AsyncSender` with an outbox."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path

import httpx
import pytest

from currents_export.delivery import AsyncSender, ManualClock, Sender
from currents_export.delivery.outbox import read_contents
from currents_export.errors import OutboxError, SenderClosedError
from currents_export.events import Event
from tests.support.currents import custom
from tests.support.events import event, make_events
from tests.support.processes import run_python
from tests.support.senders import PATIENCE, adds_up
from tests.support.servers import Responding

Input = Event | Iterable[Event] | AsyncIterable[Event]

EVENTS = make_events(600)


async def stream(events: Iterable[Event]) -> AsyncIterator[Event]:
    for each in events:
        yield each


def ids(transport: Responding) -> list[str]:
    return sorted(each["id"] for each in transport.events)


@pytest.mark.parametrize("give", [list, iter, stream])
def test_events_are_delivered(
    give: Callable[[list[Event]], Input], path: Path, ok: Responding
) -> None:
    async def main() -> None:
        async with AsyncSender(custom(), transport=ok, outbox=path) as sender:
            await sender.send(give(EVENTS))
            assert (await sender.flush(PATIENCE)).delivered == 600
            assert read_contents(path, 0.0).pending == 0

    asyncio.run(main())
    assert ids(ok) == [each.id for each in EVENTS]


def test_another_sender_continues(path: Path, ok: Responding) -> None:
    run = run_python(f"""
import asyncio, os, signal
from currents_export import AsyncSender, ManualClock
from tests.support.currents import custom
from tests.support.events import make_events
from tests.support.servers import Responding

async def main():
    transport = Responding(lambda _: 503)
    sender = AsyncSender(custom(), transport=transport, outbox={str(path)!r}, clock=ManualClock())
    await sender.send(iter(make_events(600)))
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
""")
    assert run.returncode == -9, run.stderr

    async def main() -> None:
        async with AsyncSender(custom(), transport=ok, outbox=path) as sender:
            await sender.send(event(600))
            result = await sender.flush(PATIENCE)
            assert (result.carried_over, result.delivered) == (600, 601)

    asyncio.run(main())
    assert ids(ok) == [each.id for each in make_events(601)]


def test_repeated_source_is_skipped(path: Path, ok: Responding) -> None:
    async def send() -> int:
        async with AsyncSender(custom(), transport=ok, outbox=path) as sender:
            await sender.send(stream(EVENTS), source="a")
            return (await sender.flush(PATIENCE)).skipped

    assert [asyncio.run(send()) for _ in range(2)] == [0, 600]
    assert len(ok.events) == 600


class Reading:
    """An endless iterable that remembers what was read from it."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __iter__(self) -> Iterator[Event]:
        while True:
            each = event(len(self.read))
            self.read.append(each.id)
            yield each


class TestCancelled:
    @pytest.mark.parametrize("asynchronous", [False, True])
    @pytest.mark.parametrize("read", [1, 300, 1_700])
    def test_everything_that_was_read_arrives(
        self, read: int, asynchronous: bool, path: Path, ok: Responding
    ) -> None:
        async def main(source: Reading) -> None:
            async with AsyncSender(custom(), transport=ok, outbox=path) as sender:
                events = iter(source)
                task = asyncio.create_task(sender.send(stream(events) if asynchronous else events))
                while len(source.read) < read:
                    await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

        asyncio.run(main(source := Reading()))
        assert ids(ok) == source.read

    @pytest.mark.parametrize("read", [300, 1_700])
    def test_outbox_keeps_what_was_read(self, read: int, path: Path, ok: Responding) -> None:
        """Even if the sender is closed without a wait."""

        async def main(source: Reading) -> None:
            sender = AsyncSender(
                custom(), transport=Responding(lambda _: 503), outbox=path, clock=ManualClock()
            )
            task = asyncio.create_task(sender.send(iter(source)))
            while len(source.read) < read:
                await asyncio.sleep(0)
            task.cancel()
            assert adds_up(await sender.close(timeout=0))
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(main(source := Reading()))
        with Sender(custom(), transport=ok, outbox=path) as sender:
            assert sender.flush(PATIENCE).delivered == len(source.read)
        assert ids(ok) == source.read

    def test_flush_waits_until_it_is_accepted(self, path: Path, ok: Responding) -> None:
        """Even if nothing leaves."""

        async def main(source: Reading) -> None:
            async with AsyncSender(custom(), transport=ok, outbox=path) as sender:
                await sender.pause()
                task = asyncio.create_task(sender.send(iter(source)))
                while len(source.read) < 900:
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                assert (await sender.flush()).pending == len(source.read)

        asyncio.run(main(Reading()))

    @pytest.mark.parametrize("timeout", [0.0, PATIENCE])
    def test_interrupted_thread_keeps_what_was_read(
        self, timeout: float, path: Path, ok: Responding
    ) -> None:
        def interrupted() -> Iterator[Event]:
            yield from make_events(1_700)
            raise KeyboardInterrupt

        sender = Sender(custom(), transport=ok, outbox=path)
        with pytest.raises(KeyboardInterrupt):
            sender.send(interrupted())
        result = sender.close(timeout)
        assert (result.accepted, adds_up(result)) == (1_700, True)
        assert read_contents(path, 0.0).pending == result.pending == 1_700 - len(ok.events)
        assert not (timeout and result.pending)

    def test_while_it_opens(self, path: Path, ok: Responding) -> None:
        async def main() -> None:
            sender = AsyncSender(custom(), transport=ok, outbox=path)
            task = asyncio.create_task(sender.send(event(1)))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await sender.send(event(2))
            await sender.close()

        asyncio.run(main())
        assert ids(ok) == [event(2).id]


class TestOpening:
    @pytest.mark.parametrize("opens", [False, True])
    def test_closed_before_use(self, opens: bool, path: Path, ok: Responding) -> None:
        """The outbox is not held, even if the sender was about to open it."""

        async def main() -> None:
            sender = AsyncSender(custom(), transport=ok, outbox=path)
            if opens:
                task = asyncio.create_task(sender.send(event(1)))
                await asyncio.sleep(0)
                await asyncio.gather(sender.close(), task, return_exceptions=True)
            else:
                assert (await sender.close()).accepted == 0
            with pytest.raises(SenderClosedError):
                await sender.send(event(2))
            assert (await sender.result()).pending == 0

        asyncio.run(main())
        Sender(custom(), transport=ok, outbox=path).close()

    def test_used_at_once_by_several_tasks(self, path: Path, ok: Responding) -> None:
        async def main() -> None:
            sender = AsyncSender(custom(), transport=ok, outbox=path)
            await asyncio.gather(*[sender.send(each) for each in make_events(20)])
            assert (await sender.close()).delivered == 20

        asyncio.run(main())

    def test_error_is_raised_at_first_use(self, path: Path, ok: Responding) -> None:
        """And when what was wrong is mended, the sender works."""

        async def main() -> None:
            first = Sender(custom(), transport=ok, outbox=path)
            sender = AsyncSender(custom(), transport=ok, outbox=path)
            for call in (sender.send(event(1)), sender.flush(), sender.result()):
                with pytest.raises(OutboxError, match="in use by process"):
                    await call
            first.close()
            await sender.send(event(2))
            assert (await sender.close()).delivered == 1

        asyncio.run(main())
        assert ids(ok) == [event(2).id]

    def test_closed_after_an_error(self, tmp_path: Path) -> None:
        async def main() -> None:
            sender = AsyncSender(custom(), outbox=tmp_path)
            with pytest.raises(OutboxError):
                await sender.send(event(1))
            assert (await sender.close()).pending == 0

        asyncio.run(main())

    def test_closed_by_another_task(self, path: Path, ok: Responding) -> None:
        """What was read and not accepted is in the error."""

        async def main(source: Reading) -> SenderClosedError:
            sender = AsyncSender(custom(), transport=ok, outbox=path)
            task = asyncio.create_task(sender.send(iter(source)))
            while len(source.read) < 500:
                await asyncio.sleep(0)
            await sender.close()
            with pytest.raises(SenderClosedError) as caught:
                await task
            return caught.value

        error = asyncio.run(main(source := Reading()))
        assert error.event is not None
        rest = [error.event.id, *[each.id for each in error.read_ahead]]
        assert ids(ok) + rest == source.read
        assert error.taken == len(ok.events)


def test_send_never_waits_for_room(path: Path) -> None:
    gate = threading.Event()

    def respond(_: httpx.Request) -> int:
        assert gate.wait(PATIENCE)
        return 200

    async def main() -> None:
        async with AsyncSender(
            custom(), transport=Responding(respond), outbox=path, max_pending_events=100
        ) as sender:
            await sender.send(iter(make_events(2_000)))
            assert (await sender.result()).pending == 2_000
            gate.set()
            assert (await sender.flush(PATIENCE)).delivered == 2_000

    asyncio.run(main())
