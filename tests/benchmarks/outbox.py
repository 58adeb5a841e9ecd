"""Compare the speed of the sender with and without an outbox, and fill one with millions of events.

Run it from the checkout: `python -m tests.benchmarks.outbox`. In each round, all senders of a
comparison deliver the same events, one after the other; the figures are the medians of the rounds
and of their ratios to the sender without an outbox, which should be at least 0.40 in process mode.

- The events come from a list, and one by one from an iterator, with and without a source; to a
  server in another process over a socket, and to a transport in this process that does nothing.
- With `--long`, ten million events (`--pending`) are accepted while the receiver does not respond.
  Then other processes open the outbox: one that only looks, and one that delivers some events. They
  should start within 2 s and stay below 200 MiB.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import httpx

from currents_export.delivery import Durability, ManualClock, Sender
from currents_export.events import Event
from currents_export.simulation import World

from .sender import EVENT_TYPES, POOL, Client, compare, current_to, peak_mib
from .servers import minimal_server

__all__: list[str] = []


class _Nothing(httpx.BaseTransport):
    """A transport that responds 200 and does nothing else."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200)


def _client(events: Sequence[Event], folder: Path, *, one_by_one: bool, **options: Any) -> Client:
    source = options.pop("source", None)

    def deliver(url: str, count: int) -> None:
        for each in folder.glob("events.db*"):
            each.unlink()
        with Sender(current_to(url), **options) as sender:
            if one_by_one:
                sender.send(islice(cycle(events), count), source=source)
            else:
                for at in range(0, count, len(events)):
                    sender.send(events[: count - at])
            result = sender.flush()
        if result.delivered != count:
            raise SystemExit(f"{result.delivered} of {count} delivered")

    return deliver


def _compare(url: str, events: Sequence[Event], folder: Path, count: int, rounds: int) -> None:
    file = folder / "events.db"
    for title, transport in (("over a socket", None), ("in this process", _Nothing())):
        for way, one_by_one in (("a list", False), ("one by one", True)):
            options: dict[str, Any] = {"transport": transport, "one_by_one": one_by_one}
            clients = {
                "without an outbox": options,
                "process": options | {"outbox": file},
                "power": options | {"outbox": file, "durability": Durability.POWER},
            }
            if one_by_one:
                clients["process, with a source"] = options | {"outbox": file, "source": "a"}
            compare(
                f"{title}, {way}",
                url,
                {name: (_client(events, folder, **each), count) for name, each in clients.items()},
                rounds,
            )


# Millions of pending events


def _fill(path: str, count: int, events: Sequence[Event]) -> None:
    began = time.perf_counter()
    refusing = httpx.MockTransport(lambda _: httpx.Response(401))
    with Sender(current_to("http://127.0.0.1:9/"), transport=refusing, outbox=path) as sender:
        for at in range(0, count, len(events)):
            sender.send(events[: count - at])
        seconds = time.perf_counter() - began
        size = sum(each.stat().st_size for each in Path(path).parent.glob("events.db*"))
        print(
            f"  {count:,} accepted in {seconds:.0f} s ({count / seconds:,.0f} events/s); "
            f"{size / 2**20:,.0f} MiB on disk; peak {peak_mib():.0f} MiB"
        )


def _start(path: str) -> None:
    began = time.perf_counter()
    sender = Sender(current_to("http://127.0.0.1:9/"), outbox=path, clock=ManualClock())
    opened = time.perf_counter() - began
    pending = sender.result.pending
    result = time.perf_counter() - began
    sender.close(timeout=0)
    print(
        f"  {pending:,} pending: opened in {opened:.2f} s, result after {result:.2f} s, "
        f"closed after {time.perf_counter() - began:.2f} s; peak {peak_mib():.0f} MiB"
    )


def _deliver(path: str, count: int) -> None:
    began = time.perf_counter()
    sender = Sender(current_to("http://127.0.0.1:9/"), transport=_Nothing(), outbox=path)
    sender.resume()
    while (result := sender.result).delivered < count:
        time.sleep(0.05)
    seconds = time.perf_counter() - began
    print(
        f"  {result.delivered:,} delivered in {seconds:.1f} s "
        f"({result.delivered / seconds:,.0f} events/s), {result.pending:,} pending; "
        f"peak {peak_mib():.0f} MiB"
    )
    sender.close(timeout=0)


def _in_process(*arguments: object) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.outbox", *map(str, arguments)]
    subprocess.run(command, check=True)


def _long(folder: Path, count: int) -> None:
    path = folder / "events.db"
    print(f"{count:,} pending events")
    _in_process("--fill", path, "--pending", count)
    _in_process("--start", path)
    _in_process("--deliver", path, "--events", min(count // 2, 500_000))
    _in_process("--start", path)


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--pending", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, help="where to put the outbox")
    for name in ("--fill", "--start", "--deliver"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.start:
        _start(options.start)
        return
    if options.deliver:
        _deliver(options.deliver, options.events)
        return
    world = World(1, users=500)
    events = [*islice(world.events(event_types=EVENT_TYPES, start=1_750_000_000), POOL)]
    if options.fill:
        _fill(options.fill, options.pending, events)
        return
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        if options.long:
            _long(folder, options.pending)
            return
        with minimal_server() as url:
            _compare(url, events, folder, options.events, options.rounds)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
