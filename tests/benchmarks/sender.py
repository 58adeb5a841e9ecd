"""Compare the speed of the sender with other clients, and watch its memory.

Run it from the checkout: `python -m tests.benchmarks.sender`. The servers run in other processes
and respond 200 to every request. In each round, all clients of a comparison deliver the same
events, one client after the other; the figures are the medians of the rounds and of their ratios.

- A bare `httpx.Client` posts bodies of 100 events that were encoded before; a `Sender` encodes and
  delivers the same events, with its own transport and with httpx's. The server is this package's
  receiver, and a minimal one that does not hide the clients' own work.
- With 50 ms before each response, eight requests at once are compared with one.
- RudderStack's and Segment's libraries, if they are installed (`pip install rudder-sdk-python
  segment-analytics-python`), deliver as many events, 100 in a request, to the minimal server.
- 100 events are encoded one at a time; one at a time but checked together, as the sender does; and
  in one call of orjson without checks, which leaves no JSON of each event to send again.
"""

from __future__ import annotations

import argparse
import importlib
import resource
import statistics
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle, islice
from typing import Any

import httpx
import orjson

from currents_export.current import Current
from currents_export.delivery import Sender
from currents_export.events import Event
from currents_export.payload import encode_body, encode_event, encode_events
from currents_export.simulation import World

from .servers import minimal_server, receiver

BATCH = 100
#: How many events are sent repeatedly: enough for variety, and few enough to stay in the cache.
POOL = 2_000
EVENT_TYPES = (
    "users.messages.email.Send",
    "users.messages.email.Delivery",
    "users.messages.email.Open",
    "users.messages.email.Click",
)
#: Seconds before each response, where requests at once are compared.
DELAY = 0.05
_SDKS = {
    "rudder-sdk-python": "rudderstack.analytics",
    "segment-analytics-python": "segment.analytics",
}

#: A client delivers this many events to a URL, and returns when all have arrived.
Client = Callable[[str, int], object]


def current_to(url: str) -> Current:
    return Current(
        integration_name="bench",
        contact_email="qa@example.com",
        endpoint=url,
        include_anonymous=True,
    )


