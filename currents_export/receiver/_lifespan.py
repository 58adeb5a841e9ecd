"""The lifespan of an ASGI application: its startup, its state and its shutdown."""

from __future__ import annotations

import asyncio
from typing import Any

from ..errors import ReceiverError

__all__ = ["Lifespan"]


class Lifespan:
    """Run an application's lifespan in the running event loop.

    An application that does not know the protocol ends or raises before it has started; it is used
    without.

    Args:
        app: the ASGI application.

    Attributes:
        state: what the application shares with its requests; each gets a copy.
        task: the task that runs it.
    """

    def __init__(self, app: Any) -> None:
        self.state: dict[str, Any] = {}
        self._app = app
        self._up = asyncio.Event()
        self._shutdown = asyncio.Event()
        self._asked = False
        self._problem: str | None = None
        self.task = asyncio.create_task(self._run())

    async def start(self) -> None:
        """Wait until the application has started.

        Raises:
            ReceiverError: it says that it cannot start.
        """
        await self._up.wait()
        if self._problem is not None and not self._shutdown.is_set():
            raise ReceiverError(f"the application did not start: {self._problem}")

    async def stop(self, patience: float) -> None:
        """Let the application shut down, and wait some seconds for that.

        Raises:
            ReceiverError: it says that its shutdown failed, or takes too long.
        """
        if not self._up.is_set():  # it hangs
            self.task.cancel()
        failed_before = self._problem is not None
        self._shutdown.set()
        if (await asyncio.wait((self.task,), timeout=patience))[1]:
            raise ReceiverError(f"the application did not shut down within {patience:g} s")
        if self._problem is not None and not failed_before:
            raise ReceiverError(f"the application did not shut down: {self._problem}")

    async def _run(self) -> None:
        scope = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        try:
            await self._app(scope, self._receive, self._send)
        except Exception as error:  # noqa: BLE001 - the application is code of the user
            if self._up.is_set() and self._problem is None:
                self._problem = f"{type(error).__name__}: {error}"
        finally:
            self._up.set()

    async def _receive(self) -> dict[str, str]:
        if not self._asked:
            self._asked = True
            return {"type": "lifespan.startup"}
        await self._shutdown.wait()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "lifespan.startup.complete":
                self._up.set()
            case "lifespan.shutdown.complete":
                pass
            case "lifespan.startup.failed" | "lifespan.shutdown.failed":
                # Starlette sends a traceback; its last line says what happened.
                lines = str(message.get("message", "")).strip().splitlines()
                self._problem = lines[-1] if lines else "it does not say why"
            case other:
                raise RuntimeError(f"{other} is not a message of a lifespan")
