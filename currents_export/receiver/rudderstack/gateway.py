"""`RudderStack`: respond to a Current's requests as RudderStack's gateway does.

Source: RudderStack, rudder-server (gateway) and rudder-transformer (the Braze source).
"""

from __future__ import annotations

import asyncio
import enum
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import attrs
import httpx
import orjson
import tenacity
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ...errors import OptionError
from .._body import RefusedError
from .._credentials import is_among, secrets, write_key_of
from .._endpoint import Endpoint, check_limit
from .._exchange import exchange_of
from ..script import ScriptedResponse, play
from ._counts import GatewayCounts, MessageRecorder
from ._fields import as_delivered, as_received, has_user, milliseconds
from ._forwarding import Forwarded, Forwarder
from ._groups import Groups
from ._limits import RateLimit, wrapped_size
from ._reading import read_json
from ._transform import VanishReason, transformed

__all__ = ["RudderStack"]


class _Refusal(enum.Enum):
    """Why the gateway does not take a request: the status, and the text of the response."""

    NO_KEY = 401, "failed to read writekey from query params"
    UNKNOWN_KEY = 401, "invalid write key"
    DISABLED = 404, "source is disabled"
    MALFORMED = 400, "Malformed JSON in request body"
    NO_EVENTS = 400, "eventList should be an array"
    NOTHING_SURVIVED = 400, "All requests in the batch failed"
    NO_USER = 400, "request neither has anonymousId nor userId"
    TOO_LARGE = 413, "request size exceeds max limit"
    TOO_MANY = 429, "max requests limit reached"

    @property
    def error(self) -> RefusedError:
        return RefusedError(*self.value)


