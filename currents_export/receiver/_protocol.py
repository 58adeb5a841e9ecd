"""HTTP/1.1 over a socket, with limits on what a client can make the server hold."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
from typing import Any, Literal

import attrs
import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["LOGGER", "Limits", "Protocol"]

#: Clients cause uvicorn's warnings, and could fill a log with them.
LOGGER = logging.getLogger("currents_export.receiver.uvicorn")
LOGGER.setLevel(logging.ERROR)

#: The most bytes of a body that are read and discarded after the response, so that the client can
#: use the connection again.
_MAX_DISCARDED = 2**20
#: The most connections that get a 503 at a time; any more are closed without a response.
_MAX_REFUSED = 16
#: Seconds that a client has to read a 503.
_REFUSAL_TIMEOUT = 1.0
_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
    b"Content-Length: 21\r\n"
    b"Connection: close\r\n\r\n"
    b"too many connections\n"
)


@attrs.frozen
class Limits:
    """What a client may take.

    Attributes:
        request_timeout: the seconds that a client has for each of its parts of an exchange: the
            head, and, after an early response, the rest of the body and reading. None for any. The
            application limits the time for the body.
        max_connections: the most connections at a time; any more get a 503 and are closed.
    """

    request_timeout: float | None
    max_connections: int


class Protocol(H11Protocol):
    """Limit the time and the number of connections; let the application reset a connection.

    The application resets a connection with `request.state.abort`.
    """

    def __init__(self, *, limits: Limits, **options: Any) -> None:
        super().__init__(**options)
        self.logger = LOGGER
        self._limits = limits
        self._refused = False
        #: What the client has to do next, and the end of its time for that.
        self._due: Literal["head", "rest", "reading", "leaving"] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._discarded = 0

    # uvicorn narrows the type of asyncio's method in the same way.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        others = len(self.connections)
        # Requests get a copy of the state, so each connection needs its own state.
        self.app_state = {**self.app_state, "abort": lambda: _reset(transport)}
        super().connection_made(transport)
        self._refused = others >= self._limits.max_connections
        if others >= self._limits.max_connections + _MAX_REFUSED:
            transport.abort()
        elif self._refused:
            transport.write(_REFUSAL)
            with contextlib.suppress(OSError):  # the client has gone
                transport.write_eof()
        self._watch()

    def data_received(self, data: bytes) -> None:
        # To close a connection before its data is read could destroy the response.
        if self._refused:
            return
        if self._due == "rest":
            self._discarded += len(data)
            if self._discarded > _MAX_DISCARDED:
                self.transport.abort()
                return
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._cancel()

    def _watch(self) -> None:
        """Start the client's time when something becomes due, and stop it when it is done."""
        due = self._next_due()
        if due == self._due:
            return
        self._cancel()
        self._due = due
        self._discarded = 0
        seconds = _REFUSAL_TIMEOUT if self._refused else self._limits.request_timeout
        if due is not None and seconds is not None:
            self._timer = self.loop.call_later(seconds, self.transport.abort)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _next_due(self) -> Literal["head", "rest", "reading", "leaving"] | None:
        if self._refused or self.transport.is_closing():
            return "leaving"
        if self.flow.write_paused:
            return "reading"
        if self.conn.their_state is h11.SEND_BODY and self.cycle.response_complete:
            return "rest"
        # Between requests, uvicorn's own time limit holds.
        if self.conn.their_state is h11.IDLE and self.timeout_keep_alive_task is None:
            return "head"
        return None


def _reset(transport: asyncio.Transport) -> None:
    # With a linger time of 0, the close is a reset instead of an orderly end.
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
