"""`listen`: serve a receiver on a socket, with uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import threading
from collections.abc import Iterator

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..errors import ReceiverError
from .receiver import Receiver

__all__ = ["listen"]


class _Protocol(H11Protocol):
    """HTTP/1.1 in which the application can reset a connection with `request.state.abort`."""

    # uvicorn narrows the type of asyncio's method in the same way.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # Requests get a copy of the state, so each connection needs its own state.
        self.app_state = {**self.app_state, "abort": lambda: _reset(transport)}
        super().connection_made(transport)


def _reset(transport: asyncio.Transport) -> None:
    # With a linger time of 0, closing the connection resets it.
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


class _Server(uvicorn.Server):
    """A server that does not wait for delayed responses when it stops."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await asyncio.sleep(0)  # start all tasks, so that they can end their requests
        for task in tuple(self.server_state.tasks):
            task.cancel()
        await super().shutdown(sockets)


def _bind(host: str, port: int) -> socket.socket:
    try:
        # Some systems take a larger port modulo 65,536.
        if not 0 <= port <= 65_535:
            raise OSError(f"there is no port {port}; ports are 0 to 65535")
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        # Name the protocol: asyncio sends small responses without delay only on such sockets.
        listening = socket.socket(family, kind, protocol)
    except UnicodeError as error:
        raise ReceiverError(f"cannot listen on {host!r}: it is not a host name") from error
    except OSError as error:
        raise ReceiverError(f"cannot listen on {host!r}: {error.strerror or error}") from error
    try:
        # On other systems, this option would let two processes listen on one port.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(os.name == "posix"))
        listening.bind(address)
        listening.listen(512)
    except OSError as error:
        listening.close()
        why = error.strerror or error
        raise ReceiverError(f"cannot listen on {host!r}, port {port}: {why}") from error
    return listening


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _server(receiver: Receiver) -> uvicorn.Server:
    return _Server(
        uvicorn.Config(
            receiver.app,
            http=_Protocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
    )


@contextlib.contextmanager
def listen(receiver: Receiver, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve a receiver from a thread of this process, until the context ends.

    Args:
        receiver: the receiver; its capture is closed at the end.
        host: the address to listen on; by default, only this machine can reach it.
        port: the port; by default, a free one.

    Yields:
        The URL of the receiver, without a path, such as `http://127.0.0.1:8081`.

    Raises:
        ReceiverError: the receiver cannot listen on the address.
    """
    server, listening = _server(receiver), _bind(host, port)
    thread = threading.Thread(target=server.run, args=([listening],), name="receiver", daemon=True)
    thread.start()
    try:
        yield _url(listening)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
        receiver.close()
