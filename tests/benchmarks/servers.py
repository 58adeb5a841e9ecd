"""Servers that respond 200 to every request, each in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection

from currents_export.receiver import Receiver, listen

__all__ = ["minimal_server", "receiver"]

_OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class _Minimal(asyncio.Protocol):
    """Read a request's body, wait, and respond 200."""

    def __init__(self, delay: float) -> None:
        self._delay = delay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._data = bytearray()
        self._length: int | None = None

    def data_received(self, data: bytes) -> None:
        self._data += data
        if self._length is None:
            end = self._data.find(b"\r\n\r\n")
            if end < 0:
                return
            head = bytes(self._data[:end]).lower()
            length = head.split(b"content-length:")[1].split(b"\r\n")[0]
            self._length = end + 4 + int(length)
        if len(self._data) >= self._length:
            del self._data[: self._length]
            self._length = None
            if self._delay:
                asyncio.get_running_loop().call_later(self._delay, self._transport.write, _OK)
            else:
                self._transport.write(_OK)


async def _serve_minimal(pipe: Connection, delay: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Minimal(delay), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    pipe.send(f"http://{host}:{port}/")
    await server.serve_forever()


def _run_minimal(pipe: Connection, delay: float) -> None:
    asyncio.run(_serve_minimal(pipe, delay))


def _run_receiver(pipe: Connection, _: float) -> None:
    with listen(Receiver(check=False, keep=False)) as url:
        pipe.send(f"{url}/")
        pipe.recv()


@contextlib.contextmanager
def minimal_server(delay: float = 0.0) -> Iterator[str]:
    """Run a server that is fast enough not to hide a client's own work.

    Args:
        delay: seconds before each response.
    """
    with _process(_run_minimal, delay) as url:
        yield url


@contextlib.contextmanager
def receiver() -> Iterator[str]:
    """Run this package's receiver, without its checks."""
    with _process(_run_receiver, 0.0) as url:
        yield url


@contextlib.contextmanager
def _process(target: object, delay: float) -> Iterator[str]:
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=target, args=(there, delay), daemon=True)  # type: ignore[arg-type]
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()
