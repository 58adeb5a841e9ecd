"""What a transport returns: the status, the headers and the beginning of the body."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

import httpx

__all__ = [
    "BODY_PATIENCE",
    "AppFailure",
    "GivenTransport",
    "Reply",
    "Target",
    "Transport",
    "ends_program",
    "read_beginning",
]

#: A response is its status. The body is read to its end only if that is near, so that the
#: connection can be used again, and for no longer than these seconds.
BODY_PATIENCE = 1.0
_MAX_BODY = 64 * 1024


class Target(NamedTuple):
    """Where requests go to.

    Attributes:
        url: the URL, without user name and fragment.
        headers: the headers, but those that a transport adds: Host and Content-Length.
    """

    url: httpx.URL
    headers: httpx.Headers


class Reply(NamedTuple):
    """The response to a request.

    Attributes:
        status: the HTTP status.
        headers: the headers, by names in lower case.
        body: the beginning of the body, encoded as it came.
        cut: whether there is more.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    cut: bool = False


class Transport(Protocol):
    """Sends requests."""

    def post(self, target: Target, body: bytes, timeout: float) -> Reply:
        """Send a body once, and return the response; the body of that gets up to a second.

        Args:
            target: where the request goes to.
            body: the body.
            timeout: seconds for the whole request.

        Raises:
            httpx.HTTPError: there is no response.
        """

    def close(self) -> None:
        """Close the connections."""


class AppFailure(Exception):  # noqa: N818 - it carries the error
    """An exception in an application in this process, which the sender raises.

    Args:
        error: the exception.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class GivenTransport:
    """A transport of httpx that was passed in.

    There is no `Client` around it. What a client adds is what a Current must not do: it follows
    redirects, keeps cookies, and logs every URL with the write key in it.

    Args:
        transport: the transport of httpx. It gets the timeout as httpx's clients pass it on, and
            must enforce it itself.
    """

    def __init__(self, transport: httpx.BaseTransport) -> None:
        self._transport = transport

    def post(self, target: Target, body: bytes, timeout: float) -> Reply:
        """Send a body once, and return the response; see `Transport`."""
        limits = httpx.Timeout(timeout).as_dict()
        request = httpx.Request(
            "POST",
            target.url,
            headers=target.headers,
            content=body,
            extensions={"timeout": limits},
        )
        try:
            response = self._transport.handle_request(request)
        except httpx.TransportError:
            raise
        except Exception as error:
            if getattr(self._transport, "raises_in_sender", False):
                raise AppFailure(error) from error
            raise
        try:
            limits["read"] = min(timeout, BODY_PATIENCE)
            assert isinstance(response.stream, httpx.SyncByteStream)  # noqa: S101 - not async
            return Reply(response.status_code, response.headers, *read_beginning(response.stream))
        finally:
            _close(response)

    def close(self) -> None:
        """Leave the transport open, since others may use it."""


def read_beginning(chunks: Iterable[bytes]) -> tuple[bytes, bool]:
    """Return the first bytes of a body, encoded as they came, and whether there are more.

    A failure after the status does not change what the response means.
    """
    data = b""
    until = time.monotonic() + BODY_PATIENCE
    try:
        # Not decoded: a small body may decode to a very large one.
        for chunk in chunks:
            data += chunk[: _MAX_BODY - len(data)]
            if len(data) >= _MAX_BODY or time.monotonic() > until:
                return data, True
    except BaseException as error:
        if ends_program(error):
            raise
        return data, True
    return data, False


def _close(response: httpx.Response) -> None:
    """Close a response; a failure does not change what it means."""
    try:
        response.close()
    except BaseException as error:
        if ends_program(error):
            raise


def ends_program(error: BaseException) -> bool:
    """Return whether an exception ends the program: none does that in another thread."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    return in_main_thread and not isinstance(error, Exception)
