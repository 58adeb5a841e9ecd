"""`WebhookDestination`: take the messages that RudderStack's webhook destination sends.

Source: RudderStack, webhook destination.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from .._body import RefusedError
from .._credentials import Credentials
from .._endpoint import Endpoint
from .._exchange import exchange_of
from ..script import ScriptedResponse
from ._counts import MessageCounts, MessageRecorder
from ._reading import read_json

__all__ = ["WebhookDestination"]

_UNAUTHORIZED = "the write key or the bearer token is missing or unknown"


class WebhookDestination(Endpoint):
    """An ASGI application that is the consumer of a webhook destination in RudderStack.

    Every POST or PUT, whatever its path, has a message, an array of messages, or an object whose
    `batch` is such an array. `GET /counts` returns the counts as JSON.

    Args:
        write_keys: accepted write keys: the query's `writeKey`, or the user name of HTTP Basic.
        bearer_tokens: accepted bearer tokens. Without write keys and tokens, every request is
            accepted.
        script: responses to give first, in order, each to one request unless it says otherwise.
        capture: a file to append the messages to, as JSON Lines; none by default. The string `-` is
            standard output.
        keep: whether to keep the messages in `messages` too.
        max_body_bytes: the largest body, both as it was sent and decoded, 16 MiB by default. None
            for no limit.
        request_timeout: the seconds a client has to send the body, 30 by default. None for no
            limit.
        sleep: waits a number of seconds before a delayed response; for tests.

    Attributes:
        app: the ASGI application.
        messages: the messages, in the order in which they came.
        request_timeout: the seconds a client has to send the head or the body of a request.

    Raises:
        OptionError: `write_keys` or `bearer_tokens` is a single string, or contains an empty one,
            or a limit is not greater than 0.
        ReceiverError: the capture file cannot be opened.
    """

    def __init__(
        self,
        *,
        write_keys: Iterable[str] = (),
        bearer_tokens: Iterable[str] = (),
        script: Iterable[ScriptedResponse] = (),
        capture: Path | str | None = None,
        keep: bool = True,
        max_body_bytes: int | None = 16 * 2**20,
        request_timeout: float | None = 30.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._credentials = Credentials(write_keys=write_keys, bearer_tokens=bearer_tokens)
        self._recorder = MessageRecorder()
        super().__init__(
            routes=[Route("/{path:path}", self._receive, methods=["POST", "PUT"])],
            recorder=self._recorder,
            script=script,
            capture=capture,
            max_body_bytes=max_body_bytes,
            request_timeout=request_timeout,
            sleep=sleep,
        )
        self.messages: list[dict[str, Any]] = []
        self._keep = keep

    @property
    def counts(self) -> MessageCounts:
        """What was received so far."""
        with self._lock:
            return self._recorder.counts

    def _public_counts(self) -> dict[str, Any]:
        return self.counts.to_dict()

    def _refusal(self, request: Request) -> RefusedError | None:
        accepted = self._credentials.accept(request)
        return None if accepted else RefusedError(401, _UNAUTHORIZED)

    async def _respond_to(self, request: Request, received: bytes | RefusedError) -> Response:
        if isinstance(received, RefusedError):
            raise received
        exchange = exchange_of(request)
        exchange.events = messages = _messages_in(received)
        with self._lock:
            if messages:
                self._write(messages)
            if self._keep:
                self.messages.extend(messages)
            self._recorder.record_messages(messages)
        exchange.taken = True
        return PlainTextResponse("ok")


def _messages_in(body: bytes) -> list[dict[str, Any]]:
    """Return the messages in a body; none if it is empty.

    Raises:
        RefusedError: the body is not what RudderStack sends.
    """
    if not body.strip():
        return []
    try:
        value = read_json(body)
    except ValueError as error:
        raise RefusedError(400, f"the body is not JSON: {error}") from None
    if isinstance(value, dict) and isinstance(value.get("batch"), list):
        value = value["batch"]
    messages = value if isinstance(value, list) else [value]
    if not all(isinstance(each, dict) for each in messages):
        raise RefusedError(400, "a message must be a JSON object")
    return messages
