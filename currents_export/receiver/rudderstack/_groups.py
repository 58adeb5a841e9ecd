"""Group requests as the gateway does before it calls the transformer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from weakref import WeakKeyDictionary

import attrs

from .._body import RefusedError
from ..script import ScriptedResponse

__all__ = ["Groups"]

_URL = "http://localhost:9090/v2/sources/braze"


@attrs.define(eq=False)
class _Group:
    """The requests that wait for one call of the transformer."""

    waiting: list[asyncio.Future[RefusedError | None]] = attrs.field(factory=list)
    timer: asyncio.TimerHandle | None = None


class Groups:
    """Let requests wait for a call of the transformer that they share.

    Args:
        script: responses of the transformer, one for each call; after them, all calls succeed.
        size: how many requests a call takes at most.
        seconds: how long the first request of a call waits for others.
        sleep: waits a number of seconds before a delayed response.
    """

    def __init__(
        self,
        script: Iterator[ScriptedResponse],
        *,
        size: int,
        seconds: float,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._script = script
        self._size = size
        self._seconds = seconds
        self._sleep = sleep
        # In tests, an application may run in several event loops.
        self._groups: WeakKeyDictionary[asyncio.AbstractEventLoop, _Group] = WeakKeyDictionary()
        self._calls: set[asyncio.Task[None]] = set()

    async def join(self) -> None:
        """Wait for the call of the transformer for this request and others.

        Raises:
            RefusedError: the transformer failed, for all requests of the call.
        """
        loop = asyncio.get_running_loop()
        group = self._groups.setdefault(loop, _Group())
        future: asyncio.Future[RefusedError | None] = loop.create_future()
        group.waiting.append(future)
        if len(group.waiting) >= self._size:
            self._call(loop)
        elif group.timer is None:
            group.timer = loop.call_later(self._seconds, self._call, loop)
        if (failure := await future) is not None:
            raise RefusedError(failure.status, failure.message)

    def _call(self, loop: asyncio.AbstractEventLoop) -> None:
        group = self._groups.pop(loop)
        if group.timer is not None:
            group.timer.cancel()
        scripted = next(self._script, None)
        if scripted is None or not scripted.delay:
            _end(group, scripted)
            return
        call = loop.create_task(self._delayed(group, scripted))
        self._calls.add(call)
        call.add_done_callback(self._calls.discard)

    async def _delayed(self, group: _Group, scripted: ScriptedResponse) -> None:
        await self._sleep(scripted.delay)
        _end(group, scripted)


def _end(group: _Group, scripted: ScriptedResponse | None) -> None:
    failure = None if scripted is None else _failure(scripted)
    for future in group.waiting:
        if not future.done():  # its client may have gone
            future.set_result(failure)


def _failure(scripted: ScriptedResponse) -> RefusedError | None:
    status = scripted.status
    if status == "reset":
        return RefusedError(
            503, f"JS HTTP connection to source transformer (URL: {_URL}): connection refused"
        )
    if isinstance(status, int) and not 200 <= status < 300:
        return RefusedError(
            500, f"source Transformer returned non-success statusCode: {status}, Error: scripted"
        )
    return None