def _bare(events: Sequence[Event]) -> Client:
    bodies = [
        encode_body(encode_event(each) for each in events[at : at + BATCH])
        for at in range(0, len(events), BATCH)
    ]

    def deliver(url: str, count: int) -> None:
        with httpx.Client(headers={"Content-Type": "application/json"}) as client:
            for body in islice(cycle(bodies), count // BATCH):
                client.post(url, content=body).raise_for_status()

    return deliver


def _sender(events: Sequence[Event], **options: Any) -> Client:
    def deliver(url: str, count: int) -> None:
        with Sender(current_to(url), **options) as sender:
            for at in range(0, count, len(events)):
                sender.send(events[: count - at])
            result = sender.flush()
        if result.delivered != count:
            raise SystemExit(f"{result.delivered} of {count} delivered")

    return deliver


def _sender_over_httpx(events: Sequence[Event]) -> Client:
    def deliver(url: str, count: int) -> None:
        with httpx.HTTPTransport() as transport:
            _sender(events, transport=transport)(url, count)

    return deliver


def _sdk(module: str, events: Sequence[Event]) -> Client | None:
    """Return a client with a library that has the interface of analytics-python."""
    try:
        make = importlib.import_module(f"{module}.client").Client
    except ImportError:
        return None

    def deliver(url: str, count: int) -> None:
        failures: list[object] = []
        client = make(
            "key",
            host=url.rstrip("/"),
            gzip=False,
            upload_size=BATCH,
            max_queue_size=count + 1,
            on_error=lambda *each: failures.append(each),
        )
        for event in islice(cycle(events), count):
            client.track(
                event.user.get("external_user_id", "none"),
                event.event_type,
                event.properties,
                message_id=event.id,
            )
        client.flush()
        client.join()
        if failures:
            raise SystemExit(f"{module}: {failures[0]}")

    return deliver


def _encode(events: Sequence[Event], count: int, encode: Callable[[Sequence[Event]], Any]) -> None:
    kept: deque[object] = deque(maxlen=100)  # as in queues; memory that is free again is faster
    for _ in range(count // len(events)):
        for at in range(0, len(events), BATCH):
            kept.append(encode(events[at : at + BATCH]))


def _each(events: Sequence[Event]) -> list[bytes]:
    return [encode_event(each) for each in events]


def _unchecked(events: Sequence[Event]) -> bytes:
    return orjson.dumps({"events": [each.to_dict() for each in events]})


def compare(title: str, url: str, clients: Mapping[str, tuple[Client, int]], rounds: int) -> None:
    """Print the speed of clients, and its ratio to that of the first one.

    Args:
        title: what is compared.
        url: the server.
        clients: by name, the clients and how many events each of them delivers.
        rounds: how many times each client runs.
    """
    speeds: dict[str, list[float]] = {name: [] for name in clients}
    for _ in range(rounds):
        for name, (client, count) in clients.items():
            began = time.perf_counter()
            client(url, count)
            speeds[name].append(count / (time.perf_counter() - began))
    print(title)
    first = next(iter(speeds.values()))
    for name, values in speeds.items():
        ratios = [ours / theirs for theirs, ours in zip(first, values, strict=True)]
        print(
            f"  {name:<28}{statistics.median(values):>9,.0f} events/s"
            f"   ratio {statistics.median(ratios):5.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )


def peak_mib() -> float:
    """Return the most memory that the process has used, in MiB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def _memory(url: str, events: Sequence[Event], million: int) -> None:
    def stream() -> Iterator[Event]:
        for number, event in enumerate(islice(cycle(events), million), start=1):
            yield event
            if number % (million // 5) == 0:
                print(f"  {number:>9,} events: peak {peak_mib():.1f} MiB")

    with Sender(current_to(url)) as sender:
        sender.send(stream())
        result = sender.flush()
    print(f"  {result.delivered:,} delivered in {result.duration_s:.1f} s")


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--events", type=int, default=40_000)
    parser.add_argument("--memory", type=int, default=0, metavar="EVENTS")
    options = parser.parse_args()
    rounds, count = options.rounds, options.events
    world = World(1, users=500)
    events = [*islice(world.events(event_types=EVENT_TYPES, start=1_750_000_000), POOL)]
    if options.memory:
        with receiver() as url:
            _memory(url, events, options.memory)
        return
    clients = {
        "bare httpx.Client": (_bare(events), count),
        "Sender": (_sender(events), count),
        "Sender, httpx's transport": (_sender_over_httpx(events), count),
    }
    with receiver() as url:
        compare("receiver", url, clients, rounds)
    with minimal_server() as url:
        compare("minimal server", url, clients, rounds)
        libraries = {
            name: (client, count // 4)
            for name, module in _SDKS.items()
            if (client := _sdk(module, events)) is not None
        }
        ours = {"Sender": (_sender(events), count)}
        for name, library in libraries.items():
            compare(f"beside {name}", url, {name: library} | ours, rounds)
    with minimal_server(DELAY) as url:
        clients = {
            f"concurrency={number}": (_sender(events, concurrency=number), 40 * number * BATCH)
            for number in (1, 8)
        }
        compare(f"{DELAY * 1000:.0f} ms before each response", url, clients, max(rounds // 3, 1))
    encoders: dict[str, tuple[Client, int]] = {
        "one at a time": (lambda _, number: _encode(events, number, _each), count),
        "100 checked together": (lambda _, number: _encode(events, number, encode_events), count),
        "100 in one call, unchecked": (
            lambda _, number: _encode(events, number, _unchecked),
            count,
        ),
    }
    compare("encoding", "", encoders, rounds)


if __name__ == "__main__":
    main()