class RudderStack(Endpoint):
    """An ASGI application that takes a Current's requests as RudderStack does.

    It stands in for the gateway, for the Braze source behind it, and for a webhook destination. Its
    path is `/v1/webhook`; `GET /health` says that it is up, and `GET /counts` returns the counts as
    JSON, to valid write keys.

    Args:
        write_keys: the write keys of enabled sources; by default, every write key is one.
        disabled_keys: the write keys of disabled sources.
        mapping: the source's custom mapping, from event types to event names.
        script: responses to give first, in order, each to one request unless it says otherwise.
        transformer_script: responses of the transformer, each to one group of requests: a status
            other than 2XX is a failure of it, and `reset` means that it cannot be reached. All
            requests of the group get 500 or 503.
        capture: a file to append the messages to, as JSON Lines; none by default. The string `-` is
            standard output.
        keep: whether to keep the messages in `messages` too.
        forward: the URL of a consumer, which gets each message in a request, as from a webhook
            destination. A message is sent again after a network error, 5XX, 408 or 429.
        forward_wait: how long to wait before that; by default, a second at first, and twice as long
            each time, up to five minutes.
        forward_stop: when to give up a message; by default, three hours after it was first sent.
        forward_transport: the transport of these requests; for tests.
        forward_patience: the seconds that messages have to be delivered when the stand-in is
            closed, 5 by default.
        rate_limit: the most events in any period of a minute; RudderStack's Free plan allows 1,000.
            None, the default, for any number.
        suppressed_users: values of `userId` whose messages are not taken, although their requests
            get 200.
        max_request_bytes: the largest request, counted as the gateway does: with the body written
            as a JSON string. Messages must not be larger together either.
        group_size: how many requests the transformer gets at most at a time.
        group_seconds: how long a request waits for others.
        request_timeout: the seconds a client has to send the body, 30 by default. None for no
            limit.
        response_timeout: the seconds after which a request without a response is reset, 10 by
            default. None for no limit.
        sleep: waits a number of seconds before a delayed response; for tests.
        clock: returns the seconds that the rate limit counts with; for tests.
        now: returns the time in seconds since the epoch; for tests.

    Attributes:
        app: the ASGI application.
        messages: the messages with the fields that the gateway adds, in the order in which they
            were taken.
        request_timeout: the seconds a client has to send the head or the body of a request.

    Raises:
        OptionError: a list of write keys is a single string, or contains an empty one, a limit is
            not greater than 0, or `forward` is not a URL.
        ReceiverError: the capture file cannot be opened.
    """

    _texts: ClassVar[dict[int, str]] = dict(
        each.value
        for each in (
            _Refusal.UNKNOWN_KEY,
            _Refusal.DISABLED,
            _Refusal.TOO_LARGE,
            _Refusal.TOO_MANY,
        )
    )

    def __init__(
        self,
        *,
        write_keys: Iterable[str] = (),
        disabled_keys: Iterable[str] = (),
        mapping: Mapping[str, str] | None = None,
        script: Iterable[ScriptedResponse] = (),
        transformer_script: Iterable[ScriptedResponse] = (),
        capture: Path | str | None = None,
        keep: bool = True,
        forward: str | None = None,
        forward_wait: tenacity.wait.wait_base | None = None,
        forward_stop: tenacity.stop.stop_base | None = None,
        forward_transport: httpx.BaseTransport | None = None,
        forward_patience: float = 5.0,
        rate_limit: int | None = None,
        suppressed_users: Iterable[str] = (),
        max_request_bytes: int | None = 4_096_000,
        group_size: int = 32,
        group_seconds: float = 0.02,
        request_timeout: float | None = 30.0,
        response_timeout: float | None = 10.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        check_limit("max_request_bytes", max_request_bytes)
        check_limit("rate_limit", rate_limit)
        check_limit("group_size", group_size)
        self._write_keys = secrets("write_keys", write_keys)
        self._disabled_keys = secrets("disabled_keys", disabled_keys)
        self._recorder = MessageRecorder()
        super().__init__(
            routes=[
                Route("/health", _health),
                Route("/v1/webhook", _ignore),
                Route("/v1/webhook", self._receive, methods=["POST"]),
            ],
            recorder=self._recorder,
            script=script,
            capture=capture,
            max_body_bytes=max_request_bytes,
            request_timeout=request_timeout,
            response_timeout=response_timeout,
            sleep=sleep,
        )
        self.messages: list[dict[str, Any]] = []
        self._keep = keep
        self._mapping = dict(mapping or {})
        self._suppressed_users = frozenset(suppressed_users)
        self._groups = Groups(
            play(transformer_script), size=group_size, seconds=group_seconds, sleep=sleep
        )
        self._rate_limit = RateLimit(rate_limit, clock=clock)
        self._now = now
        self._forward_patience = forward_patience
        self._forwarder: Forwarder | None = None
        if forward is not None:
            try:
                self._forwarder = Forwarder(
                    forward, wait=forward_wait, stop=forward_stop, transport=forward_transport
                )
            except OptionError:
                super().close()
                raise

    @property
    def counts(self) -> GatewayCounts:
        """What the stand-in has seen so far."""
        forwarded = Forwarded() if self._forwarder is None else self._forwarder.forwarded
        with self._lock:
            return self._recorder.gateway_counts(**attrs.asdict(forwarded))

    def close(self) -> None:
        """Give the messages that wait some time to be delivered, and close the capture file.

        A second call does nothing.
        """
        if self._forwarder is not None:
            self._forwarder.close(self._forward_patience)
        super().close()

    def _public_counts(self) -> dict[str, Any]:
        return self.counts.to_dict()

    def _refusal(self, request: Request) -> RefusedError | None:
        key = write_key_of(request)
        if not key:
            return _Refusal.NO_KEY.error
        if is_among(key, self._disabled_keys):
            return _Refusal.DISABLED.error
        if self._write_keys and not is_among(key, self._write_keys):
            return _Refusal.UNKNOWN_KEY.error
        return None

    async def _respond_to(self, request: Request, received: bytes | RefusedError) -> Response:
        value = self._value_in(received)
        await self._groups.join()
        exchange = exchange_of(request)
        exchange.events = events = _events_in(value)
        made = [transformed(event, self._mapping) for event in events]
        messages = [each for each in made if isinstance(each, dict)]
        self._check(messages)
        ip = request.client.host if request.client else "127.0.0.1"
        self._take(messages, [each for each in made if isinstance(each, VanishReason)], ip)
        exchange.taken = True
        return PlainTextResponse("ok")

    def _value_in(self, received: bytes | RefusedError) -> Any:
        """Return the JSON value that is the body of a request; an empty object if it is empty.

        Raises:
            RefusedError: the body is too large, or not JSON.
        """
        if isinstance(received, RefusedError):
            if received.status == 413:
                raise _Refusal.TOO_LARGE.error
            # The gateway decodes gzip only.
            raise _Refusal.MALFORMED.error if received.status == 415 else received
        if self._max_body_bytes is not None and wrapped_size(received) > self._max_body_bytes:
            raise _Refusal.TOO_LARGE.error
        try:
            return read_json(received) if received else {}
        except ValueError:
            raise _Refusal.MALFORMED.error from None

    def _check(self, messages: list[dict[str, Any]]) -> None:
        """Check the messages of a request.

        Raises:
            RefusedError: there are none, they are too large, or one has no user.
        """
        if not messages:
            raise _Refusal.NOTHING_SURVIVED.error
        try:
            size = len(orjson.dumps({"batch": messages}))
        except TypeError:  # orjson reads deeper than it writes
            raise _Refusal.MALFORMED.error from None
        if self._max_body_bytes is not None and size > self._max_body_bytes:
            raise _Refusal.TOO_LARGE.error
        if not all(map(has_user, messages)):
            raise _Refusal.NO_USER.error

    def _take(self, messages: list[dict[str, Any]], vanished: list[VanishReason], ip: str) -> None:
        received_at = milliseconds(self._now())
        taken = [
            as_received(message, received_at=received_at, ip=ip)
            for message in messages
            if str(message.get("userId")) not in self._suppressed_users
        ]
        with self._lock:
            if not self._rate_limit.allow(len(messages)):
                raise _Refusal.TOO_MANY.error
            self._write(taken)
            if self._keep:
                self.messages.extend(taken)
            self._recorder.record_messages(taken)
            self._recorder.record_losses(vanished, len(messages) - len(taken))
        if self._forwarder is not None:
            for message in taken:
                self._forwarder.forward(as_delivered(message))


def _events_in(value: Any) -> list[Any]:
    """Return the events in the body of a request.

    Raises:
        RefusedError: it is not as the Braze source expects.
    """
    if isinstance(value, list):  # the source takes the first request of a list
        value = value[0] if value else None
    events = value.get("events") if isinstance(value, dict) else None
    if not isinstance(events, list):
        raise _Refusal.NO_EVENTS.error
    return events


async def _health(_: Request) -> Response:
    return JSONResponse({"appType": "STAND-IN", "server": "UP"})


async def _ignore(_: Request) -> Response:
    return Response()
