"""`Forwarder`: POST messages to a consumer as RudderStack's webhook destination does."""

from __future__ import annotations

import queue
import threading
import time
import zlib
from typing import Any, Literal, TypeAlias

import attrs
import httpx
import orjson
import tenacity

from ..._forms import url_problems
from ...errors import OptionError

__all__ = ["Forwarded", "Forwarder"]

_Stop: TypeAlias = tenacity.stop.stop_base
_Wait: TypeAlias = tenacity.wait.wait_base
_Outcome: TypeAlias = Literal["delivered", "refused", "failed"]

#: How many requests are made at a time.
_LANES = 8
#: Seconds for one request.
_REQUEST_TIMEOUT = 30.0
_HOURS = 3600.0
#: Refusals that may be temporary, besides 5XX.
_TEMPORARY = (408, 429)


@attrs.frozen
class Forwarded:
    """What became of the messages.

    Attributes:
        delivered: messages that the consumer responded to with 2XX.
        given_up: messages that it refused, or did not accept in time.
        waiting: all others.
    """

    delivered: int = 0
    given_up: int = 0
    waiting: int = 0


class Forwarder:
    """POST messages to a consumer, one a request, from threads of its own.

    Messages of a user arrive in order: each one waits until the one before it is delivered or given
    up. A message is sent again after a network error, 5XX, 408 or 429.

    Args:
        url: the consumer.
        wait: how long to wait before a message is sent again; by default, a second at first, and
            twice as long each time, up to five minutes.
        stop: when to give up a message; by default, three hours after it was first sent.
        transport: the transport of the requests; for tests.

    Raises:
        OptionError: the URL is not valid.
    """

    def __init__(
        self,
        url: str,
        *,
        wait: _Wait | None = None,
        stop: _Stop | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        for name, problem in url_problems("forward", url, allow_plain_http=True):
            raise OptionError(f"{name}: {problem}")
        self._url = url
        self._wait = tenacity.wait_exponential(max=300) if wait is None else wait
        self._stop = tenacity.stop_after_delay(3 * _HOURS) if stop is None else stop
        self._client = httpx.Client(transport=transport, timeout=_REQUEST_TIMEOUT)
        self._lock = threading.Lock()
        self._forwarded = Forwarded()
        self._stopping = threading.Event()
        self._lanes: list[queue.SimpleQueue[bytes | None]] = [
            queue.SimpleQueue() for _ in range(_LANES)
        ]
        self._threads = [
            threading.Thread(target=self._run, args=(lane,), name="forwarder", daemon=True)
            for lane in self._lanes
        ]
        for thread in self._threads:
            thread.start()

    @property
    def forwarded(self) -> Forwarded:
        """What became of the messages so far."""
        with self._lock:
            return self._forwarded

    def forward(self, message: dict[str, Any]) -> None:
        """Have a message delivered, and do not wait for that."""
        self._count(waiting=1)
        user = f"{message.get('userId')}:{message.get('anonymousId')}"
        lane = zlib.crc32(user.encode(errors="surrogatepass")) % _LANES
        self._lanes[lane].put(orjson.dumps(message))

    def close(self, patience: float) -> None:
        """End the threads; a second call does nothing.

        Args:
            patience: the seconds that messages have to be delivered; later, those that wait are
                not sent any more.
        """
        if self._client.is_closed:
            return
        for lane in self._lanes:
            lane.put(None)
        deadline = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._stopping.set()
        # A request in flight fails when its connection is closed.
        self._client.close()

    def _run(self, lane: queue.SimpleQueue[bytes | None]) -> None:
        while (content := lane.get()) is not None and not self._stopping.is_set():
            outcome = self._deliver(content)
            if outcome == "delivered":
                self._count(delivered=1, waiting=-1)
            elif outcome == "refused" or not self._stopping.is_set():
                self._count(given_up=1, waiting=-1)

    def _deliver(self, content: bytes) -> _Outcome:
        return tenacity.Retrying(
            wait=self._wait,
            stop=self._stop | tenacity.stop_when_event_set(self._stopping),
            sleep=tenacity.sleep_using_event(self._stopping),
            retry=tenacity.retry_if_result(lambda outcome: outcome == "failed"),
            retry_error_callback=lambda _: "failed",
        )(self._post, content)

    def _post(self, content: bytes) -> _Outcome:
        try:
            status = self._client.post(
                self._url, content=content, headers={"Content-Type": "application/json"}
            ).status_code
        except (httpx.HTTPError, RuntimeError):  # RuntimeError: the client was closed
            return "failed"
        if 200 <= status < 300:
            return "delivered"
        return "failed" if status >= 500 or status in _TEMPORARY else "refused"

    def _count(self, *, delivered: int = 0, given_up: int = 0, waiting: int = 0) -> None:
        with self._lock:
            before = self._forwarded
            self._forwarded = Forwarded(
                before.delivered + delivered, before.given_up + given_up, before.waiting + waiting
            )
