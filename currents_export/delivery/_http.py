"""An HTTP/1.1 connection that takes no response for that to another request."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator

import h11
import httpx

from ._deadline import Stream
from ._reply import Reply, read_beginning

__all__ = ["Connection", "Head"]

#: The most bytes that are read at once, and the longest head of a response.
_CHUNK = 64 * 1024
_LONGEST_HEAD = 100 * 1024
#: The head of an ordinary response: its status and its header lines (RFC 9112).
_ORDINARY = re.compile(
    rb"HTTP/1\.1 ([2-5]\d\d) [ -~]*\r\n((?:[!#-'*+.^-z|~A-Z0-9-]+:[\t -~]*\r\n)+)\r\n"
)

_WITHOUT_BODY = (b"204", b"304")


class Head:
    """The head of requests that differ in the length of their body only.

    Args:
        method: the method.
        target: the target, such as a path.
        headers: the headers but Content-Length, beginning with Host.

    Raises:
        httpx.LocalProtocolError: HTTP does not allow the target or a header.
    """

    def __init__(self, method: bytes, target: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        try:
            self._event = h11.Request(method=method, target=target, headers=headers)
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error
        lines = [b"%b: %b\r\n" % each for each in headers]
        self._beginning = b"%b %b HTTP/1.1\r\n%b" % (method, target, b"".join(lines))

    def with_length(self, length: int) -> bytes:
        """Return the head of a request with a body of this length."""
        return b"%bContent-Length: %d\r\n\r\n" % (self._beginning, length)

    def state(self) -> h11.Connection:
        """Return the state of a connection after such a request."""
        state = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)
        # The length of the body does not matter for the response.
        state.send(self._event)
        state.send(h11.EndOfMessage())
        return state


class Connection:
    """An HTTP/1.1 connection with one user.

    Args:
        stream: the stream, which nothing else may use.

    Attributes:
        reusable: whether another request may follow.
    """

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.reusable = True

    def post(self, head: Head, body: bytes, patience: float) -> Reply:
        """Send a request, and return the response.

        The connection is not reusable if the response was not read to its end, or if bytes follow
        it: these may be a second response, which would be taken for that to the next request.

        Args:
            head: the head of the request.
            body: its body.
            patience: the most seconds for the body of the response.

        Raises:
            httpx.TimeoutException: there was no response by the stream's deadline.
            httpx.NetworkError: the connection failed.
            httpx.ProtocolError: the server does not speak HTTP.
        """
        self.reusable = False
        sent = self._write(head, body)
        data = self.stream.read(_CHUNK)
        if (reply := _whole(data)) is not None:
            self.reusable = sent
            return reply
        state = head.state()
        response = self._response(state, data)
        self.stream.until = min(self.stream.until, time.monotonic() + patience)
        reply = Reply(
            response.status_code,
            _headers(response.headers),
            *read_beginning(self._body(state)),
        )
        ended = state.our_state is h11.DONE and state.their_state is h11.DONE
        self.reusable = sent and ended and not state.trailing_data[0]
        return reply

    def open_tunnel(self, head: Head) -> h11.Response:
        """Send a request without a body, and return the head of its response."""
        self._write(head, b"")
        return self._response(head.state(), self.stream.read(_CHUNK))

    def _write(self, head: Head, body: bytes) -> bool:
        """Write a request; return false if that failed.

        A server may respond and close the connection before it has read everything.
        """
        try:
            # Unlike an addition, this lets other threads run while a large body is copied.
            self.stream.write(b"".join((head.with_length(len(body)), body)))
        except httpx.WriteError:
            return False
        return True

    def _response(self, state: h11.Connection, data: bytes) -> h11.Response:
        _feed(state, data)
        while not isinstance(event := self._next_event(state), h11.Response):
            pass
        return event

    def _body(self, state: h11.Connection) -> Iterator[bytes]:
        while isinstance(event := self._next_event(state), h11.Data):
            yield bytes(event.data)

    def _next_event(self, state: h11.Connection) -> object:
        try:
            while (event := state.next_event()) is h11.NEED_DATA:
                _feed(state, self.stream.read(_CHUNK))
        except h11.RemoteProtocolError as error:
            raise httpx.RemoteProtocolError(str(error)) from error
        return event


def _feed(state: h11.Connection, data: bytes) -> None:
    if not data and state.their_state is h11.SEND_RESPONSE:
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
    state.receive_data(data)


def _headers(lines: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers; the values of those with the same name are joined."""
    headers: dict[str, str] = {}
    for name, value in lines:
        key, text = name.decode("ascii").lower(), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return headers


def _whole(data: bytes) -> Reply | None:
    """Return an ordinary response that arrived in one piece, as nearly all do; or None.

    This takes a tenth of the time that h11 takes, which reads all others.
    """
    found = _ORDINARY.match(data)
    if found is None:
        return None
    lines = [line.partition(b":") for line in found[2].split(b"\r\n")[:-1]]
    headers = _headers((name, value.strip()) for name, _, value in lines)
    body = data[found.end() :]
    if (
        "transfer-encoding" in headers
        or headers.get("connection", "keep-alive").lower() != "keep-alive"
        or headers.get("content-length") != str(len(body))
        or found[1] in _WITHOUT_BODY
    ):
        return None
    return Reply(int(found[1]), headers, body)
