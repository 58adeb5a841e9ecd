"""Compare the speed of the sender with a bare httpx loop, and watch its memory.

Run it from the checkout: `python -m tests.benchmarks.sender`. A server in another process responds
200 to every request: this package's receiver or, with `--server bare`, a minimal server that is
fast enough not to hide the sender's own work. In each round, a bare `httpx.Client` first posts
encoded bodies of 100 events; then a `Sender` encodes and delivers the same events. The figures are
the medians of the rounds and of their ratios.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from itertools import cycle, islice
from multiprocessing.connection import Connection

import httpx

from currents_export.current import Current
from currents_export.delivery import Sender
from currents_export.events import Event
from currents_export.payload import encode_body, encode_event
from currents_export.receiver import Receiver, listen
from currents_export.simulation import World

BATCH = 100
#: How many events are sent repeatedly: enough for variety, and few enough to stay in the cache.
POOL = 2_000
EVENT_TYPES = (
    "users.messages.email.Send",
    "users.messages.email.Delivery",
    "users.messages.email.Open",
    "users.messages.email.Click",
)


class _Bare(asyncio.Protocol):
    """A minimal HTTP server: it reads the body and responds 200."""

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
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")


async def _serve_bare(pipe: Connection) -> None:
    server = await asyncio.get_running_loop().create_server(_Bare, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    pipe.send(f"http://{host}:{port}/")
    await server.serve_forever()


def _serve(kind: str, pipe: Connection) -> None:
    if kind == "bare":
        asyncio.run(_serve_bare(pipe))
    else:
        with listen(Receiver(check=False, keep=False)) as url:
            pipe.send(f"{url}/")
            pipe.recv()


def _bare_loop(url: str, bodies: list[bytes], count: int) -> float:
    began = time.perf_counter()
    with httpx.Client(headers={"Content-Type": "application/json"}) as client:
        for body in islice(cycle(bodies), count // BATCH):
            client.post(url, content=body).raise_for_status()
    return count / (time.perf_counter() - began)


def _current(url: str) -> Current:
    return Current(
        integration_name="bench",
        contact_email="qa@example.com",
        endpoint=url,
        include_anonymous=True,
    )


def _sender(url: str, events: list[Event], count: int) -> float:
    current = _current(url)
    began = time.perf_counter()
    with Sender(current) as sender:
        for _ in range(count // len(events)):
            sender.send(events)
        result = sender.flush()
    if result.delivered != count:
        raise SystemExit(f"{result.delivered} of {count} delivered")
    return count / (time.perf_counter() - began)


def _peak_mib() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def _memory(url: str, events: list[Event], million: int) -> None:
    def stream() -> Iterator[Event]:
        for number, event in enumerate(islice(cycle(events), million), start=1):
            yield event
            if number % (million // 5) == 0:
                print(f"  {number:>9,} events: peak {_peak_mib():.1f} MiB")

    current = _current(url)
    with Sender(current) as sender:
        sender.send(stream())
        result = sender.flush()
    print(f"  {result.delivered:,} delivered in {result.duration_s:.1f} s")


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--server", choices=("receiver", "bare"), default="receiver")
    parser.add_argument("--memory", type=int, default=0, metavar="EVENTS")
    options = parser.parse_args()
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_serve, args=(options.server, there), daemon=True)
    process.start()
    url = here.recv()
    world = World(1, users=500)
    events = [*islice(world.events(event_types=EVENT_TYPES, start=1_750_000_000), POOL)]
    if options.memory:
        _memory(url, events, options.memory)
        return
    bodies = [
        encode_body(encode_event(each) for each in events[at : at + BATCH])
        for at in range(0, POOL, BATCH)
    ]
    rounds = [
        (_bare_loop(url, bodies, options.events), _sender(url, events, options.events))
        for _ in range(options.rounds)
    ]
    bare, sender = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratios = [ours / theirs for theirs, ours in rounds]
    print(f"server: {options.server}; bodies of {len(bodies[0]):,} bytes")
    print(f"bare httpx.Client: {bare:>9,.0f} events/s")
    print(f"Sender:            {sender:>9,.0f} events/s")
    print(
        f"ratio:             {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f} in {len(ratios)} rounds)"
    )


if __name__ == "__main__":
    main()
