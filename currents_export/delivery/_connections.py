"""Endpoints, each used by one thread at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import count

from ..current import Current
from ..errors import CurrentsExportError
from ._endpoint import Endpoint
from ._responses import Response

__all__ = ["Connections"]


class Connections:
    """The connections to a Current's URL.

    A request borrows an endpoint that no other request uses, and gives it back; so a connection
    never has two users. There are no more endpoints than requests at once.

    Args:
        current: the Current.
        make: makes an endpoint for a Current.

    Attributes:
        current: the Current to which requests go.
        form: the Current, and the number of its last edit.
        failure: an exception in an application in this process, until it is raised.
    """

    def __init__(self, current: Current, make: Callable[[Current], Endpoint]) -> None:
        self._make = make
        self._closed = False
        self.failure: Exception | None = None
        # The operations of a deque are atomic. The endpoint that was used last is used next,
        # because its connection is the least likely to be closed.
        self._free: deque[tuple[Endpoint, Current]] = deque()
        self.current = current
        self.form = (current, 0)
        self._revisions = count(1)

    def use(self, current: Current, *, revised: bool = False) -> None:
        """Use this Current's URL and secrets from now on; `revised` begins another revision.

        Raises:
            CurrentError: httpx cannot use the Current's URL.
            CurrentsExportError: the proxy or the certificates cannot be used.
        """
        try:
            endpoint, used = self._free.pop()
        except IndexError:
            endpoint, used = self._make(current), current
        try:
            if used is not current:
                endpoint.use(current)
                used = current
        finally:
            self._free.append((endpoint, used))
        self.current = current
        self.form = (current, next(self._revisions) if revised else self.form[1])

    def post(self, body: bytes) -> Response:
        """Send a body once. A failure is returned as a response."""
        current = self.current
        try:
            endpoint = self._borrow(current)
        except CurrentsExportError as error:
            return Response(status=None, text=str(error))
        try:
            response = endpoint.post(body)
        except BaseException:
            # What was interrupted may have left a response unread: use this connection no more.
            endpoint.close()
            raise
        if endpoint.failure is not None:
            self.failure, endpoint.failure = self.failure or endpoint.failure, None
        self._free.append((endpoint, current))
        if self._closed:
            self.close()
        return response

    def _borrow(self, current: Current) -> Endpoint:
        try:
            endpoint, used = self._free.pop()
        except IndexError:
            return self._make(current)
        if used is not current:
            endpoint.use(current)
        return endpoint

    def raise_failure(self) -> None:
        """Raise an exception in an application in this process, if there was one."""
        failure, self.failure = self.failure, None
        if failure is not None:
            raise failure

    def close(self) -> None:
        """Close the connections, those in use when their request ends."""
        self._closed = True
        while self._free:
            try:
                endpoint, _ = self._free.pop()
            except IndexError:
                return
            endpoint.close()
