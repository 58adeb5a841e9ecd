"""Waits, blocking calls and hooks of a sender, for an event loop of asyncio."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import Any, TypeVar

import attrs

from ._steps import GLANCE, Steps, Wait
from .clock import Clock
from .hooks import Hooks

__all__ = ["LoopHooks", "in_thread", "run_async"]

T = TypeVar("T")


async def run_async(steps: Steps[T], clock: Clock) -> T:
    """Run steps to their end, let the event loop run in each wait, and return the result."""
    try:
        wait = next(steps)
        while True:
            wait = steps.send(await _wait(wait, clock))
    except StopIteration as end:
        result: Any = end.value
        return result  # type: ignore[no-any-return]
    finally:
        steps.close()


async def _wait(wait: Wait, clock: Clock) -> bool:
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    wait.latch.then(partial(_call_soon, loop, partial(_end, done)))
    while not wait.over():
        seconds = min(clock.timeout(wait.until), GLANCE)
        if (await asyncio.wait((done,), timeout=seconds))[0]:
            return True
        if wait.until is not None and clock.now() >= wait.until:
            return False
    return True


def _call_soon(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    with suppress(RuntimeError):  # the loop was closed: nobody waits
        loop.call_soon_threadsafe(call)


def _end(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)


async def in_thread(function: Callable[[], T]) -> T:
    """Call a function that blocks in a thread of its own, and return its result.

    The loop's own threads may all be busy, and would delay the end of the program.
    """
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    ended: concurrent.futures.Future[T] = concurrent.futures.Future()

    def call() -> None:
        try:
            ended.set_result(function())
        except BaseException as error:  # noqa: BLE001 - raised where it is awaited
            ended.set_exception(error)
        _call_soon(loop, partial(_end, done))

    threading.Thread(target=call, name="currents-export-call", daemon=True).start()
    await done
    return ended.result()


@attrs.define(eq=False)
class _Call:
    """A call of a hook.

    Attributes:
        runs: whether it has not ended.
    """

    runs: bool = True


#: The call of a hook that the current task belongs to. A task that a hook started inherits it.
_CALL: ContextVar[_Call | None] = ContextVar("_CALL", default=None)


class LoopHooks:
    """Hooks that run in an event loop, one at a time, while the hooks' thread waits for each.

    Attributes:
        loop: the event loop; known as soon as the sender is used.
    """

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self._thread: int | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run hooks in a loop, which runs in this thread."""
        self.loop, self._thread = loop, threading.get_ident()

    def is_inside(self) -> bool:
        """Return whether the current task belongs to a hook that has not ended."""
        call = _CALL.get()
        return call is not None and call.runs

    def wrap(self, hooks: Hooks) -> Hooks:
        """Return hooks for the hooks' thread, which run the given ones in the loop."""
        given = attrs.asdict(hooks, recurse=False)
        return Hooks(
            **{name: each and partial(self._call_in_loop, each) for name, each in given.items()}
        )

    def _call_in_loop(self, hook: Callable[..., object], *args: object) -> None:
        loop = self.loop
        if loop is None or loop.is_closed():
            raise RuntimeError("the event loop of the sender is closed")
        coroutine = _run_hook(hook, args)
        if self._thread == threading.get_ident():
            # There is no hooks' thread, and the loop cannot wait for itself.
            task = loop.create_task(coroutine)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        except RuntimeError:
            coroutine.close()
            raise
        while not concurrent.futures.wait((future,), GLANCE).done:
            if loop.is_closed():
                coroutine.close()
                raise RuntimeError("the event loop was closed before the hook ended")
        future.result()


async def _run_hook(hook: Callable[..., object], args: tuple[object, ...]) -> None:
    call = _Call()
    _CALL.set(call)
    try:
        outcome = hook(*args)
        if inspect.isawaitable(outcome):
            await outcome
    finally:
        call.runs = False
