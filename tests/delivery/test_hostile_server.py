"""A server that does everything wrong, at random: nothing is lost, nothing hangs, nothing is left.

`CURRENTS_EXPORT_LONG=1` makes it a long run beside processes that keep the processors busy.
"""

from __future__ import annotations

import contextlib
import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import attrs
import orjson
import pytest
import tenacity

from currents_export.delivery import Hooks, Sender, State
from currents_export.errors import QueueFullError
from tests.support.currents import custom
from tests.support.events import CLICK, OPEN, SEND, event
from tests.support.senders import PATIENCE, adds_up
from tests.support.servers import keep_alive_server, read_request

LONG = bool(os.environ.get("CURRENTS_EXPORT_LONG"))
EVENTS = 120
#: After so many requests the server behaves, so that each run ends.
HOSTILE_REQUESTS = 60
#: Seconds that a request may take; so long does a stalling server hold it.
TIMEOUT = 0.2 if LONG else 0.1
#: Seconds by which a call may return later than it promises, on a busy machine.
SLACK = 10.0


class HangupError(OSError):
    """The server ends the connection."""


def head_and_body(status: int, *headers: str, body: bytes = b"") -> bytes:
    length = [] if status == 204 else [f"content-length: {len(body)}"]
    head = [f"HTTP/1.1 {status} X", *length, *headers, "", ""]
    return "\r\n".join(head).encode() + (b"" if status in (204, 304) else body)


def respond(connection: socket.socket, status: int, *headers: str, body: bytes = b"") -> None:
    connection.sendall(head_and_body(status, *headers, body=body))


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


def await_hangup(connection: socket.socket) -> None:
    """Wait until the client closes the connection."""
    while connection.recv(65536):
        pass
    raise HangupError


def silent(connection: socket.socket, rng: random.Random) -> None:
    await_hangup(connection)


def silent_after_headers(connection: socket.socket, rng: random.Random) -> None:
    connection.sendall(b"HTTP/1.1 503 X\r\ncontent-length: 100\r\n\r\n")
    await_hangup(connection)


def dripping(connection: socket.socket, rng: random.Random) -> None:
    """Send a byte every hundredth of a second."""
    connection.settimeout(0.01)
    for byte in b"HTTP/1.1 200 OK\r\nx: " + b"y" * 10_000:
        connection.sendall(bytes([byte]))
        with contextlib.suppress(TimeoutError):
            if not connection.recv(1):
                raise HangupError


def two_responses(connection: socket.socket, rng: random.Random) -> None:
    """Respond twice at once; the second response belongs to no request."""
    statuses = [rng.choice([200, 204, 400, 503]) for _ in range(2)]
    connection.sendall(b"".join([head_and_body(each) for each in statuses]))


def garbage(connection: socket.socket, rng: random.Random) -> None:
    connection.sendall(rng.randbytes(300))
    raise HangupError


def old_http(connection: socket.socket, rng: random.Random) -> None:
    connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nfine")
    raise HangupError


def chunked(connection: socket.socket, rng: random.Random) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")


def cut_chunk(connection: socket.socket, rng: random.Random) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nok")
    raise HangupError


def endless_informational(connection: socket.socket, rng: random.Random) -> None:
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


def some_informational(connection: socket.socket, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 30)):
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n")
    respond(connection, 200)


def closed_when_idle(connection: socket.socket, rng: random.Random) -> None:
    respond(connection, 200, "connection: keep-alive")
    raise HangupError


BEHAVIORS: list[Callable[[socket.socket, random.Random], None]] = [
    *[any_status] * 6,
    *[closed_when_idle] * 6,
    *[two_responses] * 3,
    reset_at_once,
    reset_in_headers,
    reset_after_headers,
    silent,
    silent_after_headers,
    dripping,
    garbage,
    old_http,
    chunked,
    cut_chunk,
    endless_informational,
    some_informational,
]


@attrs.define
class Hostile:
    """The server: it remembers which events came after their delivery was reported."""

    rng: random.Random
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
                self.came |= ids
                again = ids & self._done
                kind = self.rng.choice(BEHAVIORS) if self.requests < HOSTILE_REQUESTS else None
                rng = random.Random(self.rng.random())
            if again and not has_hung_up(connection):
                self.sent_again |= again
            if kind is None:
                respond(connection, 200)
            else:
                kind(connection, rng)

    def on_delivered(self, _: str, ids: tuple[str, ...]) -> None:
        with self._lock:
            self._done.update(ids)
        self.delivered += ids


def has_hung_up(connection: socket.socket) -> bool:
    """Return whether the client gave the request up before the server read it."""
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True


@pytest.fixture(scope="module", autouse=True)
def busy_processors() -> Iterator[None]:
    """Compete for the processors, in a long run."""
    code = "while True: sum(range(100_000))"
    spinning = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2 if LONG else 0)]
    yield
    for process in spinning:
        process.kill()
        process.wait()


def count_descriptors() -> int:
    try:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - the path of a list is not needed
    except FileNotFoundError:
        return 0


@contextlib.contextmanager
def leaves_nothing() -> Iterator[None]:
    """Check that no thread and no descriptor is left."""
    threads, descriptors = set(threading.enumerate()), count_descriptors()
    yield
    for thread in set(threading.enumerate()) - threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert count_descriptors() <= descriptors


@contextlib.contextmanager
def takes_at_most(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began <= seconds + SLACK


@pytest.mark.parametrize("seed", range(300 if LONG else 6))
def test_hostile_server_loses_nothing(seed: int) -> None:
    rng = random.Random(seed)
    server = Hostile(random.Random(seed))
    drops: list[str] = []
    with leaves_nothing(), keep_alive_server(server.serve) as url:
        sender = Sender(
            custom(url),
            batch_size=rng.choice([1, 3, 10]),
            concurrency=rng.choice([1, 2, 4]),
            max_pending_events=rng.choice([20, 1_000]),
            timeout=TIMEOUT,
            wait=tenacity.wait_random(0, 0.01),
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
        for _ in range(3):
            with takes_at_most(0.05):
                sender.flush(timeout=0.05)
        stops_early = rng.random() < 0.3
        while not stops_early and sender.result.pending:
            if sender.flush(timeout=PATIENCE).state is not State.ACTIVE:
                sender.resume()
        with takes_at_most(0.0 if stops_early else PATIENCE):
            sender.close(timeout=0.0 if stops_early else PATIENCE)
    result = sender.result
    pending = [each.id for each in sender.pending()]
    assert adds_up(result)
    assert (result.accepted, result.pending, result.hook_failures) == (EVENTS, len(pending), 0)
    assert stops_early or not pending
    assert sorted([*server.delivered, *drops, *pending]) == sorted(each.id for each in sent)
    assert set(server.delivered) <= server.came
    assert not server.sent_again
