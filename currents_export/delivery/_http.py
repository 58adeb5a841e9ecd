"""An HTTP/1.1 connection that gives a response to no other request than its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import h11
import httpx

from ._deadline import Stream

__all__ = ["Connection"]

#: The most bytes that are read at once, and the longest head of a response.
_CHUNK = 64 * 1024
_LONGEST_HEAD = 100 * 1024


class Connection:
    """An HTTP/1.1 connection with one user.

    Args:
        stream: the stream, which may be used by no one else.
    """

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)

    def request(
        self,
        method: bytes,
        target: bytes,
        headers: list[tuple[bytes, bytes]],
        body: bytes = b"",
    ) -> h11.Response:
        """Send a request, and return the head of the final response.

        Raises:
            httpx.TimeoutException: there was none by the stream's deadline.
            httpx.NetworkError: the connection failed.
            httpx.ProtocolError: the server does not speak HTTP.
        """
        try:
            data = b"".join(
                [
                    self._state.send(h11.Request(method=method, target=target, headers=headers)),
                    self._state.send(h11.Data(data=body)) or b"",
                    self._state.send(h11.EndOfMessage()) or b"",
                ]
            )
        except h11.LocalProtocolError as error:
            raise httpx.LocalProtocolError(str(error)) from error
        # A server may respond and close the connection before it has read everything.
        with contextlib.suppress(httpx.WriteError):
            self.stream.write(data)
        while not isinstance(event := self._next_event(), h11.Response):
            pass
        return event

    def body(self) -> Iterator[bytes]:
        """Yield the body of the response, as it was sent."""
        while isinstance(event := self._next_event(), h11.Data):
            yield bytes(event.data)

    def _next_event(self) -> h11.Event | type[h11.PAUSED]:
        while True:
            try:
                event = self._state.next_event()
                if event is not h11.NEED_DATA:
                    return event  # type: ignore[return-value]
                data = self.stream.read(_CHUNK)
                if not data and self._state.their_state is h11.SEND_RESPONSE:
                    raise httpx.RemoteProtocolError(
                        "Server disconnected without sending a response."
                    )
                self._state.receive_data(data)
            except h11.RemoteProtocolError as error:
                raise httpx.RemoteProtocolError(str(error)) from error

    def next_cycle(self) -> bool:
        """Get ready for the next request; return whether that is possible.

        It is not if the response was not read to its end, or if bytes follow it: these may be a
        second response, which would be taken for that to the next request.
        """
        state = self._state
        if state.our_state is not h11.DONE or state.their_state is not h11.DONE:
            return False
        if state.trailing_data[0]:
            return False
        state.start_next_cycle()
        return True
