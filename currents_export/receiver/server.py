"""`listen`: serve a receiver on a socket, with uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import os
import socket
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import uvicorn

from .._redaction import shown
from ..errors import OptionError, ReceiverError
from ._endpoint import Endpoint
from ._protocol import LOGGER, Limits, Protocol

if TYPE_CHECKING:
    from .page import Page

try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None  # type: ignore[assignment]

__all__ = ["listen"]


#: What the system reports when it has no descriptor or memory for a connection.
_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class _Listening(socket.socket):
    """A listening socket that pauses when the process has no descriptor left.

    After such a failure, asyncio stops accepting for a second. Before that, it tries again, and
    reports each failure, as many times as connections may wait.
    """

    _exhausted = False

    def accept(self) -> tuple[socket.socket, Any]:
        try:
            return super().accept()
        except OSError as error:
            if error.errno in _EXHAUSTED:
                # The first failure makes asyncio stop for a second; the second ends its tries.
                self._exhausted = not self._exhausted
                if not self._exhausted:
                    raise BlockingIOError from error
            raise


def _handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    error = context.get("exception")
    if isinstance(error, OSError) and error.errno in _EXHAUSTED:
        LOGGER.warning("connections wait: %s", error)
    else:
        loop.default_exception_handler(context)


class _Server(uvicorn.Server):
    """A server that is quiet under load, and does not wait for delayed responses when it stops."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(_handle)
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await asyncio.sleep(0)  # start all tasks, so that they can end their requests
        for task in tuple(self.server_state.tasks):
            task.cancel()
        await super().shutdown(sockets)


def _bind(host: str, port: int) -> _Listening:
    try:
        # Some systems take a larger port modulo 65,536.
        if not 0 <= port <= 65_535:
            raise OSError(f"there is no port {port}; ports are 0 to 65535")
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        # Name the protocol: asyncio sends small responses without delay only on such sockets.
        listening = _Listening(family, kind, protocol)
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


def _within_descriptors(max_connections: int) -> int:
    """Return the number of connections, at most half as many as the process has descriptors."""
    if resource is None:
        return max_connections
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        return max_connections
    return min(max_connections, max(1, descriptors // 2))


def _server(app: Any, request_timeout: float | None, max_connections: int) -> uvicorn.Server:
    limits = Limits(request_timeout, _within_descriptors(max_connections))
    return _Server(
        uvicorn.Config(
            app,
            # uvicorn only calls it, so it need not be a class.
            http=functools.partial(Protocol, limits=limits),  # type: ignore[arg-type]
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
    )


@contextlib.contextmanager
def listen(
    receiver: Endpoint,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    max_connections: int = 256,
    page: Page | None = None,
) -> Iterator[str]:
    """Serve a receiver from a thread of this process, until the context ends.

    A client has the receiver's `request_timeout` for the head of a request. Its connection is
    closed when it takes longer, or when it goes on sending a large body after the response.

    >>> from currents_export import Receiver, listen
    >>> with listen(Receiver()) as url:
    ...     print(url)
    http://127.0.0.1:...

    Args:
        receiver: the receiver; its capture is closed at the end.
        host: the address to listen on; by default, only this machine can reach it.
        port: the port; by default, a free one.
        max_connections: the most connections at a time, 256 by default, and never more than half
            as many as the process may have descriptors. Any more get a 503 and are closed.
        page: shows at `GET /` what the receiver receives; `Page(receiver)` makes one. None, the
            default, for no page.

    Yields:
        The URL of the receiver, without a path, such as `http://127.0.0.1:8081`.

    Raises:
        OptionError: `max_connections` is not a whole number of 1 or more, the page is of another
            receiver, or it has no token although other machines could open it.
        ReceiverError: the receiver cannot listen on the address.
    """
    if not (type(max_connections) is int and max_connections >= 1):
        raise OptionError(f"max_connections is {shown(max_connections)}; it must be 1 or more")
    if page is not None and page.receiver is not receiver:
        raise OptionError("the page is of another receiver")
    app = receiver.app if page is None else page.app
    server = _server(app, receiver.request_timeout, max_connections)
    listening = _bind(host, port)
    if page is not None:
        try:
            page.check_host(listening.getsockname()[0])
        except OptionError:
            listening.close()
            raise
    thread = threading.Thread(target=server.run, args=([listening],), name="receiver", daemon=True)
    thread.start()
    try:
        yield _url(listening)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
        receiver.close()
