"""A server that does everything wrong, at random: nothing is lost, nothing hangs.

`CURRENTS_EXPORT_LONG=1` makes it a long run beside threads that keep the processor busy.
"""

from __future__ import annotations

import gc
import itertools
import os
import random
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import attrs
import orjson
import pytest
import tenacity

from currents_export.delivery import Hooks, ManualClock, Sender, State
from currents_export.errors import QueueFullError
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, SEND, event
from tests.support.senders import PATIENCE, adds_up
from tests.support.servers import keep_alive_server, read_request

LONG = bool(os.environ.get("CURRENTS_EXPORT_LONG"))
EVENTS = 120
#: After so many requests the server behaves, so that each run ends.
HOSTILE_REQUESTS = 60


class HangupError(OSError):
    """The server ends the connection."""


def respond(connection: socket.socket, status: int, *headers: str, body: bytes = b"") -> None:
    head = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *headers, "", ""]
    connection.sendall("\r\n".join(head).encode() + body)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise HangupError


def any_status(connection: socket.socket, rng: random.Random) -> None:
    respond(connection, rng.randint(200, 599), body=b"x" * rng.randint(0, 200))


def reset_at_once(connection: socket.socket, rng: random.Random) -> None:
    reset(connection)


def reset_in_headers(connection: socket.socket, rng: random.Random) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-le")
    reset(connection)


def reset_after_headers(connection: socket.socket, rng: random.Random) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
    reset(connection)


def silent(connection: socket.socket, rng: random.Random) -> None:
    connection.settimeout(0.05)
    connection.recv(1)
    raise HangupError


def garbage(connection: socket.socket, rng: random.Random) -> None:
    connection.sendall(rng.randbytes(300))
    raise HangupError


def old_http(connection: socket.socket, rng: random.Random) -> None:
    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nfine")
    raise HangupError


def chunked(connection: socket.socket, rng: random.Random) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")


def two_responses(connection: socket.socket, rng: random.Random) -> None:
    """Respond twice, in one packet or in two; nobody asked for the second response.

    The second one begins with the end of the first: if it came after the next request, no client
    could tell.
    """
    first = b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % rng.choice([200, 503])
    both = first + b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    cut = rng.choice([0, len(first) - 1])
    connection.sendall(both[:cut])
    connection.sendall(both[cut:])


def informational(connection: socket.socket, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 300)):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    raise HangupError


def informational_without_end(connection: socket.socket, rng: random.Random) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")


def dripping(connection: socket.socket, rng: random.Random) -> None:
    """Send the headers one byte at a time, until the client gives up."""
    for byte in itertools.cycle(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 10_000):
        connection.sendall(bytes([byte]))
        if select.select([connection], [], [], 0.05)[0]:
            raise HangupError


def silent_without_end(connection: socket.socket, rng: random.Random) -> None:
    connection.recv(1)
    raise HangupError


def closed_when_idle(connection: socket.socket, rng: random.Random) -> None:
    respond(connection, 200, "connection: keep-alive")
    raise HangupError


BEHAVIORS: list[Callable[[socket.socket, random.Random], None]] = [
    *[any_status] * 4,
    *[closed_when_idle] * 4,
    reset_at_once,
    reset_in_headers,
    reset_after_headers,
    silent,
    garbage,
    old_http,
    chunked,
    two_responses,
    informational,
]
#: Each of these lasts until the client gives up, so it happens once in a run.
ENDLESS: list[Callable[[socket.socket, random.Random], None]] = [
    informational_without_end,
    dripping,
    silent_without_end,
]


@attrs.define
class Hostile:
    """The server: it remembers which events came after their delivery was reported."""

    rng: random.Random
    endless: list[Callable[[socket.socket, random.Random], None]]
    requests: int = 0
    came: set[str] = attrs.field(factory=set)
    delivered: list[str] = attrs.field(factory=list)
    sent_again: set[str] = attrs.field(factory=set)
    _done: set[str] = attrs.field(factory=set)
    _lock: threading.Lock = attrs.field(factory=threading.Lock)

    def serve(self, connection: socket.socket) -> None:
        while request := read_request(connection):
            ids = {each["id"] for each in orjson.loads(request.partition(b"\r\n\r\n")[2])["events"]}
            with self._lock:
                self.requests += 1
                self.sent_again |= ids & self._done
                self.came |= ids
                kind = self._next()
            if kind is None:
                respond(connection, 200)
            else:
                kind(connection, self.rng)

    def _next(self) -> Callable[[socket.socket, random.Random], None] | None:
        """Return what happens to this request; None if the server behaves."""
        if self.endless and self.rng.random() < 0.1:
            return self.endless.pop()
        return self.rng.choice(BEHAVIORS) if self.requests < HOSTILE_REQUESTS else None

    def on_delivered(self, _: str, ids: tuple[str, ...]) -> None:
        with self._lock:
            self._done.update(ids)
        self.delivered += ids


@contextmanager
def busy_processor() -> Iterator[None]:
    """Compete for the interpreter."""
    stop = threading.Event()

    def spin() -> None:
        while not stop.is_set():
            sum(range(2_000))

    threads = [threading.Thread(target=spin) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


#: Seconds for a request. On a busy machine, one that is given up must not arrive later.
TIMEOUT = 3.0 if LONG else 1.0
#: Descriptors of this process, on systems that list them.
DESCRIPTORS = Path("/proc/self/fd")


def count_descriptors() -> int:
    return len(list(DESCRIPTORS.iterdir())) if DESCRIPTORS.is_dir() else 0


@pytest.mark.parametrize("seed", range(300 if LONG else 6))
def test_hostile_server_loses_nothing(seed: int) -> None:
    rng = random.Random(seed)
    server = Hostile(random.Random(seed), [rng.choice(ENDLESS)])
    drops: list[str] = []
    before, descriptors = set(threading.enumerate()), count_descriptors()
    with keep_alive_server(server.serve) as url, busy_processor() if LONG else nullcontext():
        sender = Sender(
            custom(url),
            batch_size=rng.choice([1, 3, 10]),
            concurrency=rng.choice([1, 2, 4]),
            max_pending_events=rng.choice([20, 1_000]),
            timeout=TIMEOUT,
            wait=tenacity.wait_random(0, 0.01),
            clock=ManualClock(skip=PATIENCE),
            hooks=Hooks(
                on_delivered=server.on_delivered, on_dropped=lambda drop: drops.append(drop.id)
            ),
        )
        sent = [event(number, (OPEN, CLICK, SEND)[number % 3]) for number in range(EVENTS)]
        for each in sent:
            while True:
                try:
                    sender.send(each)
                    break
                except QueueFullError:
                    sender.resume()
        began = time.monotonic()
        while sender.flush().state is not State.ACTIVE or sender.result.pending:
            sender.resume()
        result = sender.close(timeout=PATIENCE)
        assert time.monotonic() - began < PATIENCE
        for thread in set(threading.enumerate()):
            if thread.name in ("currents-export", "hooks"):
                thread.join(PATIENCE)
                assert not thread.is_alive()
    assert adds_up(result)
    assert (result.accepted, result.pending, result.hook_failures) == (EVENTS, 0, 0)
    assert sorted([*server.delivered, *drops]) == sorted(each.id for each in sent)
    assert set(server.delivered) <= server.came
    assert not server.sent_again
    assert set(threading.enumerate()) <= before
    gc.collect()
    assert count_descriptors() <= descriptors
