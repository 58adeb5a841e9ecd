"""A server that does everything wrong, at random."""

from __future__ import annotations

import itertools
import random
import re
import select
import socket
import struct
import threading
from collections import defaultdict
from collections.abc import Callable

import attrs
import orjson

from tests.support.servers import read_request

__all__ = ["ENDLESS", "Behavior", "Hostile", "Line", "respond"]

#: After so many requests the server behaves, so that each run ends.
HOSTILE_REQUESTS = 60
#: The longest beginning of a response that a line remembers.
_REMEMBERED = 4096


class HangupError(OSError):
    """The server ends the connection."""


class Line:
    """A connection that remembers how the response to a request began."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._written = b""

    def write(self, data: bytes) -> None:
        if len(self._written) < _REMEMBERED:
            self._written += data[:_REMEMBERED]
        self.connection.sendall(data)

    @property
    def status(self) -> int | None:
        """The status of the first response, if its head is complete and not informational."""
        whole = re.match(rb"HTTP/1\.[01] ([2-5]\d\d) .*?\r\n\r\n", self._written, re.DOTALL)
        return int(whole[1]) if whole else None


Behavior = Callable[[Line, random.Random], None]


def respond(line: Line, status: int, *headers: str, body: bytes = b"") -> None:
    head = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *headers, "", ""]
    line.write("\r\n".join(head).encode() + body)


def reset(line: Line) -> None:
    line.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise HangupError


def fine(line: Line, rng: random.Random) -> None:
    respond(line, 200)


def any_status(line: Line, rng: random.Random) -> None:
    respond(line, rng.randint(200, 599), body=b"x" * rng.randint(0, 200))


def reset_at_once(line: Line, rng: random.Random) -> None:
    reset(line)


def reset_in_headers(line: Line, rng: random.Random) -> None:
    line.write(b"HTTP/1.1 200 OK\r\ncontent-le")
    reset(line)


def reset_after_headers(line: Line, rng: random.Random) -> None:
    line.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
    reset(line)


def silent(line: Line, rng: random.Random) -> None:
    line.connection.settimeout(0.05)
    line.connection.recv(1)
    raise HangupError


def garbage(line: Line, rng: random.Random) -> None:
    line.write(rng.randbytes(300))
    raise HangupError


def old_http(line: Line, rng: random.Random) -> None:
    line.write(b"HTTP/1.0 200 OK\r\n\r\nfine")
    raise HangupError


def chunked(line: Line, rng: random.Random) -> None:
    line.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")


def two_responses(line: Line, rng: random.Random) -> None:
    """Respond twice, in one packet or in two; nobody asked for the second response.

    The second one begins with the end of the first: if it came after the next request, no client
    could tell.
    """
    first = b"HTTP/1.1 %d X\r\ncontent-length: 0\r\n\r\n" % rng.choice([200, 503])
    both = first + b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    cut = rng.choice([0, len(first) - 1])
    line.write(both[:cut])
    line.write(both[cut:])


def informational(line: Line, rng: random.Random) -> None:
    for _ in range(rng.randint(1, 300)):
        line.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    raise HangupError


def informational_without_end(line: Line, rng: random.Random) -> None:
    while True:
        line.write(b"HTTP/1.1 102 Processing\r\n\r\n")


def dripping(line: Line, rng: random.Random) -> None:
    """Send the headers one byte at a time, until the client gives up."""
    for byte in itertools.cycle(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 10_000):
        line.write(bytes([byte]))
        if select.select([line.connection], [], [], 0.05)[0]:
            raise HangupError


def silent_without_end(line: Line, rng: random.Random) -> None:
    line.connection.recv(1)
    raise HangupError


def closed_when_idle(line: Line, rng: random.Random) -> None:
    respond(line, 200, "connection: keep-alive")
    raise HangupError


BEHAVIORS: list[Behavior] = [
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
ENDLESS: list[Behavior] = [
    informational_without_end,
    dripping,
    silent_without_end,
]


@attrs.define
class Hostile:
    """The server, and what it knows about the events that came.

    Args:
        rng: what it decides with.
        endless: behaviors that last until the client gives up; each happens at most once.

    Attributes:
        requests: how many requests came.
        statuses: the statuses of the responses to the requests with an event, by its id.
        delivered: the ids of the events whose delivery the sender reported.
        sent_again: the ids of those that came again later.
    """

    rng: random.Random
    endless: list[Behavior]
    requests: int = 0
    statuses: dict[str, set[int | None]] = attrs.field(factory=lambda: defaultdict(set))
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
                kind = self._next()
            line = Line(connection)
            try:
                kind(line, self.rng)
            finally:
                with self._lock:
                    for each in ids:
                        self.statuses[each].add(line.status)

    def _next(self) -> Behavior:
        if self.endless and self.rng.random() < 0.1:
            return self.endless.pop()
        return self.rng.choice(BEHAVIORS) if self.requests < HOSTILE_REQUESTS else fine

    def on_delivered(self, _: str, ids: tuple[str, ...]) -> None:
        with self._lock:
            self._done.update(ids)
        self.delivered += ids
